//! Outputs never overwrite a file that is read, or replace anything but a regular file.

use std::fs;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::process::{Command, Stdio};

use crate::support::{Finished, Workspace, track};

const RULES: &str = "version = 1\n[[rule]]\nid = \"ping\"\nwhen = \"event = 'Ping'\"\nscore = 1\n";

/// A folder with events, rules and an allow list.
fn workspace() -> Workspace {
    let workspace = Workspace::new();
    workspace.write("d/in.ndjson", track("1") + &track("2"));
    workspace.write("r.toml", RULES);
    workspace.write("allow.txt", "Ping\nidentify\n");
    workspace
}

/// Every file below the workspace with its bytes.
fn everything(workspace: &Workspace) -> Vec<(String, Vec<u8>)> {
    let mut names = workspace.list("");
    names.extend(workspace.list("d").into_iter().map(|name| format!("d/{name}")));
    let files = names.into_iter().filter(|name| workspace.path(name).is_file());
    files.map(|name| (name.clone(), workspace.read(&name))).collect()
}

/// Asserts that `command` is refused with `said`, and changes no file.
#[track_caller]
fn refuses(workspace: &Workspace, said: &str, command: impl Fn() -> Finished) {
    let before = everything(workspace);
    command().exits(2).says(said);
    assert_eq!(everything(workspace), before);
}

#[test]
fn an_input_with_the_name_of_an_output_is_neither_deleted_nor_replaced() {
    let workspace = workspace();
    workspace.write("d/rejects.ndjson", track("3"));
    workspace.write("d/signals.ndjson", track("4"));
    let said = "is also read as an input";
    for arguments in [
        &["d/rejects.ndjson", "-o", "d", "--overwrite"][..],
        &["d/signals.ndjson", "-o", "d", "--overwrite", "--format", "ndjson"],
        &["d", "-o", "d", "--overwrite", "--format", "ndjson"],
        &["d/*.ndjson", "-o", "./d/../d", "--overwrite"],
    ] {
        refuses(&workspace, said, || workspace.run(arguments));
    }
}

#[test]
fn an_input_is_known_through_links_and_as_standard_input() {
    let workspace = workspace();
    fs::create_dir(workspace.path("out")).unwrap();
    fs::hard_link(workspace.path("d/in.ndjson"), workspace.path("out/leads.csv")).unwrap();
    let said = "leads.csv: is also read as an input";
    let arguments = ["d/in.ndjson", "-o", "out", "--overwrite"];
    refuses(&workspace, said, || workspace.run(arguments));
    refuses(&workspace, said, || {
        let mut command = workspace.command(["-", "-o", "out", "--overwrite"]);
        command.stdin(fs::File::open(workspace.path("d/in.ndjson")).unwrap());
        let output = command.output().unwrap();
        Finished::of(&command, output)
    });
    fs::remove_file(workspace.path("out/leads.csv")).unwrap();
    symlink("../d/in.ndjson", workspace.path("out/leads.csv")).unwrap();
    refuses(&workspace, said, || workspace.run(arguments));
}

#[test]
fn a_stream_is_not_appended_to_its_own_input() {
    let workspace = workspace();
    refuses(&workspace, "standard output: is also read as an input", || {
        let mut command = workspace.command(["d/in.ndjson", "-o", "-"]);
        let path = workspace.path("d/in.ndjson");
        command.stdout(fs::OpenOptions::new().append(true).open(path).unwrap());
        let output = command.output().unwrap();
        Finished::of(&command, output)
    });
}

#[test]
fn files_that_the_user_wrote_are_no_outputs() {
    let workspace = workspace();
    workspace.write("d/report.json", RULES.replace("version", "# JSON is not needed\nversion"));
    let run = ["d/in.ndjson", "-o", "d", "--overwrite", "--rules", "d/report.json"];
    refuses(&workspace, "report.json: is also read as the rules file", || workspace.run(run));

    for (html, said) in [("d/in.ndjson", "an input"), ("allow.txt", "the allow list")] {
        let audit = ["d/in.ndjson", "--allow", "allow.txt", "--html", html];
        refuses(&workspace, said, || workspace.does("audit", &audit));
    }
    for (report, said) in [
        ("json=d/in.ndjson", "an input"),
        ("sarif=./r.toml", "the rules file"),
        ("junit=allow.txt", "the allow list"),
    ] {
        let check =
            ["d/in.ndjson", "--rules", "r.toml", "--allow", "allow.txt", "--report", report];
        refuses(&workspace, said, || workspace.does("check", &check));
    }
}

