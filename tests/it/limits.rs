//! Hostile inputs under limits of the system: memory by `ulimit -d`, the stack by `ulimit -s`.
//!
//! The memory of a run depends on its options, not on its input: see [`bound`].

use std::io::Write;
use std::process::{Command, Stdio};
use std::thread;

use crate::support::{Finished, Workspace, gzip, track};

const MIB: usize = 1 << 20;
/// The value of `--memory` of these runs.
const MEMORY: usize = 16 * MIB;
const MAX_RECORD: usize = MIB;
const THREADS: usize = 2;

/// The program, the stacks of its threads, and the first arena of its allocator, which reserves 128
/// MiB before anything is read.
const AT_REST: usize = 160 * MIB;
/// The memory for the longest record while it is read, as a multiple of its length: its block, the
/// tape of the parser, and what is written of it.
const OF_A_RECORD: usize = 24;
/// The memory for a visitor or an event name during the run.
const OF_A_NAME: usize = 256;

/// Returns the maximum memory in bytes of a run with `--memory` and `--max-record-bytes`, for an input
/// with `names` visitors or event names.
fn bound(memory: usize, max_record: usize, names: usize) -> usize {
    AT_REST + memory + THREADS * OF_A_RECORD * max_record + names * OF_A_NAME
}

/// Feeds `input` to the program with `arguments`, limited to `limit` bytes and a stack of 512 KiB.
#[track_caller]
fn fed(
    workspace: &Workspace,
    arguments: &[&str],
    limit: usize,
    input: impl Iterator<Item = Vec<u8>> + Send,
) -> Finished {
    let mut command = Command::new("sh");
    let script = format!("ulimit -s 512 && ulimit -d {} && exec \"$0\" \"$@\"", limit >> 10);
    command.args(["-c", &script, env!("CARGO_BIN_EXE_backtrail")]).args(arguments);
    command.current_dir(workspace.path("")).env_remove("RUST_BACKTRACE");
    command.stdin(Stdio::piped());
    let described = format!("{command:?}");
    let mut running = Workspace::start(command);
    let mut stdin = running.child.stdin.take().unwrap();
    thread::scope(|scope| {
        scope.spawn(move || {
            for bytes in input {
                if stdin.write_all(&bytes).is_err() {
                    break; // the program has ended, which its exit code shows
                }
            }
        });
        let finished = running.finish();
        assert!(finished.status.code().is_some(), "{described}\n{finished}");
        finished
    })
}

/// Runs over `input` within the bound; the outputs are in the folder `out` of the workspace.
#[track_caller]
fn run(names: usize, input: impl Iterator<Item = Vec<u8>> + Send) -> Workspace {
    run_with(MEMORY, MAX_RECORD, names, input)
}

/// Runs over `input` with `--memory` and `--max-record-bytes` within their bound.
#[track_caller]
fn run_with(
    memory_bytes: usize,
    max_record: usize,
    names: usize,
    input: impl Iterator<Item = Vec<u8>> + Send,
) -> Workspace {
    let workspace = Workspace::new();
    let (memory, record) = (memory_bytes.to_string(), max_record.to_string());
    let mut arguments = vec!["run", "-", "-o", "out", "--threads", "2"];
    arguments.extend(["--memory", &memory, "--max-record-bytes", &record]);
    fed(&workspace, &arguments, bound(memory_bytes, max_record, names), input).exits(0);
    workspace
}

#[track_caller]
fn count(workspace: &Workspace, pointer: &str) -> u64 {
    workspace.report("out").pointer(pointer).unwrap().as_u64().unwrap()
}

/// `parts` between two events.
fn between(parts: impl IntoIterator<Item = Vec<u8>>) -> impl Iterator<Item = Vec<u8>> {
    let event = |id: &str| std::iter::once(track(id).into_bytes());
    event("first").chain(parts).chain(event("last"))
}

/// `count` parts of 1 MiB of `byte`.
fn megabytes(count: usize, byte: u8) -> impl Iterator<Item = Vec<u8>> {
    (0..count).map(move |_| vec![byte; MIB])
}

