//! The emulator that runs the program on other processors.

use std::process::Command;

/// Returns the name of QEMU's user-mode emulator, if it runs. If `CI` is set, there must be one;
/// otherwise the test reports why it is skipped.
#[allow(clippy::print_stderr)] // why a test is skipped is for people
pub fn find() -> Option<String> {
    let usual = ["qemu-x86_64", "qemu-x86_64-static"];
    let found = usual.into_iter().find(|program| {
        let version = Command::new(program).arg("--version").output();
        version.is_ok_and(|output| output.status.success())
    });
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "qemu-x86_64 is needed here");
        eprintln!("skipped: qemu-x86_64 is not there");
    }
    found.map(str::to_owned)
}
