//! Finding `filtered-input`: an input that was filtered before cannot show what a filter loses.

use super::{Kind, percent};
use crate::jobs::audit::report::{Finding, Report, Severity};
use crate::jobs::audit::summary::Evidence;
use crate::parse::shape::Shape;

/// Reports an input that seems to have been filtered already.
pub fn filtered(evidence: &Evidence<'_>, report: &Report) -> Vec<(Kind, Finding)> {
    let kind = Kind::FilteredInput;
    let help = "audit the archive of everything that Segment was sent: its S3 or warehouse \
        destination, without filters";
    let events = report.events;
    let mut found = Vec::new();
    let shapes = &evidence.facts.ingested.counters.shapes;
    let captured: u64 = Shape::ALL
        .into_iter()
        .filter(|shape| !matches!(shape, Shape::Unknown | Shape::Event | Shape::Batch))
        .map(|shape| shapes[shape as usize])
        .sum();
    let add = |found: &mut Vec<_>, count, of, message| {
        let seen = evidence.event_counts().sum(|_| true);
        let finding = Finding {
            help: Some(help.into()),
            count,
            of,
            examples: evidence.examples(&seen),
            ..kind.finding(Severity::Warning, message)
        };
        found.push((kind, finding));
    };
    if captured * 2 > report.records {
        let share = percent(captured, report.records);
        let message = format!(
            "{share} of the records are captures of a webhook, which gets only what a filter let \
             pass: what the filter drops does not show here"
        );
        add(&mut found, captured, report.records, message);
    }
    let is_list = evidence.facts.filters.after.allow.is_some();
    // With `--where`, the events are not representative of the input.
    let is_whole = evidence.facts.engine.filter.is_none();
    if is_list && is_whole && events.total > 0 && events.after == events.total {
        let message = "every event is on the list: the input has likely been filtered by it, or \
            the list lets everything pass";
        add(&mut found, events.after, events.total, message.into());
    }
    found
}
