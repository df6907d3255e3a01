//! `backtrail audit` as users see it: its figures equal those of runs, its findings say what is
//! wrong and where, and its exit codes are as documented.

use std::path::Path;
use std::process::{Command, Output};

use crate::support::{Workspace, testdata};
use proptest::prelude::*;
use serde_json::{Value, json};

/// `backtrail COMMAND` in the folder of `workspace`.
fn backtrail(workspace: &Workspace, args: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_backtrail"))
        .args(args)
        .current_dir(workspace.path("."))
        .env("COLUMNS", "80")
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!stderr.contains("panicked"), "{args:?}\n{stderr}");
    output
}

/// Returns the JSON of an audit, whatever its exit code.
#[track_caller]
fn audit(workspace: &Workspace, args: &[&str]) -> Value {
    let args = [&["audit", "--format", "json", "--allow-empty"], args].concat();
    let output = backtrail(workspace, &args);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(matches!(output.status.code(), Some(0 | 1)), "{args:?}\n{stderr}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// `report.json` of a run.
#[track_caller]
fn run(workspace: &Workspace, args: &[&str]) -> Value {
    let args = [&["run", "-o", "out", "--overwrite", "--quiet", "--allow-empty"], args].concat();
    let output = backtrail(workspace, &args);
    assert!(output.status.success(), "{args:?}\n{}", String::from_utf8_lossy(&output.stderr));
    workspace.report("out")
}

/// Asserts that `side` of `audit` equals the results of `run`.
#[track_caller]
fn assert_same(audit: &Value, side: &str, run: &Value) {
    let at = |value: &Value, pointer: &str| {
        value.pointer(pointer).unwrap_or_else(|| panic!("no {pointer} in {value:#}")).clone()
    };
    let same = |own: &str, of_run: &str| {
        assert_eq!(at(audit, own), at(run, of_run), "{own}, {of_run} of the run");
    };
    for count in ["total", "with_signals", "total_score"] {
        same(&format!("/leads/{side}/{count}"), &format!("/leads/{count}"));
    }
    for count in ["total", "direct", "known", "rehydrated", "cold"] {
        same(&format!("/signals/{side}/{count}"), &format!("/identity/signals/{count}"));
    }
    same(&format!("/signals/{side}/mapped"), "/rules/mapped");
    same(&format!("/events/duplicates_{side}"), "/duplicates/total");
    let passing =
        at(run, "/events/total").as_u64().unwrap() - at(run, "/events/filtered").as_u64().unwrap();
    assert_eq!(at(audit, &format!("/events/{side}")), json!(passing), "events {side}");
    same(&format!("/plan/undated/{side}"), "/plan/undated");
    let periods = |value: &Value| value["plan"]["periods"].as_array().unwrap().clone();
    let of_run = periods(run);
    for period in periods(audit) {
        let other = of_run.iter().find(|other| other["period"] == period["period"]);
        let Some(other) = other else {
            assert_eq!(period[side]["raw_signals"], 0, "{period}");
            continue;
        };
        for count in [
            "raw_signals",
            "light",
            "over",
            "lost",
            "reached_at",
            "active_leads",
            "active_leads_light",
        ] {
            assert_eq!(period[side][count], other[count], "{count} {side} of {}", period["period"]);
        }
    }
    let labels: Vec<Value> = periods(audit).iter().map(|period| period["period"].clone()).collect();
    assert!(of_run.iter().all(|period| labels.contains(&period["period"])), "{labels:?}");
}

/// The e-mails and scores of `out/leads.csv`.
fn leads(workspace: &Workspace) -> Vec<(String, i64)> {
    let rows = workspace.rows("out/leads.csv").into_iter();
    rows.map(|row| (row["email"].clone(), row["score"].parse().unwrap())).collect()
}

/// Audits `filter`, and compares both sides with runs.
#[track_caller]
fn assert_audit_is_two_runs(workspace: &Workspace, inputs: &[&str], filter: &[&str]) -> Value {
    let found = audit(workspace, &[inputs, filter].concat());
    assert_same(&found, "before", &run(workspace, inputs));
    let before = leads(workspace);
    assert_same(&found, "after", &run(workspace, &[inputs, filter].concat()));
    let after = leads(workspace);
    let mut lost: Vec<&str> = before
        .iter()
        .filter(|(email, _)| after.iter().all(|(other, _)| other != email))
        .map(|(email, _)| email.as_str())
        .collect();
    lost.sort_unstable();
    let listed = found["leads"]["lost_leads"].as_array().unwrap().iter();
    let mut listed: Vec<&str> = listed.map(|lead| lead["email"].as_str().unwrap()).collect();
    listed.sort_unstable();
    assert_eq!(listed, lost, "lost leads");
    assert_eq!(found["leads"]["lost"], lost.len());
    let lowered = before
        .iter()
        .filter(|(email, score)| after.iter().any(|(other, left)| other == email && left < score));
    assert_eq!(found["leads"]["lowered"], lowered.count());
    found
}

/// The rules of the sample company without their allow list.
fn rules_without_list() -> String {
    let rules = std::fs::read_to_string(testdata("trailco/rules.toml")).unwrap();
    let (head, rest) = rules.split_once("[filter]").unwrap();
    let (_, tail) = rest.split_once("\n]\n").unwrap();
    format!("{head}{tail}")
}

fn trailco(workspace: &Workspace) -> String {
    workspace.write("rules.toml", rules_without_list());
    testdata("trailco/events").to_str().unwrap().to_owned()
}

fn findings<'f>(report: &'f Value, name: &str) -> Vec<&'f Value> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings.filter(|finding| finding["finding"] == name).collect()
}

