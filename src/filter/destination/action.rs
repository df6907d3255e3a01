//! The actions of a filter.

use super::fields::Fields;
use super::sample::Sample;

/// One action of a filter.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Drops the event.
    Drop,
    /// Sends a share of the events and drops the others.
    Sample(Sample),
    /// Removes the named members.
    DropProperties(Fields),
    /// Removes all but the named members from each named object.
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
    /// All names of the kinds: those of the Public API first, then those of the Config API. They
    /// are compared without case.
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

    /// Returns the kind named `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        let mut names = Self::NAMES.iter();
        names.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|&(_, kind)| kind)
    }

    /// Returns the usual spelling of `name`, which may differ in case.
    pub fn from_name_as_written(name: &str) -> Option<&'static str> {
        let mut names = Self::NAMES.iter();
        names.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|&(name, _)| name)
    }

    /// Returns the name in the Public API.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }
}

impl Action {
    /// Returns the kind of the action.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Drop => Kind::Drop,
            Self::Sample(_) => Kind::Sample,
            Self::DropProperties(_) => Kind::DropProperties,
            Self::AllowProperties(_) => Kind::AllowProperties,
        }
    }
}
