//! Faults of input, arguments and environment: what is kept, what is reported, and the exit code.

use std::fs;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::{
    Finished, Row, Running, Workspace, assert_ledger_holds, gzip, testdata, track,
};
use serde_json::{Value, json};

/// The maximum time for anything on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Runs over `events.ndjson` with these `bytes` and checks that every record is counted.
#[track_caller]
fn run_over(bytes: impl AsRef<[u8]>, code: i32) -> (Workspace, Finished) {
    let workspace = Workspace::new();
    workspace.write("events.ndjson", bytes);
    let finished = workspace.run(["events.ndjson", "-o", "out"]).exits(code);
    assert_ledger_holds(&workspace, "out");
    (workspace, finished)
}

#[track_caller]
fn column(workspace: &Workspace, table: &str, name: &str) -> Vec<String> {
    let rows: Vec<Row> = workspace.rows(&format!("out/{table}.csv"));
    rows.into_iter().map(|mut row| row.remove(name).unwrap()).collect()
}

/// Returns the rejects as `[line, offset, reason]`.
fn places(workspace: &Workspace) -> Value {
    let rejects = workspace.rejects("out");
    rejects
        .iter()
        .map(|reject| json!([reject["line"], reject["offset"], reject["reason"]]))
        .collect()
}

#[test]
fn the_decoded_part_of_a_truncated_gzip_file_is_used_and_the_fault_reported() {
    let events: String = (0..5000).map(|n| track(&format!("m{n}"))).collect();
    let whole = gzip(events.as_bytes());
    let cut = &whole[..whole.len() / 2];
    let workspace = Workspace::new();
    workspace.write("cut.gz", cut);
    workspace.write("good.ndjson", track("good"));
    let place = format!("cut.gz: byte {}: ", cut.len());
    workspace.run(["cut.gz", "good.ndjson", "-o", "out"]).exits(2).says(&place);
    assert_ledger_holds(&workspace, "out");
    let report = workspace.report("out");
    assert_eq!(report["faults"].as_array().unwrap().len(), 1);
    assert_eq!(report["faults"][0]["path"], "cut.gz");
    assert_eq!(report["faults"][0]["offset"], cut.len());
    let ids = column(&workspace, "signals", "message_id");
    let kept = ids.len() - 1;
    assert!((1000..4999).contains(&kept), "{kept} events of the first half are kept");
    let expected = (0..kept).map(|n| format!("m{n}")).chain(["good".to_owned()]);
    assert_eq!(ids, expected.collect::<Vec<_>>());

    workspace.run(["cut.gz", "good.ndjson", "-o", "quiet", "--quiet"]).exits(2).says(&place);
    let strict = workspace.run(["cut.gz", "good.ndjson", "-o", "strict", "--strict"]);
    strict.exits(2).says("cut.gz").says(&format!("byte {}", cut.len()));
    assert!(!workspace.path("strict").exists());
}

/// Returns the peak memory of a run so far, in bytes, or `None` if it has ended.
#[cfg(target_os = "linux")]
fn peak_memory(running: &Running) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", running.child.id())).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib << 10)
}

#[test]
#[cfg(target_os = "linux")]
fn a_line_of_100_mb_is_rejected_without_being_held_in_memory() {
    const LENGTH: usize = 100_000_000;
    let workspace = Workspace::new();
    let mut file = BufWriter::new(fs::File::create(workspace.path("events.ndjson")).unwrap());
    let before = track("before");
    file.write_all(before.as_bytes()).unwrap();
    file.write_all(b"{\"anonymousId\":\"").unwrap();
    let megabyte = vec![b'x'; 1_000_000];
    (0..LENGTH / megabyte.len()).for_each(|_| file.write_all(&megabyte).unwrap());
    file.write_all(b"\"}\n").unwrap();
    file.write_all(track("after").as_bytes()).unwrap();
    file.into_inner().unwrap();

    let command = workspace.command(["events.ndjson", "-o", "out", "--threads", "2"]);
    let mut running = Workspace::start(command);
    let mut peak = 0;
    while running.child.try_wait().unwrap().is_none() {
        peak = peak.max(peak_memory(&running).unwrap_or(0));
        std::thread::sleep(Duration::from_millis(1));
    }
    running.finish().exits(0).says("too_large 1");
    assert!((1..200_000_000).contains(&peak), "{peak} bytes of memory");
    assert_ledger_holds(&workspace, "out");
    assert_eq!(column(&workspace, "signals", "message_id"), ["before", "after"]);
    assert_eq!(places(&workspace), json!([[2, before.len(), "too_large"]]));
    let shown = workspace.rejects("out")[0]["record"].as_str().unwrap().len();
    assert_eq!(shown, 4096);
}

