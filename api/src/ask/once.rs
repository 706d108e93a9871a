//! A POST that happens once, however often it is sent (API.md section 3).

use nazorg_domain::{
    Context,
    idempotency::{self, Entered, IdempotencyKey, Pending, StoredAnswer},
};
use poem::{Request, RequestBody};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaParamIn, MetaSchemaRef, Registry},
};

use super::{SCHEME, context, data, marked, register_scheme};
use crate::{
    edge,
    gate::{Found, Parsed, canonical},
    problem::{Answer, Problem},
};

/// What an Idempotency-Key looks like: visible ASCII, bare or as a quoted string (draft-ietf-httpapi-idempotency-key-header).
pub(crate) const KEY_PATTERN: &str = r#"^("[ !#-\[\]-~]{1,255}"|[!#-\[\]-~]{1,255})$"#;

/// For an operation after which a message or a case follows: the key is required.
pub type Once<'a> = Keyed<'a, true>;

/// For every other POST that changes something: the key is optional. Without one, each request is a new one.
pub type OnceIfKeyed<'a> = Keyed<'a, false>;

/// The caller of a POST, with the Idempotency-Key it was sent with. Use it through [`once!`](crate::once).
pub struct Keyed<'a, const REQUIRED: bool> {
    cx: Context<'a>,
    key: Option<&'a str>,
    route: String,
    said: String,
}

/// What a request turns out to be.
pub enum Entry<'a> {
    /// A new one: do the work.
    Underway(Underway<'a>),
    /// One that was done before: this was the answer.
    Replayed(StoredAnswer),
}

/// Work under way. Dropped without [`Underway::finish`], nothing of it remains.
pub enum Underway<'a> {
    /// Inside the transaction that keeps the answer too.
    Kept(Box<Pending<'a>>),
    /// Without a key: the verb's own transaction is all there is.
    Plain(Box<Context<'a>>),
}

impl<'a, const REQUIRED: bool> Keyed<'a, REQUIRED> {
    /// Enters with the key, if there is one.
    pub async fn enter(self) -> Answer<Entry<'a>> {
        let Some(raw) = self.key else { return Ok(Entry::Underway(Underway::Plain(Box::new(self.cx)))) };
        let key = IdempotencyKey { raw, route: &self.route, body: self.said.as_bytes() };
        match idempotency::enter(self.cx, &key).await? {
            Entered::Fresh(pending) => Ok(Entry::Underway(Underway::Kept(Box::new(pending)))),
            Entered::Replayed(answer) => Ok(Entry::Replayed(answer)),
        }
    }
}

impl<'a> Underway<'a> {
    /// The context to pass to the verb.
    pub fn context(&self) -> &Context<'a> {
        match self {
            Underway::Kept(pending) => &pending.cx,
            Underway::Plain(cx) => cx,
        }
    }

    /// Keeps the answer and commits it together with the change.
    pub async fn finish(self, answer: impl FnOnce() -> StoredAnswer) -> Answer<()> {
        if let Underway::Kept(pending) = self {
            idempotency::leave(*pending, &answer()).await?;
        }
        Ok(())
    }
}

impl<'a, const REQUIRED: bool> ApiExtractor<'a> for Keyed<'a, REQUIRED> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme, ApiExtractorType::Parameter];
    const PARAM_IS_REQUIRED: bool = REQUIRED;
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        register_scheme(registry);
    }

    fn security_schemes() -> Vec<&'static str> {
        vec![SCHEME]
    }

    fn param_in() -> Option<MetaParamIn> {
        Some(MetaParamIn::Header)
    }

    fn param_schema_ref() -> Option<MetaSchemaRef> {
        marked("idempotency-key")
    }

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        Ok(read(request)?)
    }
}

fn read<const REQUIRED: bool>(request: &Request) -> Result<Keyed<'_, REQUIRED>, Problem> {
    let route = match data::<Found>(request)? {
        Found::Operation(operation) => operation.route,
        Found::OtherMethod { .. } | Found::Nothing => "",
    };
    let body = request.data::<Parsed>().map(|Parsed(value)| canonical(value)).unwrap_or_default();
    let key = edge::one(request.headers(), "idempotency-key").map(|raw| raw.trim_matches('"'));
    let uri = edge::asked_for(request);
    Ok(Keyed {
        cx: context(request)?,
        key,
        route: format!("{} {route}", request.method()),
        said: format!("{}?{}\n{body}", uri.path(), uri.query().unwrap_or_default()),
    })
}

/// Does the work of a POST once: `once!(once, |cx| { …; Created::new(…) })`.
///
/// The block may use `?` and answers with a type of [`crate::answers`]; whatever leaves it early leaves nothing behind.
/// `cx` is a `&Context` inside the transaction in which the answer is kept with the change.
#[macro_export]
macro_rules! once {
    ($once:expr, |$cx:ident| $work:expr) => {
        match $once.enter().await? {
            $crate::ask::Entry::Replayed(answer) => Ok($crate::answers::Keep::replay(answer)),
            $crate::ask::Entry::Underway(underway) => {
                let $cx = underway.context();
                let answer = $work;
                underway.finish(|| $crate::answers::Keep::keep(&answer)).await?;
                Ok(answer)
            }
        }
    };
}
