//! The command line from outside: help, exit codes, streams, signals.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const EVENTS: &str = "testdata/trailco/events";
const RULES: &str = "testdata/trailco/rules.toml";

fn backtrail() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_backtrail"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("NO_COLOR").stdin(Stdio::null());
    command
}

fn output(args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Output {
    backtrail().args(args).output().unwrap()
}

/// Returns the output of a call that exits with `code`.
#[track_caller]
fn ends(code: i32, args: &[&str]) -> (String, String) {
    let output = output(args);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "backtrail {args:?}\n{stdout}\n{stderr}");
    (stdout, stderr)
}

/// Runs over the events of trailco into a folder; returns the text on standard error.
#[track_caller]
fn run(code: i32, out: &Path, more: &[&str]) -> String {
    let out = out.to_str().unwrap();
    let args = [&["run", EVENTS, "--rules", RULES, "-o", out][..], more].concat();
    let (stdout, stderr) = ends(code, &args);
    assert_eq!(stdout, "", "{args:?}");
    stderr
}

fn listing(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn the_version_is_that_of_the_package() {
    let short = concat!("backtrail ", env!("CARGO_PKG_VERSION"));
    assert_eq!(ends(0, &["-V"]).0, format!("{short}\n"));
    let (long, _) = ends(0, &["--version"]);
    let lines: Vec<&str> = long.lines().collect();
    assert!(lines.len() == 2 && lines[0].starts_with(short), "{long}");
    assert!(lines[1].contains(std::env::consts::ARCH) && lines[1].contains("JSON with"), "{long}");
}

#[test]
fn help_lists_the_commands_and_what_run_takes() {
    let (root, stderr) = ends(0, &["--help"]);
    assert_eq!(stderr, "");
    for word in
        ["run", "audit", "completions", "man", "--quiet", "--progress", "--color", "Exit codes"]
    {
        assert!(root.contains(word), "{word}\n{root}");
    }
    let (short, _) = ends(0, &["run", "-h"]);
    let (long, _) = ends(0, &["run", "--help"]);
    for heading in
        ["Output:", "Rules and filters:", "Captures:", "Checks:", "Resources:", "Display:"]
    {
        assert!(short.contains(heading), "{heading}\n{short}");
        assert!(long.contains(heading), "{heading}\n{long}");
    }
    assert!(short.contains("Examples:") && !short.contains("Exit codes:"), "{short}");
    assert!(long.contains("Examples:") && long.contains("Exit codes:"), "{long}");
}

#[test]
fn help_lists_no_command_that_does_not_exist() {
    let (_, stderr) = ends(2, &["state"]);
    assert!(stderr.contains("unrecognized subcommand"), "{stderr}");
}

#[test]
fn wrong_usage_ends_with_2_and_says_what_is_wrong() {
    for (args, said) in [
        (
            &[][..],
            "\n  backtrail run testdata/trailco/events --rules testdata/trailco/rules.toml -o out\n",
        ),
        (&["rnu"], "a similar subcommand exists: 'run'"),
        (&["run", EVENTS], "--output <DIR>"),
        (&["run", EVENTS, "-o", "x", "--format", "parqet"], "'parquet'"),
        (&["run", EVENTS, "-o", "x", "--max-record-bytes", "3GiB"], "at most 2GiB"),
        (&["run", EVENTS, "-o", "x", "--memory", "lots"], "expected a size such as"),
        (&["run", EVENTS, "-o", "x", "--max-rejects", "x"], "expected a number"),
        (&["run", EVENTS, "-o", "x", "--overwirte"], "--overwrite"),
        (&["run", EVENTS, "-o", "x", "--emit", "leads"], "backtrail: error: --emit"),
        (&["run", EVENTS, "-o", "-", "--format", "csv,json"], "backtrail: error: `-o -`"),
        (&["run", "no/such", "-o", "x"], "backtrail: error: no/such: no such file or folder\n"),
        (&["run", EVENTS, "-o", "Cargo.toml"], "Cargo.toml: is not a directory"),
        (&["run", "testdata/trialco", "-o", "x"], "did you mean testdata/trailco?"),
        (
            &["run", EVENTS, "-o", "x", "--rules", "testdata/trailco/rules.tml"],
            "did you mean testdata/trailco/rules.toml?",
        ),
        (&["queue", EVENTS, "--event", "Trial Stared"], "did you mean `Trial Started`?"),
        (&["run", "*.gzz", "-o", "x"], "`**` goes into all below"),
        (&["completions", "elvish", "--install"], "start-up file"),
        (&["completions", "tcsh"], "[possible values: bash, elvish, fish, powershell, zsh]"),
    ] {
        let (stdout, stderr) = ends(2, args);
        assert_eq!(stdout, "", "{args:?}");
        assert!(stderr.contains(said), "{args:?}\n{stderr}");
    }
    assert!(!Path::new(env!("CARGO_MANIFEST_DIR")).join("x").exists());
}

#[test]
fn progress_is_printed_in_lines_on_request() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let out = out.to_str().unwrap();
    let allow = "testdata/trailco/allow.txt";
    for args in [
        &["run", EVENTS, "-o", out][..],
        &["audit", EVENTS, "--allow", allow, "--fail-on", "error"],
        &["queue", EVENTS],
    ] {
        let (_, said) = ends(0, &[args, &["--progress", "plain"]].concat());
        let lines: Vec<&str> =
            said.lines().filter(|line| line.starts_with("backtrail: ")).collect();
        assert_eq!(lines.len(), 2, "{args:?}\n{said}");
        assert!(lines[0].starts_with("backtrail: reading is done in "), "{said}");
        assert!(lines[0].ends_with(", 293 records"), "{said}");
        assert!(lines[1].starts_with("backtrail: resolving is done in "), "{said}");
    }
    let (_, said) = ends(0, &["queue", EVENTS]);
    assert!(!said.contains("reading"), "{said}");
}

