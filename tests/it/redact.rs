//! `--redact`: outputs contain no personal data, and are otherwise the same.

use std::fs;
use std::path::Path;

use crate::support::{Finished, Workspace, assert_ledger_holds, python, testdata};
use serde_json::{Value, json};

const EMAIL: &str = "ana.canary@acme-canary.example";
const NAME: &str = "Anastasia Canarius";
const PHONE: &str = "+49 30 5550199";
const IPS: [&str; 2] = ["203.0.113.77", "2001:db8::77"];

/// Texts that no output can contain.
const CANARIES: [&str; 8] = [
    "ana.canary",
    "acme-canary",
    "ana.other",
    "Anastasia",
    "Canarius",
    "5550199",
    "203.0.113.77",
    "2001:db8::77",
];

const RULES: &str = r#"
version = 1
[plan]
raw_signals = 1
[identity]
max_emails = 1
[[rule]]
id = "form"
when = 'type = "track"'
score = 5
identify = true
[rule.map]
email = "properties.email"
name = "properties.name"
first_name = "properties.first_name"
last_name = "properties.last_name"
phone = "properties.phone"
company = "properties.company"
title = "properties.title"
address = "properties.email"
contact = "properties.contact"
ip = "context.ip"
note = "properties.note"
page = "context.page.url"
who = ["properties.given_name", "properties.first_name"]
seats = "properties.seats"
plan = "properties.plan"
"#;

/// Events with personal data of Ana in every field that outputs show.
fn events() -> Vec<Value> {
    let url = format!(
        "https://www.example/pricing?email={}&first_name=Anastasia&phone={}&ip={}&plan=pro#name=Canarius",
        EMAIL.replace('@', "%40"),
        PHONE.replace('+', "%2B").replace(' ', "%20"),
        IPS[0],
    );
    let context = json!({
        "ip": IPS[0],
        "page": {"url": url, "referrer": format!("https://mail.example/{EMAIL}?q={EMAIL}")},
        "campaign": {"source": EMAIL, "medium": IPS[1], "name": PHONE},
    });
    let event = |id: &str, members: Value| {
        let mut event = json!({
            "messageId": id, "anonymousId": "a1", "timestamp": "2025-05-01T10:00:00Z",
            "context": context,
        });
        event.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        event
    };
    let traits = json!({
        "email": EMAIL, "name": NAME, "firstName": "Anastasia", "lastName": "Canarius",
        "phone": PHONE, "title": format!("CEO {EMAIL}"), "company": format!("Acme {PHONE}"),
    });
    let properties = json!({
        "email": EMAIL, "name": NAME, "first_name": "Anastasia", "last_name": "Canarius",
        "phone": PHONE, "company": format!("Acme {}", IPS[0]), "title": EMAIL,
        "contact": {"name": NAME, "phones": [PHONE]}, "note": format!("call {PHONE} or {EMAIL}"),
        "seats": 12, "plan": "pro",
    });
    vec![
        event("m1", json!({"type": "identify", "userId": EMAIL, "traits": traits})),
        event("m2", json!({"type": "track", "event": "Form Sent", "properties": properties})),
        event(
            &format!("m3 {EMAIL}"),
            json!({
                "type": "track", "event": format!("Called {PHONE} by {EMAIL}"), "anonymousId": IPS[0],
                "userId": EMAIL.to_uppercase(), "properties": {"note": IPS[1]},
            }),
        ),
        event("m4", json!({"type": "page", "name": EMAIL, "anonymousId": IPS[1], "userId": EMAIL})),
        event("m5", json!({"type": "page", "name": "Hi", "timestamp": NAME})),
        event(
            "m6",
            json!({"type": "group", "userId": EMAIL, "groupId": EMAIL, "traits": {"name": EMAIL}}),
        ),
        // A user id with two e-mails, which is shared, and a lead that the plan loses.
        event(
            "m7",
            json!({
                "type": "identify", "userId": EMAIL, "traits": {"email": "ana.other@acme-canary.example"},
            }),
        ),
        event("", json!({"type": "track", "event": NAME})),
        json!({"type": NAME, "messageId": "m8", "anonymousId": "a1", "email": EMAIL, "ip": IPS[0]}),
    ]
}