#[test]
fn a_binary_file_among_good_ones_is_only_rejects() {
    let workspace = Workspace::new();
    // Noise that contains every byte value.
    let noise = (0u32..200_000).map(|n| (n.wrapping_mul(2_654_435_761) >> 11).to_le_bytes()[1]);
    workspace.write("a.bin", [b"\x7fELF\0".to_vec(), noise.collect()].concat());
    workspace.write("b.ndjson", track("good"));
    workspace.run([".", "-o", "out"]).exits(0);
    assert_ledger_holds(&workspace, "out");
    assert_eq!(column(&workspace, "signals", "message_id"), ["good"]);
    assert!(workspace.report("out")["rejects"]["total"].as_u64() > Some(100));
    let finished = workspace.run(["a.bin", "-o", "none"]).exits(2).says("no event in the input");
    assert!(finished.stderr.len() < 500, "a binary file floods the terminal\n{finished}");
}

#[test]
fn a_fault_is_reported_even_if_everything_before_it_is_rejected() {
    let workspace = Workspace::new();
    let packed = gzip("{\"a\":1}\n".repeat(100).as_bytes());
    workspace.write("cut.gz", &packed[..packed.len() - 4]);
    workspace.run(["cut.gz", "-o", "out"]).exits(2).says("not_segment").says("cut.gz: at byte ");
}

#[test]
fn ten_thousand_levels_are_too_deep() {
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let deep = format!("{}1{}", open.repeat(10_000), close.repeat(10_000));
        let event = track("deep")
            .replace("\"anonymousId\"", &format!("\"properties\":{deep},\"anonymousId\""));
        let (first, last) = (track("m1"), track("m2"));
        let (workspace, _) = run_over([first.as_str(), &event, &deep, "\n", &last].concat(), 0);
        assert_eq!(column(&workspace, "signals", "message_id"), ["m1", "m2"]);
        let second = first.len() + event.len();
        assert_eq!(
            places(&workspace),
            json!([[2, first.len(), "too_deep"], [3, second, "too_deep"]])
        );
    }
}

#[test]
fn a_line_that_is_not_utf8_is_rejected_alone() {
    let (first, last) = (track("m1"), track("m3"));
    let bad = track("m2").replace("Ping", "P\u{1}ng").into_bytes();
    let bad: Vec<u8> = bad.into_iter().map(|byte| if byte == 1 { 0xe9 } else { byte }).collect();
    let (workspace, _) = run_over([first.as_bytes(), &bad, last.as_bytes()].concat(), 0);
    assert_eq!(column(&workspace, "signals", "message_id"), ["m1", "m3"]);
    assert_eq!(places(&workspace), json!([[2, first.len(), "not_utf8"]]));
    let record = workspace.rejects("out")[0]["record"].as_str().unwrap().to_owned();
    assert!(record.contains("P\u{fffd}ng"), "{record}");
}