#[test]
fn a_fixture_that_is_named_is_no_baseline_and_no_expected_table() {
    let workspace = workspace();
    workspace.write("d/other.ndjson", track("3"));
    let check = [
        "d/in.ndjson",
        "d/other.ndjson",
        "--rules",
        "r.toml",
        "--write-baseline",
        "--baseline",
        "d/in.ndjson",
    ];
    refuses(&workspace, "is also read as an input", || workspace.does("check", &check));
    workspace.write("d/leads.csv", track("4"));
    let check = ["d/in.ndjson", "d/leads.csv", "--rules", "r.toml", "--bless", "--expect", "d"];
    refuses(&workspace, "is also read as an input", || workspace.does("check", &check));
}

#[test]
fn two_outputs_on_one_path_are_refused() {
    let workspace = workspace();
    for second in ["sarif=out.json", "sarif=./out.json", "sarif=d/../out.json"] {
        let check =
            ["d/in.ndjson", "--rules", "r.toml", "--report", "json=out.json", "--report", second];
        let finished = workspace.does("check", &check).exits(2);
        assert!(finished.stderr.contains("two "), "{finished}");
        assert!(!workspace.path("out.json").exists());
    }
    let check = [
        "d/in.ndjson",
        "--rules",
        "r.toml",
        "--report",
        "json=b.json",
        "--write-baseline",
        "--baseline",
        "b.json",
    ];
    refuses(&workspace, "two outputs", || workspace.does("check", &check));
}

#[test]
fn only_regular_files_are_replaced_by_tables() {
    let workspace = workspace();
    fs::create_dir(workspace.path("out")).unwrap();
    let path = workspace.path("out/signals.csv");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let arguments = ["d/in.ndjson", "-o", "out", "--overwrite"];
    workspace.run(arguments).exits(2).says("signals.csv: is a FIFO");
    assert!(fs::symlink_metadata(&path).unwrap().file_type().is_fifo());
    fs::remove_file(&path).unwrap();

    // A leftover of another format, which would be removed.
    workspace.write("target", "kept");
    symlink("../target", workspace.path("out/rejects.ndjson")).unwrap();
    workspace.run(arguments).exits(2).says("rejects.ndjson: is a symbolic link");
    assert_eq!(workspace.list("out"), ["rejects.ndjson"]);
    assert_eq!(workspace.read("target"), b"kept");
}

#[test]
fn pipes_and_devices_are_written_to_as_they_are() {
    let workspace = workspace();
    let fifo = workspace.path("page");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let reader = Command::new("cat").arg(&fifo).stdout(Stdio::piped()).spawn().unwrap();
    let audit = ["d/in.ndjson", "--allow", "allow.txt", "--html", "page"];
    workspace.does("audit", &audit).exits(0);
    let page = reader.wait_with_output().unwrap().stdout;
    assert!(page.starts_with(b"<!doctype html>"));
    assert!(fs::symlink_metadata(&fifo).unwrap().file_type().is_fifo());

    workspace.does("audit", &[&audit[..4], &["/dev/null"]].concat()).exits(0);
    assert!(fs::symlink_metadata("/dev/null").unwrap().file_type().is_char_device());
}

