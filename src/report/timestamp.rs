//! Messages about the times of events.

use super::text::thousands;
use super::{Events, TimestampExample};

impl Events {
    /// Returns a line for each kind of time that cannot be used unchanged, with the first place.
    pub(super) fn timestamp_lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let examples = &self.timestamp_examples;
        let mut add = |count: u64, what: &str, examples: &[TimestampExample]| {
            if count > 0 {
                let place =
                    examples.first().map(|first| format!(", the first at {}", place(first)));
                let place = place.unwrap_or_default();
                lines.push(format!("{} {what}{place}", thousands(count)));
            }
        };
        let unreadable = &examples.unreadable_timestamp;
        add(self.unreadable_timestamp, "unreadable, ignored", unreadable);
        let what = if self.no_timestamp == 1 { "event" } else { "events" };
        let what = format!("{what} without a usable time");
        add(self.no_timestamp, &what, &examples.no_timestamp);
        add(self.naive_timestamps, "without an offset, taken as UTC", &[]);
        add(
            self.clock_skew,
            "more than a day after their receipt, replaced by the time of receipt",
            &[],
        );
        add(self.corrected_clocks, "set right by the clock of the receiver", &[]);
        lines
    }

    /// Returns a warning if there are times that no event can have.
    pub(crate) fn implausible_warning(&self) -> Option<String> {
        let first = self.timestamp_examples.implausible_timestamps.first()?;
        let place = place(first);
        Some(match self.implausible_timestamps {
            1 => format!(
                "1 event is dated before 2005 or after 2099, at {place}; check the clock or \
                 calendar that wrote it"
            ),
            count => format!(
                "{} events are dated before 2005 or after 2099; the first is at {place}; check \
                 the clock or calendar that wrote them",
                thousands(count),
            ),
        })
    }
}

/// Formats a place, such as `events.ndjson:3: timestamp "yesterday"`.
pub(super) fn place(example: &TimestampExample) -> String {
    let TimestampExample { file, line, field, value } = example;
    let field = field.map(|field| format!("{field} ")).unwrap_or_default();
    // `Debug` escapes characters that a terminal would take as a command.
    let value = value.as_ref().map(|value| format!(": {field}{value:?}")).unwrap_or_default();
    format!("{file}:{line}{value}")
}
