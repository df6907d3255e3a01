//! Inputs in practice: folders with unrelated files, pipes, and files that change in the meantime.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Workspace, assert_ledger_holds, gzip, track, unbroken};

fn ids(workspace: &Workspace, out: &str) -> Vec<String> {
    let rows = workspace.rows(&format!("{out}/signals.csv"));
    rows.into_iter().map(|row| row["message_id"].clone()).collect()
}

/// The paths of the inputs that the report lists.
fn inputs(workspace: &Workspace, out: &str) -> Vec<String> {
    let report = workspace.report(out);
    let inputs = report["inputs"].as_array().unwrap().iter();
    inputs.map(|input| input["path"].as_str().unwrap().into()).collect()
}

#[test]
fn a_pattern_with_links_that_lead_back_ends_with_each_file_once() {
    let workspace = Workspace::new();
    workspace.write("d/a.ndjson", track("m1"));
    workspace.write("d/x/b.ndjson", track("m2"));
    for name in ["d/l1", "d/l2", "d/x/l3"] {
        symlink(".", workspace.path(name)).unwrap();
    }
    workspace.run(["d/**/*.ndjson", "-o", "out"]).exits(0);
    assert_eq!(inputs(&workspace, "out"), ["d/a.ndjson", "d/x/b.ndjson"]);
}

