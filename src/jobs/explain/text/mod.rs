//! The report for a terminal. It shows the addresses of the subject and of everyone who shares its
//! ids.

mod event;
mod lead;

use super::report::{Event, Place, Report};
use crate::diagnostic::printable;
use crate::report::figure::{counted, thousands};
use crate::report::layout::{Layout, Page};

/// The maximum number of events that are shown at the beginning of a timeline, and at its end.
const SHOWN_EVENTS: usize = 250;

/// Returns the text of `report`.
pub fn text(report: &Report, layout: Layout) -> String {
    let mut page = Page::new(layout);
    head(report, &mut page);
    lead::leads(report, &mut page);
    ids(report, &mut page);
    time_line(&report.events, &mut page);
    for fault in &report.faults {
        page.item("fault", &fault.to_string());
    }
    for warning in &report.warnings {
        page.item("warning", warning);
    }
    page.into_text()
}

fn head(report: &Report, page: &mut Page) {
    let subject = &report.subject;
    let noun = match subject.kind {
        "email" => "the lead".to_owned(),
        kind => kind.replace('_', " "),
    };
    page.item("explained", &format!("{noun} {}", subject.value));
    let read = format!(
        "{} from {}; {} of the subject; times are UTC",
        counted(report.records, "record", "records"),
        counted(report.inputs.len() as u64, "input", "inputs"),
        counted(report.events.len() as u64, "event", "events"),
    );
    page.item("read", &read);
    if let Some(rules) = &report.rules {
        page.item("rules", rules);
    }
    if let Some(window) = &report.window {
        page.item("window", &window.to_string());
    }
}

fn ids(report: &Report, page: &mut Page) {
    for (place, id) in report.ids.iter().enumerate() {
        let head = if place == 0 { "ids" } else { "" };
        let emails = match id.emails {
            0 => "leads to no e-mail".into(),
            _ if id.shared => format!("leads to {} e-mails or more: shared", id.emails),
            count => format!("leads to {}", counted(count as u64, "e-mail", "e-mails")),
        };
        page.item(head, &format!("{} {}: {emails}", id.kind.replace('_', " "), id.value));
    }
}

fn time_line(events: &[Event], page: &mut Page) {
    let hidden = events.len().saturating_sub(2 * SHOWN_EVENTS);
    let (first, last) = match hidden {
        0 => (events, &[][..]),
        _ => (&events[..SHOWN_EVENTS], &events[SHOWN_EVENTS + hidden..]),
    };
    for event in first {
        event::event(event, page);
    }
    if hidden > 0 {
        page.blank();
        let hidden = thousands(hidden as u64);
        page.line(&format!("… {hidden} events between them; --format json has all"));
    }
    for event in last {
        event::event(event, page);
    }
    let facts = events.iter().flat_map(|event| &event.facts);
    let again = facts.filter(|fact| fact.again).count() as u64;
    if again > 0 {
        let (verb, object) = if again == 1 { ("repeats", "it") } else { ("repeat", "them") };
        let ties = counted(again, "tie", "ties");
        page.blank();
        let text = format!("{ties} that only {verb} what was tied; --format json has {object}");
        page.item("left out", &text);
    }
}

/// Formats a time to the second, such as `2025-07-01 08:15:00`.
fn second(time: Option<&str>) -> String {
    time.map_or_else(
        || "without a time".into(),
        |time| time.get(..19).unwrap_or(time).replace('T', " "),
    )
}

/// Formats a place as `file:line`, which editors can open.
fn line_of(place: &Place) -> String {
    format!("{}:{}", printable(&place.file), place.line)
}
