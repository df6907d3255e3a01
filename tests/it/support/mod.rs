//! A folder for a test, runs of the program in it, and their results.

pub mod axe;
pub mod check;
pub mod chromium;
#[cfg(target_arch = "x86_64")]
pub mod emulator;
pub mod page;
pub mod program;
pub mod python;
#[cfg(feature = "object-store")]
pub mod store;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

/// The data that comes with the source.
pub fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name)
}

/// A track call of visitor `a1`, one line.
pub fn track(message_id: &str) -> String {
    format!(
        r#"{{"type":"track","event":"Ping","messageId":"{message_id}","anonymousId":"a1","timestamp":"2025-05-01T00:00:00Z"}}"#
    ) + "\n"
}

/// `bytes` as one gzip member.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// One row of a table, by column.
pub type Row = BTreeMap<String, String>;

/// A temporary folder for one test.
pub struct Workspace {
    dir: tempfile::TempDir,
}

impl Workspace {
    /// An empty folder.
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    /// Returns the path of `name` in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// The bytes of a file.
    #[track_caller]
    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Returns the names in a folder, sorted, including hidden ones; empty if there is no folder.
    pub fn list(&self, name: &str) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.path(name)) else { return Vec::new() };
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// `report.json` of the folder `out`.
    #[track_caller]
    pub fn report(&self, out: &str) -> Value {
        serde_json::from_slice(&self.read(&format!("{out}/report.json"))).unwrap()
    }

    /// The rows of a CSV file.
    #[track_caller]
    pub fn rows(&self, name: &str) -> Vec<Row> {
        let bytes = self.read(name);
        csv::Reader::from_reader(bytes.as_slice()).deserialize().map(Result::unwrap).collect()
    }

    /// Returns `rejects.ndjson` of the folder `out`; empty if there is none.
    pub fn rejects(&self, out: &str) -> Vec<Value> {
        let text = fs::read_to_string(self.path(&format!("{out}/rejects.ndjson")));
        let text = text.unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Returns the number of rejects in `rejects.ndjson` of the folder `out`.
    pub fn rejected(&self, out: &str) -> u64 {
        let rejects = self.rejects(out).into_iter();
        let counts = rejects.map(|reject| match reject["more"].as_object() {
            Some(more) => more.values().map(|count| count.as_u64().unwrap()).sum(),
            None => 1,
        });
        counts.sum()
    }

    /// Returns the command `backtrail run` in this folder.
    pub fn command<I: IntoIterator<Item: AsRef<OsStr>>>(&self, arguments: I) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_backtrail"));
        command.arg("run").args(arguments).current_dir(self.dir.path());
        command.env_remove("RUST_BACKTRACE").stdin(Stdio::null());
        command
    }

    /// Runs `backtrail run`.
    pub fn run<I: IntoIterator<Item: AsRef<OsStr>>>(&self, arguments: I) -> Finished {
        let mut command = self.command(arguments);
        let output = command.output().unwrap();
        Finished::of(&command, output)
    }

    /// Runs another command of the program in this folder.
    pub fn does(&self, name: &str, arguments: &[&str]) -> Finished {
        let mut command = self.command([""; 0]);
        let folder = command.get_current_dir().unwrap().to_owned();
        command = Command::new(command.get_program());
        command.arg(name).args(arguments).current_dir(folder).stdin(Stdio::null());
        for name in ["RUST_BACKTRACE", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"] {
            command.env_remove(name);
        }
        let output = command.output().unwrap();
        Finished::of(&command, output)
    }

    /// Starts `command` and captures its output.
    pub fn start(mut command: Command) -> Running {
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        Running { command, child }
    }
}

/// A running process, which is killed if the test ends before it.
pub struct Running {
    command: Command,
    pub child: Child,
}

impl Running {
    /// Waits until the process has ended.
    pub fn finish(mut self) -> Finished {
        drop(self.child.stdin.take());
        let mut output = Output {
            status: std::process::ExitStatus::from_raw(0),
            stdout: Vec::new(),
            stderr: Vec::new(),
        };
        if let Some(mut stdout) = self.child.stdout.take() {
            std::io::Read::read_to_end(&mut stdout, &mut output.stdout).unwrap();
        }
        if let Some(mut stderr) = self.child.stderr.take() {
            std::io::Read::read_to_end(&mut stderr, &mut output.stderr).unwrap();
        }
        output.status = self.child.wait().unwrap();
        Finished::of(&self.command, output)
    }