/// Returns the only finding with this name.
#[track_caller]
fn finding<'f>(report: &'f Value, name: &str) -> &'f Value {
    match findings(report, name)[..] {
        [one] => one,
        ref several => panic!("{} {name} in {:#}", several.len(), report["findings"]),
    }
}

fn lines(found: &Value) -> Vec<u64> {
    found["examples"].as_array().unwrap().iter().map(|at| at["line"].as_u64().unwrap()).collect()
}

#[test]
fn before_and_after_are_the_runs_without_and_with_the_list() {
    let workspace = Workspace::new();
    let events = trailco(&workspace);
    let inputs = [events.as_str(), "--rules", "rules.toml"];
    let lists = [
        "identify\n",
        "identify\ntrack\npage *\n",
        "track\npage\nscreen\n",
        "identify\nalias\nDemo Requested\nTrial Started\npage /pricing*\n",
        "fql: type != \"alias\"\n",
        "fql: all\n",
        "fql: anonymousId != null and userId = null\nidentify\n",
        "identify\ngroup\nNewsletter Subscribed\nscreen *\nfql: receivedAt != null and match(event, \"*ed\")\n",
        "Nothing Like It\n",
    ];
    for list in lists {
        workspace.write("allow.txt", list);
        assert_audit_is_two_runs(&workspace, &inputs, &["--allow", "allow.txt"]);
    }
}

#[test]
fn before_and_after_are_the_runs_without_and_with_destination_filters() {
    let workspace = Workspace::new();
    let events = trailco(&workspace);
    let inputs = [events.as_str(), "--rules", "rules.toml"];
    let drop_properties = |when: &str, fields: Value| {
        json!({"title": "t", "if": when, "enabled": true,
        "actions": [{"type": "DROP_PROPERTIES", "fields": fields}]})
    };
    let filters = [
        json!([{"title": "no plans", "if": "event = \"Route Planned\"", "enabled": true, "actions": [{"type": "DROP"}]}]),
        drop_properties(
            "all",
            json!({"context": ["page", "campaign"], "properties": ["seats", "value"]}),
        ),
        drop_properties("type = \"identify\"", json!({"traits": ["email"]})),
        json!([{"title": "a third", "if": "type = \"track\"", "enabled": true,
            "actions": [{"type": "SAMPLE", "percent": 0.3, "path": "anonymousId"}]}]),
        json!([{"title": "broken", "if": "event = ", "enabled": true, "actions": [{"type": "DROP"}]}]),
        json!([drop_properties("all", json!({"": ["userId"]})),
            {"title": "no pages", "if": "type = \"page\"", "enabled": true, "actions": [{"type": "DROP"}]}]),
    ];
    for filter in filters {
        workspace.write("filters.json", filter.to_string());
        assert_audit_is_two_runs(&workspace, &inputs, &["--filters", "filters.json"]);
        workspace.write("allow.txt", "identify\ntrack\npage /pricing*\n");
        let both = ["--allow", "allow.txt", "--filters", "filters.json"];
        assert_audit_is_two_runs(&workspace, &inputs, &both);
    }
}

#[test]
fn before_and_after_are_runs_with_deletion_requests() {
    let workspace = Workspace::new();
    let event = |call: &str, user: &str, hour: u32, rest: Value| {
        let mut event = json!({"type": call, "messageId": format!("{call}{user}{hour}"), "anonymousId": format!("a-{user}"),
            "userId": user, "timestamp": format!("2025-05-01T{hour:02}:00:00Z")});
        event.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        event.to_string()
    };
    let mut events = vec![event("delete", "u1", 9, json!({}))];
    for user in ["u1", "u2"] {
        events.push(event(
            "identify",
            user,
            1,
            json!({"traits": {"email": format!("{user}@a.example")}}),
        ));
        events.extend([8, 10].map(|hour| event("track", user, hour, json!({"event": "A"}))));
        events.push(event("page", user, 7, json!({"properties": {"path": "/p"}})));
    }
    workspace.write("in.ndjson", events.join("\n"));
    workspace.write("rules.toml", RULES);
    for list in ["identify\nA\n", "A\npage /p\n", "identify\npage\n"] {
        workspace.write("allow.txt", list);
        let inputs = ["in.ndjson", "--rules", "rules.toml"];
        let found = assert_audit_is_two_runs(&workspace, &inputs, &["--allow", "allow.txt"]);
        assert_eq!(found["leads"]["before"]["total"], 1);
    }
}

