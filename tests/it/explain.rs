//! `explain`: the explanation of a lead or signal agrees with `run`, and every line it names
//! exists.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use serde_json::Value;

use crate::determinism::{RULES, history};
use crate::support::{Finished, Row, Workspace, gzip};

const EVENTS: &str = "testdata/trailco/events";
const TRAILCO_RULES: &str = "testdata/trailco/rules.toml";

/// `backtrail explain` on the sample company.
fn trailco(arguments: &[&str]) -> Finished {
    let mut command = Command::new(env!("CARGO_BIN_EXE_backtrail"));
    command.arg("explain").args([EVENTS, "--rules", TRAILCO_RULES]).args(arguments);
    command.current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("COLUMNS").stdin(Stdio::null());
    let output = command.output().unwrap();
    Finished::of(&command, output)
}

fn text(finished: Finished) -> String {
    String::from_utf8(finished.exits(0).says_nothing().stdout).unwrap()
}

fn json(finished: Finished) -> Value {
    serde_json::from_slice(&finished.exits(0).stdout).unwrap()
}

/// The lines of a file of the sample.
fn lines(file: &str) -> Vec<String> {
    let bytes = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    let mut text = String::new();
    if Path::new(file).extension().is_some_and(|extension| extension == "gz") {
        std::io::Read::read_to_string(&mut flate2::read::MultiGzDecoder::new(&*bytes), &mut text)
            .unwrap();
    } else {
        text = String::from_utf8(bytes).unwrap();
    }
    text.lines().map(str::to_owned).collect()
}

/// Asserts that the line at `place` contains `wanted`, even in an encoded body.
#[track_caller]
fn assert_line_has(place: &Value, wanted: &[&str]) {
    let (file, line) = (place["file"].as_str().unwrap(), place["line"].as_u64().unwrap());
    let text = lines(file)[usize::try_from(line).unwrap() - 1].clone();
    let is_capture = text.contains("\"isBase64Encoded\"") || text.contains("\"body\"");
    let found = wanted.iter().any(|wanted| text.contains(wanted));
    assert!(found || is_capture, "{file}:{line} has none of {wanted:?}: {text}");
}

/// Asserts that every position in `report` is a line with the stated contents.
fn assert_places_are_right(report: &Value) {
    for event in report["events"].as_array().unwrap() {
        let message_id = event["message_id"].as_str().unwrap();
        assert_line_has(event, &[message_id]);
        for copy in event["copies"].as_array().unwrap() {
            assert_line_has(copy, &[message_id]);
        }
        if event["status"]["is"] == "duplicate" {
            assert_line_has(&event["status"]["of"], &[message_id]);
        }
        for tie in event["signal"]["ties"].as_array().into_iter().flatten() {
            assert_line_has(tie, &[tie["source"].as_str().unwrap()]);
        }
    }
    for lead in report["leads"].as_array().unwrap() {
        let ids = ["anonymous_ids", "user_ids"].map(|ids| lead[ids].as_array().unwrap());
        let mut wanted: Vec<&str> =
            ids.into_iter().flatten().map(|id| id.as_str().unwrap()).collect();
        wanted.push("groupId");
        wanted.push(lead["email"].as_str().unwrap());
        for source in lead["sources"].as_array().unwrap() {
            assert_line_has(source, &wanted);
        }
    }
}

#[track_caller]
fn assert_fits(text: &str, columns: usize) {
    for line in text.lines() {
        // A position is a single word, so that it can be copied.
        let is_place = line.trim_start().starts_with("testdata/");
        assert!(line.chars().count() <= columns || is_place, "{line}");
    }
}

fn shown(arguments: &[&str]) -> String {
    let shown = text(trailco(arguments));
    assert_fits(&shown, 80);
    let mut as_json = arguments.to_vec();
    as_json.extend(["--format", "json"]);
    assert_places_are_right(&json(trailco(&as_json)));
    shown
}

#[test]
fn a_lead_with_two_addresses_is_explained_with_the_limits_of_its_score() {
    insta::assert_snapshot!(shown(&["--email", "ana.ruiz@acme.example"]));
    let by_the_other = json(trailco(&["--email", "Ana@Acme.example", "--format", "json"]));
    assert_eq!(by_the_other["leads"][0]["email"], "ana.ruiz@acme.example");
}

#[test]
fn a_shared_device_goes_to_whoever_was_identified_last() {
    insta::assert_snapshot!(shown(&["--anonymous-id", "expo-tablet"]));
}

