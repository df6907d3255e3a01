//! The window of time in reports.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::engine::window;
use crate::time::Time;

/// A span of time; a bound that is `null` is open.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Window {
    /// The start, included.
    pub since: Option<String>,
    /// The end, excluded.
    pub until: Option<String>,
}

impl From<window::Window> for Window {
    fn from(window: window::Window) -> Self {
        let text = |time: Time| time.to_string();
        Self { since: window.since().map(text), until: window.until().map(text) }
    }
}

/// Formats the bounds, such as `since 2025-05-01T00:00:00.000Z, until 2025-06-01T00:00:00.000Z`.
impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bounds = [("since", &self.since), ("until", &self.until)];
        let bounds = bounds.iter().filter_map(|(name, bound)| Some((name, bound.as_ref()?)));
        for (place, (name, bound)) in bounds.enumerate() {
            let comma = if place > 0 { ", " } else { "" };
            write!(f, "{comma}{name} {bound}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_told_by_the_bounds_that_it_has() {
        let window = |since: Option<&str>, until: Option<&str>| {
            let text = |text: &str| text.to_owned();
            Window { since: since.map(text), until: until.map(text) }.to_string()
        };
        assert_eq!(window(Some("A"), Some("B")), "since A, until B");
        assert_eq!(window(Some("A"), None), "since A");
        assert_eq!(window(None, Some("B")), "until B");
    }
}
