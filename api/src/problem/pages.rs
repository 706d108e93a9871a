//! The page behind each `type`: `/problems/<code>`, made from the catalogue, as HTML or plain text.

use poem::{FromRequest, Request};
use poem::{Response, Route, endpoint::make, get, http::header, web::Path};

use super::{Answer, Code, Problem};
use crate::html::{Page, escape};

/// `/problems` and `/problems/<code>`.
pub(crate) fn pages() -> Route {
    Route::new()
        .at("/", get(make(|_| async { Ok::<_, poem::Error>(html(index())) })))
        .at("/:code", get(make(|request: Request| async move { Ok::<_, poem::Error>(page(&request).await?) })))
}

async fn page(request: &Request) -> Answer<Response> {
    let nothing = || Problem::new(Code::NotFound, "There is no problem with this code.");
    let Path(name) = Path::<String>::from_request_without_body(request).await.map_err(|_| nothing())?;
    let code = Code::named(&name).ok_or_else(nothing)?;
    let accept = request.header(header::ACCEPT).unwrap_or_default();
    if accept.contains("text/html") {
        return Ok(html(Page::new(code.entry().title, article(code))));
    }
    let entry = code.entry();
    Ok(Response::builder().content_type("text/plain; charset=utf-8").body(format!(
        "{} {}\n\n{}\n\n{}\n",
        entry.status,
        code.as_str(),
        entry.title,
        entry.advice
    )))
}

fn html(page: Page) -> Response {
    page.respond()
}

fn article(code: Code) -> String {
    let entry = code.entry();
    format!(
        "<p>Status {} · code <code>{}</code></p>\n<p>{}</p>\n<p><a href=\"/problems\">All problems</a></p>",
        entry.status,
        code.as_str(),
        escape(entry.advice)
    )
}

fn index() -> Page {
    let rows: String = Code::all()
        .map(|code| {
            let entry = code.entry();
            let name = code.as_str();
            format!(
                "<tr><td>{}</td><td><a href=\"/problems/{name}\"><code>{name}</code></a></td><td>{}</td></tr>\n",
                entry.status,
                escape(entry.title)
            )
        })
        .collect();
    let head =
        "<thead><tr><th scope=\"col\">Status</th><th scope=\"col\">Code</th><th scope=\"col\">Title</th></tr></thead>";
    Page::new("Problems", format!("<table>{head}<tbody>\n{rows}</tbody></table>"))
}
