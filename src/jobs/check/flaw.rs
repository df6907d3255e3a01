//! A fault whose place in the text has not been determined yet.

use std::ops::Range;

use super::finding::{Excerpt, Finding, Level, Place, Violation};
use super::place::Placer;
use crate::diagnostic::masked;
use crate::schema::violation::{Breach, BreachKind};

/// A fault of an event, a plan or a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// The kind.
    pub violation: Violation,
    /// The severity.
    pub level: Level,
    /// The JSON pointer to the field.
    pub pointer: String,
    /// The rule that is violated.
    pub rule: Option<String>,
    /// What was found and what was expected.
    pub message: String,
}

impl Flaw {
    /// Creates a flaw of the whole event.
    pub fn new(violation: Violation, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { violation, level: violation.level(), pointer: String::new(), rule: None, message }
    }

    /// Returns the flaw for the field at `pointer`.
    #[must_use]
    pub fn at(self, pointer: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), ..self }
    }

    /// Returns the flaw with `rule` as the rule that is violated.
    #[must_use]
    pub fn by(self, rule: impl Into<String>) -> Self {
        Self { rule: Some(rule.into()), ..self }
    }

    /// Converts the flaw, which `event` has at `span` of a text, to a finding.
    pub fn found(
        self,
        placer: &mut Placer<'_>,
        span: &Range<usize>,
        event: Option<&str>,
    ) -> Finding {
        let (place, excerpt) = placer.place(span);
        self.placed(place, Some(excerpt), event)
    }

    /// Converts the flaw to a finding at a known place.
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

    /// Converts the flaw to a finding about the whole of `file`.
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
