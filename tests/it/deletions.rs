//! Delete calls: which signals and leads a deletion request removes, and which it does not.

use crate::support::{Workspace, assert_ledger_holds};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Returns a time on the first of May.
fn at(minute: u32) -> String {
    format!("2025-05-01T{:02}:{:02}:00Z", minute / 60, minute % 60)
}

/// Returns an event of `anonymous` and `user` in `minute`, with the members of `more`.
fn event(call: &str, minute: u32, anonymous: &str, user: Option<&str>, more: &Value) -> Value {
    let mut event = json!({"type": call, "messageId": format!("{call}-{minute}-{anonymous}-{user:?}"),
        "event": "Ping", "anonymousId": anonymous, "timestamp": at(minute)});
    if let Some(user) = user {
        event["userId"] = user.into();
    }
    event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    event
}

fn ping(minute: u32, anonymous: &str, user: Option<&str>) -> Value {
    event("track", minute, anonymous, user, &json!({}))
}

fn identify(minute: u32, anonymous: &str, user: Option<&str>, email: &str) -> Value {
    event("identify", minute, anonymous, user, &json!({"traits": {"email": email, "name": "N"}}))
}

fn delete(minute: u32, user: &str) -> Value {
    json!({"type": "delete", "messageId": format!("d-{minute}-{user}"), "userId": user, "timestamp": at(minute)})
}

fn write(workspace: &Workspace, name: &str, events: &[Value]) {
    workspace.write(name, events.iter().map(|event| format!("{event}\n")).collect::<String>());
}

/// Runs over `events`; returns the sorted lines of the signals, the leads, and `deleted` of the
/// report.
#[track_caller]
fn run(events: &[Value], rules: &str) -> (Vec<String>, String, Value) {
    let workspace = Workspace::new();
    write(&workspace, "in.ndjson", events);
    workspace.write("rules.toml", format!("version = 1\n{rules}"));
    let args = ["in.ndjson", "--rules", "rules.toml", "-o", "out", "-q", "--allow-empty"];
    workspace.run(args).exits(0);
    assert_ledger_holds(&workspace, "out");
    let text = |name| String::from_utf8(workspace.read(name)).unwrap();
    let mut signals: Vec<String> = text("out/signals.csv").lines().map(str::to_owned).collect();
    signals.sort();
    (signals, text("out/leads.csv"), workspace.report("out")["deleted"].clone())
}

/// Asserts that a run over `events` gives the tables of one without the events at the indexes
/// `covered`.
#[track_caller]
fn assert_covered(events: &[Value], covered: &[usize], leads: u64) {
    let all = run(events, "");
    let left = |place: usize| !covered.contains(&place) && events[place]["type"] != "delete";
    let left: Vec<Value> =
        (0..events.len()).filter(|&place| left(place)).map(|place| events[place].clone()).collect();
    let without = run(&left, "");
    assert_eq!((&all.0, &all.1), (&without.0, &without.1));
    assert_eq!(all.2["events"], covered.len(), "{}", all.2);
    assert_eq!(all.2["leads"], leads, "{}", all.2);
}

#[test]
fn a_request_covers_what_its_user_did_up_to_then() {
    let events = [
        ping(1, "a", None),
        identify(2, "a", Some("u"), "ana@acme.example"),
        ping(3, "a", Some("u")),
        // Without an anonymous id, and in the same minute.
        json!({"type": "track", "messageId": "m", "event": "Ping", "userId": "u", "timestamp": at(9)}),
        json!({"type": "track", "messageId": "n", "event": "Ping", "userId": "u"}),
        delete(9, "u"),
        ping(1, "b", None),
        identify(4, "b", Some("v"), "ben@acme.example"),
        ping(10, "a", Some("u")),
        ping(11, "b", None),
    ];
    assert_covered(&events, &[0, 1, 2, 3, 4], 1);
}

