//! A fault whose place in the text is not located yet.

use std::ops::Range;

use super::finding::{Excerpt, Finding, Level, Place, Violation};
use super::place::Placer;
use crate::diagnostic::masked;
use crate::schema::violation::{Breach, BreachKind};

/// One thing wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// What kind.
    pub violation: Violation,
    /// How bad.
    pub level: Level,
    /// The member that it is about.
    pub pointer: String,
    /// The rule that says so.
    pub rule: Option<String>,
    /// What was found and what was expected.
    pub message: String,
}

impl Flaw {
    /// A flaw of the whole event.
    pub fn new(violation: Violation, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { violation, level: violation.level(), pointer: String::new(), rule: None, message }
    }

    /// The same about the member at `pointer`.
    #[must_use]
    pub fn at(self, pointer: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), ..self }
    }

    /// The same by the word of `rule`.
    #[must_use]
    pub fn by(self, rule: impl Into<String>) -> Self {
        Self { rule: Some(rule.into()), ..self }
    }

    /// The finding of this flaw of `event`, at `span` of a text.
    pub fn found(
        self,
        placer: &mut Placer<'_>,
        span: &Range<usize>,
        event: Option<&str>,
    ) -> Finding {
        let (place, excerpt) = placer.place(span);
        self.placed(place, Some(excerpt), event)
    }

    /// The finding of this flaw at a place.
    pub fn placed(self, place: Place, excerpt: Option<Excerpt>, event: Option<&str>) -> Finding {
        Finding {
            place,
            violation: self.violation,
            level: self.level,
            pointer: masked(&self.pointer),
            event: event.map(masked),
            rule: self.rule.map(|rule| masked(&rule)),
            message: masked(&self.message),
            excerpt,
        }
    }

    /// The finding of this flaw of the whole of `file`.
    pub fn of_file(self, file: &str) -> Finding {
        self.placed(Place { file: file.to_owned(), ..Place::default() }, None, None)
    }
}

impl From<Breach> for Flaw {
    fn from(breach: Breach) -> Self {
        let violation = match breach.kind {
            BreachKind::UnplannedProperty | BreachKind::UnnamedProperty => {
                Violation::UnplannedProperty
            }
            BreachKind::MissingRequired => Violation::MissingRequired,
            BreachKind::InvalidType => Violation::InvalidType,
            BreachKind::InvalidValue => Violation::InvalidValue,
        };
        let flaw = Self::new(violation, breach.message).at(breach.pointer);
        match breach.kind {
            BreachKind::UnnamedProperty => Self { level: Level::Note, ..flaw },
            _ => flaw,
        }
    }
}
