//! The rules that were tried on a signal, and why those before the matching one did not match.

use super::report::Tried;
use crate::diagnostic::{clean, printable};
use crate::engine::Engine;
use crate::engine::redact::Redaction;
use crate::event::Event;
use crate::event::path::{Lookup, Path};
use crate::fql::Parts;
use crate::json::canonical::Canonical;
use crate::mask::is_secret_path;
use crate::parse::excerpt;
use crate::rules::{Rule, Rules};

/// The maximum length of a value that is shown, in characters.
const SHOWN_CHARS: usize = 40;
/// The text shown for a missing field.
const ABSENT: &str = "absent";
/// The text shown in place of a secret.
const HIDDEN: &str = "***";

/// The rules that were tried on a signal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trial {
    /// The rules that were tried and did not match, in order.
    pub tried: Vec<Tried>,
    /// The number of rules that were not tried, because they require other calls or names, or come
    /// later.
    pub others: usize,
    /// The path at which the matching rule found the e-mail that it maps.
    pub email_path: Option<String>,
}

/// The conditions of all rules, split into parts.
#[derive(Debug)]
pub struct Conditions<'a> {
    rules: &'a Rules,
    parts: Vec<Parts>,
}

impl<'a> Conditions<'a> {
    /// Splits the conditions of `rules`.
    pub fn new(rules: &'a Rules) -> Self {
        let parts = rules.rules.iter().map(|rule| Parts::new(&rule.when_text)).collect();
        Self { rules, parts }
    }

    /// Tries the rules on the signal `event`, which `rule` maps.
    pub fn trial(&self, engine: &Engine, event: &Event<'_>, rule: Option<u32>) -> Trial {
        let mut trial = Trial::default();
        for id in self.rules.candidates(event) {
            if rule.is_some_and(|rule| rule as usize == id.index()) {
                break;
            }
            let own = &self.rules.rules[id.index()];
            trial.tried.push(refusal(own, &self.parts[id.index()], engine, event));
        }
        trial.others = self.rules.rules.len() - trial.tried.len() - usize::from(rule.is_some());
        let mapping = rule.and_then(|rule| self.rules.rules.get(rule as usize));
        trial.email_path = mapping.and_then(|rule| email_path(rule, event));
        trial
    }
}

/// Returns the reason for which `rule`, whose conditions are `parts`, does not match `event`.
fn refusal(rule: &Rule, parts: &Parts, engine: &Engine, event: &Event<'_>) -> Tried {
    let failed = parts.first_failed(event);
    let condition = failed.map_or(&*rule.when_text, |part| part.text());
    let found = failed.and_then(|part| part.path()).map(|path| value(event, path, engine));
    Tried { rule: rule.id.clone(), failed: printable(condition), found }
}

/// Returns the first part of `expression` that is not true for `event`, and the value at its path.
pub fn failed_part(
    expression: &Parts,
    event: &Event<'_>,
    engine: &Engine,
) -> Option<(String, Option<String>)> {
    let part = expression.first_failed(event)?;
    let found = part.path().map(|path| value(event, path, engine));
    Some((printable(part.text()), found))
}

fn email_path(rule: &Rule, event: &Event<'_>) -> Option<String> {
    let is_present = |path: &&Path| event.lookup(path).is_some_and(crate::json::Json::is_present);
    rule.map.email.iter().find(is_present).map(ToString::to_string)
}

/// Returns the value at `path`, cut short and with addresses and secrets masked; in redacted
/// outputs, only its shape.
fn value(event: &Event<'_>, path: &Path, engine: &Engine) -> String {
    let Some(value) = event.lookup(path) else { return ABSENT.into() };
    if is_secret_path(&path.to_string()) {
        return HIDDEN.into();
    }
    let mut text = Vec::new();
    Canonical::default().write(value, &mut text);
    let mut text = clean(&excerpt::secrets(&String::from_utf8_lossy(&text), &engine.auth));
    if engine.redaction.is_some() {
        text = Redaction::shape(&text);
    }
    let mut chars = text.chars();
    let mut shown: String = chars.by_ref().take(SHOWN_CHARS).collect();
    if chars.next().is_some() {
        shown.push('…');
    }
    shown
}