#[test]
fn ids_are_assigned_and_clocks_corrected_in_audits_as_in_runs() {
    let workspace = Workspace::new();
    let event = |call: &str, time: &str, sent: &str, rest: Value| {
        let mut event = json!({"type": call, "anonymousId": "a", "timestamp": time, "sentAt": sent,
            "receivedAt": "2025-05-01T10:00:00Z"});
        event.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        event.to_string() + "\n"
    };
    // The clock of the second client is two hours ahead, so its event was before the first.
    let events = [
        event(
            "identify",
            "2025-05-01T09:59:00Z",
            "2025-05-01T10:00:00Z",
            json!({"traits": {"email": "ana@a.example"}}),
        ),
        event("track", "2025-05-01T11:50:00Z", "2025-05-01T12:00:00Z", json!({"event": "A"})),
        event(
            "page",
            "2025-05-01T09:59:30Z",
            "2025-05-01T10:00:00Z",
            json!({"messageId": "m", "properties": {"path": "/p"}}),
        ),
    ];
    workspace.write("in.ndjson", events.concat());
    workspace.write("rules.toml", RULES);
    workspace.write("allow.txt", "identify\nA\n");
    let inputs = ["in.ndjson", "--rules", "rules.toml", "--assign-ids", "--correct-clocks"];
    let found = assert_audit_is_two_runs(&workspace, &inputs, &["--allow", "allow.txt"]);
    let signals = &found["signals"]["before"];
    assert_eq!((&signals["rehydrated"], &signals["known"]), (&json!(1), &json!(1)), "{signals}");
    let found = assert_audit_is_two_runs(&workspace, &inputs[..4], &["--allow", "allow.txt"]);
    assert_eq!(found["signals"]["before"]["known"], 2);
    let found = assert_audit_is_two_runs(&workspace, &inputs[..3], &["--allow", "allow.txt"]);
    assert_eq!(found["events"]["total"], 1);
    let only_pages = [&inputs[..], &["--where", "type = 'page'"]].concat();
    let found = assert_audit_is_two_runs(&workspace, &only_pages, &["--allow", "allow.txt"]);
    assert_eq!(found["events"]["before"], 1);
}

#[test]
fn two_filters_are_compared() {
    let workspace = Workspace::new();
    let events = trailco(&workspace);
    let inputs = [events.as_str(), "--rules", "rules.toml"];
    workspace.write("old.txt", "identify\ntrack\npage *\n");
    workspace.write("new.txt", "identify\nDemo Requested\npage /pricing*\nscreen *\n");
    workspace.write(
        "old.json",
        r#"[{"if":"all","actions":[{"type":"DROP_PROPERTIES","fields":{"properties":["email"]}}]}]"#,
    );
    for (old, flag) in [("old.txt", "--allow"), ("old.json", "--filters")] {
        let args = [&inputs[..], &["--allow", "new.txt", "--against", old]].concat();
        let found = audit(&workspace, &args);
        assert_same(&found, "before", &run(&workspace, &[&inputs[..], &[flag, old]].concat()));
        let new = [&inputs[..], &["--allow", "new.txt"]].concat();
        assert_same(&found, "after", &run(&workspace, &new));
        assert_eq!(found["against"][0]["file"], old);
        assert_eq!(found["events"]["total"], 287);
    }
}

#[test]
fn the_suggested_change_has_the_promised_effect() {
    let workspace = Workspace::new();
    let events = trailco(&workspace);
    workspace
        .write("allow.txt", "identify\ntrack\npage /pricing*\npage *\nscreen *\nalias\ngroup\n");
    let inputs = [events.as_str(), "--rules", "rules.toml", "--allow"];
    let found = audit(&workspace, &[&inputs[..], &["allow.txt"]].concat());
    let change = &found["change"];
    assert_eq!(change["fits"], true, "{change:#}");
    assert_change_holds(&workspace, &inputs, &found);
    assert!(change["drop"].as_array().unwrap().iter().all(|drop| drop["type"] != "identify"));
}

