//! The layers of the configuration, laid over each other: the manual, a file, the environment.
//!
//! The manual is also the schema: a key that it does not name does not exist, and its default tells the type.

use std::{collections::BTreeMap, fmt, path::Path};

use figment::{
    Figment, Profile, Provider,
    providers::{Format, Serialized, Toml},
    util::nest,
    value::{Dict, Num, Value},
};

use super::MANUAL;

/// The file that is read when none is named.
const DEFAULT_FILE: &str = "nazorg.toml";
/// Names a file instead of `--config`; no key of the manual.
const FILE_VARIABLE: &str = "NAZORG_CONFIG";
/// Short names of the keys that turn one machine into many.
const SHORT: [(&str, &str); 5] = [
    ("DATABASE_URL", "database.url"),
    ("KEYS_URL", "keys.url"),
    ("REDIS_URL", "redis.url"),
    ("SMTP_URL", "mail.smtp_url"),
    ("SMS_URL", "sms.url"),
];

/// Every error of a configuration, each with its key and where it was set; never with a secret value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults(pub Vec<String>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        write!(f, "the configuration has {count} error{}:", if count == 1 { "" } else { "s" })?;
        self.0.iter().try_for_each(|fault| write!(f, "\n  - {fault}"))
    }
}

impl std::error::Error for Faults {}

/// The merged values, where each that is not a default was set, and what was wrong so far.
pub(super) struct Layers {
    pub(super) figment: Figment,
    pub(super) origins: BTreeMap<String, String>,
    pub(super) faults: Vec<String>,
}

/// Lays `file` and `environment` over the manual; what does not fit is a fault and leaves the default in place.
pub(super) fn collect(file: Option<&Path>, environment: impl IntoIterator<Item = (String, String)>) -> Layers {
    let manual = Toml::string(MANUAL);
    let defaults = leaves(&manual);
    let mut layers = Layers { figment: Figment::from(manual), origins: BTreeMap::new(), faults: Vec::new() };
    let environment: BTreeMap<String, String> = environment.into_iter().collect();
    let named = file.map(Path::to_owned).or_else(|| environment.get(FILE_VARIABLE).map(Into::into));
    layers.read_file(named.as_deref(), &defaults);
    layers.read_environment(environment, &defaults);
    layers
}

impl Layers {
    fn read_file(&mut self, named: Option<&Path>, defaults: &BTreeMap<String, Value>) {
        let path = named.unwrap_or(Path::new(DEFAULT_FILE));
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => return,
            Err(error) => {
                return self.faults.push(format!("{} cannot be read: {error}", path.display()));
            }
        };
        let provider = Toml::string(&text);
        if let Err(error) = provider.data() {
            return self.faults.push(format!("{}: {}", path.display(), without_excerpt(&error.to_string())));
        }
        for (key, value) in leaves(&provider) {
            match defaults.get(&key) {
                None => self.faults.push(format!("{}: {}", path.display(), unknown(&key, defaults))),
                Some(default) if kind(default) != kind(&value) => {
                    self.faults.push(format!("{key} ({}) must be {}", path.display(), kind(default)));
                }
                Some(_) => self.set(key, value, path.display().to_string()),
            }
        }
    }

    fn read_environment(&mut self, environment: BTreeMap<String, String>, defaults: &BTreeMap<String, Value>) {
        let variables: BTreeMap<String, &str> = defaults
            .keys()
            .map(|key| (variable(key), key.as_str()))
            .chain(SHORT.map(|(name, key)| (name.to_owned(), key)))
            .collect();
        for (name, text) in environment {
            let Some(key) = variables.get(&name) else {
                if name.starts_with("NAZORG_") && name != FILE_VARIABLE {
                    self.faults.push(format!("the environment sets {name}, which is no key of the manual"));
                }
                continue;
            };
            match defaults.get(*key).map(|default| typed(default, text)) {
                Some(Ok(value)) => self.set((*key).to_owned(), value, name),
                Some(Err(kind)) => self.faults.push(format!("{key} ({name}) must be {kind}")),
                None => {}
            }
        }
    }

    fn set(&mut self, key: String, value: Value, origin: String) {
        let figment = std::mem::take(&mut self.figment);
        self.figment = figment.merge(Serialized::defaults(nest(&key, value)));
        self.origins.insert(key, origin);
    }
}

/// The variable of a key: `http.listen` is NAZORG_HTTP_LISTEN.
fn variable(key: &str) -> String {
    format!("NAZORG_{}", key.replace('.', "_").to_uppercase())
}

/// Every value of a TOML text under its dotted key; a text that does not parse has none (its error is told apart).
pub(super) fn leaves(provider: &impl Provider) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    if let Ok(mut data) = provider.data() {
        flatten("", data.remove(&Profile::Default).unwrap_or_default(), &mut found);
    }
    found
}

fn flatten(prefix: &str, dict: Dict, found: &mut BTreeMap<String, Value>) {
    for (name, value) in dict {
        let key = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
        match value {
            Value::Dict(_, inner) => flatten(&key, inner, found),
            leaf => {
                found.insert(key, leaf);
            }
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(..) => "a text",
        Value::Num(..) => "a whole number",
        Value::Bool(..) => "true or false",
        _ => "a single value",
    }
}

/// A variable's text as the type that the default has.
fn typed(default: &Value, text: String) -> Result<Value, &'static str> {
    match default {
        Value::Num(..) => {
            text.trim().parse().map(|number: i64| Value::from(Num::I64(number))).map_err(|_| kind(default))
        }
        Value::Bool(..) => text.trim().parse().map(|flag: bool| Value::from(flag)).map_err(|_| kind(default)),
        _ => Ok(Value::from(text)),
    }
}

fn unknown(key: &str, defaults: &BTreeMap<String, Value>) -> String {
    let last = key.rsplit('.').next().unwrap_or(key);
    let near = defaults.keys().find(|known| known.rsplit('.').next() == Some(last));
    let hint = near.map(|known| format!(" (did you mean {known}?)")).unwrap_or_default();
    format!("there is no key {key}{hint}")
}

/// A parser's message without the lines it quotes from the file: one of them may hold a password.
fn without_excerpt(message: &str) -> String {
    let quoted =
        |line: &str| line.trim_start().trim_start_matches(|c: char| c.is_ascii_digit()).trim_start().starts_with('|');
    let lines: Vec<&str> =
        message.lines().filter(|line| !quoted(line)).map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.join(": ")
}
