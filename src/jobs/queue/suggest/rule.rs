//! Writes one suggested rule.

use super::Candidate;
use super::intent::{Figures, Level, Verdict};
use super::map::Map;
use super::page::{self, PagePaths};
use super::quote::{self, equals, glob};
use crate::event::CallType;
use crate::event::word::{has, words};
use crate::jobs::queue::fields::FieldList;

/// Words in names of events that belong to sales, forms and e-mails, in TrailSpark's terms.
const SALES: [&str; 12] = [
    "meeting", "meetings", "call", "quote", "quotes", "proposal", "contract", "sales", "booked",
    "invoice", "purchase", "order",
];
const FORMS: [&str; 10] = [
    "form",
    "demo",
    "contact",
    "newsletter",
    "signup",
    "registered",
    "registration",
    "webinar",
    "download",
    "waitlist",
];

/// The events that a rule matches.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// Track events with a name.
    Track(String),
    /// Page calls at a path and below it.
    Path(String),
    /// Page or screen calls with a name.
    Named(CallType, String),
}

impl Target {
    /// Returns the name that people know the events by.
    pub fn name(&self) -> &str {
        let (Self::Track(name) | Self::Path(name) | Self::Named(_, name)) = self;
        name
    }

    /// Returns the name of the events in comments.
    pub fn label(&self) -> String {
        match self {
            Self::Track(name) => name.clone(),
            Self::Path(step) => format!("pages at {step}"),
            Self::Named(call, name) => format!("{} {name}", call.name()),
        }
    }
}

/// A rule, and the allow-list lines that let its events pass.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The id.
    pub id: String,
    /// The events that it matches.
    pub target: Target,
    /// The condition.
    pub when: String,
    /// The name of its signals.
    pub signal: String,
    /// The type of its signals.
    pub signal_type: &'static str,
    /// Whether its signals are of high intent.
    pub high_intent: bool,
    /// The score of each signal.
    pub score: i64,
    /// The number of signals per lead that score.
    pub limit: u32,
    /// Whether the e-mail that it maps identifies the visitor.
    pub identify: bool,
    /// The mapping.
    pub map: Map,
    /// The lines of the allow list.
    pub allow: Vec<String>,
    /// The counts for its events.
    pub figures: Figures,
    /// The judgement that led to the rule.
    pub verdict: Verdict,
}

impl Rule {
    /// Creates the rule for `candidate`, whose events have `payload`. `steps` are all parts of the
    /// site, and `others` the rules whose ids are taken.
    pub fn new(
        candidate: Candidate,
        payload: Option<(u64, &FieldList)>,
        pages: &PagePaths,
        steps: &[String],
        others: &[Self],
    ) -> Self {
        let Candidate { target, figures, verdict } = candidate;
        let map = payload.map_or_else(Map::default, |(events, fields)| Map::new(events, fields));
        let high_intent = verdict.level == Level::High;
        let is_view = !matches!(target, Target::Track(_));
        let (score, limit) = worth(&verdict, is_view, map.has_email());
        let has_longer = |step: &str| {
            steps.iter().any(|other| other.len() > step.len() && other.starts_with(step))
        };
        let (when, allow) = match &target {
            Target::Track(name) => (equals("event", name), vec![quote::allow(name)]),
            Target::Path(step) => {
                let longer = has_longer(step);
                (pages.when(step, longer), page::allow(step, longer))
            }
            Target::Named(call, name) => {
                let (own, inner) = (equals("name", name), equals("properties.name", name));
                let when = format!("type = \"{}\" and ({own} or {inner})", call.name());
                (when, vec![format!("{} {}", call.name(), glob(name))])
            }
        };
        let is_plain = allow.iter().all(|line| quote::is_read_whole(line));
        let allow = if is_plain { allow } else { vec![format!("fql: {when}")] };
        Self {
            id: free_id(&target, others),
            signal: slug(&target, "_"),
            signal_type: signal_type(&target, map.has_email()),
            identify: high_intent && map.has_email(),
            target,
            when,
            high_intent,
            score,
            limit,
            map,
            allow,
            figures,
            verdict,
        }
    }
}

/// Returns the score of a signal, and the number of signals per lead that score.
fn worth(verdict: &Verdict, is_view: bool, is_form: bool) -> (i64, u32) {
    match (verdict.level, is_view) {
        (Level::High, true) => (10, 3),
        (Level::High, false) => {
            let score = match verdict.points {
                7.. => 50,
                6 => 45,
                5 => 40,
                _ => 30,
            };
            (score, if is_form { 1 } else { 2 })
        }
        (_, true) => (2, 5),
        (_, false) => (if verdict.points >= 3 { 10 } else { 5 }, if is_form { 1 } else { 3 }),
    }
}

fn signal_type(target: &Target, has_email: bool) -> &'static str {
    let name = target.name();
    match target {
        Target::Path(_) | Target::Named(CallType::Page, _) => "Page View",
        Target::Track(_) if has(name, &["email"]) && has(name, &["opened"]) => "Email Open",
        Target::Track(_) if has(name, &["email"]) && has(name, &["clicked"]) => "Email Click",
        Target::Track(_) if has_email || has(name, &FORMS) => "Form Fill",
        Target::Track(_) if has(name, &SALES) => "Sales Event",
        Target::Track(_) | Target::Named(..) => "Product Activity",
    }
}

/// Returns the words of the name, joined; `event` if it has none.
fn slug(target: &Target, joint: &str) -> String {
    let mut all = words(target.name());
    match target {
        Target::Track(_) => {}
        Target::Path(_) => {
            if all.is_empty() {
                all.push("home".into());
            }
            all.insert(0, "page".into());
            all.push("viewed".into());
        }
        Target::Named(call, _) => {
            all.insert(0, call.name().into());
            all.push("viewed".into());
        }
    }
    if all.is_empty() { "event".into() } else { all.join(joint) }
}

/// Returns an id that none of `others` has.
fn free_id(target: &Target, others: &[Rule]) -> String {
    let id = slug(target, "-");
    let is_free = |id: &str| !others.iter().any(|other| other.id == id);
    if is_free(&id) {
        return id;
    }
    // There is one more number than there are others, so one is free.
    let numbered = (2..others.len() + 3).map(|number| format!("{id}-{number}"));
    numbered.into_iter().find(|id| is_free(id)).unwrap_or(id)
}
