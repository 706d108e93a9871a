//! The languages we have texts in.

use super::dates::{self, Words};

/// A language we have texts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// Dutch.
    Nl,
    /// English, also for whoever's own language we do not have.
    En,
    /// Ukrainian.
    Uk,
    /// Russian.
    Ru,
    /// Arabic.
    Ar,
    /// Turkish.
    Tr,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 6] = [Self::Nl, Self::En, Self::Uk, Self::Ru, Self::Ar, Self::Tr];

    /// The one for a person's language tag (BCP 47): by its primary subtag, else English.
    #[must_use]
    pub fn of(tag: &str) -> Self {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|language| primary.eq_ignore_ascii_case(language.tag())).unwrap_or(Self::En)
    }

    /// Its tag.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Nl => "nl",
            Self::En => "en",
            Self::Uk => "uk",
            Self::Ru => "ru",
            Self::Ar => "ar",
            Self::Tr => "tr",
        }
    }

    /// Its texts.
    pub(super) const fn file(self) -> &'static str {
        match self {
            Self::Nl => include_str!("../../templates/nl.yaml"),
            Self::En => include_str!("../../templates/en.yaml"),
            Self::Uk => include_str!("../../templates/uk.yaml"),
            Self::Ru => include_str!("../../templates/ru.yaml"),
            Self::Ar => include_str!("../../templates/ar.yaml"),
            Self::Tr => include_str!("../../templates/tr.yaml"),
        }
    }

    /// Its days, dates and numbers.
    pub(super) const fn words(self) -> Words {
        match self {
            Self::Nl => dates::DUTCH,
            Self::En => dates::ENGLISH,
            Self::Uk => dates::UKRAINIAN,
            Self::Ru => dates::RUSSIAN,
            Self::Ar => dates::ARABIC,
            Self::Tr => dates::TURKISH,
        }
    }
}
