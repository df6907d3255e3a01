//! `backtrail queue` as users see it: its figures are those of runs, it shows neither addresses nor
//! secrets, and its suggestions work.

use std::collections::BTreeMap;
use std::process::{Command, Output};

use crate::support::{Workspace, gzip, testdata};
use serde_json::{Value, json};

/// Runs `backtrail ARGS` in the folder of `workspace`, with a width of 80 columns.
fn backtrail(workspace: &Workspace, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_backtrail"));
    command.args(args).current_dir(workspace.path(".")).env("COLUMNS", "80");
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!stderr.contains("panicked"), "{args:?}\n{stderr}");
    output
}

/// Returns the output of `backtrail queue ARGS`, which must succeed.
#[track_caller]
fn queue(workspace: &Workspace, args: &[&str]) -> String {
    let args = [&["queue"], args].concat();
    let output = backtrail(workspace, &args);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{args:?}\n{stderr}");
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn queue_json(workspace: &Workspace, args: &[&str]) -> Value {
    let args = [&["--format", "json"], args].concat();
    serde_json::from_str(&queue(workspace, &args)).unwrap()
}

/// The row of a name.
#[track_caller]
fn name<'v>(report: &'v Value, call: &str, event: &str) -> &'v Value {
    let mut names = report["names"].as_array().unwrap().iter();
    let found = names.find(|name| name["type"] == call && name["event"] == event);
    found.unwrap_or_else(|| panic!("no {call} {event} in {report:#}"))
}

/// One event, a line.
fn event(call: &str, id: usize, members: &Value) -> String {
    let mut event = json!({
        "type": call, "messageId": format!("m{id}"), "timestamp": "2025-05-01T10:00:00Z",
    });
    let members = members.as_object().unwrap().clone();
    event.as_object_mut().unwrap().extend(members);
    format!("{event}\n")
}

fn trailco() -> [String; 2] {
    let path = |name: &str| testdata(name).to_str().unwrap().to_owned();
    [path("trailco/events"), path("trailco/rules.toml")]
}

