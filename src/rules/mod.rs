//! The rules file: what signals are worth, what the plan allows, and how identities resolve.

mod index;
mod load;
mod zone;

use std::ops::Range;

use jiff::tz::TimeZone;

use crate::diagnostic::Diagnostic;
use crate::event::content::CONTENT_MEMBERS;
use crate::event::path::{Lookup, Path};
use crate::event::{Event, Member};
use crate::filter::allow::AllowList;
use crate::fql::Expr;
use crate::fql::glob::Glob;
use crate::json::Json;
use index::Index;

/// A validated and compiled rules file.
#[derive(Debug, Default)]
pub struct Rules {
    /// The rules, in the order of the file.
    pub rules: Vec<Rule>,
    /// The custom columns of `signals`, in order of first mention.
    pub columns: Vec<String>,
    /// The limits of the plan.
    pub plan: Plan,
    /// The lines of the allow list and their byte ranges in the file; `None` if the file has no
    /// allow list.
    pub allow: Option<Vec<(String, Range<usize>)>>,
    /// The configuration of identity resolution.
    pub identity: IdentityConfig,
    /// The definition of duplicates.
    pub dedup: Dedup,
    /// The tests in the file.
    pub tests: Vec<RuleTest>,
    /// The warnings about the file.
    pub warnings: Vec<Diagnostic>,
    index: Index,
}

/// The index of a rule in the file, starting at 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuleId(u32);

impl RuleId {
    /// Returns the index in [`Rules::rules`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// One rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The id of the rule, unique in the file.
    pub id: String,
    /// The expression that decides which signals the rule matches.
    pub when: Expr,
    /// The text of `when`.
    pub when_text: Box<str>,
    /// The name of the rule's signals; by default the name of the event.
    pub signal: Option<String>,
    /// The type of signal in TrailSpark.
    pub signal_type: Option<String>,
    /// Whether the rule's signals show intent to buy.
    pub high_intent: bool,
    /// A description for readers of the file.
    pub description: Option<String>,
    /// The priority: rules with a higher one are tried first.
    pub priority: i64,
    /// The score of each of the rule's signals.
    pub score: i64,
    /// The maximum number of the rule's signals that score for one lead.
    pub limit: Option<u32>,
    /// Whether a mapped e-mail identifies the visitor, as an identify call does.
    pub identify: bool,
    /// The values to take from the rule's signals.
    pub map: FieldMap,
    /// The byte range of the rule's id in the file.
    pub span: Range<usize>,
}

/// The paths of the values that a rule maps; of several paths, the first with a value applies.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)] // each is the field of that name
pub struct FieldMap {
    pub email: Vec<Path>,
    pub name: Vec<Path>,
    pub first_name: Vec<Path>,
    pub last_name: Vec<Path>,
    pub company: Vec<Path>,
    pub title: Vec<Path>,
    pub phone: Vec<Path>,
    /// The paths of custom columns, by index in [`Rules::columns`], sorted.
    pub columns: Vec<(usize, Vec<Path>)>,
}

impl FieldMap {
    /// Returns all paths.
    fn paths(&self) -> impl Iterator<Item = &Path> {
        let Self { email, name, first_name, last_name, company, title, phone, columns } = self;
        let fields = [email, name, first_name, last_name, company, title, phone];
        let columns = columns.iter().map(|(_, paths)| paths);
        fields.into_iter().chain(columns).flatten()
    }
}

/// The length of the plan's periods.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PeriodLength {
    /// From the first day of a month to the first day of the next.
    #[default]
    Month,
    /// From midnight to midnight.
    Day,
}

impl PeriodLength {
    /// Returns the name in a rules file and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Day => "day",
        }
    }
}

/// The limits of the plan for one period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The name of the plan.
    pub name: Option<String>,
    /// The maximum number of events; 0 means no limit.
    pub raw_signals: u64,
    /// The maximum number of leads with a signal; 0 means no limit.
    pub active_leads: u64,
    /// The length of a period.
    pub period: PeriodLength,
    /// The time zone in which periods begin.
    pub timezone: TimeZone,
}

impl Default for Plan {
    fn default() -> Self {
        let (raw_signals, active_leads) = (0, 0);
        let (name, period, timezone) = (None, PeriodLength::Month, TimeZone::UTC);
        Self { name, raw_signals, active_leads, period, timezone }
    }
}

