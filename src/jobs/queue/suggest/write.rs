//! Writes a suggestion as the text of a rules file.

use std::fmt::{self, Write};

use super::intent::Level;
use super::quote::{toml, toml_key};
use super::rule::{Rule, Target};
use super::{Candidate, Suggestion};
use crate::event::CallType;
use crate::jobs::queue::example::shown_name;
use crate::report::layout::{fitted, wrap};
use crate::report::text::{counted, percent, thousands};

/// The width of the text, in columns.
const WIDTH: usize = 80;
/// The maximum number of names without a rule that are listed, for each kind.
const LISTED: usize = 40;

/// Returns the text of `suggestion`.
pub fn text(suggestion: &Suggestion) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = file(suggestion, &mut out);
    out
}

fn file(suggestion: &Suggestion, out: &mut String) -> fmt::Result {
    head(suggestion, out)?;
    allow(suggestion, out)?;
    for rule in &suggestion.rules {
        self::rule(rule, suggestion.signals, out)?;
    }
    for rule in &suggestion.rules {
        test(rule, out)?;
    }
    left_out(suggestion, Level::Noise, "Noise: neither allowed nor mapped", out)?;
    left_out(suggestion, Level::Undecided, "Undecided: neither allowed nor mapped", out)
}

fn head(suggestion: &Suggestion, out: &mut String) -> fmt::Result {
    let Suggestion { rules, signals, names, .. } = suggestion;
    let text = format!(
        "Rules to start from: {}, told from {} and {}. Scores and limits are a beginning; what was \
         counted and why a rule is there stands above it.",
        counted(rules.len() as u64, "rule", "rules"),
        counted(*signals, "signal", "signals"),
        counted(*names as u64, "name", "names"),
    );
    comment(&text, out)?;
    comment("Then: `backtrail check --rules FILE`, `backtrail audit INPUT --rules FILE`.", out)?;
    writeln!(out, "version = 1\n")?;
    comment("What the plan allows:", out)?;
    comment("[plan]", out)?;
    comment("raw_signals = 100_000", out)
}

fn allow(suggestion: &Suggestion, out: &mut String) -> fmt::Result {
    writeln!(out, "\n[filter]\nallow = [")?;
    let calls = suggestion.calls.iter().map(|call| call.name());
    for call in std::iter::once(CallType::Identify.name()).chain(calls) {
        writeln!(out, "  {},", toml(call))?;
    }
    for line in suggestion.rules.iter().flat_map(|rule| &rule.allow) {
        writeln!(out, "  {},", toml(line))?;
    }
    writeln!(out, "]")
}

fn rule(rule: &Rule, signals: u64, out: &mut String) -> fmt::Result {
    let figures = &rule.figures;
    let counts = format!(
        "{}: {} ({} of all signals) by {}, {} of them known.",
        shown_name(&rule.target.label()),
        counted(figures.events, "event", "events"),
        percent(figures.events, signals),
        counted(figures.visitors, "visitor", "visitors"),
        thousands(figures.known),
    );
    writeln!(out)?;
    comment(&counts, out)?;
    comment(&format!("Why: {}.", rule.verdict.reasons.join("; ")), out)?;
    writeln!(out, "[[rule]]\nid = {}\nwhen = {}", toml(&rule.id), toml(&rule.when))?;
    writeln!(out, "signal = {}\ntype = {}", toml(&rule.signal), toml(rule.signal_type))?;
    if rule.high_intent {
        writeln!(out, "high_intent = true")?;
    }
    writeln!(out, "score = {}\nlimit = {}", rule.score, rule.limit)?;
    if rule.identify {
        writeln!(out, "identify = true # what they type is as good as an identify call")?;
    }
    if rule.map.columns.is_empty() {
        return Ok(());
    }
    writeln!(out, "[rule.map]")?;
    for (column, paths) in &rule.map.columns {
        let key = toml_key(column);
        match paths.as_slice() {
            [path] => writeln!(out, "{key} = {}", toml(path))?,
            paths => {
                let paths: Vec<String> = paths.iter().map(|path| toml(path)).collect();
                writeln!(out, "{key} = [{}]", paths.join(", "))?;
            }
        }
    }
    Ok(())
}

/// Writes a test of the rule, for `check`.
fn test(rule: &Rule, out: &mut String) -> fmt::Result {
    let event = match &rule.target {
        Target::Track(name) => format!("type = \"track\", event = {}", toml(name)),
        Target::Path(step) => {
            let (path, url) = (toml(step), toml(&format!("https://site.example{step}")));
            let page = format!("{{ path = {path}, url = {url} }}");
            format!("type = \"page\", properties = {page}, context = {{ page = {page} }}")
        }
        Target::Named(call, name) => format!("type = \"{}\", name = {}", call.name(), toml(name)),
    };
    writeln!(out, "\n[[test]]\nname = {}", toml(&format!("{} scores", rule.id)))?;
    writeln!(out, "event = {{ messageId = \"1\", anonymousId = \"a\", {event} }}")?;
    writeln!(out, "expect = {{ rule = {}, score = {} }}", toml(&rule.id), rule.score)
}

fn left_out(suggestion: &Suggestion, level: Level, title: &str, out: &mut String) -> fmt::Result {
    let is_noise = level == Level::Noise;
    let these: Vec<&Candidate> = suggestion
        .left_out
        .iter()
        .filter(|candidate| (candidate.verdict.level == Level::Noise) == is_noise)
        .collect();
    if these.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    comment(&format!("{title}."), out)?;
    for candidate in these.iter().take(LISTED) {
        let label = fitted(&shown_name(&candidate.target.label()), WIDTH / 2);
        let events = counted(candidate.figures.events, "event", "events");
        let reasons = candidate.verdict.reasons.join("; ");
        comment(&format!("- {label}: {events}; {reasons}"), out)?;
    }
    match these.len().checked_sub(LISTED) {
        Some(more) if more > 0 => comment(&format!("- {} more", thousands(more as u64)), out),
        _ => Ok(()),
    }
}

fn comment(text: &str, out: &mut String) -> fmt::Result {
    wrap(text, WIDTH - 2).iter().try_for_each(|line| writeln!(out, "# {line}"))
}