#[test]
fn ids_are_assigned_and_clocks_corrected_as_in_a_run() {
    let workspace = Workspace::new();
    let late = json!({"type": "track", "event": "Ping", "anonymousId": "a", "receivedAt": "2025-05-01T10:00:00Z",
        "timestamp": "2025-05-01T11:50:00Z", "sentAt": "2025-05-01T12:00:00Z"});
    let known = event("track", 1, &json!({"event": "Ping", "userId": "u"}));
    workspace.write("in.ndjson", format!("{late}\n{late}\n{known}"));
    let options = ["in.ndjson", "--assign-ids", "--correct-clocks", "--strict-detect"];
    let report = queue_json(&workspace, &options);
    workspace.run([&options[..], &["-o", "out"]].concat()).exits(0);
    let run = workspace.report("out");
    for count in ["total", "filtered", "duplicates"] {
        assert_eq!(report["events"][count], run["events"][count], "{count}");
    }
    assert_eq!(
        (&report["events"]["total"], &report["events"]["duplicates"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(report["records"], run["records"]);
    let ping = name(&report, "track", "Ping");
    assert_eq!(ping["first_seen"], workspace.rows("out/signals.csv")[0]["timestamp"]);
    assert_eq!(ping["first_seen"], "2025-05-01T09:50:00.000Z");
}

#[test]
fn deleted_users_are_unknown_and_their_events_match_no_rule() {
    let workspace = Workspace::new();
    let identify = json!({"userId": "u", "traits": {"email": "ana@acme.example"}});
    let delete = event("delete", 9, &json!({"userId": "u", "timestamp": "2025-05-02T10:00:00Z"}));
    let ping = event("track", 2, &json!({"event": "Ping", "userId": "u"}));
    workspace.write("in.ndjson", event("identify", 1, &identify) + &ping + &delete);
    let rule = "[[rule]]\nid = \"ping\"\nwhen = 'event = \"Ping\"'\n";
    workspace.write("rules.toml", format!("version = 1\n{rule}"));
    let report = queue_json(&workspace, &["in.ndjson", "--rules", "rules.toml"]);
    let ping = name(&report, "track", "Ping");
    assert_eq!((&ping["count"], &ping["mapped"]), (&json!(1), &json!(0)), "{ping}");
    assert_eq!(ping["known_visitors"], 0, "{ping}");
}

#[test]
fn the_figures_are_those_of_a_run() {
    let workspace = Workspace::new();
    let [events, rules] = trailco();
    let report = queue_json(&workspace, &[&events, "--rules", &rules]);
    workspace.run([&events, "--rules", &rules, "-o", "out"]).exits(0);
    let run = workspace.report("out");
    assert_eq!(report["records"], run["records"]);
    assert_eq!(report["events"]["total"], run["events"]["total"]);
    assert_eq!(report["events"]["filtered"], run["events"]["filtered"]);
    assert_eq!(report["events"]["duplicates"], run["events"]["duplicates"]);
    let counted = report["events"]["counted"].as_u64().unwrap();
    let names = report["names"].as_array().unwrap();
    let sum = |key: &str| names.iter().map(|name| name[key].as_u64().unwrap()).sum::<u64>();
    assert_eq!((sum("count"), sum("mapped")), (counted, run["rules"]["mapped"].as_u64().unwrap()));
    let mut by_rule: BTreeMap<&str, u64> = BTreeMap::new();
    for rule in names.iter().flat_map(|name| name["rules"].as_array().unwrap()) {
        *by_rule.entry(rule["rule"].as_str().unwrap()).or_default() +=
            rule["count"].as_u64().unwrap();
    }
    for rule in run["rules"]["by_rule"].as_array().unwrap() {
        let count = by_rule.remove(rule["id"].as_str().unwrap()).unwrap_or(0);
        assert_eq!(json!(count), rule["matches"], "{rule}");
    }
    assert!(by_rule.is_empty(), "{by_rule:?}");
    // The three months used 275 of the plan of 100 per month: one event has no time.
    let shares: f64 = names.iter().map(|name| name["plan_share"].as_f64().unwrap()).sum();
    assert!((shares - 275.0 / 300.0).abs() < 1e-9, "{shares}");
    let demo = name(&report, "track", "Demo Requested");
    assert_eq!((&demo["visitors"], &demo["known_visitors"]), (&json!(3), &json!(3)));
    assert_eq!(demo["rules"], json!([{"rule": "demo-requested", "count": 4}]));
    assert_eq!(demo["days"][0], json!({"day": "2025-04-03", "count": 1}));
}

#[test]
fn a_visitor_is_known_if_any_event_connects_it_to_an_address() {
    let workspace = Workspace::new();
    let mut input = String::new();
    for visitor in 0..6 {
        let id = format!("a{visitor}");
        input += &event("track", visitor, &json!({"event": "Opened", "anonymousId": id}));
        input +=
            &event("track", visitor + 10, &json!({"event": "Opened", "anonymousId": id, "n": 1}));
    }
    // Identified by a user id alone, which is one more visitor, and by a chain of ids.
    input += &event("track", 20, &json!({"event": "Opened", "userId": "u1"}));
    input += &event(
        "identify",
        21,
        &json!({
            "anonymousId": "a0", "traits": {"email": "ana@acme.example"},
            "timestamp": "2025-06-01T00:00:00Z",
        }),
    );
    input += &event("identify", 22, &json!({"anonymousId": "a1", "userId": "u1"}));
    input +=
        &event("identify", 23, &json!({"userId": "u1", "traits": {"email": "b@acme.example"}}));
    // Connected to an id that belongs to nobody.
    input += &event("identify", 24, &json!({"anonymousId": "a2", "userId": "u2"}));
    workspace.write("in.ndjson", input);
    let report = queue_json(&workspace, &["in.ndjson"]);
    let opened = name(&report, "track", "Opened");
    assert_eq!(opened["count"], 13);
    assert_eq!((&opened["visitors"], &opened["known_visitors"]), (&json!(7), &json!(3)));
    assert_eq!(opened["before_identify"], 0);
}

#[test]
fn an_hour_before_an_identify_call_is_shortly_before() {
    let workspace = Workspace::new();
    let track = |id: usize, time: &str| {
        let members = json!({"event": "Asked", "anonymousId": "a", "timestamp": time});
        event("track", id, &members)
    };
    let mut input = track(1, "2025-05-01T08:59:59.999Z");
    input += &track(2, "2025-05-01T09:00:00Z");
    input += &track(3, "2025-05-01T09:59:59Z");
    input += &track(4, "2025-05-01T10:00:00Z");
    let identify = json!({"anonymousId": "a", "traits": {"email": "ana@acme.example"}});
    input += &event("identify", 5, &identify);
    workspace.write("in.ndjson", input);
    let report = queue_json(&workspace, &["in.ndjson"]);
    assert_eq!(name(&report, "track", "Asked")["before_identify"], 2);
}

#[test]
fn neither_threads_nor_files_nor_their_order_change_anything() {
    let workspace = Workspace::new();
    let [events, rules] = trailco();
    let asked: [&[&str]; 5] = [
        &[],
        &["--format", "json"],
        &["--format", "csv"],
        &["--event", "Page Viewed", "--format", "json"],
        &["--suggest"],
    ];
    for asked in asked {
        let told = |threads: &str| {
            let args =
                [&[events.as_str(), "--rules", &rules, "--threads", threads], asked].concat();
            queue(&workspace, &args)
        };
        let one = told("1");
        assert!(one.len() > 500, "{one}");
        assert_eq!(told("2"), one, "{asked:?}");
        assert_eq!(told("7"), one, "{asked:?}");
    }
    // The same lines in reverse order and divided otherwise.
    let mut lines: Vec<String> = Vec::new();
    for file in ["2025-04.ndjson", "2025-06.ndjson"] {
        let text = std::fs::read_to_string(testdata("trailco/events").join(file)).unwrap();
        lines.extend(text.lines().map(str::to_owned));
    }
    workspace.write("whole.ndjson", lines.join("\n"));
    lines.reverse();
    workspace.write("cut/a.ndjson", lines[..70].join("\n"));
    workspace.write("cut/b.ndjson", lines[70..].join("\n"));
    for asked in [&[][..], &["--event", "track"]] {
        let told = |input: &str| {
            let mut report = queue_json(&workspace, &[&[input], asked].concat());
            for member in ["inputs", "bytes_read"] {
                report.as_object_mut().unwrap().remove(member);
            }
            report
        };
        assert_eq!(told("cut"), told("whole.ndjson"), "{asked:?}");
    }
    assert_eq!(
        queue(&workspace, &["cut", "--suggest"]),
        queue(&workspace, &["whole.ndjson", "--suggest"])
    );
}

#[test]
fn one_event_is_shown_with_every_path_and_without_addresses() {
    let workspace = Workspace::new();
    let mut input = String::new();
    for (id, properties) in [
        json!({"email": "ana@acme.example", "plan": "Pro", "seats": 3, "tags": ["x", "y"]}),
        json!({"email": "ben@birch.example", "plan": "", "seats": "3", "api_token": "t0psecret"}),
        json!({"email": null, "plan": "Pro", "link": "/?to=zoe%40zed.example&token=t0psecret"}),
        json!({"plan": "Team", "seats": null}),
    ]
    .into_iter()
    .enumerate()
    {
        let members =
            json!({"event": "Quote Requested", "anonymousId": "a", "properties": properties});
        input += &event("track", id, &members);
    }
    input += &event("page", 9, &json!({"anonymousId": "a", "properties": {"email": "x"}}));
    workspace.write("in.ndjson", input);
    let report = queue_json(&workspace, &["in.ndjson", "--event", "Quote Requested"]);
    assert_eq!(report["names"].as_array().unwrap().len(), 1);
    assert_eq!(report["profile"]["events"], 4);
    let path = |wanted: &str| {
        let mut paths = report["profile"]["paths"].as_array().unwrap().iter();
        let found = paths.find(|path| path["path"] == wanted);
        found.unwrap_or_else(|| panic!("no {wanted} in {report:#}")).clone()
    };
    assert_eq!(
        path("properties.email"),
        json!({
            "path": "properties.email", "filled": 2, "fill_rate": 0.5,
            "types": {"null": 1, "string": 2}, "empty": 0, "distinct": 2,
            "examples": ["***@acme.example", "***@birch.example"],
        })
    );
    let plan = path("properties.plan");
    assert_eq!(
        (&plan["filled"], &plan["empty"], &plan["distinct"]),
        (&json!(3), &json!(1), &json!(2))
    );
    assert_eq!(path("properties.seats")["types"], json!({"null": 1, "number": 1, "string": 1}));
    assert_eq!(path("properties.tags[]")["distinct"], 2);
    assert_eq!(path("properties.api_token")["examples"], json!(["***"]));
    for format in ["text", "json", "csv"] {
        let args = ["in.ndjson", "--event", "Quote Requested", "--format", format];
        let told = queue(&workspace, &args);
        assert!(told.contains("properties.seats"), "{told}");
        for secret in ["ana@", "ben@", "zoe%40", "t0psecret"] {
            assert!(!told.contains(secret), "{secret} in {told}");
        }
    }
    // A call by its name.
    let report = queue_json(&workspace, &["in.ndjson", "--event", "page"]);
    assert_eq!(report["profile"]["events"], 1);
}

#[test]
fn an_unknown_name_is_an_error_with_the_nearest_name() {
    let workspace = Workspace::new();
    let [events, _] = trailco();
    let output = backtrail(&workspace, &["queue", &events, "--event", "demo_request"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{stderr}");
    assert!(
        stderr.contains("no event is called `demo_request`; did you mean `Demo Requested`?"),
        "{stderr}"
    );
}

#[test]
fn filtered_events_are_not_in_the_queue() {
    let workspace = Workspace::new();
    let [events, _] = trailco();
    let filters = testdata("trailco/filters.json");
    let filters = filters.to_str().unwrap();
    let report = queue_json(&workspace, &[&events, "--filters", filters]);
    assert!(
        report["names"].as_array().unwrap().iter().all(|name| name["event"] != "Route Planned")
    );
    // Properties that a filter drops are not among the paths.
    let paths =
        |args: &[&str]| queue(&workspace, &[&[&events, "--event", "Page Viewed"], args].concat());
    assert!(paths(&[]).contains("context.ip"));
    assert!(!paths(&["--filters", filters]).contains("context.ip"));
    let report = queue_json(&workspace, &[&events, "--where", "event = 'Trial Started'"]);
    assert_eq!(
        (report["names"].as_array().unwrap().len(), &report["events"]["counted"]),
        (1, &json!(12))
    );
}

#[test]
fn an_enormous_plan_is_hardly_used() {
    let workspace = Workspace::new();
    let mut input = String::new();
    for (id, month) in ["2025-05", "2025-06"].into_iter().enumerate() {
        let members = json!({
            "event": "Opened", "anonymousId": "a", "timestamp": format!("{month}-01T00:00:00Z"),
        });
        input += &event("track", id, &members);
    }
    workspace.write("in.ndjson", input);
    workspace.write("rules.toml", format!("version = 1\n[plan]\nraw_signals = {}\n", i64::MAX));
    let report = queue_json(&workspace, &["in.ndjson", "--rules", "rules.toml"]);
    let share = name(&report, "track", "Opened")["plan_share"].as_f64().unwrap();
    assert!(share > 0.0 && share < 1e-18, "{share}");
    workspace.write("rules.toml", "version = 1\n[plan]\nraw_signals = 4\n");
    let report = queue_json(&workspace, &["in.ndjson", "--rules", "rules.toml"]);
    let opened = name(&report, "track", "Opened");
    assert_eq!(
        (&opened["plan_share"], &opened["periods"][1]["share"]),
        (&json!(0.25), &json!(0.25))
    );
}

#[test]
fn beyond_a_thousand_names_the_rarest_are_combined() {
    let workspace = Workspace::new();
    let mut input = String::new();
    for id in 0..1_500 {
        let name = format!("Name {id}");
        for copy in 0..if id < 20 { 3 } else { 1 } {
            input += &event("track", id * 10 + copy, &json!({"event": name, "anonymousId": "a"}));
        }
    }
    workspace.write("in.ndjson", input);
    let report = queue_json(&workspace, &["in.ndjson"]);
    let names = report["names"].as_array().unwrap();
    assert_eq!(
        (names.len(), &names[19]["count"], &names[20]["count"]),
        (1_000, &json!(3), &json!(1))
    );
    assert_eq!(
        (&report["others"]["names"], &report["others"]["count"]),
        (&json!(500), &json!(500))
    );
    let text = queue(&workspace, &["in.ndjson"]);
    assert!(text.contains("… 940 more names; --format csv has them"), "{text}");
    assert!(text.contains("and 500 rarer names with 500 events (32.5 %)"), "{text}");
    // Any name can still be requested.
    let report = queue_json(&workspace, &["in.ndjson", "--event", "Name 999"]);
    assert_eq!(report["profile"]["events"], 1);
}

#[test]
fn many_visitors_are_estimated_within_the_stated_error() {
    let workspace = Workspace::new();
    let visitors: u32 = 20_000;
    let lines = (0..visitors).map(|id| {
        let members = json!({"event": "Opened", "anonymousId": format!("visitor-{id}")});
        event("track", id as usize, &members)
    });
    workspace.write("in.ndjson", lines.collect::<String>());
    let report = queue_json(&workspace, &["in.ndjson"]);
    let error = report["estimates"]["standard_error"].as_f64().unwrap();
    let counted = name(&report, "track", "Opened")["visitors"].as_f64().unwrap();
    assert!((counted / f64::from(visitors) - 1.0).abs() < error * 4.0, "{counted}");
    assert!(queue(&workspace, &["in.ndjson"]).contains("standard error 1.6 %"));
}

#[test]
fn csv_has_a_line_for_each_name_and_no_formula() {
    let workspace = Workspace::new();
    let mut input = event("track", 1, &json!({"event": "=SUM(A1)", "anonymousId": "a"}));
    input += &event("track", 2, &json!({"event": "A \"B\", C", "anonymousId": "a"}));
    workspace.write("in.ndjson", input);
    queue(&workspace, &["in.ndjson", "--format", "csv", "-o", "names.csv"]);
    let rows = workspace.rows("names.csv");
    assert_eq!(
        rows.iter().map(|row| row["event"].as_str()).collect::<Vec<_>>(),
        ["'=SUM(A1)", "A \"B\", C"]
    );
    assert_eq!((rows[0]["count"].as_str(), rows[0]["days"].as_str()), ("1", "2025-05-01 1"));
    assert_eq!(rows[1]["first_seen"], "2025-05-01T10:00:00.000Z");
}

#[test]
fn the_text_fits_a_terminal() {
    let workspace = Workspace::new();
    let [events, rules] = trailco();
    let wide = event(
        "track",
        1,
        &json!({
            "event": format!("Very {} long", "very ".repeat(40)), "anonymousId": "a",
            "properties": {"text": "世界 ".repeat(80), format!("k{}", "x".repeat(90)): 1},
        }),
    );
    workspace.write("in.ndjson", wide);
    let widest = |columns: &str| {
        let mut widest = 0;
        let asked: [&[&str]; 3] = [
            &[&events, "--rules", &rules],
            &[&events, "--event", "Page Viewed"],
            &["in.ndjson", "--event", "track"],
        ];
        for args in asked {
            let mut command = Command::new(env!("CARGO_BIN_EXE_backtrail"));
            command
                .arg("queue")
                .args(args)
                .current_dir(workspace.path("."))
                .env("COLUMNS", columns);
            let text = String::from_utf8(command.output().unwrap().stdout).unwrap();
            // East Asian characters are two columns wide.
            let width = |line: &str| {
                line.chars()
                    .map(|char| if ('\u{3000}'..='\u{9fff}').contains(&char) { 2 } else { 1 })
                    .sum()
            };
            widest = widest.max(text.lines().map(width).max().unwrap_or(0));
        }
        widest
    };
    assert!(widest("80") <= 80);
    assert!((101..=120).contains(&widest("120")));
    assert!(widest("400") <= 120);
}

#[test]
fn a_file_is_written_atomically_and_privately_and_replaces_no_other() {
    use std::os::unix::fs::PermissionsExt as _;
    let workspace = Workspace::new();
    let [events, _] = trailco();
    assert_eq!(queue(&workspace, &[&events, "--suggest", "-o", "rules.toml"]), "");
    let mode = workspace.path("rules.toml").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    workspace.write("rules.toml", "mine");
    let output = backtrail(&workspace, &["queue", &events, "--suggest", "-o", "rules.toml"]);
    assert_eq!((output.status.code(), workspace.read("rules.toml")), (Some(2), b"mine".to_vec()));
    queue(&workspace, &[&events, "--suggest", "-o", "rules.toml", "--overwrite"]);
    assert!(workspace.read("rules.toml").starts_with(b"# Rules to start from"));
    assert_eq!(workspace.list("."), ["rules.toml"]);
    // An input file is never overwritten either.
    let event = event("track", 1, &json!({"event": "Opened", "anonymousId": "a"}));
    workspace.write("in.ndjson", &event);
    let output = backtrail(&workspace, &["queue", "in.ndjson", "-o", "in.ndjson", "--overwrite"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && stderr.contains("as an input"), "{stderr}");
    assert_eq!(workspace.read("in.ndjson"), event.as_bytes());
}

#[test]
fn exit_codes_are_those_of_every_command() {
    let workspace = Workspace::new();
    let code = |args: &[&str]| backtrail(&workspace, &[&["queue"], args].concat()).status.code();
    workspace.write("empty.ndjson", "");
    assert_eq!(code(&["empty.ndjson"]), Some(2));
    assert_eq!(code(&["empty.ndjson", "--allow-empty"]), Some(0));
    assert_eq!(code(&["empty.ndjson", "--allow-empty", "--suggest"]), Some(0));
    assert_eq!(code(&["empty.ndjson", "--allow-empty", "--event", "x"]), Some(0));
    assert_eq!(code(&["missing.ndjson"]), Some(2));
    let event = event("track", 1, &json!({"event": "Opened", "anonymousId": "a"}));
    workspace.write("in.ndjson", &event);
    assert_eq!(code(&["in.ndjson", "--suggest", "--event", "Opened"]), Some(2));
    assert_eq!(code(&["in.ndjson", "--suggest", "--format", "json"]), Some(2));
    // The results from before the fault are shown.
    let zipped = gzip(event.repeat(500).as_bytes());
    workspace
        .write("cut.gz", [gzip(event.as_bytes()), zipped[..zipped.len() - 9].to_vec()].concat());
    let output = backtrail(&workspace, &["queue", "cut.gz"]);
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(2));
    assert!(stdout.contains("Opened") && stdout.contains("fault"), "{stdout}");
}

/// Returns the e-mails of the leads with a score in a run over trailco with the rules at `rules`.
fn scored(workspace: &Workspace, rules: &str) -> Vec<String> {
    let [events, _] = trailco();
    workspace.run([&events, "--rules", rules, "-o", "out", "--overwrite"]).exits(0);
    let rows = workspace.rows("out/leads.csv").into_iter();
    rows.filter(|row| row["score"] != "0").map(|row| row["email"].clone()).collect()
}

#[test]
fn the_suggestion_for_trailco_is_valid_and_finds_its_leads() {
    let workspace = Workspace::new();
    let [events, by_hand] = trailco();
    queue(&workspace, &[&events, "--suggest", "-o", "rules.toml"]);
    let check = backtrail(&workspace, &["check", "--rules", "rules.toml"]);
    let said = String::from_utf8_lossy(&check.stdout).into_owned();
    assert_eq!(check.status.code(), Some(0), "{said}");
    assert!(said.contains("no findings"), "{said}");
    let audit = backtrail(&workspace, &["audit", &events, "--rules", "rules.toml"]);
    let said = String::from_utf8_lossy(&audit.stdout).into_owned();
    assert_eq!(audit.status.code(), Some(0), "{said}");
    assert!(said.contains("0 errors, "), "{said}");
    let by_hand = scored(&workspace, &by_hand);
    let suggested = scored(&workspace, "rules.toml");
    let found = by_hand.iter().filter(|lead| suggested.contains(lead)).count();
    assert!(by_hand.len() > 20 && found * 10 >= by_hand.len() * 9, "{found} of {by_hand:?}");
    // Both forms of a demo request have their address mapped.
    let text = String::from_utf8(workspace.read("rules.toml")).unwrap();
    assert!(text.contains("email = [\"properties.email\", \"properties.work_email\"]"), "{text}");
    assert!(text.contains("Route Planned: 78 events; comes in masses"), "{text}");
    assert!(!text.contains("@acme.example"), "{text}");
}

#[test]
fn names_with_a_special_meaning_in_lists_are_quoted() {
    let workspace = Workspace::new();
    let names = [
        "identify",
        "page /demo",
        "Demo \"Plus\"",
        "Demo 'it' \"is\"",
        " Demo padded ",
        "Demo *",
        "Demo\\n\nline",
        "fql: demo",
        "# demo",
    ];
    let mut input = String::new();
    for (id, name) in names.iter().enumerate() {
        let properties = json!({"email": format!("p{id}@acme.example")});
        input += &event(
            "track",
            id,
            &json!({
                "event": name, "anonymousId": format!("a{id}"), "properties": properties,
            }),
        );
    }
    workspace.write("in.ndjson", input);
    queue(&workspace, &["in.ndjson", "--suggest", "-o", "rules.toml"]);
    let check = backtrail(&workspace, &["check", "--rules", "rules.toml"]);
    assert_eq!(check.status.code(), Some(0), "{}", String::from_utf8_lossy(&check.stdout));
    workspace.run(["in.ndjson", "--rules", "rules.toml", "-o", "out"]).exits(0);
    let report = workspace.report("out");
    assert_eq!(report["events"]["filtered"], 0);
    // Every name has a rule that matches it; none is read as a call, a pattern or an expression.
    let unmapped = report["rules"]["unmapped_by_event"].as_array().unwrap();
    assert!(unmapped.is_empty(), "{unmapped:?}");
    assert_eq!(report["leads"]["total"], names.len());
}

#[test]
fn secrets_of_captures_are_required() {
    let workspace = Workspace::new();
    let captures = testdata("captures/generic.ndjson");
    let captures = captures.to_str().unwrap();
    let right = queue_json(&workspace, &[captures, "--api-secret", "capture-secret"]);
    assert_eq!(right["rejects"]["unauthorized"], 0);
    let args = [captures, "--api-secret", "other", "--allow-empty"];
    let wrong = queue_json(&workspace, &args);
    assert!(wrong["rejects"]["unauthorized"].as_u64().unwrap() > 0);
}
