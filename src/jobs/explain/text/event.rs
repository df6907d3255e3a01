//! Writes events of the text report.

use super::{line_of, second};
use crate::diagnostic::printable;
use crate::jobs::explain::report::{Counts, Event, Fact, Signal, Status, Tried};
use crate::report::colour::Tone;
use crate::report::layout::{Page, fitted};

/// The maximum number of tried rules that are shown.
const SHOWN_RULES: usize = 4;

/// Writes an event with all its details.
pub(super) fn event(event: &Event, page: &mut Page) {
    page.blank();
    heading(event, page);
    item("at", &line_of(&event.place), page);
    if let Some(url) = &event.page_url {
        item("page", &fitted(url, page.text_width()), page);
    }
    if let Some(own) = &event.own_clock {
        let own = second(Some(own));
        item("clock", &format!("{own} by its own, which is wrong; the time above is taken"), page);
    }
    match &event.status {
        Status::Kept => {}
        Status::OutsideWindow => item("window", "outside of it: no signal that counts", page),
        Status::Duplicate { of } => {
            item("copy of", &format!("{}, which was received first", line_of(of)), page);
        }
        Status::Filtered { because } => item("not sent", because, page),
        Status::Deleted => item(
            "deleted",
            "a deletion request covers it: a run leaves it out, and nothing more is told of it",
            page,
        ),
    }
    if event.over_plan == Some(true) {
        item(
            "plan",
            "over the limit when it arrived, and at each retry: the service loses it",
            page,
        );
    }
    if event.blocked_ids {
        item("blocked", &blocked(event), page);
    }
    for title in &event.changed_by {
        item("changed", &format!("by {title}, which took something out of it"), page);
    }
    items("copies", event.copies.iter().map(line_of), page);
    items("ties", event.facts.iter().filter(|fact| !fact.again).map(tie), page);
    if let Some(fault) = event.email_fault {
        item("e-mail", email_fault(fault), page);
    }
    let width = page.text_width();
    let supplies = event.supplies.iter().map(|value| format!("{} {}", value.column, value.value));
    items("supplies", supplies.map(|text| fitted(&text, width)), page);
    if let Some(own) = &event.signal {
        signal(own, page);
    }
}

fn heading(event: &Event, page: &mut Page) {
    let name = match &event.event {
        Some(name) => format!("{} ({})", printable(name), event.call),
        None => event.call.to_owned(),
    };
    let suffix = match &event.status {
        Status::Kept => "",
        Status::OutsideWindow => "  outside",
        Status::Duplicate { .. } => "  duplicate",
        Status::Filtered { .. } => "  not sent",
        Status::Deleted => "  deleted",
    };
    let time = second(event.timestamp.as_deref());
    let text = fitted(&format!("{time}  {name}{suffix}"), page.width());
    page.line(&page.painted(&text, Tone::Strong));
}

fn signal(signal: &Signal, page: &mut Page) {
    item("lead", &lead(signal), page);
    for (at, tied) in signal.ties.iter().enumerate() {
        let label = if at == 0 { "through" } else { "" };
        let time = second(tied.timestamp.as_deref());
        item(label, &format!("{}, tied {time}", tie(&tied.fact)), page);
        item("", &line_of(&tied.place), page);
    }
    items("because", signal.cold_because.iter().cloned(), page);
    item("rule", signal.rule.as_deref().unwrap_or("none takes it"), page);
    items("tried", signal.tried.iter().take(SHOWN_RULES).map(refusal), page);
    if signal.tried.len() > SHOWN_RULES {
        let more = signal.tried.len() - SHOWN_RULES;
        item("", &format!("and {more} more; --format json has all"), page);
    }
    if signal.rule.is_some() {
        item("score", &score(signal), page);
    }
}

/// Writes a label with `text` beside it.
fn item(label: &str, text: &str, page: &mut Page) {
    page.item(&format!("  {label}"), text);
}

/// Writes a label with `texts` beside it, one below the other.
fn items(label: &str, texts: impl Iterator<Item = String>, page: &mut Page) {
    for (at, text) in texts.enumerate() {
        item(if at == 0 { label } else { "" }, &text, page);
    }
}

fn blocked(event: &Event) -> String {
    let ids = [("anonymous id", &event.anonymous_id), ("user id", &event.user_id)];
    let ids = ids.iter().filter_map(|(noun, id)| Some(format!("{noun} {}", id.as_ref()?)));
    format!("one of these is no id: {}", ids.collect::<Vec<_>>().join(", "))
}

fn email_fault(fault: &str) -> &'static str {
    match fault {
        "without_email" => "it has none",
        "invalid_email" => "what it has is no address",
        _ => "what it has is blocked by the rules file",
    }
}

fn tie(fact: &Fact) -> String {
    let target = match fact.target_kind {
        "email" => fact.target.clone(),
        kind => format!("{} {}", kind.replace('_', " "), fact.target),
    };
    format!("{} {} → {target}", fact.source_kind.replace('_', " "), fact.source)
}

fn lead(signal: &Signal) -> String {
    let Some(email) = &signal.lead_email else { return format!("none: {}", signal.resolution) };
    let staff = if signal.internal { " (staff, no lead)" } else { "" };
    match &signal.email_path {
        Some(path) => format!("{email}{staff}, {}: its rule maps {path}", signal.resolution),
        None => format!("{email}{staff}, {}", signal.resolution),
    }
}

fn refusal(tried: &Tried) -> String {
    let Tried { rule, failed, found } = tried;
    match found {
        Some(found) => format!("{rule} asks for {failed}, found {found}"),
        None => format!("{rule} asks for {failed}"),
    }
}

fn score(signal: &Signal) -> String {
    let Signal { score, counts, .. } = signal;
    match counts {
        None => format!("{score}, but it has no lead"),
        Some(Counts { limit: None, .. }) => format!("{score}"),
        Some(Counts { place, limit: Some(limit), scores: true }) => {
            format!("{score}: {} of {limit} that score", ordinal(*place))
        }
        Some(Counts { place, limit: Some(limit), scores: false }) => {
            format!("0: {} of its rule, and {limit} score", ordinal(*place))
        }
    }
}

/// Returns the ordinal of a position, such as `the 1st` or `the 2nd`.
fn ordinal(place: u64) -> String {
    let ending = match (place % 10, place % 100) {
        (1, rest) if rest != 11 => "st",
        (2, rest) if rest != 12 => "nd",
        (3, rest) if rest != 13 => "rd",
        _ => "th",
    };
    format!("the {place}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_as_people_do() {
        let places = [1, 2, 3, 4, 11, 12, 13, 21, 112].map(ordinal);
        let expected = ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "112th"];
        assert_eq!(places, expected.map(|place| format!("the {place}")));
    }
}
