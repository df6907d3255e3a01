//! The commands in the pages for users run as they are written, and print what the pages show.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Workspace, testdata};

/// The root of the project.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// README and the pages under `docs/`.
fn pages() -> Vec<PathBuf> {
    let docs = fs::read_dir(root().join("docs")).unwrap();
    let mut pages: Vec<PathBuf> = docs
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    pages.push(root().join("README.md"));
    pages.sort();
    pages
}

/// A fenced block of a page.
struct Block<'t> {
    language: &'t str,
    text: &'t str,
    /// The text block that comes right after it: what a command prints.
    output: Option<&'t str>,
}

fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut rest = page;
    while let Some((between, opened)) = rest.split_once("\n```") {
        let Some((language, body)) = opened.split_once('\n') else { break };
        let Some((text, after)) = body.split_once("```") else { break };
        let language = language.trim();
        if language == "text"
            && between.trim().is_empty()
            && let Some(command) = blocks.last_mut()
        {
            command.output = Some(text);
        }
        blocks.push(Block { language, text, output: None });
        rest = after;
    }
    blocks
}

/// Returns `text` without durations and trailing spaces.
fn without_times(text: &str) -> Vec<String> {
    let line = |line: &str| {
        let mut words: Vec<&str> = line.trim_end().split(' ').collect();
        for at in 1..words.len() {
            if words[at - 1] == "in" && words[at].contains('.') && words[at].parse::<f64>().is_ok()
            {
                words[at] = "_";
            }
        }
        words.join(" ")
    };
    text.lines().map(line).collect()
}

/// Asserts that a page shows the printed text; a line `…` matches any number of lines.
fn assert_shows(shown: &str, printed: &str, page: &Path) {
    let (shown, printed) = (without_times(shown), without_times(printed));
    let mut rest = &printed[..];
    for (number, part) in shown.split(|line| line == "…").enumerate() {
        let starts = if number == 0 { 0..1 } else { 0..rest.len() + 1 };
        let start = starts.into_iter().find(|&start| rest[start..].starts_with(part));
        let Some(start) = start else {
            panic!(
                "{}: not printed:\n{}\n\nbut:\n{}",
                page.display(),
                part.join("\n"),
                printed.join("\n")
            );
        };
        rest = &rest[start + part.len()..];
    }
    let is_whole = rest.is_empty() || shown.last().is_some_and(|line| line == "…");
    assert!(is_whole, "{}: not shown:\n{}", page.display(), rest.join("\n"));
}

/// The programs that commands of the pages can use.
const PROGRAMS: [&str; 6] = ["backtrail", "cut", "grep", "head", "jq", "sort"];

/// Returns whether a test can run `script`: every line begins with one of the programs.
fn is_runnable(script: &str) -> bool {
    let joined = script.replace("\\\n", " ");
    joined.lines().all(|line| {
        let word = line.split_whitespace().next().unwrap_or("backtrail");
        PROGRAMS.contains(&word)
    })
}

fn has_jq() -> bool {
    Command::new("jq").arg("--version").output().is_ok()
}

/// Creates a folder with the files that `page` names.
fn workspace(page: &Path) -> Workspace {
    let workspace = Workspace::new();
    let link = |from: PathBuf, to: &str| {
        std::os::unix::fs::symlink(from, workspace.path(to)).unwrap();
    };
    link(root().join("testdata"), "testdata");
    link(root().join("docs"), "docs");
    link(testdata("trailco/events"), "archive");
    let is_of_check = ["check.md", "ci.md"].iter().any(|name| page.ends_with(name));
    let rules = if is_of_check { "check/rules.toml" } else { "trailco/rules.toml" };
    link(testdata(rules), "rules.toml");
    link(testdata("check/good"), "fixtures");
    link(testdata("check/plan.json"), "plan.json");
    workspace
}

#[test]
#[cfg(unix)]
#[allow(clippy::print_stderr)] // why a command is skipped is for people
fn the_commands_of_the_pages_run() {
    let binary = Path::new(env!("CARGO_BIN_EXE_backtrail")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    let (mut run, mut compared) = (0, 0);
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        let workspace = workspace(&page);
        for block in blocks(&text).into_iter().filter(|block| block.language == "sh") {
            if !is_runnable(block.text) {
                continue;
            }
            if block.text.contains("jq") && !has_jq() {
                assert!(std::env::var_os("CI").is_none(), "jq is missing");
                eprintln!("skipped, for jq is missing: {}", block.text);
                continue;
            }
            let output = Command::new("bash")
                .args(["-e", "-c", block.text])
                .env("PATH", &path)
                .env("COLUMNS", "80")
                .current_dir(workspace.path("."))
                .output()
                .unwrap();
            let told = String::from_utf8_lossy(&output.stderr);
            // An audit exits with 1 if it has findings, which is not an error.
            let is_audit = block.text.contains("backtrail audit");
            let good = output.status.success() || (is_audit && output.status.code() == Some(1));
            assert!(good, "{}: {}\n{told}", page.display(), block.text);
            if let Some(shown) = block.output {
                let printed = String::from_utf8_lossy(&output.stdout) + told;
                assert_shows(shown, &printed, &page);
                compared += 1;
            }
            run += 1;
        }
    }
    assert!(compared > 5, "only {compared} outputs were compared");
    assert!(run > 15, "only {run} commands ran");
}

#[test]
fn the_rules_of_the_cookbook_are_those_of_its_file() {
    let page = fs::read_to_string(root().join("docs/cookbook.md")).unwrap();
    let shown: Vec<_> = blocks(&page)
        .into_iter()
        .filter(|block| block.language == "toml")
        .map(|block| block.text)
        .collect();
    assert!(shown.len() > 10);
    let file = fs::read_to_string(root().join("docs/cookbook.toml")).unwrap();
    let (_, rules) = file.split_once("version = 1\n\n").unwrap();
    assert_eq!(rules, shown.join("\n"));
}

#[test]
fn links_between_pages_lead_somewhere() {
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1) {
            let target = link.split([')', '#']).next().unwrap_or_default();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            let path = page.parent().unwrap().join(target);
            assert!(path.exists(), "{}: {target}", page.display());
        }
    }
}
