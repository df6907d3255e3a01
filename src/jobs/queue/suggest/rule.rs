//! One suggested rule.

use super::Candidate;
use super::intent::{Figures, Level, Verdict};
use super::map::Map;
use super::page::{self, PagePaths};
use super::quote::{self, equals, glob};
use crate::event::CallType;
use crate::event::word::{has, words};
use crate::jobs::queue::fields::FieldList;

/// Words of names whose events are sales talk, forms and mails, in the terms of TrailSpark.
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

/// Which events a rule takes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// The track events of a name.
    Track(String),
    /// The pages at a path and below it.
    Path(String),
    /// The pages or screens of a name.
    Named(CallType, String),
}

impl Target {
    /// The name that people know them by.
    pub fn name(&self) -> &str {
        let (Self::Track(name) | Self::Path(name) | Self::Named(_, name)) = self;
        name
    }

    /// What they are called in a comment.
    pub fn label(&self) -> String {
        match self {
            Self::Track(name) => name.clone(),
            Self::Path(step) => format!("pages at {step}"),
            Self::Named(call, name) => format!("{} {name}", call.name()),
        }
    }
}

/// A rule, and the lines of an allow list that let its events pass.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its id.
    pub id: String,
    /// What it takes.
    pub target: Target,
    /// The expression.
    pub when: String,
    /// The name of its signals.
    pub signal: String,
    /// The type of its signals.
    pub signal_type: &'static str,
    /// Whether they are of high intent.
    pub high_intent: bool,
    /// What each scores.
    pub score: i64,
    /// How many of them score for one lead.
    pub limit: u32,
    /// Whether the e-mail that it maps ties the visitor to it.
    pub identify: bool,
    /// What it maps.
    pub map: Map,
    /// The lines of the allow list.
    pub allow: Vec<String>,
    /// What was counted.
    pub figures: Figures,
    /// Why it is there.
    pub verdict: Verdict,
}

impl Rule {
    /// The rule of `candidate`, whose events hold `payload`. `steps` are all parts of the site, and
    /// `others` the rules that have their ids already.
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

/// The score, and how many count.
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

/// The words of the name, joined; `event` where it has none.
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

/// An id that none of `others` has.
fn free_id(target: &Target, others: &[Rule]) -> String {
    let id = slug(target, "-");
    let is_free = |id: &str| !others.iter().any(|other| other.id == id);
    if is_free(&id) {
        return id;
    }
    // Of one more number than there are others, one is free.
    let numbered = (2..others.len() + 3).map(|number| format!("{id}-{number}"));
    numbered.into_iter().find(|id| is_free(id)).unwrap_or(id)
}