#[test]
fn a_page_replaces_what_a_link_points_to_and_the_link_stays() {
    use std::os::unix::fs::PermissionsExt;
    let workspace = workspace();
    workspace.write("pages/old.html", "old");
    symlink("pages/old.html", workspace.path("page.html")).unwrap();
    let audit = ["d/in.ndjson", "--allow", "allow.txt", "--html", "page.html"];
    workspace.does("audit", &audit).exits(0);
    assert!(fs::symlink_metadata(workspace.path("page.html")).unwrap().is_symlink());
    assert!(workspace.read("pages/old.html").starts_with(b"<!doctype html>"));
    let mode = fs::metadata(workspace.path("page.html")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    symlink("nowhere", workspace.path("dangling")).unwrap();
    let audit = [&audit[..4], &["dangling"]].concat();
    workspace.does("audit", &audit).exits(2).says("dangling: is a link to nothing");
}

#[test]
fn of_two_runs_at_once_without_overwrite_exactly_one_succeeds() {
    let workspace = workspace();
    for _ in 0..8 {
        let both =
            [(); 2].map(|()| Workspace::start(workspace.command(["d/in.ndjson", "-o", "out"])));
        let codes = both.map(|running| running.finish().status.code());
        assert!(codes == [Some(0), Some(2)] || codes == [Some(2), Some(0)], "{codes:?}");
        assert_eq!(
            workspace.list("out"),
            ["leads.csv", "report.html", "report.json", "signals.csv"]
        );
        fs::remove_dir_all(workspace.path("out")).unwrap();
    }
}

#[test]
fn leftovers_of_a_killed_run_are_removed_by_the_next_one() {
    let workspace = workspace();
    workspace.write("out/.backtrail-4jc1nP.tmp", "somebody's rows");
    workspace.write("out/.backtrail-inUse1.tmp", "rows of a run that goes on");
    let held = fs::File::open(workspace.path("out/.backtrail-inUse1.tmp")).unwrap();
    held.lock().unwrap();
    workspace.run(["d/in.ndjson", "-o", "out"]).exits(0);
    let outputs = ["leads.csv", "report.html", "report.json", "signals.csv"];
    assert_eq!(workspace.list("out"), [&[".backtrail-inUse1.tmp"], &outputs[..]].concat());
    drop(held);
    // Even if the run itself fails.
    workspace.run(["d/in.ndjson", "-o", "out"]).exits(2);
    assert_eq!(workspace.list("out"), outputs);
}

#[test]
fn a_mixed_set_after_a_kill_is_restored_at_the_next_start() {
    let workspace = workspace();
    workspace.run(["d/in.ndjson", "-o", "out"]).exits(0);
    let names = ["leads.csv", "report.html", "report.json", "signals.csv"];
    let old = names.map(|name| workspace.read(&format!("out/{name}")));
    // The state after a run that was killed when it had renamed the first of its files.
    fs::rename(workspace.path("out/signals.csv"), workspace.path("out/.backtrail-signals.csv.old"))
        .unwrap();
    workspace.write("out/signals.csv", "new rows");
    workspace.write("out/rejects.ndjson", "new rejects");
    let entry = |name: &str| {
        use std::os::unix::fs::MetadataExt;
        let found = fs::metadata(workspace.path(&format!("out/{name}"))).unwrap();
        format!(r#"{{"name":"{name}","new":{{"id":{},"bytes":{}}}}}"#, found.ino(), found.len())
    };
    let entries = ["signals.csv", "rejects.ndjson", "leads.csv"].map(entry).join(",");
    let journal = format!(r#"{{"version":1,"entries":[{entries}]}}"#);
    // The third file was not replaced yet: it differs from the one in the journal.
    let journal = journal
        .replace(r#""name":"leads.csv","new":{"id":"#, r#""name":"leads.csv","new":{"id":1"#);
    workspace.write("out/.backtrail-journal", journal);

    workspace.run(["d/in.ndjson", "-o", "out"]).exits(2).says("exists already");
    assert_eq!(workspace.list("out"), names);
    assert_eq!(names.map(|name| workspace.read(&format!("out/{name}"))), old);
}

#[test]
fn a_limit_of_file_sizes_is_an_error_and_leaves_nothing() {
    let workspace = workspace();
    workspace.write(
        "d/in.ndjson",
        (0..2000).map(|number| track(&number.to_string())).collect::<String>(),
    );
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -f 20; exec \"$0\" run d/in.ndjson -o out -q"]);
    command
        .arg(env!("CARGO_BIN_EXE_backtrail"))
        .current_dir(workspace.path(""))
        .stdin(Stdio::null());
    let output = command.output().unwrap();
    let finished = Finished::of(&command, output).exits(2).says("File too large");
    assert!(!finished.stderr.contains(".backtrail-"), "{finished}");
    assert!(!workspace.path("out").exists());
}

#[test]
fn a_stream_to_a_closed_standard_output_is_an_error() {
    let workspace = workspace();
    let run = |redirection: &str, rest: &str| {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("exec \"$0\" {rest} {redirection}")]);
        command.arg(env!("CARGO_BIN_EXE_backtrail")).current_dir(workspace.path(""));
        command.stdin(Stdio::null());
        let output = command.output().unwrap();
        Finished::of(&command, output)
    };
    run(">&-", "run d/in.ndjson -o -").exits(2).says("standard output is closed");
    run(">&-", "audit d/in.ndjson --allow allow.txt").exits(2).says("standard output is closed");
    run(">/dev/null", "run d/in.ndjson -o -").exits(0);
    run(">&-", "run d/in.ndjson -o out").exits(0);
    // Opened for reading as well, as some programs do for their child processes.
    run("1<>/dev/null", "run d/in.ndjson -o -").exits(0);
}

