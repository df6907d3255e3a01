//! A finding whose texts may be shown: all e-mail addresses are masked.

use std::borrow::Cow;

use crate::diagnostic::masked;
use crate::jobs::check::finding::{Checked, Finding, Level, Violation};
use crate::mask::may_have_address;
use crate::report::figure::{counted, thousands};

/// A finding with masked texts.
pub(super) struct Shown<'f> {
    pub finding: &'f Finding,
    pub violation: Violation,
    pub level: Level,
    pub file: &'f str,
    pub pointer: Cow<'f, str>,
    pub event: Option<Cow<'f, str>>,
    pub rule: Option<Cow<'f, str>>,
    pub message: Cow<'f, str>,
}

impl<'f> Shown<'f> {
    pub fn new(finding: &'f Finding) -> Self {
        Self {
            finding,
            violation: finding.violation,
            level: finding.level,
            file: &finding.place.file,
            pointer: mask(&finding.pointer),
            event: finding.event.as_deref().filter(|event| !event.is_empty()).map(mask),
            rule: finding.rule.as_deref().filter(|rule| !rule.is_empty()).map(mask),
            message: mask(&finding.message),
        }
    }

    /// Returns the line and column for readers that require both; a missing one is 1.
    pub fn position(&self) -> (u64, u64) {
        let place = &self.finding.place;
        (place.line.max(1), if place.line == 0 { 1 } else { place.column.max(1) })
    }

    /// Returns `file:line`, or `file` if the finding is about the whole file.
    pub fn location(&self, file: &str) -> String {
        match self.finding.place.line {
            0 => file.to_owned(),
            line => format!("{file}:{line}"),
        }
    }
}

/// Returns `text` without the local parts of e-mail addresses.
pub(super) fn mask(text: &str) -> Cow<'_, str> {
    if may_have_address(text) { Cow::Owned(masked(text)) } else { Cow::Borrowed(text) }
}

/// The number of findings by level, and of what was checked.
pub(super) struct Count {
    pub errors: usize,
    pub notes: usize,
    events: u64,
    files: u64,
    muted: u64,
}

impl Count {
    pub fn of(checked: &Checked) -> Self {
        let errors = checked.findings.iter().filter(|finding| finding.level == Level::Error);
        let errors = errors.count();
        Self {
            errors,
            notes: checked.findings.len() - errors,
            events: checked.events,
            files: checked.files,
            muted: checked.muted,
        }
    }

    /// Formats the findings, such as `2 errors, 1 note` or `no findings`.
    pub fn findings(&self) -> String {
        let parts = [(self.errors, ["error", "errors"]), (self.notes, ["note", "notes"])];
        let parts = parts.into_iter().filter(|(count, _)| *count > 0);
        let part = |(count, [one, more]): (usize, [&str; 2])| counted(count as u64, one, more);
        let parts: Vec<String> = parts.map(part).collect();
        if parts.is_empty() { "no findings".into() } else { parts.join(", ") }
    }

    /// Formats the findings and what was checked.
    pub fn sentence(&self) -> String {
        let mut out = format!(
            "{}; {} with {} checked",
            self.findings(),
            counted(self.files, "file", "files"),
            counted(self.events, "event", "events"),
        );
        if self.muted > 0 {
            let muted = thousands(self.muted);
            out.extend([", the baseline mutes ", &muted, " more"]);
        }
        out
    }
}
