//! The rules file: which signals are worth what, what the plan allows, how identities resolve.

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

/// A rules file, checked and compiled.
#[derive(Debug, Default)]
pub struct Rules {
    /// The rules, in the order of the file.
    pub rules: Vec<Rule>,
    /// The rules' own columns of `signals`, in order of first mention.
    pub columns: Vec<String>,
    /// What the plan allows.
    pub plan: Plan,
    /// The allow list: each line and where it stands in the file. `None` where the file has none.
    pub allow: Option<Vec<(String, Range<usize>)>>,
    /// How identities resolve.
    pub identity: IdentityConfig,
    /// What counts as a duplicate.
    pub dedup: Dedup,
    /// What the file says of itself.
    pub tests: Vec<RuleTest>,
    /// What is doubtful about the file.
    pub warnings: Vec<Diagnostic>,
    index: Index,
}

/// The place of a rule in the file, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuleId(u32);

impl RuleId {
    /// Its place in [`Rules::rules`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// One rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name, unique in the file.
    pub id: String,
    /// Which signals it maps.
    pub when: Expr,
    /// The same as it is written.
    pub when_text: Box<str>,
    /// The name of its signals; else they bear their event's.
    pub signal: Option<String>,
    /// TrailSpark's type of signal.
    pub signal_type: Option<String>,
    /// Whether its signals show intent to buy.
    pub high_intent: bool,
    /// For people.
    pub description: Option<String>,
    /// Higher is tried first.
    pub priority: i64,
    /// What each of its signals scores.
    pub score: i64,
    /// At most so many of its signals score for one lead.
    pub limit: Option<u32>,
    /// Whether a mapped e-mail ties the visitor to it, as an identify call does.
    pub identify: bool,
    /// What it takes from its signals.
    pub map: FieldMap,
    /// Where its id stands in the file.
    pub span: Range<usize>,
}

/// Where a rule finds what it maps; of several paths the first that is present counts.
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
    /// Own columns by their place in [`Rules::columns`], sorted.
    pub columns: Vec<(usize, Vec<Path>)>,
}

impl FieldMap {
    /// All paths.
    fn paths(&self) -> impl Iterator<Item = &Path> {
        let Self { email, name, first_name, last_name, company, title, phone, columns } = self;
        let fields = [email, name, first_name, last_name, company, title, phone];
        let columns = columns.iter().map(|(_, paths)| paths);
        fields.into_iter().chain(columns).flatten()
    }
}

/// How long a period of the plan is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PeriodLength {
    /// From the first of a month to the first of the next.
    #[default]
    Month,
    /// From midnight to midnight.
    Day,
}

impl PeriodLength {
    /// The name in a rules file and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Day => "day",
        }
    }
}

/// What the plan allows in a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Its name.
    pub name: Option<String>,
    /// Events; 0 is no limit.
    pub raw_signals: u64,
    /// Leads with a signal; 0 is no limit.
    pub active_leads: u64,
    /// How long a period is.
    pub period: PeriodLength,
    /// The zone in which periods begin.
    pub timezone: TimeZone,
}

impl Default for Plan {
    fn default() -> Self {
        let (raw_signals, active_leads) = (0, 0);
        let (name, period, timezone) = (None, PeriodLength::Month, TimeZone::UTC);
        Self { name, raw_signals, active_leads, period, timezone }
    }
}

/// Which e-mails become one lead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Merge {
    /// Each is its own.
    #[default]
    None,
    /// Those that share a user id.
    UserId,
}

/// Which of an id's e-mails owns a signal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// The latest up to the signal, else the first after it.
    #[default]
    Split,
    /// The first, whatever the time.
    First,
    /// The last, whatever the time.
    Last,
    /// As split, but none where an anonymous id has several.
    Strict,
}

impl Policy {
    /// The name in files and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Split => "split",
            Self::First => "first",
            Self::Last => "last",
            Self::Strict => "strict",
        }
    }
}

/// How identities resolve.
#[derive(Clone, Debug)]
pub struct IdentityConfig {
    /// Lower-case patterns of values that are no ids.
    pub block: Vec<Glob>,
    /// Lower-case domains of staff.
    pub internal_domains: Vec<String>,
    /// Signals older than so many days before the identify call stay cold.
    pub lookback_days: Option<u32>,
    /// Which e-mails become one lead.
    pub merge: Merge,
    /// Whether user ids count, or anonymous ids alone.
    pub user_id: bool,
    /// Which of an id's e-mails owns a signal.
    pub policy: Policy,
    /// An id with more e-mails is a shared device.
    pub max_emails: u32,
    /// Where an identify call has its e-mail; the first that is present counts.
    pub email: Vec<EmailField>,
    /// Whether a user id that is an e-mail address identifies as an identify call with it does.
    pub user_id_is_email: bool,
}

