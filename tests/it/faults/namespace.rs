//! A mount namespace for file systems that no other process sees, and that disappear with the
//! process.

use std::process::{Command, Stdio};

use crate::support::{Finished, Workspace};

/// Runs the commands of `script` with `sh` in a mount namespace; `$BACKTRAIL` is the program.
/// Returns `None` if that is not permitted: the test then reports why it is skipped, unless `CI` is
/// set.
#[allow(clippy::print_stderr)] // why a test is skipped is for people
pub fn run(workspace: &Workspace, script: &str) -> Option<Finished> {
    let in_namespace = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--map-root-user", "sh", "-euc", script]);
        command.env("BACKTRAIL", env!("CARGO_BIN_EXE_backtrail")).env_remove("RUST_BACKTRACE");
        command.current_dir(workspace.path("")).stdin(Stdio::null());
        command
    };
    std::fs::create_dir_all(workspace.path("mounted")).unwrap();
    let tried = in_namespace("mount -t tmpfs -o size=64k tmpfs mounted").output();
    if !tried.is_ok_and(|output| output.status.success()) {
        assert!(std::env::var_os("CI").is_none(), "unshare and mount are needed here");
        eprintln!("skipped: no file system can be mounted with unshare");
        return None;
    }
    let mut command = in_namespace(script);
    let output = command.output().unwrap();
    Some(Finished::of(&command, output))
}
