//! Checks the rules file itself: its tests, and rules that cannot be reached.

use std::cmp::Reverse;

use ahash::AHashMap;

use super::coverage::Seen;
use super::finding::{Finding, Violation};
use super::flaw::Flaw;
use super::place::Placer;
use super::verdict::NewCase;
use crate::diagnostic::masked;
use crate::engine::Engine;
use crate::engine::identity::value::normalise_email;
use crate::engine::map::extract::{event_name, identify_email, mapped, user_id_address};
use crate::event::{CallType, Event, Members};
use crate::json::document::Document;
use crate::rules::{Rule, RuleTest, Rules};

/// What the rules make of the event of a test.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    /// The rule that maps the event; empty if there is none.
    rule: String,
    score: i64,
    signal: String,
    /// The normalised address; empty if there is no valid one.
    email: String,
    /// Whether the event did not reach the rules because it was filtered.
    filtered: bool,
}

/// Runs the tests of the rules file; each is a case.
pub fn tests(engine: &Engine, placer: &mut Placer<'_>) -> Vec<NewCase> {
    let mut cases = Vec::new();
    for test in &engine.rules.tests {
        let flaws = run(engine, test);
        let rule = test.expect.rule.clone().unwrap_or_default();
        let findings: Vec<Finding> = flaws
            .into_iter()
            .map(|message| {
                let message = format!("test `{}`: {message}", test.name);
                let flaw = Flaw::new(Violation::FailedTest, message);
                let flaw = if rule.is_empty() { flaw } else { flaw.by(rule.as_str()) };
                let name = test.event.get("event").and_then(serde_json::Value::as_str);
                flaw.found(placer, &test.span, name)
            })
            .collect();
        cases.push(NewCase { name: masked(&test.name), rule, findings });
    }
    cases
}

/// Runs a test and returns a message for each expectation that is not met.
fn run(engine: &Engine, test: &RuleTest) -> Vec<String> {
    let json = test.event.to_string();
    let outcome = Document::default().read(json.as_bytes(), |value| {
        let object = value.ok().filter(|value| value.is_object())?;
        outcome_of(engine, &Event::new(object, &Members::of(object)))
    });
    let Some(outcome) = outcome else {
        let calls = CallType::ALL.map(CallType::name).join(", ");
        return vec![format!("expected the event's `type` to be one of {calls}")];
    };
    let expect = &test.expect;
    let mut wrong = Vec::new();
    if let Some(rule) = &expect.rule
        && *rule != outcome.rule
    {
        let named = |rule: &str| {
            if rule.is_empty() { "no rule".to_owned() } else { format!("the rule `{rule}`") }
        };
        let why =
            if outcome.filtered { ", for the allow list does not take the event" } else { "" };
        wrong.push(format!("expected {}, found {}{why}", named(rule), named(&outcome.rule)));
    }
    if let Some(score) = expect.score
        && score != outcome.score
    {
        wrong.push(format!("expected the score {score}, found {}", outcome.score));
    }
    if let Some(signal) = &expect.signal
        && *signal != outcome.signal
    {
        wrong.push(format!("expected the signal `{signal}`, found `{}`", outcome.signal));
    }
    if let Some(email) = &expect.email
        && email.trim().to_lowercase() != outcome.email
    {
        wrong.push(wrong_email(email, &outcome.email));
    }
    wrong
}

fn wrong_email(expected: &str, found: &str) -> String {
    let shown = |email: &str| {
        if email.is_empty() {
            "no e-mail address".to_owned()
        } else {
            format!("`{}`", masked(email))
        }
    };
    let (expected, found) = (shown(expected), shown(found));
    if expected == found {
        return format!("expected another e-mail address than {found}");
    }
    format!("expected {expected}, found {found}")
}

fn outcome_of(engine: &Engine, event: &Event<'_>) -> Option<Outcome> {
    let call = event.call_type()?;
    let (mut canonical, mut scratch) = Default::default();
    let name = event_name(event, call, &mut canonical, &mut scratch).to_owned();
    if !engine.takes(event) {
        return Some(Outcome { signal: name, filtered: true, ..Outcome::default() });
    }
    let matched = if call.is_signal() { engine.rules.first_match(event) } else { None };
    let rule = matched.map(|id| &engine.rules.rules[id.index()]);
    let value = match rule {
        Some(rule) => mapped(&rule.map.email, event),
        None if call == CallType::Identify => identify_email(event, &engine.rules.identity),
        None => None,
    };
    let text = value.and_then(crate::json::Json::as_str).unwrap_or_default();
    let email = match normalise_email(text, engine.blocklist(), &mut scratch) {
        Ok(()) => String::from_utf8_lossy(&scratch).into_owned(),
        Err(_) if engine.rules.identity.user_id_is_email && call == CallType::Identify => {
            let found = user_id_address(event, engine.blocklist(), &mut scratch);
            if found { String::from_utf8_lossy(&scratch).into_owned() } else { String::new() }
        }
        Err(_) => String::new(),
    };
    let signal = rule.and_then(|rule| rule.signal.clone()).unwrap_or(name);
    let (id, score) = rule.map_or((String::new(), 0), |rule| (rule.id.clone(), rule.score));
    Some(Outcome { rule: id, score, signal, email, filtered: false })
}