#[test]
fn a_second_device_is_bridged_by_the_user_id() {
    insta::assert_snapshot!(shown(&["--anonymous-id", "ben-phone"]));
}

#[test]
fn a_wrong_clock_is_explained() {
    insta::assert_snapshot!(shown(&["--email", "greta@gronn.example"]));
}

#[test]
fn a_lead_that_is_not_merged_is_explained() {
    insta::assert_snapshot!(shown(&["--email", "ida@alm.example"]));
}

#[test]
fn duplicates_lookback_internal_people_and_filters_are_explained() {
    let copies = shown(&["--email", "farid@fennec.example"]);
    assert_eq!(copies.matches("which was received first").count(), 6, "{copies}");
    let late = shown(&["--email", "pavel@peak.example"]);
    assert_eq!(late.matches("none: cold").count(), 3, "{late}");
    assert!(late.contains("more than\n            lookback_days 60"), "{late}");
    let staff = shown(&["--email", "kim@trailco.example"]);
    assert!(staff.contains("none: it is staff"), "{staff}");
    assert!(staff.contains("10, but it has no lead"), "{staff}");
    let dropped = shown(&["--message-id", "ajs-next-ana-04"]);
    assert!(dropped.contains("no line of the allow list takes it"), "{dropped}");
    let group = json(trailco(&["--email", "lukasz@nordwind.example", "--format", "json"]));
    let sources = group["leads"][0]["sources"].as_array().unwrap();
    let company = sources.iter().find(|source| source["column"] == "company").unwrap();
    assert_eq!(company["value"], "Nordwind Reisen GmbH");
    assert_line_has(company, &["Nordwind Reisen GmbH"]);
}

#[test]
fn wide_terminals_are_used_and_narrow_ones_wrapped() {
    for columns in ["60", "100", "300"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_backtrail"));
        command.args(["explain", EVENTS, "--rules", TRAILCO_RULES, "--email", "ana@acme.example"]);
        command.current_dir(env!("CARGO_MANIFEST_DIR")).env("COLUMNS", columns);
        let output = command.stdin(Stdio::null()).output().unwrap();
        let text = text(Finished::of(&command, output));
        assert_fits(&text, columns.parse::<usize>().unwrap().min(120));
    }
}

#[test]
fn every_lead_of_the_sample_is_explained_as_in_a_run() {
    let expected = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/trailco/expected");
    let read = |name: &str| -> Vec<Row> {
        let mut table = csv::Reader::from_path(expected.join(name)).unwrap();
        table.deserialize().map(Result::unwrap).collect()
    };
    for lead in read("leads.csv") {
        let report = json(trailco(&["--email", &lead["email"], "--format", "json"]));
        assert_is_lead(&report, &lead);
        assert_places_are_right(&report);
    }
    for signal in read("signals.csv").iter().step_by(7) {
        let id = &signal["signal_id"];
        assert_is_signal(&json(trailco(&["--signal-id", id, "--format", "json"])), signal);
    }
}

/// Returns a cell of a table as a value of the report.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(list) => {
            list.iter().map(|text| text.as_str().unwrap()).collect::<Vec<_>>().join(";")
        }
        other => other.to_string(),
    }
}

/// Returns the cell without the character that guards it in spreadsheets.
fn unguarded(text: &str) -> &str {
    text.strip_prefix('\'').unwrap_or(text)
}

#[track_caller]
fn assert_is_lead(report: &Value, row: &Row) {
    let leads = report["leads"].as_array().unwrap();
    assert_eq!(leads.len(), 1, "{report:#}");
    let lead = &leads[0];
    for (column, expected) in row.iter().filter(|(column, _)| *column != "sources") {
        assert_eq!(cell(&lead[column]), unguarded(expected), "{column} of {report:#}");
    }
    let scores = lead["score_by_rule"].as_array().unwrap();
    let sum: i64 = scores.iter().map(|rule| rule["sum"].as_i64().unwrap()).sum();
    assert_eq!(sum.to_string(), row["score"], "{lead:#}");
    let own = report["events"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["signal"]["lead_email"] == lead["email"]);
    let own: Vec<&Value> = own.map(|event| &event["signal"]).collect();
    assert_eq!(own.len().to_string(), row["signals"], "{report:#}");
    let scoring = own.iter().filter(|signal| signal["counts"]["scores"] == true);
    let sum: i64 = scoring.map(|signal| signal["score"].as_i64().unwrap()).sum();
    assert_eq!(sum.to_string(), row["score"], "scoring signals of {report:#}");
    for source in lead["sources"].as_array().unwrap() {
        let column = source["column"].as_str().unwrap();
        assert_eq!(cell(&source["value"]), unguarded(&row[column]), "source of {column}");
    }
}

