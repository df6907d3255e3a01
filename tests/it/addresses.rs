//! E-mail addresses: how people write them, and in which fields.

use crate::support::{Finished, Workspace, assert_ledger_holds, unbroken};
use serde_json::{Value, json};

fn lines(events: &[Value]) -> String {
    events.iter().map(|event| format!("{event}\n")).collect()
}

fn identify(at: usize, user_id: &str, traits: &Value) -> Value {
    json!({
        "type": "identify", "messageId": format!("i{at}"), "anonymousId": format!("a{at}"),
        "userId": user_id, "traits": traits, "timestamp": "2025-03-01T11:00:00.000Z",
    })
}

fn track(at: usize, more: &Value) -> Value {
    let mut event = json!({
        "type": "track", "event": "Signed Up", "messageId": format!("t{at}"),
        "anonymousId": format!("a{at}"), "timestamp": "2025-03-01T10:00:00.000Z",
    });
    event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    event
}

fn emails(workspace: &Workspace, out: &str) -> Vec<String> {
    let mut leads = workspace.rows(&format!("{out}/leads.csv"));
    leads.iter_mut().map(|lead| lead.remove("email").unwrap()).collect()
}

/// Runs over `events.ndjson`, with `rules` unless they are empty.
fn run(workspace: &Workspace, rules: &str, out: &str) -> Finished {
    workspace.write("rules.toml", format!("version = 1\n{rules}"));
    let finished = workspace.run(["events.ndjson", "--rules", "rules.toml", "-o", out]).exits(0);
    assert_ledger_holds(workspace, out);
    finished
}

fn audit(workspace: &Workspace, more: &[&str]) -> std::process::Output {
    workspace.write("allow.txt", "identify\nSigned Up\n");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_backtrail"));
    command
        .args(["audit", "events.ndjson", "--allow", "allow.txt"])
        .args(more)
        .current_dir(workspace.path("."));
    command.output().unwrap()
}

#[test]
fn a_blocked_user_id_identifies_nobody_even_if_it_is_an_address() {
    let workspace = Workspace::new();
    let user = json!({ "userId": "test-7 <ana@acme.example>" });
    workspace.write("events.ndjson", lines(&[track(1, &user), track(2, &json!({}))]));
    run(&workspace, "[identity]\nuser_id_is_email = true\nblock = [\"test-*\"]\n", "out");
    assert_eq!(emails(&workspace, "out"), [""; 0]);
    let report = workspace.report("out");
    assert_eq!(report["identity"]["blocked_ids"], 1);
    assert_eq!(report["identity"]["signals"]["cold"], 2);

    run(&workspace, "[identity]\nuser_id_is_email = true\n", "other");
    assert_eq!(emails(&workspace, "other"), ["ana@acme.example"]);
}

#[test]
fn an_address_is_found_in_any_notation() {
    let workspace = Workspace::new();
    let values = [
        "Ana <ana@acme.example>",
        "mailto:bo@acme.example",
        "\u{200b}cem@acme.example\u{feff}",
        " Dee@Acme.example\n",
        "user@bücher.example",
        "eve@acme.example.",
        "user@acme,example",
        "a b@acme.example",
        "x@localhost",
    ];
    let events = values.iter().enumerate();
    let events =
        events.map(|(at, email)| identify(at, &format!("u{at}"), &json!({"email": email})));
    workspace.write("events.ndjson", lines(&events.collect::<Vec<_>>()));
    run(&workspace, "", "out");
    let expected = ["ana", "bo", "cem", "dee"].map(|name| format!("{name}@acme.example"));
    let expected: Vec<String> =
        expected.into_iter().chain(["user@bücher.example".into()]).collect();
    assert_eq!(emails(&workspace, "out"), expected);
    assert_eq!(workspace.report("out")["identity"]["invalid_email"], 4);
}

#[test]
fn the_rules_say_where_identify_calls_have_their_address() {
    let workspace = Workspace::new();
    let events = [
        identify(
            0,
            "u0",
            &json!({"work": {"Email": "ana@acme.example"}, "email": "no@acme.example"}),
        ),
        identify(1, "u1", &json!({"login": "bo@acme.example"})),
        identify(2, "u2", &json!({"email": "cem@acme.example"})),
    ];
    workspace.write("events.ndjson", lines(&events));
    run(&workspace, "[identity]\nemail = [\"traits.work.email\", \"traits.login\"]\n", "out");
    assert_eq!(emails(&workspace, "out"), ["ana@acme.example", "bo@acme.example"]);
    assert_eq!(workspace.report("out")["identity"]["identify_without_email"], 1);
    workspace.write("rules.toml", "version = 1\n[identity]\nemail = []\n");
    let refused = workspace.run(["events.ndjson", "--rules", "rules.toml", "-o", "no"]).exits(2);
    assert!(refused.stderr.contains("rules.toml:3:9: error:"), "{refused}");
}

