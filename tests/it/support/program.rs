//! Other programs that validate outputs.

use std::process::Command;

/// Returns `name` if it exists, which is if `name ARGS` runs. If `CI` is set, it must exist;
/// otherwise the test reports why it is skipped.
#[allow(clippy::print_stderr)] // why a test is skipped is for people
pub fn find(name: &str, args: &[&str]) -> Option<Command> {
    match Command::new(name).args(args).output() {
        Ok(_) => Some(Command::new(name)),
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "{name} is needed here: {error}");
            eprintln!("skipped: {name} is not there: {error}");
            None
        }
    }
}
