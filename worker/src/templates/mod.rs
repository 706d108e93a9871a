//! The words of a message: neutral texts (DOMAIN 7.6), one file per language, loaded and checked at the start.

mod dates;
mod fields;
mod gsm7;
mod language;
mod links;
mod revealing;
mod rules;

pub use fields::{Fields, Phone};
pub use language::Language;
pub use links::Links;
pub use rules::{Breach, TextFault};

use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use nazorg_domain::entities::ChannelKind;
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

/// A language's texts as they stand in its file.
#[derive(Deserialize)]
struct Sources {
    /// What stands before the link in a mail to staff.
    link: String,
    #[serde(flatten)]
    texts: BTreeMap<String, Source>,
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
    languages: Vec<(Language, Loaded)>,
}

/// The texts of one language, checked.
struct Loaded {
    environment: Environment<'static>,
    before_link: String,
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
                Ok(loaded) => languages.push((language, loaded)),
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
        let Some((_, Loaded { environment, .. })) = found else {
            return Err(TextFault::new(language, template.as_str(), Breach::Missing));
        };
        let given = fields.for_template(template, language.words());
        render(environment, template.as_str(), &given)
            .map_err(|breach| TextFault::new(language, template.as_str(), breach))
    }

    /// The text with a link: in a mail on a line of its own, in a text message at its end, and only where all of it still fits in one.
    #[must_use]
    pub fn with_link(&self, language: Language, rendered: Rendered, (channel, link): (ChannelKind, &str)) -> Rendered {
        let Rendered { subject, text } = rendered;
        let text = match channel {
            ChannelKind::Email => {
                let found = self.languages.iter().find(|(known, _)| *known == language);
                let before = found.map_or("", |(_, loaded)| loaded.before_link.as_str());
                format!("{text}\n\n{before}\n{link}\n")
            }
            ChannelKind::Sms => {
                let with = format!("{text} {link}");
                if gsm7::fits(&with) { with } else { text }
            }
        };
        Rendered { subject, text }
    }
}

type Given = BTreeMap<&'static str, minijinja::Value>;

/// Reads one file: no template missing, none unknown, every text within the rules with every filling there can be.
fn load_one(language: Language, file: &str, revealing: &Revealing) -> Result<Loaded, Vec<TextFault>> {
    let fault = |name: &str, breach| TextFault::new(language, name, breach);
    let Sources { link: before_link, texts: sources } =
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
    let line = Rendered { subject: before_link.clone(), text: before_link.clone() };
    // It goes by mail alone, where there is room.
    let found = rules::breaches(revealing, &line).into_iter().filter(|breach| *breach != Breach::TooLong);
    faults.extend(found.map(|breach| fault("link", breach)));
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
    if faults.is_empty() { Ok(Loaded { environment, before_link }) } else { Err(faults) }
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