#[track_caller]
fn assert_is_signal(report: &Value, row: &Row) {
    let events = report["events"].as_array().unwrap();
    let is_it =
        |event: &&Value| event["signal_id"] == row["signal_id"] && event["status"]["is"] == "kept";
    let told: BTreeSet<Vec<String>> = events
        .iter()
        .filter(is_it)
        .map(|event| {
            let signal = &event["signal"];
            let own = [
                "timestamp",
                "received_at",
                "type",
                "event",
                "anonymous_id",
                "user_id",
                "message_id",
            ];
            let of_signal = [
                "signal",
                "signal_type",
                "high_intent",
                "rule",
                "score",
                "lead_email",
                "resolution",
            ];
            let own = own.iter().map(|column| cell(&event[*column]));
            own.chain(of_signal.iter().map(|column| cell(&signal[*column]))).collect()
        })
        .collect();
    let columns = [
        "timestamp",
        "received_at",
        "type",
        "event",
        "anonymous_id",
        "user_id",
        "message_id",
        "signal",
        "signal_type",
        "high_intent",
        "rule",
        "score",
        "lead_email",
        "resolution",
    ];
    let expected: Vec<String> =
        columns.iter().map(|column| unguarded(&row[*column]).to_owned()).collect();
    assert!(told.contains(&expected), "{expected:?} is not in {report:#}");
}

/// Settings under which duplicates can differ in what they are resolved by.
const SETTINGS: [&str; 6] = [
    "",
    "[dedup]\nby = \"message_id\"\n",
    "[dedup]\nby = \"none\"\n",
    "[dedup]\nignore = [\"userId\", \"anonymousId\"]\n",
    "[identity]\nuser_id = false\npolicy = \"last\"\n",
    "[identity]\npolicy = \"strict\"\nmax_emails = 1\n",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_told_is_what_a_run_makes(
        lines in history(),
        setting in prop::sample::select(&SETTINGS[..]),
        filter in prop::option::of(Just("messageId != \"m1\"")),
        is_bounded in any::<bool>(),
        threads in 1..4_u8,
    ) {
        let workspace = Workspace::new();
        let (first, second) = lines.split_at(lines.len() / 2);
        let rules = match setting {
            "" => RULES.to_owned(),
            setting => format!("version = 1\n{setting}{}", &RULES[RULES.find("[[rule]]").unwrap()..]),
        };
        workspace.write("rules.toml", rules);
        workspace.write("in/a.ndjson", first.join("\n"));
        workspace.write("in/b.ndjson.gz", gzip(second.join("\n").as_bytes()));
        let mut options = vec!["in", "--rules", "rules.toml"];
        options.extend(filter.into_iter().flat_map(|filter| ["--where", filter]));
        if is_bounded {
            options.extend(["--since", "2025-05-02", "--until", "2025-05-04"]);
        }
        let mut run = options.clone();
        run.extend(["-o", "out", "--allow-empty"]);
        workspace.run(run).exits(0);
        let threads = threads.to_string();
        let told = |flag: &str, value: &str| {
            let mut arguments = options.clone();
            arguments.extend([flag, value, "--format", "json", "--threads", &threads, "--memory", "1kB"]);
            json(workspace.does("explain", &arguments))
        };
        for lead in workspace.rows("out/leads.csv") {
            assert_is_lead(&told("--email", &lead["email"]), &lead);
        }
        for signal in workspace.rows("out/signals.csv") {
            assert_is_signal(&told("--signal-id", &signal["signal_id"]), &signal);
            if signal["anonymous_id"] == "a0" {
                assert_is_signal(&told("--anonymous-id", "a0"), &signal);
            }
        }
    }
}

