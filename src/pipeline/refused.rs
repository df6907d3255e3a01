//! Why an input is refused, in words: the commonest reason, and where to look.

use super::counters::Counters;
use super::example::{Examples, Lines};
use crate::parse::reject::Reason;

/// How many places are told.
const TOLD: usize = 3;

/// The first rejects of `counters`, of whatever reason, each as `file:line: reason: detail`.
pub fn first_places(counters: &Counters, lines: &Lines) -> Vec<String> {
    let each = Reason::ALL.into_iter().zip(&counters.reject_examples);
    let mut first: Vec<_> = each
        .flat_map(|(reason, examples)| {
            examples.first().iter().map(move |(at, told)| (at, reason, told))
        })
        .collect();
    first.sort_by_key(|(at, ..)| **at);
    first.truncate(TOLD);
    first
        .into_iter()
        .map(|(at, reason, told)| {
            let (file, line) = lines.of(at.place, at.line);
            format!("{file}:{line}: {}: {told}", reason.name())
        })
        .collect()
}

/// What to say where most of the records are refused; `None` where most are not.
pub fn mostly_refused(counters: &Counters, lines: &Lines) -> Option<String> {
    let refused: u64 = counters.rejects.iter().sum();
    if refused <= counters.events {
        return None;
    }
    // Of those that are as common the first counts.
    let common =
        Reason::ALL.into_iter().rev().max_by_key(|&reason| counters.rejects[reason as usize])?;
    let count = counters.rejects[common as usize];
    let records = refused + counters.events;
    let examples: &Examples<String> = &counters.reject_examples[common as usize];
    let place = examples.first().first().map(|(at, told)| {
        let (file, line) = lines.of(at.place, at.line);
        format!(", as in {file}:{line}: {told}")
    });
    let are = if records == 1 { "record is" } else { "records are" };
    Some(format!(
        "{refused} of {records} {are} refused, {count} as {}{}",
        common.name(),
        place.unwrap_or_default()
    ))
}
