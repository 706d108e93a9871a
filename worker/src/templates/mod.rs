//! The words of a message: neutral texts (DOMAIN 7.6), one file per language, loaded and checked at the start.

mod dates;
mod fields;
mod gsm7;
mod language;
mod revealing;
mod rules;

pub use fields::{Fields, Phone};
pub use language::Language;
pub use rules::{Breach, TextFault};

use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use nazorg_domain::messages::Template;
use revealing::Revealing;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;

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
    /// Every fault of every text; a service with a faulty text, or without the words to check it by, does not start.
    pub fn load() -> Result<Self, Vec<TextFault>> {
        let revealing = Revealing::load().map_err(|fault| vec![fault])?;
        let (mut languages, mut faults) = (Vec::new(), Vec::new());
        for language in Language::ALL {
            match load_one(language, language.file(), &revealing) {
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
fn load_one(language: Language, file: &str, revealing: &Revealing) -> Result<Environment<'static>, Vec<TextFault>> {
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
    let worst = fields::worst_cases(language.words());
    for template in Template::ALL {
        let mut read = Vec::new();
        for fields in &worst {
            let rendered = render(&environment, template.as_str(), &fields.for_template(*template, language.words()));
            if !read.contains(&rendered) {
                read.push(rendered);
            }
        }
        for rendered in read {
            let breaches = rendered.map_or_else(|breach| vec![breach], |text| rules::breaches(revealing, &text));
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
