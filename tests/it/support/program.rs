//! Other people's programs that check what this one writes.

use std::process::Command;

/// `name`, if it is there: then `name ARGS` runs. Where `CI` is set it must be there; elsewhere the
/// test says why it is skipped.
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
