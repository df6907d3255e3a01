//! Suggests a rules file: a rule for each name with signs of intent, the other names in comments,
//! and a matching allow list. Comments explain every choice.

mod intent;
mod map;
mod page;
mod quote;
mod rule;
mod word;
mod write;

use super::count::{Counted, MOST_NAMES, Ranking};
use super::fields::{FieldList, Fields};
use super::tally::Tally;
use crate::event::CallType;
use intent::{Figures, Level, Usual, Verdict, judge};
use page::PagePaths;
use rule::{Rule, Target};

/// The maximum number of rules; those with the most intent are written.
const MOST_RULES: usize = 60;
/// The maximum length of a name for which a rule is written, in bytes.
const LONGEST: usize = 512;
/// The prefix of a section that has a name instead of a path.
const NAMED: &str = "named ";

/// The input of suggestions.
pub struct Facts<'a> {
    /// The names.
    pub ranking: &'a Ranking<'a>,
    /// The result of the second phase, including sections.
    pub counted: Counted,
    /// The fields of the payloads.
    pub fields: Fields,
}

/// The contents of a suggested rules file.
struct Suggestion {
    /// The rules, those with the most intent first.
    rules: Vec<Rule>,
    /// Candidates without a rule: noise, then undecided ones; the most frequent first.
    left_out: Vec<Candidate>,
    /// The identity calls other than identify that occur.
    calls: Vec<CallType>,
    signals: u64,
    names: usize,
}

/// Events for which a rule could be written.
struct Candidate {
    target: Target,
    figures: Figures,
    verdict: Verdict,
}

/// Returns the text of a suggested rules file.
pub fn suggest(facts: Facts<'_>) -> String {
    write::text(&Suggestion::new(facts))
}

impl Suggestion {
    fn new(facts: Facts<'_>) -> Self {
        let Facts { ranking, counted, fields } = facts;
        let usual = usual(ranking, &counted);
        let payloads = fields.into_names();
        let pages = PagePaths::new(payload(&payloads, CallType::Page, "Page Viewed"));
        let more = ranking.names.len().saturating_sub(MOST_NAMES);
        let names = ranking.counted(&counted.tallies).count() + more;
        let calls = [CallType::Group, CallType::Alias];
        let seen =
            |call: &CallType| ranking.counted(&counted.tallies).any(|(seen, ..)| seen == *call);
        let calls = calls.into_iter().filter(seen).collect();
        let mut candidates = tracks(ranking, &counted, &payloads, usual);
        candidates.extend(sections(counted, usual));
        candidates.sort_by(|a, b| {
            let order = |c: &Candidate| {
                use std::cmp::Reverse;
                (Reverse(c.verdict.level), Reverse(c.verdict.points), Reverse(c.figures.events))
            };
            order(a).cmp(&order(b)).then_with(|| a.target.cmp(&b.target))
        });
        let kept = candidates.partition_point(|c| c.verdict.level >= Level::Some).min(MOST_RULES);
        let mut left_out = candidates.split_off(kept);
        left_out.sort_by(|a, b| {
            let order = |c: &Candidate| (c.verdict.level, std::cmp::Reverse(c.figures.events));
            order(a).cmp(&order(b)).then_with(|| a.target.cmp(&b.target))
        });
        let steps: Vec<String> = candidates.iter().chain(&left_out).filter_map(step).collect();
        let mut rules: Vec<Rule> = Vec::new();
        for candidate in candidates {
            let payload = match &candidate.target {
                Target::Track(name) => payload(&payloads, CallType::Track, name),
                _ => None,
            };
            let rule = Rule::new(candidate, payload, &pages, &steps, &rules);
            rules.push(rule);
        }
        Self { rules, left_out, calls, signals: usual.signals, names }
    }
}

/// Returns the path of a candidate that is a part of the site.
fn step(candidate: &Candidate) -> Option<String> {
    match &candidate.target {
        Target::Path(step) => Some(step.clone()),
        _ => None,
    }
}

fn usual(ranking: &Ranking<'_>, counted: &Counted) -> Usual {
    let mut usual = Usual::default();
    for (call, _, tally) in ranking.counted(&counted.tallies) {
        if call.is_signal() {
            usual.signals += tally.kept();
            usual.before_identify += tally.before_identify;
        }
    }
    usual
}

/// Returns the number and the fields of the events with a call and name.
fn payload<'p>(
    payloads: &'p [(String, u64, FieldList)],
    call: CallType,
    name: &str,
) -> Option<(u64, &'p FieldList)> {
    let is_it = |of: &str| {
        of.strip_prefix(call.name()).and_then(|rest| rest.strip_prefix(' ')) == Some(name)
    };
    let found = payloads.iter().find(|(of, ..)| is_it(of));
    found.map(|(_, events, fields)| (*events, fields))
}

fn figures(tally: &Tally) -> Figures {
    let known = tally.known.count();
    Figures {
        events: tally.kept(),
        visitors: known + tally.unknown.count(),
        known,
        before_identify: tally.before_identify,
        with_email: 0,
    }
}

/// Returns the candidates for track events.
fn tracks(
    ranking: &Ranking<'_>,
    counted: &Counted,
    payloads: &[(String, u64, FieldList)],
    usual: Usual,
) -> Vec<Candidate> {
    let tracks = ranking.counted(&counted.tallies).filter(|(call, name, _)| {
        *call == CallType::Track && !name.is_empty() && name.len() <= LONGEST
    });
    let candidate = |(_, name, tally): (CallType, &str, &Tally)| {
        let mut figures = figures(tally);
        if let Some((_, fields)) = payload(payloads, CallType::Track, name) {
            let with_email: u64 = fields.iter().map(|(_, field)| field.emails).sum();
            figures.with_email = with_email.min(figures.events);
        }
        let verdict = judge(name, &figures, usual, false);
        Candidate { target: Target::Track(name.to_owned()), figures, verdict }
    };
    tracks.map(candidate).collect()
}

/// Returns the candidates for parts of the site and for screens.
fn sections(counted: Counted, usual: Usual) -> Vec<Candidate> {
    let (sections, _) = counted.sections.into_sorted();
    let candidate = |(section, tally): (String, Tally)| {
        let (call, part) = section.split_once(' ')?;
        let call = CallType::from_name(call)?;
        let target = match part.strip_prefix(NAMED) {
            Some(name) => Target::Named(call, name.to_owned()),
            None => Target::Path(part.to_owned()),
        };
        let figures = figures(&tally);
        let verdict = judge(target.name(), &figures, usual, true);
        Some(Candidate { target, figures, verdict })
    };
    sections.into_iter().filter_map(candidate).collect()
}

#[cfg(test)]
mod tests;