    /// Sends SIGINT, as Ctrl-C does.
    pub fn interrupt(&self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A finished process. Its debug output has everything that is needed to repeat it.
pub struct Finished {
    command: String,
    folder: PathBuf,
    pub status: std::process::ExitStatus,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Finished {
    /// Asserts that no e-mail address is in the messages, whatever else went wrong.
    #[track_caller]
    pub fn of(command: &Command, output: Output) -> Self {
        let finished = Self {
            command: format!("{command:?}"),
            folder: command.get_current_dir().unwrap_or(Path::new(".")).to_owned(),
            status: output.status,
            stdout: output.stdout,
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        let words =
            finished.stderr.split(|char: char| char.is_whitespace() || "\"'`,".contains(char));
        let mut addresses = words.filter(|word| {
            word.split_once('@').is_some_and(|(local, domain)| {
                local.ends_with(char::is_alphanumeric) && domain.starts_with(char::is_alphanumeric)
            })
        });
        assert_eq!(addresses.next(), None, "an e-mail address is told\n{finished}");
        finished
    }

    /// Asserts the exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.status.code(), Some(code), "exit code\n{self}");
        self
    }

    /// Asserts that standard error contains `text`, even if it is wrapped.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        let holds = self.stderr.contains(text) || unbroken(&self.stderr).contains(text);
        assert!(holds, "standard error lacks {text:?}\n{self}");
        self
    }

    /// Asserts that standard error is empty.
    #[track_caller]
    pub fn says_nothing(self) -> Self {
        assert!(self.stderr.is_empty(), "standard error is not empty\n{self}");
        self
    }
}

/// Returns `text` in one line, with single spaces.
pub fn unbroken(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl fmt::Display for Finished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stdout = String::from_utf8_lossy(&self.stdout);
        writeln!(f, "command: {}", self.command)?;
        writeln!(f, "folder:  {}", self.folder.display())?;
        writeln!(f, "status:  {}", self.status)?;
        writeln!(f, "stdout:\n{stdout}")?;
        writeln!(f, "stderr:\n{}", self.stderr)
    }
}

/// Asserts that every record, event and signal of the run into `out` is in exactly one count, and
/// that the table has as many signals as the report.
#[track_caller]
pub fn assert_ledger_holds(workspace: &Workspace, out: &str) {
    let report = workspace.report(out);
    let count = |pointer: &str| {
        let value = report.pointer(pointer).and_then(Value::as_u64);
        value.unwrap_or_else(|| panic!("{pointer} is no count in {report:#}"))
    };
    let (events, rejects) = (count("/events/total"), count("/rejects/total"));
    assert_eq!(count("/records"), events + rejects, "records");
    let parts = ["duplicates", "filtered", "outside_window", "kept"];
    let parts = parts.map(|part| count(&format!("/events/{part}")));
    assert_eq!(events, parts.iter().sum::<u64>(), "events {parts:?}");
    assert_eq!(count("/duplicates/total"), parts[0], "duplicates");
    let reasons = report["rejects"]["by_reason"].as_object().unwrap().values();
    assert_eq!(rejects, reasons.map(|count| count.as_u64().unwrap()).sum::<u64>(), "reasons");
    assert_eq!(rejects, workspace.rejected(out), "rejects.ndjson");
    let inputs = report["inputs"].as_array().unwrap().iter();
    let records = inputs.map(|input| input["records"].as_u64().unwrap()).sum::<u64>();
    assert_eq!(count("/records"), records, "records of the inputs");

    let rows = workspace.rows(&format!("{out}/signals.csv"));
    assert_eq!(count("/identity/signals/total"), rows.len() as u64, "rows of signals.csv");
    let resolutions = ["direct", "known", "rehydrated", "cold"];
    for resolution in resolutions {
        let found = rows.iter().filter(|row| row["resolution"] == resolution).count();
        assert_eq!(count(&format!("/identity/signals/{resolution}")), found as u64, "{resolution}");
    }
    let sum: u64 = resolutions.map(|part| count(&format!("/identity/signals/{part}"))).iter().sum();
    assert_eq!(rows.len() as u64, sum, "signals by resolution");
    let leads = workspace.rows(&format!("{out}/leads.csv"));
    assert_eq!(count("/leads/total"), leads.len() as u64, "rows of leads.csv");
}