#[test]
fn half_a_surrogate_pair_is_replaced_and_a_whole_one_is_a_character() {
    let lines = [
        track("m1").replace("Ping", r"\ud83d"),
        track("m2").replace("Ping", r"\ude00"),
        track("m3").replace("Ping", r"\ud83d\ude00"),
        track("m4").replace("Ping", r"\ud83d\u0041"),
    ];
    let (workspace, _) = run_over(lines.concat(), 0);
    let names = ["\u{fffd}", "\u{fffd}", "\u{1f600}", "\u{fffd}A"];
    assert_eq!(column(&workspace, "signals", "event"), names);
    assert_eq!(workspace.report("out")["events"]["lone_surrogates"], 3);
}

#[test]
fn the_last_of_several_members_with_one_name_counts_at_every_depth() {
    let twice = r#"{"type":"page","event":"A","type":"track","event":"B","messageId":"m1","anonymousId":"a1","anonymousId":"a2","timestamp":"2025-05-01T00:00:00Z","context":{"page":{"url":"https://one.example/","url":"https://two.example/"}},"context":{"page":{"url":"https://three.example/","u\u0072l":"https://four.example/"}}}"#;
    let once = r#"{"anonymousId":"a2","context":{"page":{"url":"https://four.example/"}},"event":"B","messageId":"m1","timestamp":"2025-05-01T00:00:00Z","type":"track"}"#;
    let (workspace, _) = run_over(format!("{twice}\n{once}\n"), 0);
    assert_eq!(column(&workspace, "signals", "event"), ["B"]);
    assert_eq!(column(&workspace, "signals", "type"), ["track"]);
    assert_eq!(column(&workspace, "signals", "anonymous_id"), ["a2"]);
    assert_eq!(column(&workspace, "signals", "page_url"), ["https://four.example/"]);
    assert_eq!(workspace.report("out")["events"]["duplicates"], 1, "both have one content");
}

#[test]
fn a_number_past_all_doubles_is_null_and_a_long_integer_is_not() {
    let long = "1234567890123456789012345678901234567890";
    let with = |id: &str, number: &str| {
        track(id).replace(
            "\"anonymousId\"",
            &format!("\"properties\":{{\"n\":{number}}},\"anonymousId\""),
        )
    };
    let lines = [with("m1", "1e400"), with("m2", "-1e400"), with("m3", long), with("m4", "1e-400")];
    let workspace = Workspace::new();
    workspace.write("events.ndjson", lines.concat());
    workspace.write(
        "rules.toml",
        "version = 1\n[[rule]]\nid = 'n'\nwhen = 'all'\nmap = { n = 'properties.n' }\n",
    );
    workspace.run(["events.ndjson", "-o", "out", "--rules", "rules.toml"]).exits(0);
    assert_ledger_holds(&workspace, "out");
    assert_eq!(workspace.report("out")["events"]["non_finite_numbers"], 2);
    assert_eq!(column(&workspace, "signals", "n"), ["", "", "1.2345678901234568e+39", "0"]);
}

#[test]
fn ids_are_strings_or_numbers_and_nothing_else() {
    let id = |message: &str, value: &str| track(message).replace("\"a1\"", value);
    let lines = [
        id("m1", "42"),
        id("m2", "\"42\""),
        id("m3", "{\"id\":\"a\"}"),
        id("m4", "[\"a\"]"),
        id("m5", "true"),
        id("m6", "null"),
        id("m7", "\" \\t \""),
        id("m8", "\"\""),
        track("m9").replace("\"m9\"", "9"),
        track("m10").replace("\"m10\"", "{}"),
        track("m11").replace("\"m11\"", "\"  \""),
        id("m12", "{}").replace("\"anonymousId\"", "\"userId\":7.5,\"anonymousId\""),
    ];
    let (workspace, _) = run_over(lines.concat(), 0);
    assert_eq!(column(&workspace, "signals", "message_id"), ["m1", "m2", "9", "m12"]);
    assert_eq!(column(&workspace, "signals", "anonymous_id"), ["42", "42", "a1", ""]);
    assert_eq!(column(&workspace, "signals", "user_id"), ["", "", "", "7.5"]);
    let report = workspace.report("out");
    assert_eq!(report["rejects"]["by_reason"]["missing_identity"], 6);
    assert_eq!(report["rejects"]["by_reason"]["missing_message_id"], 2);
    assert_eq!(report["identity"]["anonymous_ids"]["seen"], 2, "42 and \"42\" are one id");
}