#[test]
fn hundreds_of_megabytes_without_a_line_end_are_one_reject() {
    let line = [b"{\"type\":\"track\",\"a\":\"".to_vec()].into_iter().chain(megabytes(256, b'x'));
    let workspace = run(0, between(line.chain([b"\"}\n".to_vec()])));
    assert_eq!(count(&workspace, "/rejects/by_reason/too_large"), 1);
    assert_eq!(count(&workspace, "/events/total"), 2);
    let workspace = run(0, [track("first").into_bytes()].into_iter().chain(megabytes(256, b'x')));
    assert_eq!(count(&workspace, "/events/total"), 1);
}

#[test]
fn a_million_open_brackets_need_no_stack() {
    let lines = || {
        let deep =
            ["[", "{\"a\":", "[{\"b\":"].map(|open| open.repeat(1_000_000 / open.len()) + "\n");
        between(deep.map(String::into_bytes))
    };
    let workspace = run(0, lines());
    assert_eq!(count(&workspace, "/events/total"), 2);
    assert_eq!(count(&workspace, "/rejects/total"), 3);
    workspace.write("allow.txt", "Ping\n");
    workspace.write("rules.toml", "version = 1\n");
    workspace.write("deep.ndjson", lines().flatten().collect::<Vec<u8>>());
    // These read records of the default 8 MiB.
    let limit = bound(MEMORY, 8 * MIB, 0);
    for arguments in [
        &["audit", "-", "--allow", "allow.txt"][..],
        &["queue", "-"],
        &["check", "deep.ndjson", "--rules", "rules.toml"],
    ] {
        let finished = fed(&workspace, arguments, limit, lines());
        assert!(finished.status.code() < Some(2), "{finished}");
    }
}

#[test]
fn records_that_are_all_structure_fit_into_their_multiple() {
    let record = |id: usize, item: &str, open: char, close: char| {
        let items = vec![item; (MAX_RECORD - 300) / (item.len() + 1)].join(",");
        let event = track(&format!("m{id}"));
        let member = format!("\"properties\":{{\"p\":{open}{items}{close}}},\"anonymousId\"");
        event.replace("\"anonymousId\"", &member).into_bytes()
    };
    let records = (0..8)
        .flat_map(|id| [record(2 * id, "0", '[', ']'), record(2 * id + 1, "\"k\":{}", '{', '}')]);
    let workspace = run(0, records);
    assert_eq!(count(&workspace, "/events/total"), 16);
}

#[test]
fn a_line_of_very_many_values_is_read_value_by_value() {
    let workspace = run(0, between([b"{}".repeat(MIB / 2), b"\n".to_vec()]));
    assert_eq!(count(&workspace, "/rejects/by_reason/not_segment"), MIB as u64 / 2);
    assert_eq!(count(&workspace, "/events/total"), 2);
}

#[test]
fn a_decompression_bomb_is_read_in_pieces() {
    let zeros = gzip(&megabytes(64, 0).flatten().collect::<Vec<u8>>());
    let event = gzip(track("first").as_bytes());
    // Compressed members, so that they need not be in memory here: 256 MiB of zeros each.
    let bomb = [event].into_iter().chain((0..4).map(move |_| zeros.clone()));
    let workspace = run(0, bomb);
    assert_eq!(count(&workspace, "/events/total"), 1);
}

#[test]
fn the_number_of_remembered_outlines_is_limited() {
    let line = |n: usize| {
        let member = format!("\"properties\":{{\"k{n}\":{{\"s{}\":{n}}}}},\"anonymousId\"", n * 7);
        track(&format!("m{n}")).replace("\"anonymousId\"", &member)
    };
    let lines =
        (0..30).map(move |part| (part * 1000..(part + 1) * 1000).map(line).collect::<String>());
    let workspace = run(0, lines.map(String::into_bytes));
    assert_eq!(count(&workspace, "/events/total"), 30_000);
}