#[test]
fn whoever_comes_back_is_a_new_person() {
    let events = [
        ping(1, "a", None),
        identify(2, "a", Some("u"), "ana@acme.example"),
        delete(9, "u"),
        delete(5, "u"),
        identify(20, "a", Some("u"), "ana@new.example"),
        ping(21, "a", None),
    ];
    assert_covered(&events, &[0, 1], 1);
    let (signals, leads, deleted) = run(&events, "");
    assert!(leads.contains("ana@new.example") && !leads.contains("ana@acme.example"), "{leads}");
    assert_eq!(signals.len(), 2, "{signals:?}");
    assert_eq!(deleted, json!({"calls": 2, "users": 1, "events": 2, "signals": 1, "leads": 1}));
}

#[test]
fn what_others_did_on_a_shared_device_stays() {
    let events = [
        identify(1, "a", Some("v"), "ben@acme.example"),
        ping(2, "a", None),
        identify(3, "a", Some("u"), "ana@acme.example"),
        ping(4, "a", None),
        ping(5, "a", Some("v")),
        ping(6, "a", None),
        delete(9, "u"),
    ];
    // The last event belongs to the user who was connected last.
    assert_covered(&events, &[2, 3], 1);
}

#[test]
fn a_lead_that_others_bring_too_stays() {
    let events = [
        identify(1, "a", Some("u"), "ana@acme.example"),
        identify(2, "b", Some("v"), "ana@acme.example"),
        ping(3, "a", None),
        delete(9, "u"),
    ];
    assert_covered(&events, &[0, 2], 0);
}

#[test]
fn an_alias_leads_nowhere_from_a_user_who_is_forgotten() {
    let alias = |minute, user: &str, previous: &str| json!({"type": "alias", "messageId": format!("l{minute}"), "userId": user, "previousId": previous, "timestamp": at(minute)});
    let events = [
        ping(1, "a", None),
        alias(2, "u", "a"),
        alias(3, "v", "u"),
        identify(4, "b", Some("v"), "ben@acme.example"),
        delete(9, "u"),
        ping(10, "c", Some("u")),
    ];
    let (signals, leads, deleted) = run(&events, "");
    assert_eq!(
        (&deleted["events"], &deleted["signals"], &deleted["leads"]),
        (&json!(2), &json!(1), &json!(0))
    );
    assert!(leads.contains("ben@acme.example") && signals.len() == 2, "{leads}{signals:?}");
    assert!(signals.iter().any(|line| line.contains(",cold,")), "{signals:?}");
}

#[test]
fn a_request_has_the_time_of_its_batch_or_covers_everything() {
    let known = [identify(1, "a", Some("u"), "ana@acme.example"), ping(20, "a", Some("u"))];
    let mut timeless = delete(0, "u");
    timeless.as_object_mut().unwrap().remove("timestamp");
    let left = |request: Value| run(&[&known[..], &[request]].concat(), "").2["events"].clone();
    assert_eq!(left(timeless.clone()), 2);
    assert_eq!(left(json!({"batch": [timeless.clone()], "sentAt": at(10)})), 1);
    assert_eq!(left(json!({"body": timeless.to_string(), "receivedAt": at(10)})), 1);
    // A user id can be a number. A blocked one belongs to nobody.
    let (signals, ..) = run(&[ping(1, "a", Some("null")), delete(2, "null")], "");
    assert_eq!(signals.len(), 2);
}

