//! The Python interpreter that some tests compare with.

use std::ffi::OsString;
use std::process::Command;

/// Returns the interpreter named by `BACKTRAIL_TEST_PYTHON`, or else `python3`, if it has all of
/// `modules`. If `CI` is set, it must; otherwise the test reports why it is skipped.
#[allow(clippy::print_stderr)] // why a test is skipped is for people
pub fn with(modules: &[&str]) -> Option<Command> {
    let named = std::env::var_os("BACKTRAIL_TEST_PYTHON");
    let python = named.unwrap_or_else(|| OsString::from("python3"));
    let import = format!("import {}", modules.join(", "));
    let why = match Command::new(&python).args(["-c", &import]).output() {
        Ok(output) if output.status.success() => return Some(Command::new(python)),
        Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        Err(error) => error.to_string(),
    };
    let what = format!("{} with {}", python.display(), modules.join(", "));
    assert!(std::env::var_os("CI").is_none(), "{what} is needed here: {why}");
    eprintln!("skipped: {what} is not there: {why}");
    None
}

/// Runs `command` and returns its output; a failure shows all of it.
#[track_caller]
pub fn output(mut command: Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "command: {command:?}\nstatus: {}\nstdout:\n{stdout}\nstderr:\n{stderr}",
        output.status
    );
    stdout
}
