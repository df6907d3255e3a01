//! The progress of a command in words: a pure function of a state, without a clock.

use std::time::Duration;

use unicode_width::UnicodeWidthStr;

use crate::engine::watch::{Phase, Progress};
use crate::report::figure::{bytes, counted};

/// The minimum time before a rate is meaningful.
const EARLIEST_RATE: Duration = Duration::from_secs(1);
/// The minimum width of a bar, in columns.
const NARROWEST_BAR: usize = 8;

/// The progress of a command at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// The current phase.
    pub phase: Phase,
    /// What has been read.
    pub progress: Progress,
    /// The time since the phase began.
    pub elapsed: Duration,
}

impl State {
    /// Formats the state, such as `reading 1.2 GB of 4.0 GB, 85.0 MB/s, 33 s left, 1,234 records`.
    pub fn text(&self) -> String {
        let name = self.phase.name();
        if self.phase != Phase::Reading {
            return format!("{name}, {}", duration(self.elapsed));
        }
        let Progress { bytes_read, total_bytes, records } = self.progress;
        let of = total_bytes.map_or_else(String::new, |total| format!(" of {}", bytes(total)));
        let mut parts = vec![format!("{name} {}{of}", bytes(bytes_read))];
        parts.extend(self.rate().map(|rate| format!("{}/s", bytes(rate))));
        parts.extend(self.left().map(|left| format!("{} left", duration(left))));
        parts.push(counted(records, "record", "records"));
        parts.join(", ")
    }

    /// Formats the state after a bar, if the total size is known and `columns` leave room for one.
    pub fn with_bar(&self, columns: usize) -> String {
        let text = self.text();
        let room = columns.saturating_sub(text.width() + 1);
        match self.progress.total_bytes {
            Some(total) if self.phase == Phase::Reading && room >= NARROWEST_BAR => {
                let read = u128::from(self.progress.bytes_read.min(total));
                let filled = read * room as u128 / u128::from(total.max(1));
                let filled = usize::try_from(filled).unwrap_or(room);
                format!("{}{} {text}", "█".repeat(filled), "·".repeat(room - filled))
            }
            _ => text,
        }
    }

    /// Formats the state at the end of the phase.
    pub fn over(&self) -> String {
        let name = self.phase.name();
        let took = duration(self.elapsed);
        if self.phase != Phase::Reading {
            return format!("{name} is done in {took}");
        }
        let Progress { bytes_read, records, .. } = self.progress;
        let (bytes, records) = (bytes(bytes_read), counted(records, "record", "records"));
        format!("{name} is done in {took}: {bytes}, {records}")
    }

    /// Returns the bytes read per second, once that is meaningful.
    fn rate(&self) -> Option<u64> {
        let millis = self.elapsed.as_millis();
        let rate = u128::from(self.progress.bytes_read) * 1_000 / millis.max(1);
        (self.elapsed >= EARLIEST_RATE).then(|| u64::try_from(rate).unwrap_or(u64::MAX))
    }

    /// Returns the remaining time at this rate, if the total size is known.
    fn left(&self) -> Option<Duration> {
        let rest = self.progress.total_bytes?.checked_sub(self.progress.bytes_read)?;
        let rate = self.rate().filter(|rate| *rate > 0)?;
        Some(Duration::from_secs(rest / rate))
    }
}

/// Formats a duration, such as `0.4 s`, `33 s`, `2 min 5 s` or `1 h 4 min`.
fn duration(time: Duration) -> String {
    match time.as_secs() {
        0..10 => format!("{:.1} s", time.as_secs_f64()),
        seconds @ 10..60 => format!("{seconds} s"),
        seconds @ 60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        seconds => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reading(bytes_read: u64, total_bytes: Option<u64>, seconds: u64) -> State {
        let progress = Progress { bytes_read, total_bytes, records: 1_234 };
        State { phase: Phase::Reading, progress, elapsed: Duration::from_secs(seconds) }
    }

    #[test]
    fn what_is_left_is_told_only_where_the_size_is_known() {
        assert_eq!(
            reading(1_000_000_000, Some(4_000_000_000), 10).text(),
            "reading 1.0 GB of 4.0 GB, 100.0 MB/s, 30 s left, 1,234 records"
        );
        assert_eq!(
            reading(1_000_000_000, None, 10).text(),
            "reading 1.0 GB, 100.0 MB/s, 1,234 records"
        );
        assert_eq!(
            reading(5_000, Some(9_000), 0).text(),
            "reading 5.0 kB of 9.0 kB, 1,234 records"
        );
        // The file grew while it was read.
        assert_eq!(
            reading(9_000, Some(5_000), 3).text(),
            "reading 9.0 kB of 5.0 kB, 3.0 kB/s, 1,234 records"
        );
    }

    #[test]
    fn other_phases_tell_how_long_they_have_gone_on() {
        let of = |phase, seconds| State { phase, ..reading(7, Some(7), seconds) };
        assert_eq!(of(Phase::Resolving, 75).text(), "resolving, 1 min 15 s");
        assert_eq!(of(Phase::Writing, 3_900).with_bar(80), "writing, 1 h 5 min");
        assert_eq!(of(Phase::Writing, 4).over(), "writing is done in 4.0 s");
        assert_eq!(reading(7, None, 12).over(), "reading is done in 12 s: 7 B, 1,234 records");
    }

    #[test]
    fn the_bar_takes_what_the_text_leaves() {
        assert_eq!(
            reading(5_000, Some(10_000), 0).with_bar(54),
            "████████········ reading 5.0 kB of 10.0 kB, 1,234 records".replacen(
                "████████········",
                "██████·······",
                1
            )
        );
        assert!(reading(5_000, Some(10_000), 0).with_bar(40).starts_with("reading"));
        assert!(reading(5_000, None, 0).with_bar(99).starts_with("reading"));
    }

    proptest! {
        #[test]
        fn no_state_makes_the_renderer_panic(
            bytes_read: u64, total_bytes: Option<u64>, records: u64, millis: u32, columns in 0_usize..200,
        ) {
            let progress = Progress { bytes_read, total_bytes, records };
            let elapsed = Duration::from_millis(millis.into());
            let state = State { phase: Phase::Reading, progress, elapsed };
            let line = state.with_bar(columns);
            prop_assert!(line.width() <= columns || line == state.text());
            prop_assert!(!state.over().is_empty());
        }
    }
}
