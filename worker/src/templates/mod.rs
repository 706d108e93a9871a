//! The words of a message: neutral texts (DOMAIN 7.6), one file per language, loaded and checked at the start.

mod dates;
mod fields;
mod gsm7;
mod rules;

pub use fields::{Fields, Phone};
pub use rules::{Breach, TextFault};

use dates::Language as Words;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use nazorg_domain::messages::Template;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;

/// A language we have texts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// Dutch.
    Nl,
    /// English, also for whoever's own language we do not have.
    En,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::Nl, Self::En];

    /// The one for a person's language tag (BCP 47): by its first part, else English.
    #[must_use]
    pub fn of(tag: &str) -> Self {
        match tag.split(['-', '_']).next() {
            Some(first) if first.eq_ignore_ascii_case("nl") => Self::Nl,
            _ => Self::En,
        }
    }

    /// Its tag.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Nl => "nl",
            Self::En => "en",
        }
    }

    fn file(self) -> &'static str {
        match self {
            Self::Nl => include_str!("../../templates/nl.yaml"),
            Self::En => include_str!("../../templates/en.yaml"),
        }
    }

    fn words(self) -> Words {
        match self {
            Self::Nl => dates::DUTCH,
            Self::En => dates::ENGLISH,
        }
    }
}

/// A text ready to be sent. It is neutral by construction, and still nobody's to log.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The subject line, for channels that have one.
    pub subject: String,
    /// The text; as an SMS it fits in one.
    pub text: String,
}

impl fmt::Debug for Rendered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rendered { .. }")
    }
}

/// One text as it stands in its file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    subject: String,
    text: String,
}

/// Every text in every language.
pub struct Texts {
    languages: Vec<(Language, Environment<'static>)>,
}

impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Texts { .. }")
    }
}

impl Texts {
    /// Loads the texts and checks every rule of DOMAIN 7.6 on them.
    ///
    /// # Errors
    /// Every fault of every text; a service with a faulty text does not start.
    pub fn load() -> Result<Self, Vec<TextFault>> {
        let (mut languages, mut faults) = (Vec::new(), Vec::new());
        for language in Language::ALL {
            match load_one(language, language.file()) {
                Ok(environment) => languages.push((language, environment)),
                Err(mut found) => faults.append(&mut found),
            }
        }
        if faults.is_empty() { Ok(Self { languages }) } else { Err(faults) }
    }

    /// The text of `template` with its fields filled in.
    ///
    /// # Errors
    /// When a field the text needs was not given: it is then not sent.
    pub fn render(&self, language: Language, template: Template, fields: &Fields) -> Result<Rendered, TextFault> {
        let found = self.languages.iter().find(|(known, _)| *known == language);
        let Some((_, environment)) = found else {
            return Err(TextFault::new(language, template.as_str(), Breach::Missing));
        };
        let given = fields.for_template(template, language.words());
        render(environment, template.as_str(), &given)
            .map_err(|breach| TextFault::new(language, template.as_str(), breach))
    }
}

type Given = BTreeMap<&'static str, minijinja::Value>;

/// Reads one file: no template missing, none unknown, every text within the rules with every filling there can be.
fn load_one(language: Language, file: &str) -> Result<Environment<'static>, Vec<TextFault>> {
    let fault = |name: &str, breach| TextFault::new(language, name, breach);
    let sources: BTreeMap<String, Source> =
        serde_saphyr::from_str(file).map_err(|error| vec![fault("*", Breach::Unreadable(error.to_string()))])?;
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    let mut faults = Vec::new();
    for (name, Source { subject, text }) in &sources {
        if Template::ALL.iter().all(|template| template.as_str() != name) {
            faults.push(fault(name, Breach::UnknownTemplate));
        }
        for (part, source) in [("subject", subject), ("text", text)] {
            if let Err(error) = environment.add_template_owned(format!("{name}/{part}"), source.clone()) {
                faults.push(fault(name, Breach::Unreadable(error.to_string())));
            }
        }
    }
    for template in Template::ALL {
        for given in fields::worst_cases(*template, language.words()) {
            let breaches = match render(&environment, template.as_str(), &given) {
                Err(breach) => vec![breach],
                Ok(rendered) => rules::breaches(&rendered),
            };
            faults.extend(breaches.into_iter().map(|breach| fault(template.as_str(), breach)));
        }
    }
    faults.dedup();
    if faults.is_empty() { Ok(environment) } else { Err(faults) }
}

fn render(environment: &Environment<'_>, name: &str, given: &Given) -> Result<Rendered, Breach> {
    let part = |part: &str| {
        let template = environment.get_template(&format!("{name}/{part}")).map_err(|_| Breach::Missing)?;
        template.render(given).map_err(|error| Breach::Unreadable(error.to_string()))
    };
    Ok(Rendered { subject: part("subject")?, text: part("text")? })
}

#[cfg(test)]
mod tests;