#[test]
fn a_run_writes_its_files_and_prints_a_summary() {
    let dir = tempfile::tempdir().unwrap();
    let said = run(0, dir.path(), &["--format", "csv,ndjson"]);
    for file in [
        "leads.csv",
        "leads.ndjson",
        "rejects.ndjson",
        "report.html",
        "report.json",
        "signals.csv",
        "signals.ndjson",
    ] {
        assert!(listing(dir.path()).iter().any(|name| name == file), "{file}");
    }
    assert!(said.contains("leads") && !said.contains('\x1b'), "{said}");
    assert!(!said.contains('@'), "{said}");
    assert!(run(0, dir.path(), &["--overwrite", "--color", "always"]).contains("\x1b["));
    assert_eq!(run(0, dir.path(), &["--overwrite", "--quiet"]), "");
}

#[test]
fn outputs_are_replaced_only_on_request() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("leads.csv"), "mine").unwrap();
    let said = run(2, dir.path(), &[]);
    assert!(said.contains("leads.csv: exists already; use --overwrite"), "{said}");
    assert_eq!(listing(dir.path()), ["leads.csv"]);
    assert_eq!(fs::read(dir.path().join("leads.csv")).unwrap(), b"mine");
}

#[test]
fn findings_end_with_1_after_the_outputs_are_written() {
    let dir = tempfile::tempdir().unwrap();
    let said = run(1, &dir.path().join("a"), &["-q", "--max-rejects", "0"]);
    assert!(said.contains("rejected, over --max-rejects 0"), "{said}");
    assert!(dir.path().join("a/signals.csv").exists());
    run(0, &dir.path().join("b"), &["-q", "--max-rejects", "100%"]);
    let said = run(1, &dir.path().join("c"), &["-q", "--fail-over-plan"]);
    assert!(said.starts_with("backtrail: the plan is over in "), "{said}");
}

#[test]
fn a_truncated_input_ends_with_2_and_is_used_up_to_the_fault() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().to_str().unwrap();
    let args = ["run", EVENTS, "testdata/bad/truncated.ndjson.gz", "-q", "-o", out];
    let (_, said) = ends(2, &args);
    assert!(
        said.starts_with("backtrail: error: testdata/bad/truncated.ndjson.gz: byte "),
        "{said}"
    );
    assert!(listing(dir.path()).contains(&"signals.csv".to_owned()));

    let strict = dir.path().join("strict");
    let args = [&args[..5], &[strict.to_str().unwrap(), "--strict"]].concat();
    let (_, said) = ends(2, &args);
    assert!(said.contains("--strict stops here"), "{said}");
    assert!(!strict.exists());
}

