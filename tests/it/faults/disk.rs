//! Full and read-only disks, and limits of file sizes.

use std::fs;
use std::process::{Command, Stdio};

use super::namespace;
use crate::support::{Finished, Workspace, track};

const RULES: &str = "version = 1\n[[rule]]\nid = 'ping'\nwhen = 'event = \"Ping\"'\nscore = 1\n";

/// Events whose tables need more space than a file system of 64 KiB has.
fn workspace() -> Workspace {
    let workspace = Workspace::new();
    workspace.write("few.ndjson", (0..5).map(|n| track(&format!("m{n}"))).collect::<String>());
    workspace.write("many.ndjson", (0..2000).map(|n| track(&format!("m{n}"))).collect::<String>());
    workspace.write("allow.txt", "Ping\nidentify\n");
    workspace.write("rules.toml", RULES);
    workspace
}

#[test]
fn a_full_disk_keeps_the_previous_set() {
    for options in ["", "--memory 1", "--format csv,ndjson,parquet"] {
        let workspace = workspace();
        let script = format!(
            "mount -t tmpfs -o size=64k tmpfs mounted
             $BACKTRAIL run few.ndjson -o mounted/out -q
             ls -A mounted/out; sha256sum mounted/out/*
             code=0; $BACKTRAIL run many.ndjson -o mounted/out --overwrite {options} || code=$?
             ls -A mounted/out; sha256sum mounted/out/*
             exit $code"
        );
        let Some(finished) = namespace::run(&workspace, &script) else { return };
        let finished = finished.exits(2).says("No space left").says("mounted/out");
        let listed = String::from_utf8(finished.stdout).unwrap();
        let (before, after) = listed.split_at(listed.len() / 2);
        assert_eq!(before, after, "{options}");
        assert!(
            before.starts_with("leads.csv\nreport.html\nreport.json\nsignals.csv\n"),
            "{before}"
        );
    }
}

#[test]
fn a_full_disk_leaves_nothing_of_a_first_run() {
    let workspace = workspace();
    let script = "mount -t tmpfs -o size=64k tmpfs mounted
        code=0; $BACKTRAIL run many.ndjson -o mounted/a/out || code=$?
        ls -A mounted; exit $code";
    let Some(finished) = namespace::run(&workspace, script) else { return };
    let finished = finished.exits(2).says("No space left");
    assert!(finished.stdout.is_empty(), "{finished}");
}

#[test]
fn a_read_only_disk_is_reported_with_the_folder() {
    let workspace = workspace();
    let script = "mount -t tmpfs -o size=1m tmpfs mounted
        $BACKTRAIL run few.ndjson -o mounted/out -q
        sha256sum mounted/out/*
        mount -o remount,ro mounted
        code=0; $BACKTRAIL run many.ndjson -o mounted/out --overwrite || code=$?
        $BACKTRAIL run many.ndjson -o mounted/new && exit 9
        $BACKTRAIL audit few.ndjson --allow allow.txt --html mounted/page.html && exit 9
        $BACKTRAIL check few.ndjson --rules rules.toml --report json=mounted/a.json && exit 9
        sha256sum mounted/out/*
        exit $code";
    let Some(finished) = namespace::run(&workspace, script) else { return };
    let finished = finished.exits(2);
    for place in ["mounted/out: ", "mounted/new: ", "mounted/page.html: ", "mounted/a.json: "] {
        assert!(finished.stderr.contains(place), "{place}\n{finished}");
    }
    assert_eq!(finished.stderr.matches("Read-only file system").count(), 4, "{finished}");
    let sums = String::from_utf8(finished.stdout.clone()).unwrap();
    let sums: Vec<_> = sums.lines().filter(|line| line.contains("mounted/out/")).collect();
    let (before, after) = sums.split_at(sums.len() / 2);
    assert_eq!(before, after, "{finished}");
}

#[test]
fn a_limit_of_file_sizes_keeps_the_previous_set() {
    let workspace = workspace();
    workspace.run(["few.ndjson", "-o", "out"]).exits(0);
    let names = workspace.list("out");
    let read = || names.iter().map(|name| workspace.read(&format!("out/{name}")));
    let before: Vec<_> = read().collect();
    let mut failed = 0;
    // From no space at all to more than the largest table.
    for limit in (0..300_000).step_by(25_000) {
        let mut command = Command::new("prlimit");
        command.arg(format!("--fsize={limit}")).arg(env!("CARGO_BIN_EXE_backtrail"));
        command.args(["run", "many.ndjson", "-o", "out", "--overwrite"]);
        command.current_dir(workspace.path("")).stdin(Stdio::null());
        let output = command.output().unwrap();
        let finished = Finished::of(&command, output);
        if finished.status.code() == Some(0) {
            break;
        }
        failed += 1;
        finished.exits(2).says("File too large").says("out/");
        assert_eq!(workspace.list("out"), names, "{limit}");
        assert!(read().eq(before.iter().cloned()), "{limit}");
    }
    assert!((3..12).contains(&failed), "{failed} limits were too low");
}

#[test]
fn a_full_device_is_an_error_of_every_command() {
    let workspace = workspace();
    let full = || fs::File::options().write(true).open("/dev/full").unwrap();
    for arguments in [
        &["run", "few.ndjson", "-o", "-"][..],
        &["audit", "few.ndjson", "--allow", "allow.txt"],
        &["audit", "few.ndjson", "--allow", "allow.txt", "--format", "json"],
        &["check", "few.ndjson", "--rules", "rules.toml"],
        &["queue", "few.ndjson"],
        &["completions", "bash"],
        &["man"],
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_backtrail"));
        command.args(arguments).current_dir(workspace.path("")).stdin(Stdio::null());
        command.env_remove("GITHUB_ACTIONS").stdout(full()).stderr(Stdio::piped());
        let output = command.spawn().unwrap().wait_with_output().unwrap();
        Finished::of(&command, output).exits(2).says("No space left");
    }
    let page = ["few.ndjson", "--allow", "allow.txt", "--html", "/dev/full"];
    workspace.does("audit", &page).exits(2).says("/dev/full: cannot write: No space left");
    let report = ["few.ndjson", "--rules", "rules.toml", "--report", "json=/dev/full"];
    workspace.does("check", &report).exits(2).says("/dev/full: cannot write: No space left");
}
