//! Texts for people: no secrets, and nothing that a terminal interprets.

use std::fs;

use crate::support::{Finished, Workspace, track};

/// The beginning of every value that must not be shown.
const SECRET: &str = "S3CR";
/// Sets the title of a terminal, changes colours and the text direction, and begins lines.
const EVIL: &str = "\u{1b}]0;t\u{7}\u{1b}[31m\u{9b}7m\u{202e}\u{61c}\u{2066}\u{2028}\nforged: line";

/// Characters that a terminal interprets.
const ACTED_ON: [char; 7] =
    ['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}', '\u{61c}', '\u{2066}', '\u{2028}'];

/// A delivery that is not an event, with secrets in every field in which tools put them.
fn delivery() -> String {
    let headers = [
        "Authorization",
        "X-Auth-Token",
        "X-Amz-Security-Token",
        "X-Signature",
        "X-Gitlab-Token",
        "Api-Key",
        "X-Access-Token",
        "X-Webhook-Secret",
        "X-Client-Secret",
        "X-Vault-Token",
        "Private-Token",
        "X-Functions-Key",
        "X-Password",
        "Cf-Access-Jwt-Assertion",
        "X-Session-Id",
    ];
    let headers = headers.map(|name| (name.to_owned(), format!("{SECRET}-{name}").into()));
    let delivery = serde_json::json!({
        "body": format!("curl -H 'Authorization: Bearer {SECRET}-body'"),
        "headers": serde_json::Map::from_iter(headers),
        "path": format!("/webhook/{SECRET}-path"),
        "url": format!("https://acme.example/x?page=2&token={SECRET}-url&key={SECRET}-k"),
        "query": {"token": format!("{SECRET}-query"), "key": format!("{SECRET}-q")},
        "writeKey": format!("{SECRET}-write"),
    });
    format!("{delivery}\n")
}

#[test]
fn a_reject_shows_no_secret_of_its_delivery() {
    let workspace = Workspace::new();
    workspace.write("in.ndjson", delivery() + &track("1"));
    workspace.run(["in.ndjson", "-o", "out"]).exits(0);
    let [reject] = &workspace.rejects("out")[..] else { panic!("one reject") };
    let record = reject["record"].as_str().unwrap();
    assert!(!record.contains(SECRET), "{record}");
    for kept in ["X-Functions-Key", "/webhook/", "acme.example/x?page=2", "writeKey"] {
        assert!(record.contains(kept), "{kept} in {record}");
    }
}

#[test]
fn no_report_of_a_check_shows_a_secret() {
    let workspace = Workspace::new();
    workspace.write("in.ndjson", delivery());
    workspace.write("r.toml", "version = 1\n");
    for format in ["text", "json", "junit", "sarif", "github", "markdown"] {
        let check = ["in.ndjson", "--rules", "r.toml", "--report", format];
        let finished = workspace.does("check", &check).exits(1);
        let shown = String::from_utf8_lossy(&finished.stdout);
        assert!(!shown.contains(SECRET), "{format}\n{shown}");
    }
}

#[test]
fn the_excerpt_of_a_rules_file_shows_no_secret() {
    let workspace = Workspace::new();
    workspace.write("in.ndjson", track("1"));
    workspace.write("r.toml", format!("version = 1\napi_secret = \"{SECRET}\"\n"));
    let finished = workspace.run(["in.ndjson", "-o", "out", "--rules", "r.toml"]).exits(2);
    assert!(!finished.stderr.contains(SECRET), "{finished}");
    finished.says("api_secret = \"****\"");
}

#[track_caller]
fn shows_plain_text(finished: &Finished) {
    let stdout = String::from_utf8_lossy(&finished.stdout);
    for text in [&*stdout, &finished.stderr] {
        assert!(!text.contains(ACTED_ON), "{}", text.escape_debug());
        assert!(!text.lines().any(|line| line.starts_with("forged")), "{text}");
    }
}

#[test]
fn names_of_files_are_escaped_in_terminals() {
    let workspace = Workspace::new();
    let name = |what: &str| format!("d/{what}{EVIL}");
    workspace.write(&name("broken.gz"), b"\x1f\x8b\x08zzzz");
    workspace.write(&name("in.ndjson"), track("1") + "{\"cut\n");
    workspace.write("allow.txt", "identify\n");
    workspace.write(&name("rules.toml"), "version = 1\nwhen = 1\n");
    let evil = |what: &str| name(what);
    let (missing, rules, input) = (evil("missing"), evil("rules.toml"), evil("in.ndjson"));
    let run = |args: &[&str], code| {
        let finished = workspace.run(args).exits(code);
        shows_plain_text(&finished);
        finished
    };
    run(&["d", "-o", "out"], 2).says("broken.gz\u{fffd}");
    run(&["d", "-o", "out2", "--strict"], 2);
    run(&[&missing, "-o", "o"], 2).says("missing\u{fffd}");
    run(&["d", "-o", &input], 2).says("is not a directory");
    run(&[&input, "-o", "o", "--rules", &rules], 2).says("rules.toml\u{fffd}");
    run(&[&input, "-o", "o", "--rules", &missing], 2);
    run(&[&input, "-o", "o", &format!("--{EVIL}")], 2);
    run(&[&input, "-o", "o", "--format", EVIL], 2);
    for arguments in [&["d", "--allow", "allow.txt"][..], &["d", "--allow", &missing]] {
        shows_plain_text(&workspace.does("audit", arguments));
    }
    for format in ["text", "github", "markdown"] {
        let check = ["d", "--allow", "allow.txt", "--report", format];
        shows_plain_text(&workspace.does("check", &check));
    }
}

#[test]
fn names_of_the_data_are_escaped_in_terminals() {
    let workspace = Workspace::new();
    let event = serde_json::json!({
        "type": "track", "event": format!("x{EVIL}"), "messageId": "1", "anonymousId": "a",
    });
    let page = serde_json::json!({
        "type": "page", "name": format!("y{EVIL}"), "messageId": "2", "anonymousId": "a",
    });
    workspace.write("in.ndjson", format!("{event}\n{page}\n"));
    let rules = format!(
        "version = 1\n[plan]\nname = {0}\nraw_signals = 1\n[[rule]]\nid = {0}\nwhen = \"messageId = '1'\"\nscore = 1\n",
        toml_text(&format!("r{EVIL}"))
    );
    workspace.write("r.toml", rules);
    workspace.write("allow.txt", "identify\n");
    shows_plain_text(&workspace.run(["in.ndjson", "-o", "out", "--rules", "r.toml"]).exits(0));
    let audit = ["in.ndjson", "--allow", "allow.txt", "--rules", "r.toml", "--html", "page.html"];
    shows_plain_text(&workspace.does("audit", &audit));
    let page = fs::read_to_string(workspace.path("page.html")).unwrap();
    // The rest is data for programs.
    let (shown, _) = page.split_once("<script type=\"application/json\"").unwrap();
    assert!(!shown.contains(ACTED_ON), "{}", shown.escape_debug());
    for format in ["text", "github", "markdown"] {
        let check = ["in.ndjson", "--allow", "allow.txt", "--rules", "r.toml", "--report", format];
        shows_plain_text(&workspace.does("check", &check).exits(1));
    }
}

/// `text` as a TOML string.
fn toml_text(text: &str) -> String {
    let escaped = |char: char| match char {
        '"' | '\\' => format!("\\{char}"),
        _ if char.is_ascii_graphic() || char == ' ' => char.to_string(),
        _ => format!("\\U{:08x}", u32::from(char)),
    };
    format!("\"{}\"", text.chars().map(escaped).collect::<String>())
}