fn planted() -> Workspace {
    let workspace = Workspace::new();
    let lines: String = events().iter().map(|event| format!("{event}\n")).collect();
    let broken =
        format!("{{\"name\":\"{NAME}\",\"phone\":\"{PHONE}\",\"at\":\"{}\",{EMAIL}\n", IPS[1]);
    workspace.write(&format!("in/{EMAIL}.ndjson"), lines + &broken);
    workspace.write("rules.toml", RULES);
    workspace.write("allow.txt", "track\npage\n");
    workspace
}

#[track_caller]
fn has_no_canary(what: &str, text: &str) {
    assert!(!text.is_empty(), "{what} is empty");
    for canary in CANARIES {
        let at = text.to_lowercase().find(&canary.to_lowercase());
        let around = at.map(|at| {
            let bytes = &text.as_bytes()[at.saturating_sub(80)..];
            String::from_utf8_lossy(&bytes[..bytes.len().min(160)]).into_owned()
        });
        assert_eq!(at, None, "{what} holds {canary}: …{around:?}");
    }
}

#[track_caller]
fn says_no_canary(what: &str, finished: &Finished) {
    let all = format!("{}\n{}", finished.stderr, String::from_utf8_lossy(&finished.stdout));
    has_no_canary(what, &all);
}

#[test]
fn no_output_of_a_run_has_personal_data() {
    let workspace = planted();
    let all = "csv,ndjson,json,parquet";
    let finished = workspace
        .run(["in", "--rules", "rules.toml", "-o", "out", "--format", all, "--redact"])
        .exits(0);
    says_no_canary("the summary", &finished);
    assert_ledger_holds(&workspace, "out");
    let names = workspace.list("out");
    for name in names.iter().filter(|name| !name.ends_with(".parquet")) {
        let text = String::from_utf8(workspace.read(&format!("out/{name}"))).unwrap();
        has_no_canary(name, &text);
    }
    let (signals, leads) = (workspace.rows("out/signals.csv"), workspace.rows("out/leads.csv"));
    assert_eq!((signals.len(), leads.len()), (4, 2));
    for column in ["email", "name", "first_name", "last_name", "phone"] {
        assert!(!leads[0].contains_key(column), "{column}");
    }
    assert!(!signals[0].contains_key("lead_email"));
    let direct = signals.iter().find(|row| row["resolution"] == "direct").unwrap();
    assert!(leads.iter().any(|lead| lead["lead_id"] == direct["lead_id"]));
    assert_eq!(direct["address"], direct["lead_id"], "a column of addresses is hashed");
    assert_eq!((&*direct["seats"], &*direct["plan"]), ("12", "pro"), "what tells nobody stays");
    assert_eq!((&*direct["contact"], &*direct["ip"], &*direct["who"]), ("***", "***", "***"));
    assert_eq!(direct["note"], "call *** or ***");
    assert!(direct["page_url"].ends_with("&ip=***&plan=pro#name=***"), "{}", direct["page_url"]);
    let page = signals.iter().find(|row| row["message_id"] == "m4").unwrap();
    assert_eq!(page["user_id"], direct["lead_id"], "a user id that is an address is hashed");
    let report = workspace.report("out");
    assert!(report["plan"]["lost_lead_emails"][0].as_str().is_some_and(|id| id.len() == 64));
    let mut shared = report["identity"]["shared_ids"].as_array().unwrap().iter();
    assert!(shared.any(|shared| shared["id"] == direct["lead_id"]), "{report:#}");
    assert!(workspace.rejects("out").len() >= 2);

    let Some(mut python) = python::with(&["pyarrow"]) else { return };
    let script = "import sys, pyarrow.parquet as p\nfor f in sys.argv[1:]: print(p.read_table(f).to_pylist())";
    let tables = ["out/signals.parquet", "out/leads.parquet"].map(|name| workspace.path(name));
    python.arg("-c").arg(script).args(tables);
    has_no_canary("Parquet", &python::output(python));
}