/// Returns the index of each rule that no signal reaches, with the reason.
pub fn unreachable(rules: &Rules, seen: &Seen) -> Vec<(usize, String)> {
    let mut order: Vec<usize> = (0..rules.rules.len()).collect();
    order.sort_by_key(|&rule| Reverse(rules.rules[rule].priority));
    let (mut earlier, mut found) = (Earlier::default(), Vec::new());
    for place in order {
        let rule = &rules.rules[place];
        let events = rule.when.demand().events;
        // A rule that matched a signal is reachable, whatever the Segment Spec requires of its
        // events.
        if seen.rules.get(place).is_none_or(|&count| count == 0) {
            let before = earlier.wider_than(events.as_deref());
            found.extend(why_unreachable(rule, before).map(|why| (place, why)));
        }
        earlier.add(rule, events);
    }
    found
}

/// The rules that are tried before another one, indexed by the event names that they require, so
/// that a rule is compared only with rules that can match everything that it matches.
#[derive(Default)]
struct Earlier<'r> {
    named: AHashMap<Box<str>, Vec<(usize, &'r Rule)>>,
    others: Vec<(usize, &'r Rule)>,
    count: usize,
}

impl<'r> Earlier<'r> {
    fn add(&mut self, rule: &'r Rule, events: Option<Vec<Box<str>>>) {
        let ranked = (self.count, rule);
        self.count += 1;
        match events {
            Some(names) => {
                for name in names {
                    self.named.entry(name).or_default().push(ranked);
                }
            }
            None => self.others.push(ranked),
        }
    }

    /// Returns the rules that require no name, or a name in `events`, in order.
    fn wider_than(&self, events: Option<&[Box<str>]>) -> impl Iterator<Item = &'r Rule> {
        let named = events.and_then(|events| self.named.get(events.first()?));
        let (mut named, mut others) = (named.map_or(&[][..], Vec::as_slice), &self.others[..]);
        std::iter::from_fn(move || {
            let next = match (named.first(), others.first()) {
                (Some((rank, _)), Some((other, _))) if other < rank => &mut others,
                (Some(_), _) => &mut named,
                (None, _) => &mut others,
            };
            let (&(_, rule), rest) = next.split_first()?;
            *next = rest;
            Some(rule)
        })
    }
}

fn why_unreachable<'r>(rule: &Rule, mut before: impl Iterator<Item = &'r Rule>) -> Option<String> {
    if rule.when.takes_nothing() {
        return Some(format!("`{}` takes no event at all: its `when` contradicts itself", rule.id));
    }
    let calls = rule.when.demand().calls;
    if calls.is_some_and(|calls| !calls.iter().any(|call| call.is_signal())) {
        return Some(format!(
            "`{}` takes no signal: rules are asked about track, page and screen calls alone",
            rule.id
        ));
    }
    let earlier = before.find(|earlier| rule.when.implies(&earlier.when))?;
    let how = if earlier.priority > rule.priority {
        "which has a higher priority"
    } else {
        "which stands before it"
    };
    Some(format!("all that `{}` would take is taken by `{}`, {how}", rule.id, earlier.id))
}

#[cfg(test)]
mod tests_of_rules {
    use super::*;

    fn unreached(rules: &str) -> Vec<String> {
        let rules = Rules::parse(&format!("version = 1\n{rules}")).unwrap();
        let found = unreachable(&rules, &Seen::new(None, &rules));
        found.into_iter().map(|(place, _)| rules.rules[place].id.clone()).collect()
    }

    fn rule(id: &str, when: &str, rest: &str) -> String {
        format!("[[rule]]\nid = \"{id}\"\nwhen = '{when}'\n{rest}\n")
    }

    #[test]
    fn a_rule_behind_a_wider_one_is_never_reached() {
        let wide = rule("wide", "event = \"A\"", "");
        let narrow = rule("narrow", "event = \"A\" and userId = \"u\"", "");
        assert_eq!(unreached(&(wide.clone() + &narrow)), ["narrow"]);
        assert_eq!(unreached(&(narrow + &wide)), [""; 0]);
        let first = rule("first", "event = \"A\" and userId = \"u\"", "priority = 1");
        assert_eq!(unreached(&(wide + &first)), [""; 0]);
    }

    #[test]
    fn a_rule_on_calls_that_are_no_signals_is_never_reached() {
        assert_eq!(unreached(&rule("a", "type = \"identify\"", "")), ["a"]);
        assert_eq!(unreached(&rule("a", "event = \"A\" and event = \"B\"", "")), ["a"]);
        assert_eq!(unreached(&rule("a", "type in [\"identify\", \"page\"]", "")), [""; 0]);
    }
}
