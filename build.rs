//! Tells the program of which commit it is made, where that is known: from the file that
//! `cargo package` adds, else from git. Only release builds ask git: others would be made anew for
//! each commit.

use std::path::Path;
use std::process::Command;

const PACKAGED: &str = ".cargo_vcs_info.json";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=BACKTRAIL_COMMIT");
    // Whoever packages the program may know better.
    if std::env::var_os("BACKTRAIL_COMMIT").is_some() {
        return;
    }
    let is_release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    if let Some(commit) = packaged().or_else(|| is_release.then(checked_out).flatten()) {
        println!("cargo:rustc-env=BACKTRAIL_COMMIT={commit}");
    }
}

/// The commit that `cargo package` noted, in ten digits.
fn packaged() -> Option<String> {
    let text = std::fs::read_to_string(PACKAGED).ok()?;
    let (_, rest) = text.split_once("\"sha1\"")?;
    let commit = rest.split('"').nth(1)?;
    commit.get(..10).map(str::to_owned)
}

/// The commit that is checked out here, with `-dirty` where files differ from it.
fn checked_out() -> Option<String> {
    // A folder further up may be somebody's repository, but not this program's.
    if !Path::new(".git").exists() {
        return None;
    }
    for name in ["HEAD", "logs/HEAD"] {
        if let Some(path) = git(&["rev-parse", "--git-path", name]) {
            println!("cargo:rerun-if-changed={path}");
        }
    }
    git(&["describe", "--always", "--dirty", "--abbrev=10", "--exclude=*"])
}

fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
