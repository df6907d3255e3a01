//! Injects an error or a signal at every system call of a small job that writes or opens a file.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use super::strace::{self, Call, Injection};
use crate::support::{Finished, Workspace, track};
use regex::bytes::Regex;

const RULES: &str = "version = 1\n[[rule]]\nid = 'ping'\nwhen = 'event = \"Ping\"'\nscore = 1\n";

const INJECTIONS: [Injection; 6] = [
    Injection::Error("EIO"),
    Injection::Error("ENOSPC"),
    Injection::LastingError("EIO"),
    Injection::Signal("SIGKILL"),
    Injection::Signal("SIGINT"),
    Injection::Signal("SIGTERM"),
];

/// If this variable is set, every injection is made at every call; otherwise, one of the six is
/// made at each call, always the same.
const ALL: &str = "BACKTRAIL_TEST_ALL_FAULTS";

/// The guarantee about files after a failed job.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Promise {
    /// All previous files; or the complete new set if the job succeeds.
    AllOrNone,
    /// For each file, the previous or the new one, complete.
    EachWhole,
}

/// A job over `new.ndjson` that writes to the folder `out`.
struct Job {
    arguments: &'static [&'static str],
    /// Creates the previous files from `old.ndjson`; empty for none.
    before: &'static [&'static str],
    promise: Promise,
}

/// The files of a folder by name.
type Files = BTreeMap<String, Vec<u8>>;

/// Returns the files of `out`, and separately the hidden files of the program. Times, which differ
/// between runs, are removed.
fn files(workspace: &Workspace) -> (Files, Vec<String>) {
    let time = Regex::new(r#"("elapsed_seconds": ?|input in )[0-9.e-]+"#).unwrap();
    let (hidden, names): (Vec<_>, Vec<_>) =
        workspace.list("out").into_iter().partition(|name| name.starts_with(".backtrail-"));
    let read = |name: String| {
        let bytes = workspace.read(&format!("out/{name}"));
        (name, time.replace_all(&bytes, &b"$1"[..]).into_owned())
    };
    (names.into_iter().map(read).collect(), hidden)
}

/// Restores the folders to their state before the job.
fn reset(workspace: &Workspace, before: &Files) {
    for folder in ["out", "tmp"] {
        let _ = fs::remove_dir_all(workspace.path(folder));
    }
    fs::create_dir(workspace.path("tmp")).unwrap();
    for (name, bytes) in before {
        workspace.write(&format!("out/{name}"), bytes);
    }
}

fn ends(command: &mut Command) -> Finished {
    let output = command.output().unwrap();
    Finished::of(command, output)
}

impl Job {
    fn command(&self, workspace: &Workspace) -> Command {
        let run = workspace.command([""; 0]);
        let mut command = Command::new(run.get_program());
        command.args(self.arguments).current_dir(run.get_current_dir().unwrap());
        for name in ["RUST_BACKTRACE", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"] {
            command.env_remove(name);
        }
        // Set by cargo: the loader would search more folders.
        command.env_remove("LD_LIBRARY_PATH").env("TMPDIR", workspace.path("tmp"));
        command
    }

    #[allow(clippy::print_stderr)] // the extent of the proof is for people
    fn sweep(&self) {
        if !strace::is_there() {
            return;
        }
        let workspace = workspace();
        if let [command, arguments @ ..] = self.before {
            workspace.does(command, arguments);
        }
        let (old, _) = files(&workspace);
        assert_eq!(old.is_empty(), self.before.is_empty());
        reset(&workspace, &old);
        let trace = workspace.path("trace");
        let clean = ends(&mut strace::traced(&self.command(&workspace), &trace, None));
        let (new, hidden) = files(&workspace);
        assert_eq!(hidden, [""; 0], "{clean}");
        assert!(old.iter().all(|(name, bytes)| new.get(name) != Some(bytes)), "{clean}");
        let case = Case { job: self, workspace, old, new, clean: clean.status.code() };
        let calls = strace::calls(&trace);
        assert!(calls.len() >= 6, "{calls:?}");
        let all = std::env::var_os(ALL).is_some();
        let mut made = 0;
        for (place, call) in calls.iter().enumerate() {
            for (number, injection) in INJECTIONS.into_iter().enumerate() {
                if all || (place + number) % INJECTIONS.len() == 0 {
                    case.try_at(call, injection);
                    made += 1;
                }
            }
        }
        eprintln!("{made} injections at {} calls of {:?}", calls.len(), self.arguments);
    }
}

/// A job with its previous files and its results.
struct Case<'j> {
    job: &'j Job,
    workspace: Workspace,
    old: Files,
    new: Files,
    /// The exit code without faults.
    clean: Option<i32>,
}

