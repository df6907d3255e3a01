//! Runs of `backtrail check`.

use std::process::{Command, Stdio};

use serde_json::Value;

use super::{Finished, Workspace};

/// The results of `check`, as JSON.
pub struct Report(pub Value);

impl Report {
    /// Returns all findings.
    pub fn findings(&self) -> &[Value] {
        self.0["findings"].as_array().unwrap()
    }

    /// The findings of a kind, as `file:line:column pointer`.
    pub fn of(&self, violation: &str) -> Vec<String> {
        let found = self.findings().iter().filter(|found| found["violation"] == violation);
        let shown = found.map(|found| {
            format!("{} {}", place(found), found["pointer"].as_str().unwrap_or_default())
        });
        shown.map(|shown| shown.trim_end().to_owned()).collect()
    }

    /// Their messages.
    pub fn messages(&self) -> Vec<&str> {
        self.findings().iter().map(|found| found["message"].as_str().unwrap()).collect()
    }
}

/// Where a finding is: `file:line:column`.
pub fn place(finding: &Value) -> String {
    format!("{}:{}:{}", finding["file"].as_str().unwrap(), finding["line"], finding["column"])
}

/// `backtrail check` in the workspace.
pub fn check(workspace: &Workspace, arguments: &[&str]) -> Finished {
    let mut command = workspace.command([""; 0]);
    let mut fresh = Command::new(command.get_program());
    fresh.arg("check").args(arguments).current_dir(command.get_current_dir().unwrap());
    for name in ["RUST_BACKTRACE", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"] {
        fresh.env_remove(name);
    }
    fresh.stdin(Stdio::null());
    command = fresh;
    let output = command.output().unwrap();
    Finished::of(&command, output)
}

/// The report of a check that exits with `code`.
#[track_caller]
pub fn report(workspace: &Workspace, code: i32, arguments: &[&str]) -> Report {
    let arguments: Vec<&str> = arguments.iter().copied().chain(["--report", "json"]).collect();
    let finished = check(workspace, &arguments).exits(code);
    Report(serde_json::from_slice(&finished.stdout).unwrap_or_else(|_| panic!("{finished}")))
}
