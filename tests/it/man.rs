//! The man pages under `man/` are up to date.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use backtrail::cli::man;

use crate::support::program;

const RENEW: &str = "renew them with: cargo run -- man --out man";

fn committed() -> BTreeMap<String, Vec<u8>> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("man");
    let entries = std::fs::read_dir(&dir).unwrap_or_else(|error| panic!("man: {error}; {RENEW}"));
    let page = |path: &Path| {
        (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(path).unwrap())
    };
    entries.map(|entry| page(&entry.unwrap().path())).collect()
}

#[test]
fn the_committed_pages_are_those_of_the_command_line() {
    let generated: BTreeMap<String, Vec<u8>> =
        man::pages().unwrap().into_iter().map(|page| (page.file_name, page.text)).collect();
    let committed = committed();
    let names = |pages: &BTreeMap<String, Vec<u8>>| pages.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&committed), names(&generated), "the pages under man/ are others; {RENEW}");
    for (name, text) in &generated {
        assert!(committed[name] == *text, "man/{name} is out of date; {RENEW}");
    }
}

#[test]
fn mandoc_finds_no_faults() {
    let Some(_) = program::find("mandoc", &["-V"]) else { return };
    for (name, text) in committed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(&name);
        std::fs::write(&path, &text).unwrap();
        let output =
            Command::new("mandoc").args(["-T", "lint", "-W", "warning"]).arg(&path).output();
        let said = output.unwrap().stdout;
        assert!(said.is_empty(), "{name}\n{}", String::from_utf8_lossy(&said));
    }
}

#[test]
fn every_page_has_examples() {
    for (name, text) in committed() {
        let text = String::from_utf8(text).unwrap();
        let (_, examples) = text.split_once(".SH \"EXAMPLES\"\n").unwrap_or_default();
        assert!(examples.starts_with(".nf\nbacktrail "), "{name}\n{text}");
    }
}