/// Which e-mails are merged into one lead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Merge {
    /// None: each e-mail is a separate lead.
    #[default]
    None,
    /// E-mails that share a user id.
    UserId,
}

/// Which e-mail of an id owns a signal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// The latest e-mail up to the signal, else the first one after it.
    #[default]
    Split,
    /// The first e-mail, whatever the time.
    First,
    /// The last e-mail, whatever the time.
    Last,
    /// Like [`Policy::Split`], but none if an anonymous id has several e-mails.
    Strict,
}

impl Policy {
    /// Returns the name in files and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Split => "split",
            Self::First => "first",
            Self::Last => "last",
            Self::Strict => "strict",
        }
    }
}

/// The configuration of identity resolution.
#[derive(Clone, Debug)]
pub struct IdentityConfig {
    /// Patterns, in lower case, of values that are not valid ids.
    pub block: Vec<Glob>,
    /// The domains of the company's own staff, in lower case.
    pub internal_domains: Vec<String>,
    /// Signals more than this many days before the identify call remain cold.
    pub lookback_days: Option<u32>,
    /// Which e-mails become one lead.
    pub merge: Merge,
    /// Whether user ids are used; if not, only anonymous ids are.
    pub user_id: bool,
    /// Which e-mail of an id owns a signal.
    pub policy: Policy,
    /// The maximum number of e-mails of an id; an id with more is a shared device.
    pub max_emails: u32,
    /// The places of the e-mail in an identify call; the first with a value applies.
    pub email: Vec<EmailField>,
    /// Whether a user id that is an e-mail address identifies the visitor, as an identify call
    /// does.
    pub user_id_is_email: bool,
}

impl IdentityConfig {
    /// Returns `true` if `email`, a normalised address, has a domain of the staff.
    pub fn is_internal(&self, email: &str) -> bool {
        let domain = email.split_once('@').map(|(_, domain)| domain);
        domain.is_some_and(|domain| self.internal_domains.iter().any(|own| own == domain))
    }
}

/// The place of an e-mail. The last name of its path is compared without case.
#[derive(Clone, Debug)]
pub struct EmailField {
    path: Path,
    /// The path of the object that contains the e-mail; `None` for the event itself.
    object: Option<Path>,
    name: Box<str>,
}

impl EmailField {
    /// Creates a field for the member at `path`.
    pub fn new(path: Path) -> Self {
        let names: Vec<&str> = path.names().collect();
        let (name, object) =
            names.split_last().map_or(("", None), |(name, object)| (*name, Path::new(object)));
        Self { name: name.into(), object, path }
    }

    /// Returns the value in `event`, unless it is `null` or `""`.
    pub fn find<'t>(&self, event: &Event<'t>) -> Option<Json<'t>> {
        let exact = event.lookup(&self.path).filter(|value| value.is_present());
        exact.or_else(|| {
            let object = match &self.object {
                Some(path) => event.lookup(path)?,
                None => event.root(),
            };
            let alike = object.entries().filter(|(key, _)| key.eq_ignore_ascii_case(&self.name));
            alike.map(|(_, value)| value).filter(|value| value.is_present()).last()
        })
    }
}

/// The default places of the e-mail in an identify call.
const EMAIL: [&[&str]; 3] = [&["traits", "email"], &["context", "traits", "email"], &["email"]];

impl Default for IdentityConfig {
    fn default() -> Self {
        Self {
            block: Vec::new(),
            internal_domains: Vec::new(),
            lookback_days: None,
            merge: Merge::None,
            user_id: true,
            policy: Policy::Split,
            max_emails: 5,
            email: EMAIL.into_iter().filter_map(Path::new).map(EmailField::new).collect(),
            user_id_is_email: false,
        }
    }
}

/// The property that makes two events duplicates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DedupBy {
    /// The content hash.
    #[default]
    Content,
    /// The message id.
    MessageId,
    /// None: no event is a duplicate.
    None,
}

/// The definition of duplicates.
#[derive(Clone, Debug, Default)]
pub struct Dedup {
    /// The property that makes two events duplicates.
    pub by: DedupBy,
    /// Members that the content hash ignores.
    pub ignore: Vec<Member>,
}