#[test]
fn what_is_forgotten_was_a_raw_signal_and_is_told_of() {
    let workspace = Workspace::new();
    let events =
        [identify(1, "a", Some("u"), "ana@acme.example"), ping(2, "a", None), delete(9, "u")];
    write(&workspace, "in.ndjson", &events);
    let told = "1 delete call asks that 1 user be forgotten: 2 events up to then, 1 signal and 1 lead are left out";
    workspace.run(["in.ndjson", "-o", "out"]).exits(0).says(told);
    let report = workspace.report("out");
    assert_eq!(
        (&report["events"]["kept"], &report["plan"]["periods"][0]["raw_signals"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(
        (&report["identity"]["signals"]["total"], &report["leads"]["total"]),
        (&json!(0), &json!(0))
    );
    assert_eq!(report["plan"]["periods"][0]["mix"]["identifies"], 1);
    for name in ["out/signals.csv", "out/leads.csv", "out/report.json"] {
        let text = String::from_utf8(workspace.read(name)).unwrap();
        assert!(!text.contains("ana@acme.example"), "{name}\n{text}");
    }
}

/// Returns the indexes of the events that requests cover, according to the documentation.
fn covered(events: &[Value]) -> Vec<usize> {
    let time = |event: &Value| event["timestamp"].as_str().unwrap_or("").to_owned();
    let until = |user: &str| {
        let of_user = |event: &&Value| event["type"] == "delete" && event["userId"] == *user;
        events.iter().filter(of_user).map(time).max()
    };
    let owner = |event: &Value| {
        if let Some(user) = event["userId"].as_str() {
            return Some(user.to_owned());
        }
        let is_tie = |other: &&Value| {
            other["type"] != "delete"
                && other["anonymousId"] == event["anonymousId"]
                && other["userId"].is_string()
        };
        let ties = events.iter().filter(is_tie);
        let before =
            ties.clone().filter(|tie| time(tie) <= time(event)).max_by_key(|tie| time(tie));
        let latest = before.or_else(|| ties.min_by_key(|tie| time(tie)));
        latest.map(|tie| tie["userId"].as_str().unwrap().to_owned())
    };
    let is_covered = |event: &Value| {
        let until = owner(event).and_then(|user| until(&user));
        event["type"] != "delete" && until.is_some_and(|until| time(event) <= until)
    };
    (0..events.len()).filter(|&place| is_covered(&events[place])).collect()
}

/// Events of a few people, at distinct times.
fn history() -> impl Strategy<Value = Vec<Value>> {
    let one = (0..7_u8, 0..3_u8, 0..4_u8, 0..3_u8);
    let events = proptest::collection::vec(one, 1..24).prop_map(|events| {
        let event = |(minute, (kind, anonymous, user, email)): (u32, (u8, u8, u8, u8))| {
            let anonymous = format!("a{anonymous}");
            let known = (user > 0).then(|| format!("u{user}"));
            match kind {
                0 => delete(minute, &format!("u{user}")),
                1 | 2 => identify(
                    minute,
                    &anonymous,
                    known.as_deref(),
                    &format!("e{email}@acme.example"),
                ),
                _ => ping(minute, &anonymous, known.as_deref()),
            }
        };
        (0..).zip(events).map(event).collect::<Vec<Value>>()
    });
    events.prop_shuffle()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_run_is_one_without_what_requests_cover(events in history(), merge in any::<bool>()) {
        let rules = if merge { "[identity]\nmerge = \"user_id\"\n" } else { "" };
        let all = run(&events, rules);
        let covered = covered(&events);
        let left = |place: &usize| !covered.contains(place) && events[*place]["type"] != "delete";
        let left: Vec<Value> = (0..events.len()).filter(left).map(|at| events[at].clone()).collect();
        let without = run(&left, rules);
        prop_assert_eq!((&all.0, &all.1), (&without.0, &without.1));
        prop_assert_eq!(&all.2["events"], &json!(covered.len()));
    }

    #[test]
    fn neither_files_nor_threads_nor_order_change_what_is_forgotten(
        events in history(),
        files in 1..4_usize,
        threads in 1..4_usize,
    ) {
        let workspace = Workspace::new();
        write(&workspace, "one.ndjson", &events);
        let mut turned = events.clone();
        turned.reverse();
        for (number, part) in turned.chunks(events.len().div_ceil(files)).enumerate() {
            write(&workspace, &format!("in/{number}.ndjson"), part);
        }
        let threads = threads.to_string();
        workspace.run(["one.ndjson", "-o", "one", "-q", "--allow-empty", "--threads", "1"]).exits(0);
        let args = ["in", "-o", "many", "-q", "--allow-empty", "--threads", &threads, "--memory", "1MiB"];
        workspace.run(args).exits(0);
        let sorted = |name: &str| {
            let mut lines: Vec<String> = String::from_utf8(workspace.read(name)).unwrap().lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        prop_assert_eq!(sorted("one/signals.csv"), sorted("many/signals.csv"));
        prop_assert_eq!(workspace.read("one/leads.csv"), workspace.read("many/leads.csv"));
        for part in ["deleted", "identity", "leads", "plan"] {
            prop_assert_eq!(&workspace.report("one")[part], &workspace.report("many")[part]);
        }
    }
}