#[test]
fn an_unknown_subject_is_an_error_without_addresses() {
    trailco(&["--email", "anna.ruiz@acme.example"])
        .exits(2)
        .says("no event of 287 events has this e-mail address; did you mean one at acme.example?");
    trailco(&["--anonymous-id", "ana-latop"]).exits(2).says("did you mean ana-laptop?");
    trailco(&["--message-id", "nope"]).exits(2).says("the tables of `backtrail run` list them");
    trailco(&["--user-id", "NULL"]).exits(2).says("--user-id: this value is never an id");
    trailco(&["--email", "ana"]).exits(2).says("--email: expected one e-mail address");
    trailco(&["--email", "x@spam.example"]).exits(2).says("the rules file blocks this address");
    trailco(&["--signal-id", "12"]).exits(2).says("expected 32 hexadecimal digits");
    trailco(&[]).exits(2).says("--email");
    trailco(&["--email", "a@b.example", "--user-id", "u"]).exits(2).says("cannot be used with");
}

/// Runs `explain` with `input` piped in.
fn piped(input: &[u8], arguments: &[&str]) -> Finished {
    let workspace = Workspace::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_backtrail"));
    command.arg("explain").args(arguments).current_dir(workspace.path(""));
    command.env("TMPDIR", workspace.path("")).stdin(Stdio::piped());
    let mut running = Workspace::start(command);
    let mut stdin = running.child.stdin.take().unwrap();
    // Writing fails with a closed pipe if the program rejects its input.
    let _ = stdin.write_all(input);
    drop(stdin);
    let finished = running.finish();
    assert_eq!(workspace.list(""), [""; 0], "temporary files are left");
    finished
}

#[test]
fn standard_input_is_kept_to_be_read_twice() {
    let events = lines("testdata/trailco/events/2025-04.ndjson").join("\n");
    for input in [events.clone().into_bytes(), gzip(events.as_bytes())] {
        let report = json(piped(&input, &["--email", "ana@acme.example", "--format", "json"]));
        assert_eq!(report["leads"][0]["signals"], 12, "{report:#}");
        assert_eq!(report["events"][0]["file"], "-");
    }
    let small = ["-", "--email", "ana@acme.example", "--max-spool", "1kB"];
    piped(events.as_bytes(), &small).exits(2).says("raise --max-spool, or name a file");
}

#[test]
fn destination_filters_and_expressions_say_what_they_dropped() {
    let workspace = Workspace::new();
    workspace.write(
        "in.ndjson",
        r#"{"type":"track","event":"Ping","messageId":"m1","anonymousId":"a","properties":{"n":3,"secret":1}}
{"type":"track","event":"Pong","messageId":"m2","anonymousId":"a","properties":{"n":30}}
{"type":"identify","messageId":"m3","anonymousId":"a","traits":{"email":"ana@acme.example"}}
"#,
    );
    workspace.write(
        "filters.json",
        r#"[{"title":"No pongs","if":"event = \"Pong\"","enabled":true,"actions":[{"type":"DROP"}]},
           {"title":"Less","if":"all","enabled":true,"actions":[{"type":"DROP_PROPERTIES","fields":{"properties":["secret"]}}]}]"#,
    );
    let arguments = ["in.ndjson", "--email", "ana@acme.example"];
    let filtered = [&arguments[..], &["--filters", "filters.json"]].concat();
    let told = text(workspace.does("explain", &filtered));
    assert!(told.contains("destination filter \"No pongs\" drops it"), "{told}");
    assert!(told.contains("by destination filter \"Less\""), "{told}");
    let limited = [&arguments[..], &["--where", "type = 'identify' or properties.n > 5"]].concat();
    let told = text(workspace.does("explain", &limited));
    assert!(
        told.contains("--where is not true of it: type = 'identify' or properties.n > 5"),
        "{told}"
    );
    let unseen = [&arguments[..], &["--where", "type = 'track'"]].concat();
    let told = text(workspace.does("explain", &unseen));
    assert!(told.contains("none: no event that is sent leads to an e-mail"), "{told}");
    assert!(told.contains("identify  not sent"), "{told}");
}