#[test]
fn traits_that_are_no_object_have_no_email() {
    let identify = |id: &str, traits: &str| {
        let call = format!("\"identify\",\"traits\":{traits}");
        track(id).replace("\"track\"", &call)
    };
    let lines = [
        identify("m1", "\"ana@acme.example\""),
        identify("m2", "[\"ana@acme.example\"]"),
        identify("m3", "{\"email\":{\"work\":\"ana@acme.example\"}}"),
        identify("m4", "7"),
        track("m5"),
    ];
    let (workspace, _) = run_over(lines.concat(), 0);
    assert_eq!(column(&workspace, "signals", "resolution"), ["cold"]);
    assert_eq!(workspace.report("out")["leads"]["total"], 0);
    assert_eq!(workspace.report("out")["identity"]["identify_without_email"], 3);
    assert_eq!(workspace.report("out")["identity"]["invalid_email"], 1);
}

#[test]
fn invalid_times_do_not_reject_the_event() {
    let times =
        ["0000-00-00T00:00:00Z", "10000-01-01T00:00:00Z", "2025-02-30T00:00:00Z", "", "soon"];
    let lines = times
        .iter()
        .enumerate()
        .map(|(place, time)| track(&format!("m{place}")).replace("2025-05-01T00:00:00Z", time));
    let last = track("last").replace("2025-05-01T00:00:00Z", "9999-12-31T23:59:59.999Z");
    let (workspace, _) = run_over(lines.chain([last]).collect::<String>(), 0);
    let expected = ["", "", "", "", "", "9999-12-31T23:59:59.999Z"];
    assert_eq!(column(&workspace, "signals", "timestamp"), expected);
    assert_eq!(workspace.report("out")["events"]["no_timestamp"], 5);
}

#[test]
fn an_unreadable_file_of_a_folder_is_reported_and_the_others_are_used() {
    let workspace = Workspace::new();
    workspace.write("in/a.ndjson", track("m1"));
    symlink("nowhere", workspace.path("in/b.ndjson")).unwrap();
    workspace.write("in/c.ndjson", track("m2"));
    workspace.run(["in", "-o", "out"]).exits(2).says("in/b.ndjson: ");
    assert_ledger_holds(&workspace, "out");
    assert_eq!(column(&workspace, "signals", "message_id"), ["m1", "m2"]);
    assert_eq!(workspace.report("out")["faults"][0]["path"], "in/b.ndjson");
    workspace.run(["in", "-o", "strict", "--strict"]).exits(2).says("in/b.ndjson: ");
    assert!(!workspace.path("strict").exists());
}

#[test]
fn an_argument_that_names_nothing_ends_the_run_before_it_begins() {
    let workspace = Workspace::new();
    workspace.write("good.ndjson", track("m1"));
    workspace.run(["good.ndjson", "missing.ndjson", "-o", "out"]).exits(2).says("missing.ndjson");
    workspace.run(["good.ndjson", "*.gz", "-o", "out"]).exits(2).says("*.gz");
    assert_eq!(workspace.list("."), ["good.ndjson"]);
}

