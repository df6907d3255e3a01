//! Findings with their places, and what was checked.

use serde::Serialize;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Worth knowing; never makes a check fail.
    Note,
    /// Makes a check fail.
    Error,
}

/// The kind of a finding. Their names are frozen: baselines and dashboards hold them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Violation {
    /// A line of a fixture is no event.
    InvalidEvent,
    /// The plan has no such event.
    UnplannedEvent,
    /// The plan has no such property; an error where it allows no others, else a note.
    UnplannedProperty,
    /// A required property is absent.
    MissingRequired,
    /// A value of a type that the plan does not allow.
    InvalidType,
    /// A value outside of an enum, a pattern, a format or a range.
    InvalidValue,
    /// A schema of the plan cannot be used.
    InvalidPlan,
    /// An event over Segment's 32 KB.
    TooLargeEvent,
    /// A `messageId` over 100 characters.
    TooLongMessageId,
    /// An event without the ids that Segment gives or asks for.
    MissingId,
    /// No rule takes the signal.
    UnmappedEvent,
    /// A rule that can take no signal, or that an earlier one always takes first.
    RuleNeverMatches,
    /// A rule maps a field that the event lacks.
    MappedFieldAbsent,
    /// An identify call, or an event of a rule that maps an e-mail, without a valid one.
    EmailMissing,
    /// The allow list takes no such event.
    NotAllowed,
    /// A test of the rules file fails.
    FailedTest,
    /// The outputs differ from the kept ones.
    UnexpectedOutput,
    /// A fixture that is expected to fail does not.
    UnexpectedPass,
    /// A planned event, or a rule, that no fixture covers.
    Uncovered,
    /// An entry of the baseline that no finding answers to any more.
    StaleBaseline,
}

/// A place in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Place {
    /// The file, as the user named it, with `/` between its parts.
    pub file: String,
    /// Line from 1; 0 where the finding is about the whole file.
    pub line: u64,
    /// Column in characters from 1; 0 where the finding is about the whole line.
    pub column: u64,
    /// How many characters from there it is about; 0 where that is not known.
    pub width: u64,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Finding {
    /// Where.
    pub place: Place,
    /// What kind.
    pub violation: Violation,
    /// How bad.
    pub level: Level,
    /// JSON pointer (RFC 6901) of the member in its event; `""` is the event itself.
    pub pointer: String,
    /// The name of the event.
    pub event: Option<String>,
    /// The plan's rule or the mapping rule that says so.
    pub rule: Option<String>,
    /// What is wrong and what was expected, names in backticks and values of the data in double
    /// quotes, so that the values can be told from the rest; e-mail addresses are masked.
    pub message: String,
    /// The line of the file, cut to a window round the place, e-mail addresses masked; and where
    /// in it the place is, in columns.
    #[serde(skip)]
    pub excerpt: Option<Excerpt>,
}

/// What stands at a place, to be shown with a caret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Excerpt {
    /// The text of the line, or a window of it.
    pub text: String,
    /// Blanks, then carets, as wide as what they stand under.
    pub carets: String,
}

/// One event checked against one rule of a plan or of the rules file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Case {
    /// The event and its line, as `Form Submitted (line 12)`.
    pub name: String,
    /// The rule, or empty where none applies.
    pub rule: String,
    /// Places in [`Checked::findings`].
    pub findings: Vec<usize>,
}

/// One fixture, or a rules file with tests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Suite {
    /// The file.
    pub file: String,
    /// What was checked in it, in order.
    pub cases: Vec<Case>,
}

/// All that a check found, whatever shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// In order of file, line, column, kind; without those that the baseline mutes.
    pub findings: Vec<Finding>,
    /// The fixtures, in order.
    pub suites: Vec<Suite>,
    /// How many fixtures were read.
    pub files: u64,
    /// How many events were checked.
    pub events: u64,
    /// How many findings the baseline muted.
    pub muted: u64,
}

impl Checked {
    /// Whether a finding of `case` makes a check fail.
    pub fn fails(&self, case: &Case) -> bool {
        let mut findings = case.findings.iter().filter_map(|place| self.findings.get(*place));
        findings.any(|finding| finding.level == Level::Error)
    }
}
