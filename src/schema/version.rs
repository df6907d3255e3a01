//! Versions of events.

use std::cmp::Ordering;

use serde_json::Value;

use crate::json::{Json, Kind};

/// The version of an event, in the notation of the plan or of `context.protocols.event_version`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version(String);

impl Version {
    /// Returns the default version, for events without one.
    pub(super) fn first() -> Self {
        Self("1".into())
    }

    /// Creates a version from its digits.
    pub(super) fn from_digits(digits: &str) -> Self {
        Self(digits.to_owned())
    }

    pub(super) fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) if !text.trim().is_empty() => Some(Self(text.trim().to_owned())),
            Value::Number(number) => Some(Self(number.to_string())),
            _ => None,
        }
    }

    /// Returns the text of the version, unless it is the default.
    pub(super) fn shown(&self) -> Option<&str> {
        (self.0 != "1").then_some(&*self.0)
    }

    /// Compares versions as numbers. Versions that are not numbers come last, sorted by their text.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        let number = |version: &Self| version.0.parse::<f64>().unwrap_or(f64::INFINITY);
        number(self).total_cmp(&number(other)).then_with(|| self.0.cmp(&other.0))
    }

    /// Returns `true` if `value` in an event is this version: `2`, `2.0` and `"2"` are equal.
    pub(super) fn is(&self, value: Json<'_>) -> bool {
        let number = self.0.parse::<f64>().ok();
        match value.kind() {
            Kind::String(text) => {
                text.trim() == self.0 || number.is_some() && text.trim().parse().ok() == number
            }
            Kind::Number(found) => {
                let mut text = Vec::new();
                crate::json::canonical::write_number(found, &mut text);
                let found = std::str::from_utf8(&text).ok().and_then(|text| text.parse().ok());
                found.is_some() && found == number
            }
            _ => false,
        }
    }
}