/// A team whose user ids are e-mail addresses.
fn users_are_addresses() -> String {
    lines(&[
        track(0, &json!({"userId": "Ana@acme.example"})),
        track(1, &json!({"timestamp": "2025-03-01T09:00:00Z"})),
        identify(0, "Ana@acme.example", &json!({"plan": "pro"})),
        identify(1, "Bo@acme.example", &json!({"name": "Bo"})),
        identify(2, "u7", &json!({"plan": "pro"})),
    ])
}

#[test]
fn user_ids_that_are_addresses_identify_where_the_rules_say_so() {
    let workspace = Workspace::new();
    workspace.write("events.ndjson", users_are_addresses());
    run(&workspace, "[identity]\nuser_id_is_email = true\n[plan]\nraw_signals = 9\n", "out");
    let leads = workspace.rows("out/leads.csv");
    assert_eq!(emails(&workspace, "out"), ["ana@acme.example", "bo@acme.example"]);
    assert_eq!((&*leads[0]["user_ids"], &*leads[1]["name"]), ("Ana@acme.example", "Bo"));
    assert_eq!(leads[0]["identified_at"], "2025-03-01T10:00:00.000Z");
    let signals = workspace.rows("out/signals.csv");
    let resolutions: Vec<_> = signals.iter().map(|row| row["resolution"].as_str()).collect();
    assert_eq!(resolutions, ["known", "rehydrated"]);
    let report = workspace.report("out");
    assert_eq!(report["identity"]["identify_without_email"], 1);
    assert_eq!(report["plan"]["lost_leads"], 0);
    assert_eq!(report["warnings"], json!([]));
}

#[test]
fn a_track_call_alone_creates_the_lead_of_its_user_id() {
    let workspace = Workspace::new();
    workspace.write("events.ndjson", lines(&[track(0, &json!({"userId": "Ana@acme.example"}))]));
    run(&workspace, "[identity]\nuser_id_is_email = true\nuser_id = false\n", "out");
    assert_eq!(emails(&workspace, "out"), ["ana@acme.example"]);
    assert_eq!(workspace.rows("out/signals.csv")[0]["resolution"], "known");
    assert_eq!(workspace.report("out")["identity"]["facts"], 1);
}

#[test]
fn unused_user_ids_that_are_addresses_are_reported() {
    let workspace = Workspace::new();
    workspace.write("events.ndjson", users_are_addresses());
    let summary = run(&workspace, "", "out").stderr;
    let said = "2 of 3 identify calls bring no e-mail, but their userId is one";
    let report = workspace.report("out");
    assert_eq!(report["identity"]["identify_user_id_is_email"], 2);
    assert!(report["warnings"][0].as_str().unwrap().starts_with(said), "{report:#}");
    assert!(summary.contains(said), "{summary}");
    let audit: Value =
        serde_json::from_slice(&audit(&workspace, &["--format", "json"]).stdout).unwrap();
    let findings = audit["findings"].as_array().unwrap();
    let found = findings.iter().find(|finding| finding["finding"] == "user-id-is-email").unwrap();
    assert_eq!((&found["count"], &found["of"]), (&json!(2), &json!(3)));
}

#[test]
fn unmapped_addresses_are_reported_with_a_rule_that_maps_them() {
    let workspace = Workspace::new();
    let at_hand = json!({"context": {"traits": {"email": "Ana@acme.example"}}});
    let events = [
        track(0, &json!({"timestamp": "2025-03-01T09:00:00Z"})),
        track(0, &at_hand),
        track(0, &at_hand),
        track(1, &json!({"properties": {"email": "bo@acme.example"}})),
        track(2, &json!({"properties": {"email": "known@acme.example"}})),
        identify(2, "u2", &json!({"email": "known@acme.example"})),
    ];
    workspace.write("events.ndjson", lines(&events));
    let summary = run(&workspace, "", "before").stderr;
    let report = workspace.report("before");
    let unused = &report["identity"]["unused_emails"];
    assert_eq!(unused["events"], json!({"context.traits.email": 2, "properties.email": 2}));
    assert_eq!(unused["leads"], 2);
    let said = unbroken(&summary);
    assert!(said.contains("a rule would bring 2 more leads"), "{summary}");
    assert!(summary.contains("            identify = true\n"), "{summary}");
    assert!(!summary.contains("acme.example"), "{summary}");

    let text = String::from_utf8(audit(&workspace, &[]).stdout).unwrap();
    assert!(text.contains("unused-email") && text.contains("\n      [[rule]]\n"), "{text}");

    run(&workspace, unused["rule"].as_str().unwrap(), "after");
    let mut leads = emails(&workspace, "after");
    leads.sort();
    assert_eq!(leads, ["ana@acme.example", "bo@acme.example", "known@acme.example"]);
    let signals = workspace.rows("after/signals.csv");
    assert_eq!(signals[0]["resolution"], "rehydrated");
    let after = &workspace.report("after")["identity"]["unused_emails"];
    assert_eq!((&after["leads"], &after["rule"]), (&json!(0), &Value::Null));
}