#[test]
fn covered_events_are_named_but_not_explained() {
    let workspace = Workspace::new();
    workspace.write(
        "in.ndjson",
        r#"{"type":"track","event":"Ping","messageId":"m1","anonymousId":"a","timestamp":"2025-05-01T10:00:00Z"}
{"type":"identify","messageId":"m2","anonymousId":"a","userId":"u","traits":{"email":"ana@acme.example"},"timestamp":"2025-05-01T10:01:00Z"}
{"type":"delete","messageId":"m3","userId":"u","timestamp":"2025-05-01T10:02:00Z"}
{"type":"track","event":"Pong","messageId":"m4","anonymousId":"a","timestamp":"2025-05-01T10:03:00Z"}
{"type":"track","event":"Ping","messageId":"m5","anonymousId":"b","timestamp":"2025-05-01T10:04:00Z"}
"#,
    );
    let explained = |subject: [&str; 2]| {
        let arguments = [&["in.ndjson"], &subject[..], &["--format", "json"]].concat();
        json(workspace.does("explain", &arguments))
    };
    let covered = |subject| {
        let report = explained(subject);
        let events = report["events"].as_array().unwrap();
        let deleted = events.iter().filter(|event| event["status"]["is"] == "deleted");
        deleted.map(|event| event["line"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(covered(["--email", "ana@acme.example"]), [1, 2]);
    assert_eq!(covered(["--user-id", "u"]), [2]);
    assert_eq!(covered(["--anonymous-id", "a"]), [1, 2]);
    assert_eq!(covered(["--message-id", "m1"]), [1]);
    assert_eq!(covered(["--anonymous-id", "b"]), [0; 0]);
    let report = explained(["--anonymous-id", "a"]);
    let event = &report["events"][1];
    for member in ["event", "message_id", "anonymous_id", "user_id", "signal"] {
        assert!(event[member].is_null(), "{event:#}");
    }
    assert_eq!(report["events"][2]["status"]["is"], "kept");
    let told = text(workspace.does("explain", &["in.ndjson", "--email", "ana@acme.example"]));
    assert!(told.contains("no event that is left leads to an e-mail"), "{told}");
    assert!(told.contains("a deletion request covers it"), "{told}");
}

#[test]
fn losses_by_the_plan_are_explained_by_the_volume_of_the_whole_input() {
    let workspace = Workspace::new();
    // Three events of the other visitor fill the plan; one event of the next minute fits.
    let event = |id: &str, minute: u32, second: u32, visitor: &str| {
        format!(
            r#"{{"type":"track","event":"Ping","messageId":"{id}","anonymousId":"{visitor}","timestamp":"2025-05-01T10:{minute:02}:{second:02}Z"}}"#
        ) + "\n"
    };
    let events = [
        event("m1", 0, 0, "other"),
        event("m2", 0, 1, "a"),
        event("m3", 1, 1, "other"),
        event("m4", 1, 2, "a"),
        event("m5", 2, 0, "a"),
        event("m6", 3, 0, "other"),
    ];
    workspace.write("in.ndjson", events.concat());
    workspace.write("limited.toml", "version = 1\n[plan]\nraw_signals = 3\n");
    workspace.write("free.toml", "version = 1\n");
    let over = |rules: &str, more: &[&str]| {
        let arguments = ["in.ndjson", "--rules", rules, "--anonymous-id", "a", "--format", "json"];
        let report = json(workspace.does("explain", &[&arguments[..], more].concat()));
        let events = report["events"].as_array().unwrap();
        events.iter().map(|event| event["over_plan"].as_bool()).collect::<Vec<_>>()
    };
    assert_eq!(over("limited.toml", &[]), [Some(false), Some(true), Some(true)]);
    assert_eq!(over("free.toml", &[]), [None; 3]);
    // Dropped events do not count.
    let sent = ["--where", "anonymousId = 'a'"];
    assert_eq!(over("limited.toml", &sent), [Some(false); 3]);
    let told = text(
        workspace.does("explain", &["in.ndjson", "--rules", "limited.toml", "--message-id", "m5"]),
    );
    assert!(told.contains("over the limit when it arrived"), "{told}");
}

#[test]
fn faults_of_the_input_are_reported_and_change_the_exit_code() {
    let workspace = Workspace::new();
    let events = lines("testdata/trailco/events/2025-04.ndjson").join("\n");
    let mut bytes = gzip(events.as_bytes());
    bytes.truncate(bytes.len() - 20);
    workspace.write("cut.gz", bytes);
    workspace.write("whole.ndjson", events);
    let arguments = ["cut.gz", "whole.ndjson", "--email", "ana@acme.example"];
    let finished = workspace.does("explain", &arguments).exits(2).says("cut.gz");
    assert!(String::from_utf8_lossy(&finished.stdout).contains("\nfault       cut.gz"));
    workspace.does("explain", &["cut.gz", "--email", "a@b.example", "--strict"]).exits(2);
    workspace.write("empty.ndjson", "");
    let empty = ["empty.ndjson", "--email", "a@b.example"];
    workspace.does("explain", &empty).exits(2).says("no event in the input");
}
