//! The published document, compiled once: which operations there are, and what each of them accepts.

use jsonschema::Validator;
use poem::http::Method;
use serde_json::{Map, Value};

use super::{promise::Promises, schema};

/// The document is not one this service can stand by; a fault of ours, found at start.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the published document does not hold: {0}")]
pub struct ContractError(pub String);

/// All operations, ready to judge requests.
pub(crate) struct Contract {
    operations: Vec<Operation>,
}

/// What the document says about one operation.
pub(crate) struct Operation {
    /// `operationId`.
    pub(crate) id: &'static str,
    /// The path with its names, below `/v1`: `/units/{id}`.
    pub(crate) route: &'static str,
    method: Method,
    segments: Vec<Segment>,
    /// Whether a credential is needed.
    pub(crate) secured: bool,
    /// Parameters by place.
    pub(crate) path: Vec<Parameter>,
    pub(crate) query: Vec<Parameter>,
    pub(crate) headers: Vec<Parameter>,
    /// What the body must be, where there is one.
    pub(crate) body: Option<BodyRule>,
    /// The media types of its successful answers.
    pub(crate) produces: Vec<String>,
    /// Whether `If-Match` is required.
    pub(crate) guarded: bool,
    /// What its answers look like; empty in release builds.
    pub(crate) promises: Promises,
}

enum Segment {
    Is(String),
    Named(String),
}

/// One parameter of the document.
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) required: bool,
    /// The type its text stands for.
    pub(crate) kind: Kind,
    /// Whether it may be repeated.
    pub(crate) many: bool,
    pub(crate) validator: Validator,
}

/// How the text of a parameter becomes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Integer,
    Number,
    Boolean,
}

/// What the document says about a body.
pub(crate) struct BodyRule {
    pub(crate) media: Vec<String>,
    pub(crate) required: bool,
    /// For JSON; other formats are read by the operation itself.
    pub(crate) validator: Option<Validator>,
}

/// What a method and a path come to.
#[derive(Clone)]
pub(crate) enum Found {
    /// An operation of the document.
    Operation(&'static Operation),
    /// A path of the document, asked with a method it does not have.
    OtherMethod { allow: String },
    /// Nothing below `/v1`, or nothing of the document.
    Nothing,
}

const BASE: &str = "/v1";

impl Contract {
    /// Compiles the normalised document.
    pub(crate) fn new(document: &Value) -> Result<Self, ContractError> {
        let schemas = document.pointer("/components/schemas").cloned().unwrap_or_default();
        let mut operations = Vec::new();
        for (path, item) in object(document.get("paths")) {
            for (method, operation) in object(Some(item)) {
                let compiler = Compiler { document, schemas: &schemas, operation };
                operations.push(compiler.compile(path, method)?);
            }
        }
        // A literal segment wins over a named one, so `/persons/_search` is never taken for a person.
        operations.sort_by_key(|operation| operation.segments.iter().map(Segment::rank).collect::<Vec<_>>());
        Ok(Self { operations })
    }

    /// The operation for this request; HEAD is answered as GET.
    pub(crate) fn find(&'static self, method: &Method, path: &str) -> Found {
        let Some(path) = path.strip_prefix(BASE) else { return Found::Nothing };
        let asked = if *method == Method::HEAD { &Method::GET } else { method };
        let mut fitting = self.operations.iter().filter(|operation| operation.matches(path)).peekable();
        // They are sorted: the first one has the most literal route, and only that route counts.
        let route = fitting.peek().map(|operation| operation.route);
        let mut allow = Vec::new();
        for operation in fitting.filter(|operation| Some(operation.route) == route) {
            if operation.method == *asked {
                return Found::Operation(operation);
            }
            allow.push(operation.method.as_str());
            if operation.method == Method::GET {
                allow.push(Method::HEAD.as_str());
            }
        }
        if allow.is_empty() { Found::Nothing } else { Found::OtherMethod { allow: allow.join(", ") } }
    }
}

impl Operation {
    fn matches(&self, path: &str) -> bool {
        let mut segments = self.segments.iter();
        let fits = path.split('/').skip(1).all(|part| match segments.next() {
            Some(Segment::Is(text)) => text == part,
            Some(Segment::Named(_)) => !part.is_empty(),
            None => false,
        });
        fits && segments.next().is_none()
    }

    /// The text of each named segment of `path`, still percent-encoded.
    pub(crate) fn named<'p>(&self, path: &'p str) -> impl Iterator<Item = (&str, &'p str)> {
        let parts = path.strip_prefix(BASE).unwrap_or(path).split('/').skip(1);
        self.segments.iter().zip(parts).filter_map(|(segment, part)| match segment {
            Segment::Named(name) => Some((name.as_str(), part)),
            Segment::Is(_) => None,
        })
    }
}

