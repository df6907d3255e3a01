//! The actions of a filter.

use super::fields::Fields;
use super::sample::Sample;

/// One action of a filter.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// The event is not sent.
    Drop,
    /// A share of the events is sent.
    Sample(Sample),
    /// The event is sent without the named members.
    DropProperties(Fields),
    /// Of the objects that are named, only the named members are sent.
    AllowProperties(Fields),
}

/// The kinds of actions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)] // each is the action of that name
pub enum Kind {
    Sample,
    Drop,
    DropProperties,
    AllowProperties,
}

impl Kind {
    /// Every name that a kind goes by: those of the Public API first, then those of the Config API.
    /// Case does not count.
    pub const NAMES: &[(&str, Self)] = &[
        ("DROP", Self::Drop),
        ("SAMPLE", Self::Sample),
        ("DROP_PROPERTIES", Self::DropProperties),
        ("ALLOW_PROPERTIES", Self::AllowProperties),
        ("drop_event", Self::Drop),
        ("sample_event", Self::Sample),
        ("blacklist_fields", Self::DropProperties),
        ("blocklist_fields", Self::DropProperties),
        ("whitelist_fields", Self::AllowProperties),
        ("allowlist_fields", Self::AllowProperties),
    ];

    /// The kind that goes by `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        let mut names = Self::NAMES.iter();
        names.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|&(_, kind)| kind)
    }

    /// The name that is `name` but for its case, as it is usually written.
    pub fn from_name_as_written(name: &str) -> Option<&'static str> {
        let mut names = Self::NAMES.iter();
        names.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|&(name, _)| name)
    }

    /// Its name in the Public API.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }
}

impl Action {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Drop => Kind::Drop,
            Self::Sample(_) => Kind::Sample,
            Self::DropProperties(_) => Kind::DropProperties,
            Self::AllowProperties(_) => Kind::AllowProperties,
        }
    }
}
