//! The browser in which pages are opened.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

/// An opened page.
pub struct Opened {
    /// The document in the browser.
    pub dom: String,
    /// The messages on the console of the browser.
    pub console: Vec<String>,
}

/// Returns the browser named by `BACKTRAIL_TEST_CHROMIUM`, or else the first of its usual names
/// that runs. If `CI` is set, there must be one; otherwise the test reports why it is skipped.
#[allow(clippy::print_stderr)] // why a test is skipped is for people
pub fn find() -> Option<OsString> {
    let named = std::env::var_os("BACKTRAIL_TEST_CHROMIUM");
    let usual = ["chromium", "chromium-browser", "google-chrome"].map(OsString::from);
    let found = named.into_iter().chain(usual).find(|program| {
        let version = Command::new(program).arg("--version").output();
        version.is_ok_and(|output| output.status.success())
    });
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "Chromium is needed here");
        eprintln!("skipped: Chromium is not there; BACKTRAIL_TEST_CHROMIUM names one");
    }
    found
}

/// Opens the page at `path` without a window; `profile` is a folder for files of the browser.
#[track_caller]
pub fn open(browser: &OsString, path: &Path, profile: &Path) -> Opened {
    let mut command = Command::new(browser);
    command
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
        .args(["--no-first-run", "--enable-logging=stderr", "--dump-dom"])
        .args(["--virtual-time-budget=20000", "--window-size=1280,900"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("file://{}", path.display()));
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{command:?}\n{stderr}");
    let console = stderr.lines().filter(|line| line.contains(":CONSOLE")).map(str::to_owned);
    Opened { dom: String::from_utf8(output.stdout).unwrap(), console: console.collect() }
}