#[test]
fn an_input_without_events_is_an_error_unless_allowed() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let args = ["run", "testdata/bad/empty.ndjson", "-q", "-o", out.to_str().unwrap()];
    let (_, said) = ends(2, &args);
    assert!(said.contains("no event in the input") && said.contains("--allow-empty"), "{said}");
    assert!(!out.exists());
    ends(0, &[&args[..], &["--allow-empty"]].concat());
    assert!(out.join("signals.csv").exists());
}

#[test]
fn a_bad_rules_file_ends_with_2_and_names_each_place() {
    let dir = tempfile::tempdir().unwrap();
    let rules = dir.path().join("rules.toml");
    fs::write(&rules, "version = 1\nplans = 1\n[[rule]]\nid = \"a\"\nwhen = \"event =\"\n")
        .unwrap();
    let rules = rules.to_str().unwrap();
    let (_, said) = ends(2, &["run", EVENTS, "-o", "x", "--rules", rules]);
    assert!(said.starts_with(&format!("backtrail: error: 2 errors in {rules}\n")), "{said}");
    assert!(said.contains(&format!("\n{rules}:2:1: error: ")), "{said}");
    assert!(said.contains(&format!("\n{rules}:5:")), "{said}");
}

#[test]
fn one_table_streams_to_standard_output_and_the_summary_to_standard_error() {
    let (signals, said) = ends(0, &["run", EVENTS, "-o", "-"]);
    assert!(signals.starts_with("signal_id,timestamp,"), "{signals}");
    assert!(said.contains("signals"), "{said}");
    let (leads, said) = ends(0, &["run", EVENTS, "-q", "-o-", "--emit=leads", "--format=ndjson"]);
    assert!(leads.lines().all(|line| line.starts_with("{\"email\":\"")), "{leads}");
    assert_eq!(said, "");
}

#[test]
fn standard_input_is_read_without_inputs() {
    let mut child = backtrail()
        .args(["run", "-q", "-o", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let events =
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(EVENTS).join("2025-04.ndjson"));
    child.stdin.take().unwrap().write_all(&events.unwrap()).unwrap();
    let piped = child.wait_with_output().unwrap();
    assert_eq!(piped.status.code(), Some(0));
    let named = output(["run", "-q", "-o", "-", &format!("{EVENTS}/2025-04.ndjson")]);
    assert_eq!(piped.stdout, named.stdout);
}

#[test]
fn a_closed_pipe_ends_quietly_with_0() {
    for args in [&["run", EVENTS, "-q", "-o", "-"][..], &["man"], &["completions", "zsh"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = backtrail().args(args).stdout(writer).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{args:?}");
    }
}

#[test]
fn there_are_completions_for_five_shells() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let (script, stderr) = ends(0, &["completions", shell]);
        assert!(script.contains("backtrail") && script.contains("max-rejects"), "{shell}");
        // The generators for the other two shells do not complete values.
        let has_values = ["bash", "zsh", "fish"].contains(&shell);
        assert_eq!(script.contains("parquet"), has_values, "{shell}");
        assert_eq!(stderr, "");
    }
}

#[test]
fn man_prints_one_page_or_writes_all() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("man/man1");
    let (page, _) = ends(0, &["man"]);
    assert_eq!(ends(0, &["man", "--out", out.to_str().unwrap()]), (String::new(), String::new()));
    assert_eq!(fs::read_to_string(out.join("backtrail.1")).unwrap(), page);
    let all = [
        "backtrail-audit.1",
        "backtrail-check.1",
        "backtrail-completions.1",
        "backtrail-explain.1",
        "backtrail-man.1",
        "backtrail-queue.1",
        "backtrail-run.1",
        "backtrail.1",
    ];
    assert_eq!(listing(&out), all);
    let (_, said) = ends(2, &["man", "--out", "Cargo.toml/man"]);
    assert!(said.starts_with("backtrail: error: cannot write: Cargo.toml/man: "), "{said}");
}

#[cfg(unix)]
mod signals {
    use super::*;
    use std::process::Child;
    use std::time::{Duration, Instant};

    fn interrupt(child: &Child) {
        let status = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        assert!(status.unwrap().success());
    }

