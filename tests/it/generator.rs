//! The generated histories for benchmarks have the documented properties.

use std::collections::{HashMap, HashSet};

use crate::history::{BARE_BYTES, History, Plan};
use serde_json::Value;

const EVENTS: u64 = 20_000;

fn write(plan: &Plan) -> Vec<u8> {
    let mut history = History::new(plan);
    let mut out = Vec::new();
    while history.write_next(&mut out) {}
    out
}

fn parse(history: &[u8]) -> Vec<Value> {
    let lines = std::str::from_utf8(history).unwrap().lines();
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn usual() -> Vec<Value> {
    parse(&write(&Plan::of(EVENTS)))
}

fn text<'e>(event: &'e Value, member: &str) -> &'e str {
    event[member].as_str().unwrap()
}

/// Returns `part` in hundredths of `whole`.
fn percent(part: usize, whole: usize) -> usize {
    (part * 100 + whole / 2) / whole
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_gives_others() {
    let plan = Plan::of(500);
    assert_eq!(write(&plan), write(&plan));
    let other = write(&Plan { seed: 2, ..plan.clone() });
    let ids = |bytes: &[u8]| -> HashSet<String> {
        parse(bytes).iter().map(|event| text(event, "anonymousId").to_owned()).collect()
    };
    assert!(ids(&write(&plan)).is_disjoint(&ids(&other)));
}

#[test]
fn every_line_is_an_event_with_sorted_members_and_no_blanks() {
    fn sorted(value: &Value) -> bool {
        match value {
            Value::Object(members) => members.keys().is_sorted() && members.values().all(sorted),
            Value::Array(items) => items.iter().all(sorted),
            _ => true,
        }
    }
    let history = write(&Plan::of(2000));
    assert_eq!(history.last(), Some(&b'\n'));
    let events = parse(&history);
    assert_eq!(events.len(), 2000);
    for (event, line) in events.iter().zip(std::str::from_utf8(&history).unwrap().lines()) {
        assert_eq!(event.to_string(), line);
        assert!(sorted(event), "{line}");
        assert!(!text(event, "messageId").is_empty() && !text(event, "anonymousId").is_empty());
    }
}

#[test]
fn events_have_the_requested_size() {
    for bytes in [BARE_BYTES, 1100, 1600, 4000] {
        let mean =
            write(&Plan { bytes, ..Plan::of(EVENTS) }).len() / usize::try_from(EVENTS).unwrap();
        assert!(mean.abs_diff(bytes) * 100 <= bytes * 3, "{bytes} asked for, {mean} on average");
    }
}

#[test]
fn three_in_a_hundred_are_redeliveries_that_differ_only_in_their_delivery() {
    let mut first: HashMap<String, Value> = HashMap::new();
    let mut again = 0;
    let events = usual();
    for event in &events {
        let Some(original) = first.get(text(event, "messageId")) else {
            first.insert(text(event, "messageId").to_owned(), event.clone());
            continue;
        };
        again += 1;
        let mut copy = event.clone();
        for member in ["receivedAt", "sentAt", "timestamp"] {
            assert!(text(event, member) >= text(original, member));
            copy[member] = original[member].clone();
        }
        assert!(text(event, "sentAt") > text(original, "sentAt"));
        assert_eq!(&copy, original);
    }
    assert_eq!(percent(again, events.len()), 3);
}

#[test]
fn calls_come_in_the_mix_of_a_web_site() {
    let events = usual();
    let share =
        |call| percent(events.iter().filter(|event| event["type"] == call).count(), events.len());
    assert!((10..=15).contains(&share("identify")), "identify {}", share("identify"));
    assert!((45..=65).contains(&share("page")), "page {}", share("page"));
    assert!((20..=35).contains(&share("track")), "track {}", share("track"));
    assert!((2..=8).contains(&share("screen")), "screen {}", share("screen"));
}

#[test]
fn three_visitors_in_ten_are_identified_and_some_have_two_devices() {
    let events = usual();
    let mut devices: HashMap<&str, HashSet<&str>> = HashMap::new();
    for event in &events {
        assert_eq!(event["type"] == "identify", event["traits"]["email"].is_string());
        if let Some(user) = event["userId"].as_str() {
            devices.entry(user).or_default().insert(text(event, "anonymousId"));
        }
    }
    let visitors = usize::try_from(EVENTS / 8).unwrap();
    let identified = percent(devices.len(), visitors);
    assert!((25..=35).contains(&identified), "{identified}");
    let bridged = devices.values().filter(|devices| devices.len() == 2).count();
    assert!((5..=20).contains(&percent(bridged, devices.len())), "{bridged}");
    assert!(devices.values().all(|devices| devices.len() <= 2));
}

#[test]
fn there_are_as_many_event_names_as_requested() {
    for names in [1, 40, 200] {
        let events = parse(&write(&Plan { names, ..Plan::of(EVENTS) }));
        let seen: HashSet<_> = events.iter().filter_map(|event| event["event"].as_str()).collect();
        assert!(seen.len() <= names && seen.len() * 10 >= names * 9, "{} of {names}", seen.len());
    }
}

#[test]
fn parts_concatenate_to_the_whole_and_share_no_visitor() {
    let plan = Plan::of(1003);
    let parts: Vec<_> =
        (0..4).map(|part| parse(&write(&Plan { part: (part, 4), ..plan.clone() }))).collect();
    assert_eq!(parts.iter().map(Vec::len).sum::<usize>(), 1003);
    for pair in parts.windows(2) {
        let ids = |part: &[Value]| -> HashSet<String> {
            part.iter().map(|event| text(event, "anonymousId").to_owned()).collect()
        };
        assert!(ids(&pair[0]).is_disjoint(&ids(&pair[1])));
        let month = |event: &Value| text(event, "receivedAt")[..7].to_owned();
        assert!(month(&pair[0][0]) <= month(&pair[1][0]));
    }
}

#[test]
fn events_are_received_in_order_over_half_a_year() {
    let events = usual();
    let received: Vec<_> = events.iter().map(|event| text(event, "receivedAt")).collect();
    assert!(received.iter().zip(&received[1..]).filter(|(a, b)| a > b).count() < 10);
    assert!(received[0] < "2025-01-02" && received[received.len() - 1] > "2025-06-15");
}

#[test]
fn a_rules_file_has_as_many_rules_as_requested_with_distinct_ids() {
    for count in [0, 10, 1000] {
        let file: toml::Table = crate::rules::rules_file(count).parse().unwrap();
        let rules = file.get("rule").and_then(toml::Value::as_array).map_or(&[][..], Vec::as_slice);
        let ids: HashSet<_> = rules.iter().map(|rule| rule["id"].as_str().unwrap()).collect();
        assert_eq!((rules.len(), ids.len()), (count, count));
    }
}

#[test]
fn the_committed_rules_are_the_ten_that_are_printed() {
    assert_eq!(crate::rules::rules_file(10), include_str!("../../benches/rules-10.toml"));
}