#[test]
fn a_pipe_without_a_writer_yields_to_the_first_signal() {
    for signal in ["-INT", "-TERM"] {
        let workspace = Workspace::new();
        let pipe = workspace.path("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let mut running = Workspace::start(workspace.command(["pipe", "-o", "out"]));
        let start = Instant::now();
        while !workspace.path("out").exists() {
            assert!(start.elapsed() < Duration::from_secs(60), "the run does not begin");
            std::thread::sleep(Duration::from_millis(5));
        }
        let id = running.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        let start = Instant::now();
        while running.child.try_wait().unwrap().is_none() {
            assert!(start.elapsed() < Duration::from_secs(60), "{signal} does not end the run");
            std::thread::sleep(Duration::from_millis(5));
        }
        running.finish().exits(130).says("interrupted; nothing was written");
        assert!(!workspace.path("out").exists());
    }
}

#[test]
fn a_file_that_is_cut_while_it_is_read_is_a_fault() {
    for pack in [|bytes: &[u8]| bytes.to_vec(), gzip as fn(&[u8]) -> Vec<u8>] {
        let workspace = Workspace::new();
        let lines: String = (0..2000).map(|number| track(&format!("m{number}"))).collect();
        workspace.write("b.ndjson", pack(lines.as_bytes()));
        // The run finds both files, then waits for the first one while the second one is truncated.
        assert!(Command::new("mkfifo").arg(workspace.path("a")).status().unwrap().success());
        let arguments = ["a", "b.ndjson", "-o", "out", "--threads", "1"];
        let running = Workspace::start(workspace.command(arguments));
        let start = Instant::now();
        while !workspace.path("out").exists() {
            assert!(start.elapsed() < Duration::from_secs(60), "the run does not begin");
            std::thread::sleep(Duration::from_millis(5));
        }
        let file = fs::File::options().write(true).open(workspace.path("b.ndjson")).unwrap();
        file.set_len(1000).unwrap();
        fs::write(workspace.path("a"), track("first")).unwrap();
        running.finish().exits(2).says("b.ndjson: byte 1000: ").says("cut off while it was read");
        assert_ledger_holds(&workspace, "out");
        assert_eq!(ids(&workspace, "out")[0], "first");
    }
}

#[test]
fn a_file_that_grows_is_read_to_its_end() {
    let workspace = Workspace::new();
    workspace.write("b.ndjson", track("m1"));
    assert!(Command::new("mkfifo").arg(workspace.path("a")).status().unwrap().success());
    let arguments = ["a", "b.ndjson", "-o", "out", "--threads", "1"];
    let running = Workspace::start(workspace.command(arguments));
    let start = Instant::now();
    while !workspace.path("out").exists() {
        assert!(start.elapsed() < Duration::from_secs(60), "the run does not begin");
        std::thread::sleep(Duration::from_millis(5));
    }
    let mut file = fs::File::options().append(true).open(workspace.path("b.ndjson")).unwrap();
    file.write_all(track("m2").as_bytes()).unwrap();
    fs::write(workspace.path("a"), track("first")).unwrap();
    running.finish().exits(0);
    assert_eq!(ids(&workspace, "out"), ["first", "m1", "m2"]);
}

#[test]
fn outputs_of_an_earlier_run_in_an_input_folder_are_skipped_with_a_warning() {
    let formats = "csv,ndjson,json,parquet";
    let workspace = Workspace::new();
    workspace.write("d/events.ndjson", track("m1") + "{\n");
    for _ in 0..3 {
        let arguments = ["d", "-o", "d", "--overwrite", "--format", formats];
        workspace.run(arguments).exits(0);
        assert_eq!(inputs(&workspace, "d"), ["d/events.ndjson"]);
        assert_ledger_holds(&workspace, "d");
    }
    let finished = workspace.run(["d", "-o", "out"]).exits(0);
    for name in workspace.list("d").iter().filter(|name| *name != "events.ndjson") {
        assert!(finished.stderr.contains(&format!("d/{name}: skipped")), "{name}\n{finished}");
    }
    assert_eq!(inputs(&workspace, "out"), ["d/events.ndjson"]);
}

#[test]
fn events_in_a_file_that_is_called_like_an_output_are_read() {
    let workspace = Workspace::new();
    workspace.write("d/signals.ndjson", track("m1"));
    workspace.write("d/report.json", track("m2"));
    workspace.run(["d", "-o", "out"]).exits(0);
    assert_eq!(ids(&workspace, "out"), ["m2", "m1"]);
}

#[test]
fn files_of_a_folder_that_hold_no_json_are_one_warning_each() {
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    let others: [(&str, &[u8]); 6] = [
        ("README.md", b"# Events\n\n```json\n{\"type\": \"track\"}\n```\n"),
        ("list.csv", b"name,company\nAna,Acme\n"),
        ("manifest", b"a.ndjson 3\nb.ndjson 4\n"),
        ("logo.png", png),
        ("page.html", b"<!DOCTYPE html>\n<script>a = {}</script>\n"),
        ("utf16.csv", b"\xff\xfea\0,\0b\0\n\0"),
    ];
    let workspace = Workspace::new();
    workspace.write("in/events.ndjson", track("m1"));
    for (name, bytes) in others {
        workspace.write(&format!("in/{name}"), bytes);
    }
    let finished = workspace.run(["in", "-o", "out"]).exits(0);
    for (name, _) in others {
        let told = format!("in/{name}: skipped: ");
        assert_eq!(finished.stderr.matches(&told).count(), 1, "{name}\n{finished}");
    }
    assert_ledger_holds(&workspace, "out");
    assert_eq!(inputs(&workspace, "out"), ["in/events.ndjson"]);
    let warnings = workspace.report("out")["warnings"].as_array().unwrap().len();
    assert_eq!(warnings, others.len());
}

#[test]
fn a_format_that_is_not_read_is_one_error_that_names_it_and_what_to_do() {
    let tracks = b"id,received_at,anonymous_id,event,event_text,user_id\nm1,2025-03-01,a1,x,X,u1\n";
    let files: [(&str, &[u8], &str, &str); 8] = [
        ("s.parquet", b"PAR1\x15\0\x15\xd8\x01", "a Parquet file", "COPY (FROM"),
        ("e.avro", b"Obj\x01\x04\x14avro.codec", "an Avro file", "avro-tools"),
        ("e.orc", b"ORC\x0a\x00\x12", "an ORC file", "orc-contents"),
        ("e.7z", b"7z\xbc\xaf\x27\x1c\0\x04", "a 7z archive", "unpack it"),
        ("e.rar", b"Rar!\x1a\x07\x01\0", "a RAR archive", "unpack it"),
        ("e.db", b"SQLite format 3\0\x10\0", "a SQLite database", "sqlite3 -json"),
        ("tracks.csv", tracks, "a warehouse export of tracks", "Amazon S3"),
        ("logo.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a PNG image", "JSON events are read"),
    ];
    for (name, bytes, what, remedy) in files {
        let workspace = Workspace::new();
        workspace.write(name, bytes);
        workspace.write("events.ndjson", track("m1"));
        let finished = workspace.run([name, "events.ndjson", "-o", "out"]).exits(2);
        let finished = finished.says(&format!("{name}: ")).says(what).says(remedy);
        assert_eq!(unbroken(&finished.stderr).matches(what).count(), 1, "{finished}");
        assert_eq!(ids(&workspace, "out"), ["m1"], "the others are read");
        assert!(workspace.rejects("out").is_empty());

        let finished = workspace.run([name, "-o", "alone"]).exits(2).says(what).says(remedy);
        assert_eq!(finished.stderr.lines().count(), 1, "{finished}");
        assert!(!workspace.path("alone").exists());
    }
}

#[test]
fn data_in_a_folder_that_is_not_read_is_an_error_and_the_others_are_read() {
    let workspace = Workspace::new();
    workspace.write("in/a.parquet", b"PAR1\x15\0\x15\xd8\x01");
    workspace.write("in/b.ndjson", track("m1"));
    workspace.run(["in", "-o", "out"]).exits(2).says("in/a.parquet: ").says("a Parquet file");
    assert_eq!(ids(&workspace, "out"), ["m1"]);
}

#[test]
fn a_table_in_standard_input_is_named_too() {
    let workspace = Workspace::new();
    let mut command = workspace.command(["-", "-o", "out"]);
    command.stdin(Stdio::piped());
    let mut running = Workspace::start(command);
    let table = b"name,company\nAna,Acme\n";
    running.child.stdin.take().unwrap().write_all(table).unwrap();
    running.finish().exits(2).says("-: this is a CSV table");
}

#[test]
fn a_zstd_window_that_is_too_large_is_named_with_the_way_around_it() {
    // A frame header that requires a window of 2 GiB, and an empty last block.
    let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x01, 0x00, 0x00];
    let workspace = Workspace::new();
    workspace.write("e.zst", frame);
    let finished = workspace.run(["e.zst", "-o", "out"]).exits(2);
    let finished = finished.says("unsupported zstd window").says("zstd -d --long=31");
    assert!(!finished.stderr.contains("corrupt"), "{finished}");
}