    /// Starts a run that reads from a pipe, and waits until it reads.
    fn waiting(args: &[&str]) -> Child {
        let mut child = backtrail()
            .arg("run")
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let event =
            b"{\"type\":\"track\",\"event\":\"a\",\"messageId\":\"1\",\"anonymousId\":\"a\"}\n";
        // More than the capacity of a pipe: once it is written, the run is reading.
        child.stdin.as_mut().unwrap().write_all(&event.repeat(1 << 14)).unwrap();
        child
    }

    #[test]
    fn ctrl_c_ends_a_run_that_waits_for_input_and_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        let mut child = waiting(&["-o", out.to_str().unwrap()]);
        interrupt(&child);
        // Kept open, so that the run does not end at the end of the input.
        let stdin = child.stdin.take();
        let output = child.wait_with_output().unwrap();
        drop(stdin);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(said, "backtrail: error: interrupted; nothing was written\n");
        assert_eq!(output.status.code(), Some(130));
        assert!(listing(dir.path()).is_empty(), "{:?}", listing(dir.path()));
    }

    #[test]
    fn ctrl_c_ends_a_run_whose_input_trickles_in() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        let mut child = waiting(&["-o", out.to_str().unwrap()]);
        let mut stdin = child.stdin.take().unwrap();
        let begun = Instant::now();
        interrupt(&child);
        // Each line arrives sooner than a wait for input would end, and none of them fills a block.
        while child.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < Duration::from_secs(30), "the run goes on");
            let _ = stdin.write_all(b"\n");
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(child.wait().unwrap().code(), Some(130));
        assert!(listing(dir.path()).is_empty(), "{:?}", listing(dir.path()));
    }

    #[test]
    fn ctrl_c_keeps_the_outputs_of_the_run_before() {
        let dir = tempfile::tempdir().unwrap();
        run(0, dir.path(), &["-q"]);
        let before = listing(dir.path());
        let mut child = waiting(&["-o", dir.path().to_str().unwrap(), "--overwrite"]);
        let begun = Instant::now();
        interrupt(&child);
        let stdin = child.stdin.take();
        assert_eq!(child.wait().unwrap().code(), Some(130));
        drop(stdin);
        assert!(begun.elapsed() < Duration::from_secs(30));
        assert_eq!(listing(dir.path()), before);
    }
}

/// Stops a run when it begins to write.
#[derive(Default)]
struct StopsBeforeWriting(std::sync::atomic::AtomicBool);

impl backtrail::engine::watch::Watch for StopsBeforeWriting {
    fn advance(&self, _: backtrail::engine::watch::Progress) {}

    fn enter(&self, phase: backtrail::engine::watch::Phase) {
        let reads = phase == backtrail::engine::watch::Phase::Reading;
        self.0.store(!reads, std::sync::atomic::Ordering::Relaxed);
    }

    fn stopped(&self) -> bool {
        self.0.load(std::sync::atomic::Ordering::Relaxed)
    }
}

#[test]
fn an_interrupt_stops_a_check_while_it_makes_the_tables_that_are_expected() {
    use backtrail::cli::args::{Cli, Command};
    use backtrail::cli::resolve::{self, Surroundings};
    use clap::Parser as _;

    let dir = tempfile::tempdir().unwrap();
    let expected = dir.path().join("expected");
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join(EVENTS);
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join(RULES);
    let args = ["backtrail", "check", "--bless", "--expect"].map(OsStr::new);
    let args = args.into_iter().chain([
        expected.as_os_str(),
        "--rules".as_ref(),
        rules.as_os_str(),
        fixtures.as_os_str(),
    ]);
    let Cli { command: Command::Check(args), show } = Cli::parse_from(args) else { panic!() };
    let around = Surroundings {
        terminal_in: false,
        terminal_out: false,
        terminal_err: false,
        now: backtrail::time::Time::MISSING,
        no_color: true,
        variable: |_| None,
        variables: Vec::new,
        home: || None,
    };
    let check = resolve::check::check(args, show, around).unwrap();
    let outcome = backtrail::jobs::check::check(check.job, &StopsBeforeWriting::default());
    assert!(matches!(outcome, Err(backtrail::error::Error::Interrupted)));
    assert!(!expected.exists());
}