#[test]
fn an_output_folder_that_is_a_file_is_an_error_and_stays() {
    let workspace = Workspace::new();
    workspace.write("good.ndjson", track("m1"));
    workspace.write("out", "mine");
    for out in ["out", "out/below"] {
        workspace.run(["good.ndjson", "-o", out, "--overwrite"]).exits(2).says(out);
    }
    assert_eq!(workspace.read("out"), b"mine");
    assert_eq!(workspace.list("."), ["good.ndjson", "out"]);
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_an_error() {
    for (events, format) in [(1, "csv"), (20_000, "csv"), (1, "parquet"), (1, "json")] {
        let workspace = Workspace::new();
        let lines: String = (0..events).map(|n| track(&format!("m{n}"))).collect();
        workspace.write("events.ndjson", lines);
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let mut command = workspace.command(["events.ndjson", "-o", "-", "--format", format]);
        let child = command.stdout(full).stderr(Stdio::piped()).spawn().unwrap();
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{format} of {events}: {stderr}");
        assert!(stderr.contains("No space left"), "{format} of {events}: {stderr}");
    }
}

#[test]
fn a_closed_reader_ends_the_run_silently() {
    let workspace = Workspace::new();
    let lines: String = (0..50_000).map(|n| track(&format!("m{n}"))).collect();
    workspace.write("events.ndjson", lines);
    let mut running = Workspace::start(workspace.command(["events.ndjson", "-o", "-"]));
    let mut stdout = BufReader::new(running.child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    assert!(line.starts_with("signal_id,"), "{line}");
    drop(stdout);
    running.finish().exits(0).says_nothing();
}

/// Waits until `running` has ended.
#[track_caller]
fn await_end(running: &mut Running, mut meanwhile: impl FnMut(&mut Running)) {
    let start = Instant::now();
    while running.child.try_wait().unwrap().is_none() {
        assert!(start.elapsed() < PATIENCE, "the run does not end");
        meanwhile(running);
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn ctrl_c_keeps_previous_files_and_leaves_no_others() {
    for before in [false, true] {
        let workspace = Workspace::new();
        if before {
            workspace.write("first.ndjson", track("first"));
            workspace.run(["first.ndjson", "-o", "out"]).exits(0);
        }
        let names = workspace.list("out");
        let contents: Vec<_> =
            names.iter().map(|name| workspace.read(&format!("out/{name}"))).collect();

        let mut command = workspace.command(["-", "-o", "out", "--overwrite", "--threads", "2"]);
        command.stdin(Stdio::piped());
        let mut running = Workspace::start(command);
        let mut stdin = running.child.stdin.take().unwrap();
        let lines: String = (0..1000).map(|n| track(&format!("m{n}"))).collect();
        // This exceeds the capacity of a pipe: once it is written, the run is reading.
        (0..40).for_each(|_| stdin.write_all(lines.as_bytes()).unwrap());
        let feeder = std::thread::spawn(move || while stdin.write_all(lines.as_bytes()).is_ok() {});
        running.interrupt();
        await_end(&mut running, |_| ());
        feeder.join().unwrap();
        running.finish().exits(130).says("interrupted");

        assert_eq!(workspace.list("out"), names);
        assert_eq!(workspace.path("out").exists(), before);
        for (name, content) in names.iter().zip(contents) {
            assert_eq!(workspace.read(&format!("out/{name}")), content, "{name}");
        }
    }
}

#[test]
fn a_second_ctrl_c_ends_a_run_that_waits_for_input() {
    let workspace = Workspace::new();
    let mut command = workspace.command(["-", "-o", "out"]);
    command.stdin(Stdio::piped());
    let mut running = Workspace::start(command);
    let mut stdin = running.child.stdin.take().unwrap();
    stdin.write_all(track("m1").as_bytes()).unwrap();
    let start = Instant::now();
    while !workspace.path("out").exists() {
        assert!(start.elapsed() < PATIENCE, "the run does not begin");
        std::thread::sleep(Duration::from_millis(5));
    }
    await_end(&mut running, |running| running.interrupt());
    drop(stdin);
    running.finish().exits(130);
    assert_eq!(workspace.list("out"), [""; 0]);
}

#[test]
fn input_without_an_event_is_an_error_unless_it_is_expected() {
    for (name, bytes) in [("empty", ""), ("blank", "\n \r\n\n"), ("rejects", "{}\nnull\n")] {
        let workspace = Workspace::new();
        workspace.write("events.ndjson", bytes);
        workspace.run(["events.ndjson", "-o", "out"]).exits(2).says("--allow-empty");
        let kept: &[&str] = if name == "rejects" { &["rejects.ndjson"] } else { &[] };
        assert_eq!(workspace.list("out"), kept, "{name}");
        workspace.run(["events.ndjson", "-o", "out", "--allow-empty", "--overwrite"]).exits(0);
        assert_ledger_holds(&workspace, "out");
        assert!(workspace.read("out/signals.csv").ends_with(b"message_id\n"), "{name}");
    }
    let workspace = Workspace::new();
    workspace.run(["-", "-o", "out"]).exits(2).says("--allow-empty");
}

#[test]
fn more_rejects_than_the_limit_are_a_finding() {
    let workspace = Workspace::new();
    let lines: String = (0..8).map(|n| track(&format!("m{n}"))).collect();
    workspace.write("events.ndjson", lines + "{\nnull\n"); // 2 of 10 records
    for (limit, code) in
        [("0", 1), ("1", 1), ("2", 0), ("3", 0), ("0%", 1), ("19.9%", 1), ("20%", 0), ("100%", 0)]
    {
        let arguments = ["events.ndjson", "-o", "out", "--overwrite", "--max-rejects", limit];
        let finished = workspace.run(arguments).exits(code);
        if code == 1 {
            finished.says("2 of 10 records").says(limit);
        }
        assert_ledger_holds(&workspace, "out");
    }
    for limit in ["many", "-1", "101%", "%"] {
        let argument = format!("--max-rejects={limit}");
        workspace.run(["events.ndjson", "-o", "none", &argument]).exits(2).says("0.5%");
    }
}

#[test]
fn all_errors_of_a_rules_file_are_reported_with_positions_and_suggestions() {
    let rules = r#"version = 1
[identity]
blok = ["ana@acme.example"]
[[rule]]
id = "a"
when = 'lenght(event) = 3'
[[rule]]
id = "b"
when = 'event == "ana@acme.example"'
scroe = 4
"#;
    let workspace = Workspace::new();
    workspace.write("events.ndjson", track("m1"));
    workspace.write("rules.toml", rules);
    let finished = workspace.run(["events.ndjson", "-o", "out", "--rules", "rules.toml"]).exits(2);
    finished
        .says("rules.toml:3:1: ")
        .says("`block`")
        .says("rules.toml:6:9: ")
        .says("`length`")
        .says("rules.toml:9:15: ")
        .says("rules.toml:10:1: ")
        .says("`score`")
        .says("^^^^^^");
    let filter = "traits.email = 'ana@acme.example' und true";
    workspace.run(["events.ndjson", "-o", "out", "--where", filter]).exits(2).says("--where:1:35");
    workspace
        .run(["events.ndjson", "-o", "out", "--rules", "none.toml"])
        .exits(2)
        .says("none.toml");
    assert!(!workspace.path("out").exists());
}

#[test]
fn outputs_are_replaced_only_on_request_and_stale_ones_removed() {
    let workspace = Workspace::new();
    workspace.write("first.ndjson", track("m1") + "{\n");
    workspace.write("second.ndjson", track("m2"));
    workspace.run(["first.ndjson", "-o", "out"]).exits(0);
    workspace.write("out/notes.txt", "mine");
    let before = workspace.list("out");
    assert_eq!(
        before,
        ["leads.csv", "notes.txt", "rejects.ndjson", "report.html", "report.json", "signals.csv"]
    );

    let again = workspace.run(["second.ndjson", "-o", "out"]);
    again.exits(2).says("out/").says("--overwrite");
    assert_eq!(workspace.list("out"), before);
    assert_eq!(column(&workspace, "signals", "message_id"), ["m1"]);

    workspace.run(["second.ndjson", "-o", "out", "--overwrite"]).exits(0);
    assert_eq!(column(&workspace, "signals", "message_id"), ["m2"]);
    let after = ["leads.csv", "notes.txt", "report.html", "report.json", "signals.csv"];
    assert_eq!(workspace.list("out"), after, "the first run's rejects are not the second's");

    workspace.write("empty.ndjson", "");
    workspace.run(["empty.ndjson", "-o", "out", "--overwrite"]).exits(2);
    assert_eq!(workspace.list("out"), after, "a failed run changes nothing");
    assert_eq!(column(&workspace, "signals", "message_id"), ["m2"]);
}

#[test]
fn outputs_are_for_their_owner_alone() {
    let workspace = Workspace::new();
    workspace.write("events.ndjson", track("m1") + "{\n");
    let formats = "csv,ndjson,json,parquet";
    workspace.run(["events.ndjson", "-o", "out", "--format", formats]).exits(0);
    let names = workspace.list("out");
    assert_eq!(names.len(), 11, "{names:?}");
    for name in names {
        let path = workspace.path("out").join(&name);
        let mode = fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

/// The outcome of each fixture according to the table in `testdata/README.md`: exit code, events,
/// rejects.
const FIXTURES: [(&str, i32, u64, u64); 27] = [
    ("blank-lines.ndjson", 0, 2, 0),
    ("bom.ndjson", 0, 2, 0),
    ("corrupt.ndjson.gz", 2, 2, 0),
    ("crlf.ndjson", 0, 3, 0),
    ("duplicate-keys.ndjson", 0, 3, 0),
    ("empty.ndjson", 0, 0, 0),
    ("events.ndjson.zst", 0, 2, 0),
    ("far-times.ndjson", 0, 10, 0),
    ("gzip-named-plain.ndjson.gz", 0, 2, 0),
    ("http-body.ndjson", 0, 1, 3),
    ("huge-number.ndjson", 0, 4, 0),
    ("ids.ndjson", 0, 5, 4),
    ("invalid-utf8.ndjson", 0, 2, 1),
    ("lone-surrogate.ndjson", 0, 3, 0),
    ("long-integer.ndjson", 0, 4, 0),
    ("multi-member.ndjson.gz", 0, 3, 0),
    ("no-final-newline.ndjson", 0, 2, 0),
    ("nul-bytes.ndjson", 0, 2, 2),
    ("pretty-array.json", 0, 3, 0),
    ("pretty-event.json", 0, 1, 0),
    ("scalars.ndjson", 0, 1, 8),
    ("too-deep.ndjson", 0, 2, 1),
    ("trailing-garbage.ndjson.gz", 2, 2, 0),
    ("traits-string.ndjson", 0, 4, 0),
    ("truncated.ndjson.gz", 2, 2, 0),
    ("two-pretty-events.json", 0, 2, 0),
    ("zero-padded.ndjson.gz", 0, 2, 0),
];

#[test]
fn every_bad_file_has_the_documented_outcome() {
    let mut names: Vec<_> = fs::read_dir(testdata("bad"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, FIXTURES.map(|(name, ..)| name));
    for (name, code, events, rejects) in FIXTURES {
        let workspace = Workspace::new();
        let input = testdata("bad").join(name);
        let arguments =
            [input.as_os_str(), "-o".as_ref(), "out".as_ref(), "--allow-empty".as_ref()];
        let finished = workspace.run(arguments).exits(code);
        assert_ledger_holds(&workspace, "out");
        let report = workspace.report("out");
        assert_eq!(report["events"]["total"], events, "events of {name}\n{finished}");
        assert_eq!(report["rejects"]["total"], rejects, "rejects of {name}\n{finished}");
        let faults = report["faults"].as_array().unwrap();
        assert_eq!(faults.len(), usize::from(code == 2), "faults of {name}\n{finished}");
        if let Some(fault) = faults.first() {
            let offset = fault["offset"].as_u64().unwrap();
            finished.says(&format!("{name}: byte {offset}: "));
        }
    }
}