impl IdentityConfig {
    /// Whether `email`, a normalised address, is that of staff.
    pub fn is_internal(&self, email: &str) -> bool {
        let domain = email.split_once('@').map(|(_, domain)| domain);
        domain.is_some_and(|domain| self.internal_domains.iter().any(|own| own == domain))
    }
}

/// Where an e-mail may stand. The last name of its path is told without regard to case.
#[derive(Clone, Debug)]
pub struct EmailField {
    path: Path,
    /// The object that it is a member of; `None` is the event itself.
    object: Option<Path>,
    name: Box<str>,
}

impl EmailField {
    /// The member at `path`.
    pub fn new(path: Path) -> Self {
        let names: Vec<&str> = path.names().collect();
        let (name, object) =
            names.split_last().map_or(("", None), |(name, object)| (*name, Path::new(object)));
        Self { name: name.into(), object, path }
    }

    /// The value that `event` has there, unless it is `null` or `""`.
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

/// Where an identify call has its e-mail, unless the file says otherwise.
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

/// What makes two events copies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DedupBy {
    /// The same content hash.
    #[default]
    Content,
    /// The same message id.
    MessageId,
    /// Nothing.
    None,
}

/// What counts as a duplicate.
#[derive(Clone, Debug, Default)]
pub struct Dedup {
    /// What makes two events copies.
    pub by: DedupBy,
    /// Members that are left out of the content.
    pub ignore: Vec<Member>,
}

/// A test of the rules, in the file itself.
#[derive(Clone, Debug)]
pub struct RuleTest {
    /// Its name.
    pub name: String,
    /// The event.
    pub event: serde_json::Value,
    /// What is expected of it.
    pub expect: Expect,
    /// Where the test stands in the file.
    pub span: Range<usize>,
}

/// What a test expects; what it does not name may be anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expect {
    /// The rule that maps the event; empty for none.
    pub rule: Option<String>,
    /// Its score.
    pub score: Option<i64>,
    /// The mapped e-mail, normalised.
    pub email: Option<String>,
    /// The name of the signal.
    pub signal: Option<String>,
}

/// An allow list and what is doubtful about it.
type Doubted = (AllowList, Vec<Diagnostic>);

impl Rules {
    /// The allow list that the file holds, and what is doubtful about it.
    ///
    /// # Errors
    /// Everything that is wrong with its lines, at their places in the file.
    pub fn allow_list(&self) -> Result<Option<Doubted>, Vec<Diagnostic>> {
        let Some(lines) = &self.allow else { return Ok(None) };
        let texts: Vec<String> = lines.iter().map(|(line, _)| line.clone()).collect();
        let placed = |found: Vec<(usize, Diagnostic)>| -> Vec<Diagnostic> {
            let start = |entry: usize| lines.get(entry).map_or(0, |(_, span)| span.start);
            found.into_iter().map(|(entry, found)| found.shifted(start(entry))).collect()
        };
        let (list, doubts) = AllowList::from_lines(&texts).map_err(placed)?;
        Ok(Some((list, placed(doubts))))
    }

    /// Reads a rules file: TOML, or JSON of the same shape.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of the text.
    pub fn parse(text: &str) -> Result<Self, Vec<Diagnostic>> {
        load::load(text)
    }

    /// Whether events of the same content hash are the same to every rule: their rules and fields
    /// look at nothing else.
    pub fn read_content_alone(&self) -> bool {
        let is_content = |path: &Path| {
            // A `timestamp` is left out of the content where there is an `originalTimestamp`.
            path.member().is_some_and(|member| {
                member != Member::Timestamp && CONTENT_MEMBERS.contains(&member)
            })
        };
        let of_rule =
            |rule: &Rule| rule.when.reads_only(is_content) && rule.map.paths().all(is_content);
        self.dedup.ignore.is_empty() && self.rules.iter().all(of_rule)
    }

    /// The rule that maps `event`, a signal: of those that take it the one of the highest
    /// priority, and of these the first of the file.
    #[inline]
    pub fn first_match(&self, event: &Event<'_>) -> Option<RuleId> {
        self.index.first_match(&self.rules, event)
    }

    /// The rules that ask for the call and the name of `event`, or for neither, in the order in
    /// which they are tried. No other rule can take it.
    #[inline]
    pub fn candidates<'r>(&'r self, event: &Event<'_>) -> impl Iterator<Item = RuleId> + use<'r> {
        self.index.candidates(event)
    }
}

/// The first value at `paths` that is neither `null` nor `""`.
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