impl Segment {
    fn rank(&self) -> u8 {
        match self {
            Segment::Is(_) => 0,
            Segment::Named(_) => 1,
        }
    }
}

struct Compiler<'a> {
    document: &'a Value,
    schemas: &'a Value,
    operation: &'a Value,
}

impl Compiler<'_> {
    fn compile(&self, path: &str, method: &str) -> Result<Operation, ContractError> {
        let fault = |what: &str| ContractError(format!("{method} {path}: {what}"));
        let id = self.operation["operationId"].as_str().ok_or_else(|| fault("no operationId"))?;
        let method = Method::from_bytes(method.to_uppercase().as_bytes()).map_err(|_| fault("no such method"))?;
        let headers = self.parameters("header")?;
        let guarded = headers.iter().any(|parameter| parameter.required && parameter.name == "If-Match");
        Ok(Operation {
            id: String::leak(id.to_owned()),
            route: String::leak(path.to_owned()),
            method,
            segments: path.split('/').skip(1).map(segment).collect(),
            secured: self.operation["security"].as_array().is_some_and(|schemes| !schemes.is_empty()),
            path: self.parameters("path")?,
            query: self.parameters("query")?,
            headers: headers.into_iter().filter(|parameter| parameter.name != "If-Match").collect(),
            body: self.body()?,
            produces: self.produces(),
            guarded,
            promises: self.promises()?,
        })
    }

    fn parameters(&self, place: &str) -> Result<Vec<Parameter>, ContractError> {
        let all = self.operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
        let here = all.iter().map(|one| self.resolve(one)).filter(|one| one["in"] == place);
        here.map(|one| self.parameter(one)).collect()
    }

    fn parameter(&self, parameter: &Value) -> Result<Parameter, ContractError> {
        let name = parameter["name"].as_str().unwrap_or_default().to_owned();
        let full = self.resolve(&parameter["schema"]);
        let many = full["type"] == "array";
        let item = if many { self.resolve(&full["items"]) } else { full };
        let kind = match item["type"].as_str() {
            Some("integer") => Kind::Integer,
            Some("number") => Kind::Number,
            Some("boolean") => Kind::Boolean,
            _ => Kind::Text,
        };
        let validator = schema::compile(&parameter["schema"], self.schemas)?;
        Ok(Parameter { name, required: parameter["required"] == true, kind, many, validator })
    }

    fn body(&self) -> Result<Option<BodyRule>, ContractError> {
        let Some(body) = self.operation.get("requestBody").map(|body| self.resolve(body)) else { return Ok(None) };
        let content = object(body.get("content"));
        let json = content.get("application/json").and_then(|media| media.get("schema"));
        let validator = json.map(|schema| schema::compile(schema, self.schemas)).transpose()?;
        Ok(Some(BodyRule { media: content.keys().cloned().collect(), required: body["required"] == true, validator }))
    }

    fn produces(&self) -> Vec<String> {
        let responses = object(self.operation.get("responses"));
        let successes =
            responses.iter().filter(|(status, _)| status.starts_with('2')).map(|(_, one)| self.resolve(one));
        successes.flat_map(|one| object(one.get("content")).keys().cloned()).collect()
    }

    fn promises(&self) -> Result<Promises, ContractError> {
        let mut promises = Promises::new();
        if !cfg!(debug_assertions) {
            return Ok(promises);
        }
        for (status, response) in object(self.operation.get("responses")) {
            let schema = self.resolve(response).pointer("/content/application~1json/schema");
            let shape = schema.map(|schema| schema::compile(schema, self.schemas)).transpose()?;
            promises.extend(status.parse().ok().map(|status: u16| (status, shape)));
        }
        Ok(promises)
    }

    /// The thing itself, where the document refers to it.
    fn resolve<'v>(&'v self, value: &'v Value) -> &'v Value {
        let pointer = value.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#'));
        pointer.and_then(|pointer| self.document.pointer(pointer)).unwrap_or(value)
    }
}

fn segment(text: &str) -> Segment {
    match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
        Some(name) => Segment::Named(name.to_owned()),
        None => Segment::Is(text.to_owned()),
    }
}

/// An object of the document, or an empty one.
fn object(value: Option<&Value>) -> &Map<String, Value> {
    static EMPTY: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    value.and_then(Value::as_object).unwrap_or(&EMPTY)
}
