//! Findings with their places, and the checks that were made.

use serde::Serialize;

/// The severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// For information; never makes a check fail.
    Note,
    /// Makes a check fail.
    Error,
}

/// The kind of a finding. The names do not change between versions: baselines and dashboards use
/// them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Violation {
    /// A line of a fixture is not an event.
    InvalidEvent,
    /// The plan has no such event.
    UnplannedEvent,
    /// The plan has no such property; an error if it allows no others, otherwise a note.
    UnplannedProperty,
    /// A required property is absent.
    MissingRequired,
    /// The type of a value is not allowed by the plan.
    InvalidType,
    /// A value violates an enum, a pattern, a format or a range.
    InvalidValue,
    /// A schema of the plan cannot be used.
    InvalidPlan,
    /// An event is larger than Segment's limit of 32 KB.
    TooLargeEvent,
    /// A `messageId` has more than 100 characters.
    TooLongMessageId,
    /// An event lacks an id that Segment adds or requires.
    MissingId,
    /// No rule matches the signal.
    UnmappedEvent,
    /// A rule can match no signal, or an earlier rule always matches first.
    RuleNeverMatches,
    /// A rule maps a field that the event lacks.
    MappedFieldAbsent,
    /// An identify call, or an event of a rule that maps an e-mail, has no valid one.
    EmailMissing,
    /// The allow list does not match the event.
    NotAllowed,
    /// A test of the rules file fails.
    FailedTest,
    /// The outputs differ from the stored ones.
    UnexpectedOutput,
    /// A fixture that is expected to fail does not fail.
    UnexpectedPass,
    /// No fixture covers a planned event or a rule.
    Uncovered,
    /// An entry of the baseline no longer has a finding.
    StaleBaseline,
}

/// A place in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Place {
    /// The path of the file as the user wrote it, with `/` as separator.
    pub file: String,
    /// The line, from 1; 0 if the finding is about the whole file.
    pub line: u64,
    /// The column in characters, from 1; 0 if the finding is about the whole line.
    pub column: u64,
    /// The number of characters marked, from the column; 0 if it is not known.
    pub width: u64,
}

/// A finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Finding {
    /// The place.
    pub place: Place,
    /// The kind.
    pub violation: Violation,
    /// The severity.
    pub level: Level,
    /// The JSON pointer (RFC 6901) to the field in the event; `""` is the event itself.
    pub pointer: String,
    /// The name of the event.
    pub event: Option<String>,
    /// The rule of the plan or the mapping rule that is violated.
    pub rule: Option<String>,
    /// What is wrong and what was expected, with names in backticks and values from the data in
    /// double quotes, so that values can be recognised; e-mail addresses are masked.
    pub message: String,
    /// The line of the file, cut to a window around the place and masked, with carets below it.
    #[serde(skip)]
    pub excerpt: Option<Excerpt>,
}

/// The text at a place, to be shown with carets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Excerpt {
    /// The line, or a window of it.
    pub text: String,
    /// Spaces, then carets, as wide as the text above them.
    pub carets: String,
}

/// An event checked against a rule of a plan or of the rules file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Case {
    /// The event and its line, such as `Form Submitted (line 12)`.
    pub name: String,
    /// The rule; empty if none applies.
    pub rule: String,
    /// Indices of [`Checked::findings`].
    pub findings: Vec<usize>,
}

/// A fixture, or a rules file with tests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Suite {
    /// The path of the file.
    pub file: String,
    /// The checks that were made in it, in order.
    pub cases: Vec<Case>,
}

/// The result of a check, for all report formats.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// The findings by file, line, column and kind, without those that the baseline mutes.
    pub findings: Vec<Finding>,
    /// The fixtures, in order.
    pub suites: Vec<Suite>,
    /// The number of fixtures.
    pub files: u64,
    /// The number of events.
    pub events: u64,
    /// The number of findings that the baseline mutes.
    pub muted: u64,
}

impl Checked {
    /// Returns `true` if a finding of `case` makes the check fail.
    pub fn fails(&self, case: &Case) -> bool {
        let mut findings = case.findings.iter().filter_map(|place| self.findings.get(*place));
        findings.any(|finding| finding.level == Level::Error)
    }
}