#[test]
fn no_explanation_has_personal_data() {
    let workspace = planted();
    for subject in [["--email", EMAIL], ["--anonymous-id", "a1"], ["--user-id", EMAIL]] {
        for format in ["text", "json"] {
            let rest = ["in", "--rules", "rules.toml", "--format", format, "--redact"];
            let arguments = [&rest[..], &subject].concat();
            let finished = workspace.does("explain", &arguments).exits(0);
            says_no_canary(&format!("{subject:?} as {format}"), &finished);
        }
    }
    let arguments = ["in", "--rules", "rules.toml", "--email", EMAIL, "--format", "json"];
    let plain = workspace.does("explain", &arguments).exits(0);
    let redacted = workspace.does("explain", &[&arguments[..], &["--redact"]].concat()).exits(0);
    let [plain, redacted] = [plain, redacted]
        .map(|finished| serde_json::from_slice::<Value>(&finished.stdout).unwrap());
    for pointer in ["/events_read", "/leads/0/score", "/leads/0/signals", "/events/1/type"] {
        assert_eq!(plain.pointer(pointer), redacted.pointer(pointer), "{pointer}");
    }
    let lead = redacted["leads"][0]["email"].as_str().unwrap();
    assert_eq!(lead.len(), 64, "a lead is named by a hash");
    assert_eq!(redacted["subject"]["value"], lead);
    let mut events = redacted["events"].as_array().unwrap().iter();
    assert!(events.any(|event| event["signal"]["lead_email"] == lead), "{redacted:#}");
}

#[test]
fn an_unknown_subject_reveals_no_others() {
    let workspace = planted();
    let asked = EMAIL.replace("canary@", "canari@");
    let arguments = ["in", "--rules", "rules.toml", "--email", &asked, "--redact"];
    let finished = workspace.does("explain", &arguments).exits(2);
    finished.says("no event of");
    says_no_canary("the error", &workspace.does("explain", &arguments));
}

#[test]
fn no_stream_has_personal_data() {
    for emit in ["signals", "leads"] {
        let workspace = planted();
        let arguments = ["in", "--rules", "rules.toml", "-o", "-", "--emit", emit, "--redact"];
        let finished = workspace.run(arguments).exits(0);
        says_no_canary(emit, &finished);
        assert!(finished.stdout.starts_with(if emit == "leads" {
            b"lead_id,"
        } else {
            b"signal_i"
        }));
    }
}

#[test]
fn no_report_of_an_audit_has_personal_data() {
    for format in ["text", "json"] {
        let workspace = planted();
        let arguments = ["in", "--rules", "rules.toml", "--allow", "allow.txt", "--redact"];
        let arguments = [&arguments[..], &["--format", format, "--html", "page.html"]].concat();
        let finished = workspace.does("audit", &arguments).exits(1);
        says_no_canary(format, &finished);
        has_no_canary("the page", &String::from_utf8(workspace.read("page.html")).unwrap());
        if format == "json" {
            let report: Value = serde_json::from_slice(&finished.stdout).unwrap();
            let lost = &report["leads"]["lost_leads"][0];
            assert!(lost["lead_id"].as_str().is_some_and(|id| id.len() == 64), "{report:#}");
            assert_eq!(lost["email"], Value::Null);
        }
    }
}

#[test]
fn no_queue_has_personal_data() {
    let page = ["--event", "Page Viewed"];
    for more in [&[][..], &["--format", "json"], &["--format", "csv"], &page] {
        let workspace = planted();
        let arguments = [&["in", "--rules", "rules.toml", "--redact"], more].concat();
        let finished = workspace.does("queue", &arguments).exits(0);
        says_no_canary(&format!("{more:?}"), &finished);
    }
    let workspace = planted();
    workspace.does("queue", &["in", "--redact", "--suggest"]).exits(2);
}