/// Applies the list that `found` suggests, and compares the result with what was promised.
#[track_caller]
fn assert_change_holds(workspace: &Workspace, inputs: &[&str], found: &Value) {
    let change = &found["change"];
    let list = change["allow"].as_array().unwrap().iter();
    let list: Vec<&str> = list.map(|line| line.as_str().unwrap()).collect();
    workspace.write("better.txt", list.join("\n"));
    let better = audit(workspace, &[inputs, &["better.txt"]].concat());
    let raw = |period: &Value| {
        let periods = better["plan"]["periods"].as_array().unwrap().iter();
        let same = periods.clone().find(|other| other["period"] == period["period"]);
        same.map_or(json!(0), |same| same["after"]["raw_signals"].clone())
    };
    // The changes by period of the plan are those after the filter.
    let after = found["plan"]["periods"].as_array().unwrap().iter();
    let after = after.filter(|period| period["after"]["raw_signals"] != 0 || raw(period) != 0);
    let promised: Vec<Value> = change["raw_signals"].as_array().unwrap().clone();
    let promised: Vec<Value> = promised.into_iter().collect();
    let remaining: Vec<Value> = after.map(raw).collect();
    assert_eq!(
        promised.iter().filter(|raw| **raw != 0).collect::<Vec<_>>(),
        remaining.iter().filter(|raw| **raw != 0).collect::<Vec<_>>(),
        "{list:#?}"
    );
    assert_eq!(better["leads"]["after"], change["leads"], "{list:#?}");
    if change["fits"] == true {
        assert_eq!(
            findings(&better, "plan-exceeded")
                .iter()
                .filter(|found| { found["message"].as_str().unwrap().contains("raw signals") })
                .count(),
            0
        );
    }
}

#[test]
fn pages_that_match_two_dropped_lines_are_dropped_with_both() {
    let workspace = Workspace::new();
    let page = |number: usize, path: &str, user: Option<&str>| {
        json!({"type": "page", "messageId": number.to_string(), "anonymousId": "a", "userId": user,
            "timestamp": format!("2025-05-01T10:{number:02}:00Z"), "properties": {"path": path}})
    };
    let kinds = [("/p", None), ("/q", Some("u")), ("/p", Some("u"))];
    let pages = (0..12).map(|number| {
        let (path, user) = kinds[number % 3];
        page(number, path, user).to_string()
    });
    workspace.write("in.ndjson", pages.collect::<Vec<_>>().join("\n"));
    workspace.write("rules.toml", RULES);
    let inputs = ["in.ndjson", "--rules", "rules.toml", "--allow"];
    // Four of twelve pages fit; the last list repeats lines.
    for (list, remaining, lines) in [
        ("page /p\nfql: userId != null", 0, 1),
        ("page /p\npage /p\nfql: userId != null", 0, 1),
        ("page\npage\npage /p", 0, 0),
        ("page /p\npage /p\npage /q", 4, 1),
        ("page\npage", 0, 0),
    ] {
        workspace.write("allow.txt", list);
        let found = audit(&workspace, &[&inputs[..], &["allow.txt"]].concat());
        let change = &found["change"];
        assert_eq!(change["raw_signals"], json!([remaining]), "{list}\n{change:#}");
        assert_eq!(change["fits"], remaining <= 4, "{list}\n{change:#}");
        assert_eq!(change["allow"].as_array().unwrap().len(), lines, "{list}\n{change:#}");
        assert_change_holds(&workspace, &inputs, &found);
    }
}

const RULES: &str = r#"
version = 1
[plan]
raw_signals = 4
period = "day"
[identity]
internal_domains = ["own.example"]
[[rule]]
id = "a"
when = 'event = "A"'
score = 10
limit = 2
identify = true
[rule.map]
email = "properties.email"
[[rule]]
id = "b"
when = 'event in ["B", "C"]'
score = -3
[[rule]]
id = "p"
when = 'type = "page" and properties.path = "/p"'
score = 5
"#;

/// An event of a small world: few people, few names, few days, and many duplicates.
fn event() -> impl Strategy<Value = Value> {
    let call = prop_oneof![3 => Just("track"), 2 => Just("page"), 2 => Just("identify"),
        1 => Just("screen"), 1 => Just("alias"), 1 => Just("group")];
    let email = prop_oneof![
        Just("ana@a.example"),
        Just("ben@b.example"),
        Just("kim@own.example"),
        Just("none")
    ];
    (call, 0..4_u8, 0..3_u8, email, 0..6_u8, 0..40_u32, 0..4_u8, any::<bool>()).prop_map(
        |(call, anonymous, user, email, name, time, receive, has_email)| {
            let names = ["A", "B", "C", "a", "D d", "E\"e"];
            let day = 1 + time / 8;
            let at = |minutes: u32| format!("2025-05-{day:02}T1{}:{:02}:00Z", minutes / 60, minutes % 60);
            let mut event = json!({"type": call, "messageId": format!("{time}"), "timestamp": at(time % 8 * 30),
                "receivedAt": at(time % 8 * 30 + u32::from(receive))});
            if anonymous > 0 {
                event["anonymousId"] = format!("a{anonymous}").into();
            }
            if user > 0 || anonymous == 0 {
                event["userId"] = format!("u{user}").into();
            }
            match call {
                "track" => {
                    event["event"] = names[usize::from(name)].into();
                    event["properties"] = if has_email { json!({"email": email}) } else { json!({"n": 1}) };
                }
                "page" | "screen" => {
                    let path = ["/", "/p", "/q"][usize::from(name % 3)];
                    event["properties"] = json!({"path": path});
                }
                "identify" if has_email => event["traits"] = json!({"email": email}),
                "alias" => event["previousId"] = format!("a{receive}").into(),
                "group" => event["groupId"] = "g".into(),
                _ => {}
            }
            event
        },
    )
}