impl Case<'_> {
    #[track_caller]
    fn try_at(&self, call: &Call, injection: Injection) {
        reset(&self.workspace, &self.old);
        let command = self.job.command(&self.workspace);
        let trace = self.workspace.path("trace");
        let mut command = strace::traced(&command, &trace, Some((call, injection)));
        let finished = ends(&mut command);
        let (now, hidden) = files(&self.workspace);
        let said = format!("{injection:?} at {call}\nleaves {:?}\n{finished}", now.keys());
        match finished.status.code() {
            // Signals before the handler is installed also end the process.
            None => assert!(matches!(injection, Injection::Signal(_)), "{said}"),
            Some(code) => self.judge(code, &now, injection, &said),
        }
        // A second signal ends the process at once.
        let is_hurried = matches!(injection, Injection::Signal(_)) && call.threads > 1;
        let may_leave = finished.status.code().is_none()
            || is_hurried
            || matches!(injection, Injection::LastingError(_))
            || call.name.starts_with("unlink");
        assert!(may_leave || hidden.is_empty(), "{hidden:?} is left\n{said}");
        assert_eq!(self.workspace.list("tmp"), [""; 0], "is left in TMPDIR\n{said}");
        self.start_again(&said);
    }

    /// Checks the files after a process that ended by itself.
    #[track_caller]
    fn judge(&self, code: i32, now: &Files, injection: Injection, said: &str) {
        if Some(code) == self.clean {
            assert!(*now == self.new, "a job that succeeds leaves other files\n{said}");
            return;
        }
        let lasting = matches!(injection, Injection::LastingError(_));
        match injection {
            Injection::Signal(_) => assert_eq!(code, 130, "{said}"),
            _ => assert_eq!(code, 2, "{said}"),
        }
        match self.job.promise {
            // What cannot be restored yet is restored at the next start.
            Promise::AllOrNone if lasting => {}
            Promise::AllOrNone => assert!(*now == self.old, "a failed job leaves files\n{said}"),
            Promise::EachWhole => self.assert_each_whole(now, said),
        }
        if !lasting && code == 2 {
            let (_, stderr) = said.split_once("stderr:").unwrap();
            let names = ["out", "new.ndjson", "allow.txt", "rules.toml", "/tmp", "cannot write: "];
            assert!(names.iter().any(|name| stderr.contains(name)), "names no file\n{said}");
        }
    }

    #[track_caller]
    fn assert_each_whole(&self, now: &Files, said: &str) {
        for (name, bytes) in now {
            let known = [self.old.get(name), self.new.get(name)];
            assert!(known.contains(&Some(bytes)), "{name} is not whole\n{said}");
        }
    }

    /// The next start restores order after a killed process, even if it fails itself.
    #[track_caller]
    fn start_again(&self, said: &str) {
        let next = ["nothing.ndjson", "-o", "out", "--overwrite"];
        let again = self.workspace.run(next).exits(2);
        let (now, hidden) = files(&self.workspace);
        assert_eq!(hidden, [""; 0], "after the next start\n{said}\n{again}");
        match self.job.promise {
            Promise::AllOrNone => {
                let is_whole = now == self.old || now == self.new;
                assert!(is_whole, "{:?} after the next start\n{said}\n{again}", now.keys());
            }
            Promise::EachWhole => self.assert_each_whole(&now, said),
        }
    }
}

fn workspace() -> Workspace {
    let workspace = Workspace::new();
    let identify = |name: &str| {
        let traits = format!("\"identify\",\"traits\":{{\"email\":\"{name}@acme.example\"}}");
        track(name).replace("\"track\"", &traits)
    };
    workspace.write("old.ndjson", identify("ana") + &track("old") + "{\n");
    let tracks = (0..50).map(|n| track(&format!("m{n}"))).collect::<String>();
    workspace.write("new.ndjson", identify("bob") + &tracks);
    workspace.write("nothing.ndjson", "");
    workspace.write("allow.txt", "Ping\nidentify\n");
    workspace.write("rules.toml", RULES);
    workspace
}

#[test]
fn a_run_replaces_the_previous_set_or_keeps_it() {
    Job {
        arguments: &["run", "new.ndjson", "-o", "out", "--overwrite", "--threads", "1"],
        before: &["run", "old.ndjson", "-o", "out"],
        promise: Promise::AllOrNone,
    }
    .sweep();
}

#[test]
fn a_first_run_writes_the_complete_set_or_nothing() {
    Job {
        arguments: &["run", "new.ndjson", "-o", "out", "--threads", "1"],
        before: &[],
        promise: Promise::AllOrNone,
    }
    .sweep();
}

#[test]
fn a_run_beyond_its_memory_replaces_the_previous_set_or_keeps_it() {
    Job {
        arguments: &[
            "run",
            "new.ndjson",
            "-o",
            "out",
            "--overwrite",
            "--threads",
            "1",
            "--memory",
            "1",
            "--format",
            "csv,parquet",
        ],
        before: &["run", "old.ndjson", "-o", "out"],
        promise: Promise::AllOrNone,
    }
    .sweep();
}

#[test]
fn a_page_of_an_audit_is_the_old_one_or_the_new_one() {
    Job {
        arguments: &["audit", "new.ndjson", "--allow", "allow.txt", "--html", "out/page.html"],
        before: &["audit", "old.ndjson", "--allow", "allow.txt", "--html", "out/page.html"],
        promise: Promise::EachWhole,
    }
    .sweep();
}

#[test]
fn blessed_tables_and_reports_of_a_check_are_the_old_ones_or_the_new_ones() {
    Job {
        arguments: &[
            "check",
            "new.ndjson",
            "--rules",
            "rules.toml",
            "--expect",
            "out",
            "--bless",
            "--report",
            "json=out/a.json",
        ],
        before: &[
            "check",
            "old.ndjson",
            "--rules",
            "rules.toml",
            "--expect",
            "out",
            "--bless",
            "--report",
            "json=out/a.json",
        ],
        promise: Promise::EachWhole,
    }
    .sweep();
}
