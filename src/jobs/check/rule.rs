//! The rules file itself: its own tests, and rules that nothing can reach.

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

/// What becomes of the event of a test.
#[derive(Debug, Default, PartialEq, Eq)]
struct Became {
    /// The rule that maps it; empty for none.
    rule: String,
    score: i64,
    signal: String,
    /// Its address, normalised; empty where it brings no valid one.
    email: String,
    /// Why no rule was asked.
    filtered: bool,
}

/// Runs the tests of the rules file, a case each.
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

/// What does not become of a test's event as it should.
fn run(engine: &Engine, test: &RuleTest) -> Vec<String> {
    let json = test.event.to_string();
    let became = Document::default().read(json.as_bytes(), |value| {
        let object = value.ok().filter(|value| value.is_object())?;
        became(engine, &Event::new(object, &Members::of(object)))
    });
    let Some(became) = became else {
        let calls = CallType::ALL.map(CallType::name).join(", ");
        return vec![format!("expected the event's `type` to be one of {calls}")];
    };
    let expect = &test.expect;
    let mut wrong = Vec::new();
    if let Some(rule) = &expect.rule
        && *rule != became.rule
    {
        let named = |rule: &str| {
            if rule.is_empty() { "no rule".to_owned() } else { format!("the rule `{rule}`") }
        };
        let why = if became.filtered { ", for the allow list does not take the event" } else { "" };
        wrong.push(format!("expected {}, found {}{why}", named(rule), named(&became.rule)));
    }
    if let Some(score) = expect.score
        && score != became.score
    {
        wrong.push(format!("expected the score {score}, found {}", became.score));
    }
    if let Some(signal) = &expect.signal
        && *signal != became.signal
    {
        wrong.push(format!("expected the signal `{signal}`, found `{}`", became.signal));
    }
    if let Some(email) = &expect.email
        && email.trim().to_lowercase() != became.email
    {
        wrong.push(wrong_email(email, &became.email));
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

fn became(engine: &Engine, event: &Event<'_>) -> Option<Became> {
    let call = event.call_type()?;
    let (mut canonical, mut scratch) = Default::default();
    let name = event_name(event, call, &mut canonical, &mut scratch).to_owned();
    if !engine.takes(event) {
        return Some(Became { signal: name, filtered: true, ..Became::default() });
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
    Some(Became { rule: id, score, signal, email, filtered: false })
}

/// The rules that no signal reaches, by their place: each with why.
pub fn unreachable(rules: &Rules, seen: &Seen) -> Vec<(usize, String)> {
    let mut order: Vec<usize> = (0..rules.rules.len()).collect();
    order.sort_by_key(|&rule| Reverse(rules.rules[rule].priority));
    let (mut earlier, mut found) = (Earlier::default(), Vec::new());
    for place in order {
        let rule = &rules.rules[place];
        let events = rule.when.demand().events;
        // What has taken a signal can be reached, whatever the Segment Spec says of its events.
        if seen.rules.get(place).is_none_or(|&count| count == 0) {
            let before = earlier.wider_than(events.as_deref());
            found.extend(why_unreachable(rule, before).map(|why| (place, why)));
        }
        earlier.add(rule, events);
    }
    found
}

/// The rules that are tried before one, by the names that they ask for, so that a rule is compared
/// only with those that may take all that it takes.
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

    /// Those that ask for no name, or for the names of a rule that asks for `events`, in order.
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