#[test]
fn tables_in_formats_that_a_run_does_not_write_are_named() {
    let workspace = workspace();
    workspace.run(["d/in.ndjson", "-o", "out", "--format", "csv,ndjson"]).exits(0).says("read ");
    let finished = workspace.run(["d/in.ndjson", "-o", "out", "--overwrite"]).exits(0);
    let finished = finished.says("does not write for: out/signals.ndjson, out/leads.ndjson");
    assert!(!finished.stderr.contains("signals.csv"), "{finished}");
    let warnings = workspace.report("out")["warnings"].to_string();
    assert!(warnings.contains("out/signals.ndjson"), "{warnings}");
    assert!(workspace.path("out/signals.ndjson").exists());
    let again = ["d/in.ndjson", "-o", "out", "--overwrite", "--format", "csv,ndjson"];
    let finished = workspace.run(again).exits(0);
    assert!(!finished.stderr.contains("does not write"), "{finished}");
}

#[test]
fn spreadsheets_take_no_cell_for_a_formula() {
    let workspace = Workspace::new();
    let event = |id: &str, event: &str, anonymous: &str| {
        let event = serde_json::json!({
            "type": "track", "event": event, "messageId": id, "anonymousId": anonymous,
        });
        format!("{event}\n")
    };
    let identify = serde_json::json!({
        "type": "identify", "messageId": "9", "anonymousId": "0a;=cmd|x", "userId": "=u",
        "traits": {"email": "ana@acme.example", "phone": "+49 (30) 12-3", "title": "-2+cmd"},
    });
    let text = event("1", "\n=cmd|x", "a") + &event("2", "＝cmd|x", "b") + &event("3", "=1+1", "c");
    workspace.write("in.ndjson", format!("{text}{identify}\n"));
    workspace.run(["in.ndjson", "-o", "out"]).exits(0);
    let events: Vec<String> =
        workspace.rows("out/signals.csv").iter().map(|row| row["event"].clone()).collect();
    assert_eq!(events, ["'\n=cmd|x", "'＝cmd|x", "'=1+1"]);
    let [lead] = &workspace.rows("out/leads.csv")[..] else { panic!("one lead") };
    let cells = ["anonymous_ids", "user_ids", "phone", "title"].map(|name| lead[name].as_str());
    assert_eq!(cells, ["0a;'=cmd|x", "'=u", "+49 (30) 12-3", "'-2+cmd"]);
    let report = workspace.report("out").to_string();
    // Each name is in two columns.
    assert!(report.contains("\"guarded_cells\":9"), "{report}");
    workspace.run(["in.ndjson", "-o", "raw", "--csv-raw"]).exits(0);
    assert_eq!(workspace.rows("raw/leads.csv")[0]["anonymous_ids"], "0a;=cmd|x");
}