/// A test of the rules in the file.
#[derive(Clone, Debug)]
pub struct RuleTest {
    /// The name of the test.
    pub name: String,
    /// The event to test.
    pub event: serde_json::Value,
    /// The expected result.
    pub expect: Expect,
    /// The byte range of the test in the file.
    pub span: Range<usize>,
}

/// The expected result of a test; a field that is `None` is not checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expect {
    /// The rule that matches the event; empty if none should match.
    pub rule: Option<String>,
    /// The score.
    pub score: Option<i64>,
    /// The mapped e-mail, normalised.
    pub email: Option<String>,
    /// The name of the signal.
    pub signal: Option<String>,
}

/// An allow list and its warnings.
type WithWarnings = (AllowList, Vec<Diagnostic>);

impl Rules {
    /// Returns the allow list in the file and its warnings.
    ///
    /// # Errors
    /// Returns all errors of its lines; spans are byte ranges of the file.
    pub fn allow_list(&self) -> Result<Option<WithWarnings>, Vec<Diagnostic>> {
        let Some(lines) = &self.allow else { return Ok(None) };
        let texts: Vec<String> = lines.iter().map(|(line, _)| line.clone()).collect();
        let placed = |found: Vec<(usize, Diagnostic)>| -> Vec<Diagnostic> {
            let start = |entry: usize| lines.get(entry).map_or(0, |(_, span)| span.start);
            found.into_iter().map(|(entry, found)| found.shifted(start(entry))).collect()
        };
        let (list, doubts) = AllowList::from_lines(&texts).map_err(placed)?;
        Ok(Some((list, placed(doubts))))
    }

    /// Parses a rules file: TOML, or JSON of the same structure.
    ///
    /// # Errors
    /// Returns all errors, in the order of the text.
    pub fn parse(text: &str) -> Result<Self, Vec<Diagnostic>> {
        load::load(text)
    }

    /// Returns `true` if the rules only read members of the content, so that events with the same
    /// content hash are equal to every rule.
    pub fn read_content_alone(&self) -> bool {
        let is_content = |path: &Path| {
            // `timestamp` is not part of the content if there is an `originalTimestamp`.
            path.member().is_some_and(|member| {
                member != Member::Timestamp && CONTENT_MEMBERS.contains(&member)
            })
        };
        let of_rule =
            |rule: &Rule| rule.when.reads_only(is_content) && rule.map.paths().all(is_content);
        self.dedup.ignore.is_empty() && self.rules.iter().all(of_rule)
    }

    /// Returns the rule that matches `event`, a signal: the one with the highest priority, and the
    /// first in the file among equals.
    #[inline]
    pub fn first_match(&self, event: &Event<'_>) -> Option<RuleId> {
        self.index.first_match(&self.rules, event)
    }

    /// Returns the rules that require the call and name of `event`, or neither, in the order in
    /// which they are tried. No other rule can match the event.
    #[inline]
    pub fn candidates<'r>(&'r self, event: &Event<'_>) -> impl Iterator<Item = RuleId> + use<'r> {
        self.index.candidates(event)
    }
}

/// Returns the first value at `paths` that is neither `null` nor `""`.
#[inline]
pub fn first_present<'t>(paths: &[Path], event: &Event<'t>) -> Option<Json<'t>> {
    paths.iter().find_map(|path| event.lookup(path).filter(|value| value.is_present()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_that_look_past_the_content_are_known() {
        let read = |rule: &str| {
            let text = format!("version = 1\n[[rule]]\nid = \"a\"\n{rule}\n");
            Rules::parse(&text).unwrap().read_content_alone()
        };
        assert!(read(r#"when = 'event = "A" and properties.plan = "b" or !name'"#));
        assert!(read("when = 'all'\n[rule.map]\nphone = \"context.phone\""));
        for rule in [
            r#"when = 'event = "A" and integrations.All'"#,
            r#"when = 'contains(sentAt, "x") or event in ["a", "b"]'"#,
            "when = 'timestamp'",
            "when = 'all'\n[rule.map]\nown = [\"properties.a\", \"version\"]",
            "when = 'all'\n[rule.map]\nemail = \"email\"",
            "when = 'all'\n[dedup]\nignore = [\"userId\"]",
        ] {
            assert!(!read(rule), "{rule}");
        }
    }
}
