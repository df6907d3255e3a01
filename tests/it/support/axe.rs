//! axe-core, which finds problems of accessibility.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use super::page::element;
use super::{Workspace, chromium};

/// How a page is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Light,
    Dark,
}

/// Returns the script of axe-core named by `BACKTRAIL_TEST_AXE`. If `CI` is set, it must exist;
/// otherwise the test reports why it is skipped.
#[allow(clippy::print_stderr)] // why a test is skipped is for people
pub fn find() -> Option<PathBuf> {
    let found = std::env::var_os("BACKTRAIL_TEST_AXE").map(PathBuf::from);
    let found = found.filter(|path| path.is_file());
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "axe-core is needed here");
        eprintln!("skipped: BACKTRAIL_TEST_AXE names no axe.min.js");
    }
    found
}

/// Returns the rules that `page` violates, and where, with all its sections unfolded.
#[track_caller]
pub fn violations(
    workspace: &Workspace,
    browser: &OsString,
    axe: &PathBuf,
    page: &str,
    scheme: Scheme,
) -> Vec<String> {
    let script = fs::read_to_string(axe).unwrap();
    let run = "axe.run().then(found => {
        const told = found.violations.flatMap(rule => rule.nodes.map(node => `${rule.id} ${node.target}`));
        const list = document.createElement('pre');
        list.id = 'violations';
        list.textContent = found.passes.length + ' passed\\n' + told.join('\\n');
        document.body.append(list);
    });";
    let dark = "@media (prefers-color-scheme: dark)";
    assert!(page.contains(dark), "the page has no dark colours");
    let page = match scheme {
        Scheme::Light => page.replace(dark, "@media not all"),
        Scheme::Dark => page.replace(dark, "@media all"),
    };
    let (before, policy) = page.split_once("<meta http-equiv=\"Content-Security-Policy\"").unwrap();
    let (_, after) = policy.split_once('>').unwrap();
    let page = format!("{before}{after}").replace("<details>", "<details open>");
    let page =
        page.replace("</body>", &format!("<script>{script}</script><script>{run}</script></body>"));
    workspace.write("axe.html", page);
    let opened =
        chromium::open(browser, &workspace.path("axe.html"), &workspace.path("axe-profile"));
    let told = element(&opened.dom, "<pre id=\"violations\">", "</pre>");
    let (passed, told) = told.split_once('\n').unwrap();
    assert_ne!(passed, "0 passed");
    told.lines().map(str::to_owned).collect()
}