#[test]
fn visitors_and_names_take_the_documented_memory() {
    const COUNT: usize = 60_000;
    for member in ["\"a1\"", "\"Ping\""] {
        let line = move |n: usize| {
            let value = format!("\"a value of its own, number {n:012}\"");
            track(&format!("m{n}")).replace(member, &value)
        };
        let parts = (0..COUNT / 1000).map(move |part| part * 1000..(part + 1) * 1000);
        let lines = parts.map(move |part| part.map(line).collect::<String>().into_bytes());
        let workspace = run(COUNT, lines);
        assert_eq!(count(&workspace, "/events/kept"), COUNT as u64);
    }
}

/// Runs over 400,000 events that `event` writes, of at most 1000 visitors. The limit is less than the
/// memory of a run that keeps their rows and keys in memory, which exceeds 180 MiB.
#[track_caller]
fn run_skewed(event: impl Fn(usize) -> String + Send + Copy) -> Workspace {
    const PART: usize = 1000;
    let parts = (0..400).map(move |part| {
        (part * PART..(part + 1) * PART).map(event).collect::<String>().into_bytes()
    });
    let workspace = run_with(4 * MIB, 64 << 10, 1000, parts);
    assert_eq!(count(&workspace, "/events/kept"), 400_000);
    workspace
}

/// An event of `anonymous`, and of `user` if there is one.
fn event_of(number: usize, anonymous: &str, user: Option<&str>) -> String {
    let user = user.map_or(String::new(), |user| format!(",\"userId\":\"{user}\""));
    let ids = format!("\"anonymousId\":\"{anonymous}\"{user}");
    track(&format!("m{number}")).replace("\"anonymousId\":\"a1\"", &ids)
}

/// An identify call with an e-mail.
fn identify(ids: &str) -> String {
    format!(
        r#"{{"type":"identify","messageId":"m0",{ids},"traits":{{"email":"ana@acme.example"}},"timestamp":"2025-05-01T00:00:00Z"}}"#
    ) + "\n"
}

#[test]
fn a_visitor_with_half_of_all_events_takes_no_more_memory() {
    let workspace = run_skewed(|number| match number {
        0 => identify(r#""anonymousId":"half""#),
        _ if number % 2 == 0 => event_of(number, "half", None),
        _ => event_of(number, &format!("a{}", number % 1000), None),
    });
    assert_eq!(count(&workspace, "/leads/total"), 1);
}

#[test]
fn a_user_id_that_every_event_has_takes_no_more_memory() {
    let workspace = run_skewed(|number| match number {
        0 => identify(r#""userId":"everyone""#),
        _ => event_of(number, &format!("a{}", number % 1000), Some("everyone")),
    });
    assert_eq!(count(&workspace, "/leads/total"), 1);
}

#[test]
fn events_whose_ids_are_all_blocked_take_no_more_memory() {
    let workspace = run_skewed(|number| event_of(number, "anonymous", Some("null")));
    assert_eq!(count(&workspace, "/identity/signals/cold"), 400_000);
}

#[test]
fn rejects_take_little_more_than_their_lines() {
    let lines = std::iter::repeat_with(|| b"1\n".repeat(MIB / 2)).take(2);
    let workspace = run(0, between(lines));
    assert_eq!(count(&workspace, "/rejects/total"), MIB as u64);
    let rejects = workspace.read("out/rejects.ndjson");
    assert_eq!(memchr::memchr_iter(b'\n', &rejects).count(), MIB);
}

#[test]
fn the_limit_is_in_force() {
    let workspace = Workspace::new();
    let mut command = Command::new("sh");
    let script = format!("ulimit -s 512 && ulimit -d {}; exec \"$0\" run - -o out", 12 << 10);
    command.args(["-c", &script, env!("CARGO_BIN_EXE_backtrail")]);
    command.current_dir(workspace.path("")).stdin(Stdio::null()).env_remove("RUST_BACKTRACE");
    let output = command.output().unwrap();
    assert!(!output.status.success());
    assert_eq!(workspace.list("out"), [""; 0]);
}