/// The folder of outputs of `trailco`, with `--redact` if `key` is given.
fn trailco(key: Option<&str>) -> Workspace {
    let workspace = Workspace::new();
    let path = |name: &str| testdata(name).to_str().unwrap().to_owned();
    let (events, rules) = (path("trailco/events"), path("trailco/rules.toml"));
    let mut command = workspace.command(["-o", "out", &events, "--rules", &rules]);
    command.env_remove("BACKTRAIL_REDACT_KEY");
    match key {
        None => {}
        Some("") => drop(command.arg("--redact")),
        Some(key) => drop(command.arg("--redact").env("BACKTRAIL_REDACT_KEY", key)),
    }
    let output = command.output().unwrap();
    Finished::of(&command, output).exits(0);
    workspace
}

#[test]
fn hashes_are_those_of_python() {
    let plain = trailco(None);
    let emails: Vec<String> =
        plain.rows("out/leads.csv").iter().map(|row| row["email"].clone()).collect();
    for (key, expression) in [
        ("", "hashlib.sha256(e.encode()).hexdigest()"),
        ("kéy 1", "hmac.new('kéy 1'.encode(), e.encode(), 'sha256').hexdigest()"),
    ] {
        let Some(mut python) = python::with(&["hashlib", "hmac"]) else { return };
        let script =
            format!("import sys, hashlib, hmac\nfor e in sys.argv[1:]: print({expression})");
        python.arg("-c").arg(script).args(&emails);
        let expected = python::output(python);
        let redacted = trailco(Some(key));
        let found: Vec<String> =
            redacted.rows("out/leads.csv").iter().map(|row| row["lead_id"].clone()).collect();
        assert_eq!(found, expected.lines().collect::<Vec<_>>(), "{expression}");
    }
}

#[test]
fn everything_else_is_as_without_redaction() {
    let (plain, redacted) = (trailco(None), trailco(Some("")));
    for (table, person) in [
        ("signals", &["lead_email", "user_id", "page_url", "anonymous_id"][..]),
        (
            "leads",
            &[
                "email",
                "name",
                "first_name",
                "last_name",
                "phone",
                "first_page_url",
                "first_referrer",
                "user_ids",
                "anonymous_ids",
            ],
        ),
    ] {
        let rows = |workspace: &Workspace| workspace.rows(&format!("out/{table}.csv"));
        let (plain, redacted) = (rows(&plain), rows(&redacted));
        assert_eq!(plain.len(), redacted.len());
        for (plain, redacted) in plain.iter().zip(&redacted) {
            for (column, value) in
                plain.iter().filter(|(column, _)| !person.contains(&column.as_str()))
            {
                let hidden = redacted[column].contains("***") || redacted[column].len() == 64;
                assert!(hidden || redacted[column] == *value, "{table} {column}: {value}");
            }
        }
    }
    let counts = |workspace: &Workspace| {
        let report = workspace.report("out");
        ["/events/kept", "/identity/signals", "/leads", "/plan/periods"]
            .map(|part| report.pointer(part).unwrap().clone())
    };
    assert_eq!(counts(&plain), counts(&redacted));
}

#[test]
fn an_empty_key_and_a_column_of_the_same_name_are_errors() {
    let workspace = planted();
    let mut command = workspace.command(["in", "-o", "out", "--redact"]);
    let output = command.env("BACKTRAIL_REDACT_KEY", "").output().unwrap();
    Finished::of(&command, output).exits(2).says("BACKTRAIL_REDACT_KEY is empty");
    let rules = RULES.replace("seats =", "lead_id =");
    workspace.write("rules.toml", rules);
    workspace
        .run(["in", "-o", "out", "--rules", "rules.toml", "--redact"])
        .exits(2)
        .says("column `lead_id`");
    assert!(
        !Path::new(&workspace.path("out")).exists()
            || fs::read_dir(workspace.path("out")).unwrap().count() == 0
    );
}
