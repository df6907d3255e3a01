//! Findings about lines of the allow list: `allowed-never-seen`, `all-pages-allowed`.

use super::name::Named;
use super::{Kind, events, has_rules, is_unmapped, kept, percent, quoted};
use crate::event::CallType;
use crate::filter::allow::{Entry, Line};
use crate::jobs::audit::report::{Entry as ListEntry, Finding, Report, Severity};
use crate::jobs::audit::source_line::Sightings;
use crate::jobs::audit::summary::Evidence;
use crate::nearest::Names;

/// Reports lines that match nothing, with the nearest name that occurs.
pub fn never_seen(evidence: &Evidence<'_>, names: &[Named<'_>]) -> Vec<(Kind, Finding)> {
    let Some(list) = &evidence.facts.filters.after.allow else { return Vec::new() };
    let seen = &evidence.facts.ingested.counts.lines_seen;
    let unseen = list.lines().iter().zip(seen).filter(|(_, seen)| !**seen);
    let tracks: Vec<_> = names.iter().filter(|named| named.call == CallType::Track).collect();
    let nearest = Names::new(tracks.iter().map(|named| named.event));
    unseen
        // Identify calls have a separate finding.
        .filter(|(line, _)| !matches!(line.entry, Entry::Call(CallType::Identify)))
        .map(|(line, _)| (Kind::AllowedNeverSeen, unseen_line(evidence, line, &tracks, &nearest)))
        .collect()
}

/// `tracks` are the track events that were seen, and `nearest` their names.
fn unseen_line(
    evidence: &Evidence<'_>,
    line: &Line,
    tracks: &[&Named<'_>],
    nearest: &Names<'_>,
) -> Finding {
    let kind = Kind::AllowedNeverSeen;
    let entry = ListEntry { number: line.number, text: line.text.to_string() };
    let subject =
        format!("line {}, {}, takes no event of the input", line.number, quoted(&line.text));
    let meant = match &line.entry {
        Entry::Event(name) => nearest.nearest(name).map(|place| tracks[place]),
        _ => None,
    };
    let Some(meant) = meant else {
        return Finding { entry: Some(entry), ..kind.finding(Severity::Note, subject) };
    };
    let message = format!(
        "{subject}; the nearest name is {} with {}{}",
        quoted(meant.event),
        events(meant.all.count),
        if meant.kept.count == 0 { ", which the filter drops" } else { "" },
    );
    Finding {
        help: Some(format!("if that is meant, write {}", quoted(meant.event))),
        event: Some(meant.event.to_owned()),
        call: Some(CallType::Track.name()),
        entry: Some(entry),
        count: meant.all.count,
        of: meant.all.count,
        examples: evidence.examples(&meant.all),
        ..kind.finding(Severity::Warning, message)
    }
}

/// Returns `true` if `line` matches all page calls.
fn takes_all_pages(line: &Line) -> bool {
    match &line.entry {
        Entry::Call(call) => *call == CallType::Page,
        Entry::Page(_) => {
            let pattern = line.text.split_once(char::is_whitespace).map_or("", |(_, rest)| rest);
            matches!(pattern.trim(), "*" | "**" | "/*" | "/**")
        }
        Entry::Fql(_) => line.text.split_once(':').is_some_and(|(_, expr)| expr.trim() == "all"),
        Entry::Event(_) | Entry::Screen(_) => false,
    }
}

/// Reports that all page calls pass.
pub fn all_pages(evidence: &Evidence<'_>, report: &Report) -> Option<(Kind, Finding)> {
    let kind = Kind::AllPagesAllowed;
    let is_page = |call| call == CallType::Page;
    let pages = kept(evidence, |call, _| is_page(call));
    let list = evidence.facts.filters.after.allow.as_ref();
    let line = list.and_then(|list| list.lines().iter().find(|line| takes_all_pages(line)));
    let event_counts = evidence.event_counts();
    let seen = event_counts.sum(|key| is_page(event_counts.name(key.name).0)).count;
    let all = if list.is_some() { line.is_some() } else { pages.count > 0 && pages.count == seen };
    if !all {
        return None;
    }
    let entry = line.map(|line| ListEntry { number: line.number, text: line.text.to_string() });
    let subject = match &entry {
        Some(entry) => {
            format!("line {}, {}, lets all pages pass", entry.number, quoted(&entry.text))
        }
        None => "the filters let all pages pass".to_owned(),
    };
    let unmapped = kept(evidence, |call, key| is_page(call) && is_unmapped(key)).count;
    let used = if has_rules(evidence) {
        format!("; no rule maps {unmapped} of them")
    } else {
        String::new()
    };
    let message = format!(
        "{subject}: {}, {} of what passes{used}",
        events(pages.count),
        percent(pages.count, report.events.after),
    );
    let finding = Finding {
        help: Some("allow the pages that tell intent: `page /pricing*`, `page /demo*`".into()),
        call: Some(CallType::Page.name()),
        entry,
        count: pages.count,
        of: report.events.after,
        examples: evidence.examples(&pages),
        ..kind.finding(Severity::Warning, message)
    };
    Some((kind, finding))
}

/// Reports lines whose page or screen calls no rule maps.
pub fn unmapped_pages(evidence: &Evidence<'_>, report: &Report) -> Vec<(Kind, Finding)> {
    if !has_rules(evidence) {
        return Vec::new();
    }
    let event_counts = evidence.event_counts();
    let is_view = |call| matches!(call, CallType::Page | CallType::Screen);
    let mut groups: Vec<(CallType, u32)> = event_counts
        .cells()
        .map(|(key, _)| (event_counts.name(key.name).0, key.by))
        .filter(|&(call, _)| is_view(call))
        .collect();
    groups.sort_unstable();
    groups.dedup();
    let mut found = Vec::new();
    for (call, by) in groups {
        let of_group = kept(evidence, |other, key| other == call && key.by == by);
        let mapped =
            kept(evidence, |other, key| other == call && key.by == by && !is_unmapped(key));
        if of_group.count > 0 && mapped.count == 0 {
            found.push(unmapped(evidence, report, (call, by), of_group));
        }
    }
    found
}

fn unmapped(
    evidence: &Evidence<'_>,
    report: &Report,
    (call, by): (CallType, u32),
    views: Sightings,
) -> (Kind, Finding) {
    let kind = Kind::AllowedUnmapped;
    let entry = evidence.entry(by);
    let subject = match &entry {
        Some(entry) => format!("what line {}, {}, takes", entry.number, quoted(&entry.text)),
        None => format!("{} calls", call.name()),
    };
    let message = format!(
        "{subject}: {}, {} of what passes, and no rule maps any",
        events(views.count),
        percent(views.count, report.events.after),
    );
    let finding = Finding {
        help: Some("write a rule for it, or do not let it pass".into()),
        call: Some(call.name()),
        entry,
        count: views.count,
        of: report.events.after,
        examples: evidence.examples(&views),
        ..kind.finding(Severity::Warning, message)
    };
    (kind, finding)
}
