//! `/l/<token>`: the page behind the link in a message to staff. Looking at it changes nothing, because mail scanners look too; a button
//! does. It says nothing that the message did not say: no person, no programme, no reason (DOMAIN 7.6).
//!
//! The page is for people and stands in no document; its token is in no log line, since a line holds no path that is not a route's.

mod page;
mod words;

use std::sync::Arc;

use nazorg_domain::{
    App, Error,
    error::ViolationCode,
    links::{self, Asked, Stands},
};
use poem::{
    Endpoint, Request, Response,
    http::{Method, StatusCode, header},
};

use crate::{
    edge::Trail,
    gate::Limits,
    problem::{Code, Problem},
};
use page::Shows;
use words::Words;

/// The most that a pressed button says, in bytes.
const LONGEST: usize = 256;
/// What the buttons are called in the form.
const SAY: &str = "say";
const SEEN: &str = "seen";
const DONE: &str = "done";

/// The page and its buttons.
#[derive(Clone)]
pub(crate) struct Page {
    pub(crate) app: Arc<App>,
    pub(crate) limits: Arc<Limits>,
}

impl Endpoint for Page {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let preferred = words::of_tag(request.header(header::ACCEPT_LANGUAGE).unwrap_or_default());
        let address = self.limits.address(&request);
        let quota = self.limits.stranger(address)?;
        let mut response = match self.answer(&mut request).await {
            Ok(response) => response,
            Err(Error::NotFound | Error::Forbidden) => {
                let nothing = Problem::new(Code::NotFound, "There is nothing here that you may see.");
                match self.limits.failed(address, nothing) {
                    one if one.code == Code::NotFound => page::respond(preferred, &Shows::Gone),
                    too_often => return Err(too_often.into()),
                }
            }
            Err(other) => return Err(Problem::from(other).into()),
        };
        quota.on(response.headers_mut());
        Ok(response)
    }
}

impl Page {
    async fn answer(&self, request: &mut Request) -> Result<Response, Error> {
        let token = request.raw_path_param("token").unwrap_or_default().to_owned();
        let asked = asked(request);
        let found = links::look(&self.app, &token, &asked).await?;
        let words = words::of(&found.language);
        if request.method() != Method::POST {
            return Ok(page::respond(words, &shows(found.stands)));
        }
        match self.say(request, (&token, &asked), found.stands).await {
            Ok(seen) => Ok(page::respond(words, &shows(seen))),
            Err(Error::Violation(violation)) if violation.code == ViolationCode::AlreadyFinal => {
                Ok(refused(words, &Shows::Over))
            }
            Err(Error::Violation(_) | Error::Invalid(_)) => Ok(refused(words, &Shows::NotNow)),
            Err(other) => Err(other),
        }
    }

    /// Does what the pressed button says.
    async fn say(
        &self,
        request: &mut Request,
        (token, asked): (&str, &Asked),
        stands: Stands,
    ) -> Result<Stands, Error> {
        let said = said(request).await;
        let seen = match (said.as_str(), stands) {
            (SEEN, _) => links::acknowledge(&self.app, token, asked).await?,
            // The only one there is; its code may say more than a page should.
            (DONE, Stands::Open { outcomes, .. }) if outcomes.len() == 1 => {
                links::complete(&self.app, token, asked, outcomes.into_iter().next().unwrap_or_default()).await?
            }
            // What the page does not offer is for a system behind a login, whoever writes the form.
            _ if words::place(&said).is_none() => {
                return Err(Error::field("/say", "unknown", "There is no such button."));
            }
            _ => links::complete(&self.app, token, asked, said).await?,
        };
        Ok(seen.stands)
    }
}

fn asked(request: &Request) -> Asked {
    let trail = request.data::<Trail>();
    let kept_as = trail.map(|trail| trail.kept_as).unwrap_or_default();
    Asked { request_id: kept_as, trace_id: kept_as.simple().to_string() }
}

/// The pressed button: a word, as a form sends it. Anything else is no button of ours, and so no outcome either.
async fn said(request: &mut Request) -> String {
    let body = request.take_body().into_bytes_limit(LONGEST).await.unwrap_or_default();
    let text = std::str::from_utf8(&body).unwrap_or_default();
    let value = text.split('&').find_map(|pair| pair.split_once('=').filter(|(name, _)| *name == SAY));
    value.map(|(_, word)| word.to_owned()).unwrap_or_default()
}

fn refused(words: &Words, shows: &Shows) -> Response {
    let mut response = page::respond(words, shows);
    response.set_status(StatusCode::CONFLICT);
    response
}

/// What of it a page shows: of several outcomes only those whose words reveal nothing.
fn shows(stands: Stands) -> Shows {
    match stands {
        Stands::Open { acknowledged, outcomes } => {
            let several = outcomes.len() > 1;
            let neutral: Vec<usize> = outcomes.iter().filter_map(|code| words::place(code)).collect();
            let more = several && neutral.len() < outcomes.len();
            let done = outcomes.len() == 1;
            Shows::Open { acknowledged, done, outcomes: if several { neutral } else { Vec::new() }, more }
        }
        Stands::DoneByThem => Shows::Done,
        Stands::Over => Shows::Over,
    }
}
