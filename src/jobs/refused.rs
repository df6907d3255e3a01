//! Messages that explain why an input yields few events or none: the most common reason, and where
//! to look.

use crate::engine::map::counters::Counters;
use crate::engine::map::example::{Examples, Lines};
use crate::engine::window::Window;
use crate::error::Error;
use crate::parse::reject::Reason;
use crate::report;
use crate::report::text::counted;
use crate::source::{Fault, Reader};

/// The maximum number of places in a message.
const PLACES: usize = 3;

/// Returns the first rejects of `counters`, for any reason, each as `file:line: reason: detail`.
pub fn first_places(counters: &Counters, lines: &Lines) -> Vec<String> {
    let each = Reason::ALL.into_iter().zip(&counters.reject_examples);
    let mut first: Vec<_> = each
        .flat_map(|(reason, examples)| {
            examples.first().iter().map(move |(at, told)| (at, reason, told))
        })
        .collect();
    first.sort_by_key(|(at, ..)| **at);
    first.truncate(PLACES);
    first
        .into_iter()
        .map(|(at, reason, told)| {
            let (file, line) = lines.of(at.place, at.line);
            format!("{file}:{line}: {}: {told}", reason.name())
        })
        .collect()
}

/// Returns a warning if most records are refused.
pub fn mostly_refused(counters: &Counters, lines: &Lines) -> Option<String> {
    let refused: u64 = counters.rejects.iter().sum();
    if refused <= counters.events {
        return None;
    }
    // Of equally common reasons, the first counts.
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

/// Returns the error about an input without events. It contains every fault; `places` are the first
/// rejects.
pub fn nothing_found(counters: &Counters, reader: &Reader, places: &[String]) -> Error {
    let faults = reader.faults();
    let rejected = counters.rejects.iter().any(|&count| count > 0);
    if !rejected && !faults.is_empty() {
        return Error::Unread(faults);
    }
    let faults = faults.iter().map(Fault::to_string);
    let lines: Vec<_> = faults.chain(places.iter().cloned()).collect();
    Error::empty(describe_rejects(counters, reader), &lines)
}

/// Checks that the window contains an event, unless it may be empty.
///
/// # Errors
/// Returns an error if it contains none.
pub fn nothing_in_window(
    counters: &Counters,
    window: Option<Window>,
    allow_empty: bool,
) -> Result<(), Error> {
    let Some(window) = window else { return Ok(()) };
    let seen = counters.window;
    if seen.hit || allow_empty {
        return Ok(());
    }
    let events = counted(counters.events, "event", "events");
    let when = if seen.last.is_missing() {
        "without a time".into()
    } else {
        format!("from {} to {}", seen.first, seen.last)
    };
    let window = report::Window::from(window);
    let why = format!("none lies in the window {window}; read were {events} {when}");
    Err(Error::empty(why, &[]))
}

/// Describes why no record was an event.
fn describe_rejects(counters: &Counters, reader: &Reader) -> String {
    let counts = &counters.rejects;
    let rejects: u64 = counts.iter().sum();
    if rejects == 0 && counters.foreign_requests > 0 {
        let count = counters.foreign_requests;
        let requests = if count == 1 { "request" } else { "requests" };
        return format!("{count} captured {requests}, none that a Segment library sent");
    }
    if rejects == 0 {
        return match reader.skipped().first() {
            Some(text) => format!("it has no records; {text}"),
            None => "it has no records".into(),
        };
    }
    let reasons = Reason::ALL.into_iter();
    let counted = reasons.filter_map(|reason| {
        let count = counts[reason as usize];
        (count > 0).then(|| format!("{count} {}", reason.name()))
    });
    format!("{rejects} rejected: {}", counted.collect::<Vec<_>>().join(", "))
}