fn list() -> impl Strategy<Value = String> {
    let lines = vec![
        "identify",
        "track",
        "page",
        "screen",
        "alias",
        "group",
        "A",
        "B",
        "C",
        "D d",
        "page /p",
        "page /*",
        "screen /q",
        "fql: userId != null",
        "fql: event = \"A\" or type = \"page\"",
        "fql: receivedAt != timestamp",
    ];
    proptest::sample::subsequence(lines, 0..9).prop_shuffle().prop_map(|lines| lines.join("\n"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_history_and_list_give_the_figures_of_two_runs(
        events in proptest::collection::vec(event(), 1..60),
        list in list(),
        by in proptest::sample::select(vec!["content", "message_id", "none"]),
        files in 1..4_usize,
    ) {
        let workspace = Workspace::new();
        workspace.write("rules.toml", format!("{RULES}[dedup]\nby = \"{by}\"\n"));
        for (number, part) in events.chunks(events.len().div_ceil(files)).enumerate() {
            let text: Vec<String> = part.iter().map(Value::to_string).collect();
            workspace.write(&format!("in/{number}.ndjson"), text.join("\n"));
        }
        workspace.write("allow.txt", &list);
        let inputs = ["in", "--rules", "rules.toml"];
        let found = assert_audit_is_two_runs(&workspace, &inputs, &["--allow", "allow.txt"]);
        // A list that filters by delivery can separate duplicates.
        if by == "content" && !list.contains("receivedAt") && !found["change"].is_null() {
            assert_change_holds(&workspace, &["in", "--rules", "rules.toml", "--allow"], &found);
        }
        let single = audit(&workspace, &["in", "--rules", "rules.toml", "--allow", "allow.txt", "--threads", "1"]);
        let timeless = |mut report: Value| { report["elapsed_seconds"] = json!(0); report };
        prop_assert_eq!(timeless(found), timeless(single));
    }
}

/// Writes a history that causes every finding.
fn messy(workspace: &Workspace) {
    let mut lines = Vec::new();
    let mut add = |event: Value| {
        let number = lines.len();
        let mut whole = json!({"messageId": format!("m{number}"), "anonymousId": format!("a{}", number % 3),
            "timestamp": format!("2025-05-{:02}T10:00:00Z", number % 28 + 1)});
        whole.as_object_mut().unwrap().extend(event.as_object().unwrap().clone());
        lines.push(whole.to_string());
    };
    add(json!({"type": "identify", "traits": {"email": "ana@acme.example"}}));
    add(json!({"type": "identify", "traits": {"name": "Ben"}}));
    add(json!({"type": "identify", "traits": {"email": "kim@own.example"}, "anonymousId": "kim"}));
    add(json!({"type": "track", "event": "A", "anonymousId": "kim"}));
    add(json!({"type": "track", "event": "Signed Up"}));
    add(json!({"type": "track", "event": "signed_up"}));
    add(json!({"type": "track", "event": "B"}));
    add(json!({"type": "page", "properties": {"path": "/", "url": "http://localhost:3000/"}}));
    add(json!({"type": "page", "properties": {"path": "/x"}}));
    for _ in 0..9 {
        add(json!({"type": "track", "event": "Button Clicked"}));
    }
    workspace.write("in.ndjson", lines.join("\n"));
    workspace.write("rules.toml", RULES);
}

#[test]
fn each_finding_names_its_numbers_and_places() {
    let workspace = Workspace::new();
    messy(&workspace);
    workspace.write(
        "allow.txt",
        "A\nSigned Upp\nsigned_up\nButton Clicked\npage *\nPhantom\nidentify\nscreen /q\n",
    );
    let found = audit(&workspace, &["in.ndjson", "--rules", "rules.toml", "--allow", "allow.txt"]);
    let check = |name: &str, severity: &str, count: u64, at: &[u64]| {
        let finding = finding(&found, name);
        assert_eq!(finding["severity"], severity, "{finding:#}");
        assert_eq!(finding["count"], count, "{finding:#}");
        assert_eq!(lines(finding), at, "{finding:#}");
    };
    assert!(findings(&found, "identify-not-allowed").is_empty());
    check("identify-without-email", "warning", 1, &[2]);
    check("scored-event-dropped", "warning", 1, &[7]);
    assert_eq!(finding(&found, "scored-event-dropped")["event"], "B");
    check("all-pages-allowed", "warning", 2, &[8, 9]);
    check("near-duplicate-names", "warning", 2, &[5, 6]);
    check("rare-or-noisy", "warning", 9, &[10, 11]);
    let never = findings(&found, "allowed-never-seen");
    let never: Vec<_> = never
        .iter()
        .map(|finding| {
            (
                finding["entry"]["text"].as_str().unwrap(),
                finding["severity"].as_str().unwrap(),
                finding["event"].clone(),
            )
        })
        .collect();
    assert_eq!(
        never,
        [
            ("Signed Upp", "warning", json!("Signed Up")),
            ("Phantom", "note", Value::Null),
            ("screen /q", "note", Value::Null),
        ]
    );
    let unmapped: Vec<_> = findings(&found, "allowed-unmapped")
        .iter()
        .map(|finding| (finding["event"].clone(), finding["count"].clone()))
        .collect();
    assert_eq!(
        unmapped,
        [
            (json!("Button Clicked"), json!(9)),
            (Value::Null, json!(2)),
            (json!("signed_up"), json!(1))
        ]
    );
    let internal: Vec<_> =
        findings(&found, "internal-traffic").iter().map(|finding| lines(finding)).collect();
    assert_eq!(internal, [vec![3, 4], vec![8]]);
}

/// Writes signals of a bot among those of a browser: `crawled` pages, and `read` ones.
fn crawl(workspace: &Workspace, crawled: usize, read: usize) {
    let event = |number: usize, call: &str, agent: &str| {
        json!({"type": call, "messageId": format!("m{number}"), "event": "Read", "anonymousId": format!("a{number}"),
            "timestamp": "2025-05-01T10:00:00Z", "properties": {"path": "/"}, "context": {"userAgent": agent}})
    };
    let google = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
    let browser = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Chrome/120.0.0.0 Safari/537.36";
    let mut events: Vec<Value> = (0..read).map(|at| event(at, "page", browser)).collect();
    events.extend((read..read + crawled).map(|at| event(at, "page", google)));
    let next = events.len();
    events.push(event(next, "track", "Mozilla/5.0 (compatible; bingbot/2.0)"));
    // None of these is a passing signal of a bot.
    events.push(event(next + 1, "identify", google));
    events.push(event(next + 2, "screen", google));
    events.push(event(next + 3, "track", "python-requests/2.31.0"));
    let lines: Vec<String> = events.iter().map(Value::to_string).collect();
    workspace.write("in.ndjson", lines.join("\n"));
    workspace.write("allow.txt", "Read\npage *\nidentify\n");
}

#[test]
fn bots_are_named_counted_and_can_be_dropped() {
    let workspace = Workspace::new();
    crawl(&workspace, 2, 3);
    let found = audit(&workspace, &["in.ndjson", "--allow", "allow.txt"]);
    let bots = finding(&found, "bot-traffic");
    assert_eq!(
        (&bots["severity"], &bots["count"], &bots["of"]),
        (&json!("warning"), &json!(3), &json!(8))
    );
    assert_eq!(lines(bots), [4, 5]);
    let message = bots["message"].as_str().unwrap();
    assert!(message.contains("`Googlebot` 2, `bingbot` 1"), "{message}");
    assert!(message.contains("37.5 % of the raw signals"), "{message}");
    // The suggested filter drops them.
    let help = bots["help"].as_str().unwrap();
    let condition = help.split('`').nth(3).unwrap();
    let drop = json!([{"type": "DROP"}]);
    let filters = json!([{"title": "bots", "if": condition, "enabled": true, "actions": drop}]);
    workspace.write("filters.json", filters.to_string());
    let found = audit(&workspace, &["in.ndjson", "--filters", "filters.json"]);
    assert_eq!(found["events"]["after"], 4, "{condition}");
    assert!(findings(&found, "bot-traffic").is_empty());
}

#[test]
fn a_rare_bot_is_a_note() {
    let workspace = Workspace::new();
    crawl(&workspace, 1, 400);
    let found = audit(&workspace, &["in.ndjson", "--allow", "allow.txt"]);
    let bots = finding(&found, "bot-traffic");
    assert_eq!((&bots["severity"], &bots["count"]), (&json!("note"), &json!(2)));
}

#[test]
fn user_agents_of_people_are_no_finding() {
    let workspace = Workspace::new();
    workspace.write(
        "in.ndjson",
        json!({"type": "batch", "context": {"userAgent": "Dalvik/2.1.0 (Linux; U; Android 8.0.0)"},
            "batch": [{"type": "page", "messageId": "1", "anonymousId": "a", "properties": {"path": "/"}}]})
        .to_string(),
    );
    workspace.write("allow.txt", "page *\nidentify\n");
    let found = audit(&workspace, &["in.ndjson", "--allow", "allow.txt"]);
    assert_eq!(found["events"]["after"], 1);
    assert!(findings(&found, "bot-traffic").is_empty());
}

#[test]
fn a_list_without_identify_fails_the_audit() {
    let workspace = Workspace::new();
    messy(&workspace);
    workspace.write("allow.txt", "track\n");
    let args = ["audit", "in.ndjson", "--rules", "rules.toml", "--allow", "allow.txt"];
    let output = backtrail(&workspace, &args);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("identify-not-allowed") && text.contains("in.ndjson:1, in.ndjson:3"),
        "{text}"
    );
    let found = audit(&workspace, &args[1..]);
    let not_allowed = finding(&found, "identify-not-allowed");
    assert_eq!((&not_allowed["severity"], &not_allowed["count"]), (&json!("error"), &json!(2)));
    assert_eq!(
        (&found["leads"]["before"]["total"], &found["leads"]["after"]["total"]),
        (&json!(1), &json!(0))
    );
    // The same without any identify call in the input.
    workspace.write("tracks.ndjson", crate::support::track("1"));
    let output = backtrail(&workspace, &["audit", "tracks.ndjson", "--allow", "allow.txt"]);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn the_plan_and_the_input_are_judged() {
    let workspace = Workspace::new();
    let line = |at: &str| crate::support::track(at).replace("00:00:00", at);
    let events: Vec<String> = (0..7).map(|hour| line(&format!("0{hour}:00:00"))).collect();
    workspace.write("in.ndjson", events.concat());
    workspace.write("rules.toml", RULES);
    workspace.write("allow.txt", "identify\nPing\n");
    let found = audit(&workspace, &["in.ndjson", "--rules", "rules.toml", "--allow", "allow.txt"]);
    let exceeded = finding(&found, "plan-exceeded");
    assert_eq!((&exceeded["severity"], &exceeded["count"]), (&json!("warning"), &json!(3)));
    assert_eq!(lines(exceeded), [5, 6]);
    assert_eq!(finding(&found, "filtered-input")["count"], 7);
    assert_eq!(found["change"]["drop"][0]["event"], "Ping");
    // Events captured from a webhook were already filtered.
    let captured = events[0].trim().replace('"', "\\\"");
    workspace.write("captured.ndjson", format!("{{\"body\": \"{captured}\"}}\n"));
    workspace.write("allow.txt", "identify\n");
    let found = audit(&workspace, &["captured.ndjson", "--allow", "allow.txt"]);
    assert_eq!(finding(&found, "filtered-input")["count"], 1);
}

#[test]
fn an_invalid_filter_sends_nothing_and_a_dropped_property_is_reported() {
    let workspace = Workspace::new();
    messy(&workspace);
    workspace.write(
        "filters.json",
        r#"[{"title":"no mails","if":"all","enabled":true,"actions":[{"type":"DROP_PROPERTIES","fields":{"traits":["email"]}}]},
            {"title":"broken","if":"event == \"B\"","enabled":true,"actions":[{"type":"DROP"}]}]"#,
    );
    let args = ["in.ndjson", "--rules", "rules.toml", "--filters", "filters.json"];
    let found = audit(&workspace, &args);
    let invalid = finding(&found, "invalid-filter");
    assert_eq!((&invalid["severity"], &invalid["count"]), (&json!("error"), &json!(18)));
    assert!(invalid["message"].as_str().unwrap().starts_with("filters.json:2:"), "{invalid}");
    assert_eq!(invalid["entry"]["text"], "broken");
    workspace.write(
        "filters.json",
        r#"{"title":"no mails","if":"all","enabled":true,"actions":[{"type":"DROP_PROPERTIES","fields":{"traits":["email"]}}]}"#,
    );
    let found = audit(&workspace, &args);
    let taken = finding(&found, "mapped-property-dropped");
    assert_eq!((&taken["severity"], &taken["count"]), (&json!("error"), &json!(2)));
    assert_eq!(lines(taken), [1, 3]);
}

#[test]
fn severities_decide_the_exit_code() {
    let workspace = Workspace::new();
    messy(&workspace);
    let code = |list: &str, more: &[&str]| {
        workspace.write("allow.txt", list);
        let args = ["audit", "in.ndjson", "--rules", "rules.toml", "--allow", "allow.txt"];
        backtrail(&workspace, &[&args, more].concat()).status.code().unwrap()
    };
    assert_eq!(code("identify\nA\nB\npage /p\n", &[]), 0);
    assert_eq!(code("identify\nA\nB\npage /p\n", &["--fail-on", "warning"]), 1);
    assert_eq!(code("A\n", &["--fail-on", "error"]), 1);
    assert_eq!(code("identify\nfql: event ==\n", &[]), 2);
    let output = backtrail(&workspace, &["audit", "in.ndjson", "--allow", "allow.txt"]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("allow.txt:2:") && stderr.contains('^'), "{stderr}");
    assert!(output.stdout.is_empty());
    let output = backtrail(&workspace, &["audit", "in.ndjson"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("--allow"));
}

#[test]
fn the_text_fits_its_width_and_masks_addresses() {
    let workspace = Workspace::new();
    let events = trailco(&workspace);
    workspace.write("allow.txt", "identify\nfql: type = \"track\" and properties.value > 99999 or event = \"Trial Started\"\nDemo Requested\n");
    for width in [80, 120] {
        let output = Command::new(env!("CARGO_BIN_EXE_backtrail"))
            .args(["audit", &events, "--rules", "rules.toml", "--allow", "allow.txt"])
            .current_dir(workspace.path("."))
            .env("COLUMNS", width.to_string())
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let (page, _list) = text.split_once("better list").unwrap_or((&text, ""));
        // A path is a single word.
        let long =
            page.lines().find(|line| line.chars().count() > width && !line.contains(&events));
        assert_eq!(long, None, "{width}\n{text}");
        assert!(!text.contains("ana.ruiz@") && text.contains("*@"), "{text}");
    }
}

#[test]
fn the_example_list_of_the_documentation_is_valid() {
    let workspace = Workspace::new();
    messy(&workspace);
    workspace.write(
        "allow.txt",
        "# Identity\nidentify\n\n# High intent\nForm Submitted\nDemo Requested\nSigned Up\n\n# Pages\npage /pricing*\npage /demo*\n",
    );
    let found = audit(&workspace, &["in.ndjson", "--rules", "rules.toml", "--allow", "allow.txt"]);
    assert_eq!(found["filter"][0]["entries"], 6);
    assert_eq!(found["lines"][3]["number"], 7);
    assert_eq!(found["lines"][3]["count"], 1);
}

#[test]
fn the_page_is_private_and_replaces_an_earlier_one() {
    let workspace = Workspace::new();
    messy(&workspace);
    workspace.write("allow.txt", "identify\nA\n");
    let args = ["audit", "in.ndjson", "--allow", "allow.txt", "--html", "pages/audit.html"];
    for _ in 0..2 {
        assert_eq!(backtrail(&workspace, &args).status.code(), Some(0));
    }
    assert_eq!(workspace.list("pages"), ["audit.html"]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode =
            std::fs::metadata(workspace.path("pages/audit.html")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    assert!(Path::new(&workspace.path("pages")).is_dir());
}

#[test]
fn the_lists_of_the_sample_company_have_the_documented_results() {
    let workspace = Workspace::new();
    let path = |name: &str| testdata(name).to_str().unwrap().to_owned();
    let (events, rules) = (path("trailco/events"), path("trailco/rules.toml"));
    let (first, better) = (path("trailco/allow.txt"), path("trailco/allow-better.txt"));
    let inputs = [events.as_str(), "--rules", &rules, "--allow"];
    let found = audit(&workspace, &[&inputs[..], &[&first]].concat());
    let slip = finding(&found, "allowed-never-seen");
    assert_eq!((&slip["entry"]["number"], &slip["event"]), (&json!(7), &json!("Trial Started")));
    assert_eq!(found["leads"]["lost"], 1);
    let found = audit(&workspace, &[&inputs[..], &[&better, "--against", &first]].concat());
    assert_eq!((&found["events"]["before"], &found["events"]["after"]), (&json!(238), &json!(170)));
    // Nothing is lost against no filter at all.
    let found = audit(&workspace, &[&inputs[..], &[&better]].concat());
    assert_eq!((&found["leads"]["lost"], &found["leads"]["lowered"]), (&json!(0), &json!(0)));
    assert_eq!(found["leads"]["after"]["total_score"], 1190);
}

#[test]
fn too_many_active_leads_are_reported_with_positions() {
    let workspace = Workspace::new();
    let event = |id: u32, call: &str, visitor: &str, rest: &str| {
        format!(
            r#"{{"type":"{call}","messageId":"{id}","anonymousId":"{visitor}","timestamp":"2025-05-0{id}T00:00:00Z",{rest}}}"#
        ) + "\n"
    };
    let identify = |name: &str| format!(r#""traits":{{"email":"{name}@acme.example"}}"#);
    let events = [
        event(1, "identify", "a", &identify("ana")),
        event(2, "identify", "b", &identify("bea")),
        event(3, "track", "cold", r#""event":"Ping""#),
        event(4, "track", "a", r#""event":"Ping""#),
        event(5, "track", "b", r#""event":"Ping""#),
    ];
    workspace.write("in.ndjson", events.concat());
    workspace.write("rules.toml", "version = 1\n[plan]\nactive_leads = 1\n");
    workspace.write("allow.txt", "identify\nPing\n");
    let args = ["in.ndjson", "--rules", "rules.toml", "--allow", "allow.txt"];
    let found = audit(&workspace, &args);
    let exceeded = finding(&found, "plan-exceeded");
    assert_eq!((&exceeded["count"], &exceeded["of"]), (&json!(1), &json!(2)));
    assert_eq!(lines(exceeded), [4, 5]);
}
