//! Names with special characters of the programs that read outputs: terminals, browsers, XML,
//! Markdown, workflow commands, spreadsheets. They are shown as text, and addresses and secrets are
//! not shown at all.

use std::fs;
use std::process::Command;

use crate::support::{Finished, Workspace, chromium, python};
use serde_json::{Value, json};

/// Sets colours, the clipboard and the text direction, begins lines and workflow commands, ends
/// elements and sections, and contains code, links, cells and formulas.
const HOSTILE: &str = "=cmd|'/c'!A1 \u{1b}[31m\u{1b}]52;c;ZQ==\u{7}\u{9b}7m\u{202e}\u{2066}\u{61c}\
    \u{2028}\r\n::error::forged\r\n</script></title><img src=x onerror=alert(1)>]]>--> `b` | c | \
    [x](javascript:alert(1)) ![i](http://host.invalid/i) &lt; ${{ x }} %0A \u{7f}";
/// Characters that terminals interpret, or that reorder text.
const ACTED_ON: [char; 9] =
    ['\u{1b}', '\u{7}', '\u{7f}', '\u{9b}', '\u{202e}', '\u{2066}', '\u{61c}', '\u{2028}', '\r'];
/// Texts that must not appear in outputs.
const CANARIES: [&str; 2] = ["canary@", "S3CRETCANARY"];

/// Events, plan, rules, lists, filters and a file with hostile names.
fn workspace() -> Workspace {
    let workspace = Workspace::new();
    let event = |id: &str, members: Value| {
        let mut event = json!({
            "type": "track", "event": HOSTILE, "messageId": id, "anonymousId": format!("a{HOSTILE}"),
            "timestamp": "2025-05-01T00:00:00Z",
        });
        event.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        format!("{event}\n")
    };
    let named =
        json!({HOSTILE: HOSTILE, "token": CANARIES[1], "url": format!("http://h/{HOSTILE}")});
    let traits = json!({
        "email": "canary@acme.example", "name": HOSTILE, "company": HOSTILE, "title": "=1+1",
    });
    let events = [
        event(HOSTILE, json!({"properties": named})),
        event("page", json!({"type": "page", "name": HOSTILE, "properties": named})),
        event("identify", json!({"type": "identify", "userId": HOSTILE, "traits": traits})),
        event("unknown", json!({"type": HOSTILE})),
        format!("{{\"cut canary@acme.example Bearer {} \u{1b}[31m\n", CANARIES[1]),
    ];
    let name = format!("d/in {}.ndjson", HOSTILE.replace('/', "_"));
    workspace.write(&name, events.concat());
    let quoted = toml::Value::String(HOSTILE.into());
    workspace.write(
        "rules.toml",
        format!(
            "version = 1\n[plan]\nname = {quoted}\nraw_signals = 1\n[[rule]]\nid = {quoted}\n\
             when = \"type = 'track'\"\nsignal = {quoted}\ntype = {quoted}\nscore = 1\n\
             description = {quoted}\n[[test]]\nname = {quoted}\n\
             event = {{ type = 'track', event = 'x', messageId = '1', anonymousId = 'a' }}\n\
             expect = {{ rule = 'none' }}\n"
        ),
    );
    let line: String = HOSTILE.chars().filter(|char| !"\r\n\u{2028}".contains(*char)).collect();
    workspace.write("allow.txt", format!("identify\nSeen {line}\npage {line}\n"));
    let schema = json!({"type": "object", "properties": {"properties": {
        "type": "object", "required": [format!("missing{HOSTILE}")],
    }}});
    let rule =
        |key: String| json!({"type": "TRACK", "key": key, "version": 1, "jsonSchema": schema});
    let plan = json!({"rules": [rule(HOSTILE.into()), rule(format!("Unseen {HOSTILE}"))]});
    workspace.write("plan.json", plan.to_string());
    let filter = |operator: &str| {
        json!([{
            "title": HOSTILE, "enabled": true, "actions": [{"type": "DROP"}],
            "if": format!("event {operator} {}", json!(HOSTILE)),
        }])
    };
    workspace.write("filters.json", filter("=").to_string());
    workspace.write("broken.json", filter("==").to_string());
    workspace
}

#[track_caller]
fn has_no_canary(text: &str, what: &str) {
    for canary in CANARIES {
        assert!(!text.contains(canary), "{canary} comes out of {what}\n{text}");
    }
}

/// Asserts that `printed` is plain text in a terminal.
#[track_caller]
fn is_plain(finished: &Finished) {
    let stdout = String::from_utf8_lossy(&finished.stdout);
    for text in [&*stdout, &finished.stderr] {
        assert!(!text.contains(ACTED_ON), "{}", text.escape_debug());
        assert!(!text.lines().any(|line| line.starts_with("::error::forged")), "{text}");
        has_no_canary(text, "a terminal");
    }
}

/// Everything that `check` reads here.
const CHECK: [&str; 7] =
    ["d", "--tracking-plan", "plan.json", "--rules", "rules.toml", "--allow", "allow.txt"];

#[test]
fn every_command_prints_hostile_names_as_text() {
    let workspace = workspace();
    let run = ["d", "-o", "out", "--rules", "rules.toml", "--overwrite"];
    is_plain(&workspace.run(run).exits(0));
    is_plain(&workspace.run([&run[..], &["--filters", "filters.json"]].concat()).exits(0));
    is_plain(&workspace.run([&run[..], &["--filters", "broken.json"]].concat()));
    is_plain(&workspace.run([&run[..], &["--strict", "--format", HOSTILE]].concat()).exits(2));
    is_plain(&workspace.run([&run[..], &["--where", HOSTILE]].concat()).exits(2));
    for filter in
        [["--allow", "allow.txt"], ["--filters", "filters.json"], ["--filters", "broken.json"]]
    {
        let audit = [&["d", "--rules", "rules.toml"][..], &filter].concat();
        is_plain(&workspace.does("audit", &audit));
    }
    is_plain(&workspace.does("queue", &["d", "--rules", "rules.toml"]).exits(0));
    is_plain(&workspace.does("queue", &["d", "--suggest"]).exits(0));
    is_plain(&workspace.does("queue", &["d", "--event", HOSTILE]));
    for format in ["text", "github", "markdown"] {
        let check = [&CHECK[..], &["--report", format]].concat();
        is_plain(&workspace.does("check", &check).exits(1));
    }
}

#[test]
fn workflow_commands_are_those_of_the_findings() {
    let workspace = workspace();
    let check = [&CHECK[..], &["--report", "github"]].concat();
    let finished = workspace.does("check", &check).exits(1);
    let text = String::from_utf8(finished.stdout.clone()).unwrap();
    let commands: Vec<_> = text.lines().filter(|line| line.starts_with("::")).collect();
    assert!(commands.len() >= 3, "{text}");
    for line in commands {
        let (head, _) = line[2..].split_once("::").unwrap();
        let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
        assert!(["error", "warning", "notice", "group", "endgroup"].contains(&name), "{line}");
        let known = ["file", "line", "col", "endColumn", "endLine", "title"];
        for property in properties.split(',').filter(|property| !property.is_empty()) {
            let (key, _) = property.split_once('=').unwrap();
            assert!(known.contains(&key), "{key} in {line}");
        }
    }
}

#[test]
fn what_a_suggestion_writes_is_a_rules_file_without_more_rules() {
    let workspace = workspace();
    let finished = workspace.does("queue", &["d", "--suggest"]).exits(0);
    let text = String::from_utf8(finished.stdout).unwrap();
    let parsed: toml::Table = toml::from_str(&text).unwrap();
    assert_eq!(parsed["version"].as_integer(), Some(1));
    has_no_canary(&text, "a suggestion");
}

#[test]
fn spreadsheets_of_the_queue_hold_no_formula() {
    let workspace = workspace();
    let queue = ["d", "--rules", "rules.toml", "--format", "csv"];
    let finished = workspace.does("queue", &queue).exits(0);
    let mut reader = csv::Reader::from_reader(finished.stdout.as_slice());
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert!(rows.iter().any(|row| row.iter().any(|cell| cell.contains("cmd|"))));
    for cell in rows.iter().flatten() {
        assert!(!cell.starts_with(['=', '@', '+', '\t', '\r']), "{cell:?}");
    }
}

/// Writes the files of `audit` and `check` of the workspace into the folder `made`.
fn make_files(workspace: &Workspace) {
    fs::create_dir(workspace.path("made")).unwrap();
    let audit = |page: &str, filter: [&str; 2]| {
        let page = format!("made/{page}");
        let arguments = ["d", "--rules", "rules.toml", "--html", &page];
        workspace.does("audit", &[&arguments[..], &filter].concat())
    };
    audit("allow.html", ["--allow", "allow.txt"]);
    audit("filters.html", ["--filters", "filters.json"]);
    let reports =
        ["junit=made/a.xml", "sarif=made/a.sarif", "json=made/a.json", "markdown=made/a.md"];
    let reports = reports.iter().flat_map(|report| ["--report", report]);
    let check: Vec<&str> = CHECK.iter().copied().chain(reports).collect();
    workspace.does("check", &check).exits(1);
    let mut command = Command::new(env!("CARGO_BIN_EXE_backtrail"));
    command.arg("check").args(CHECK).current_dir(workspace.path(""));
    command.env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", "made/summary.md");
    let output = command.output().unwrap();
    Finished::of(&command, output).exits(1);
}

#[test]
fn reports_are_read_by_other_programs_as_text() {
    let Some(mut command) = python::with(&["markdown_it"]) else { return };
    let workspace = workspace();
    make_files(&workspace);
    for name in ["a.xml", "a.sarif", "a.json", "a.md", "summary.md"] {
        let text = String::from_utf8(workspace.read(&format!("made/{name}"))).unwrap();
        has_no_canary(&text, name);
    }
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/injection.py"));
    command.arg(workspace.path("made"));
    let said: Value = serde_json::from_str(&python::output(command)).unwrap();
    for name in ["a.md", "a.xml", "allow.html", "filters.html", "summary.md"] {
        let read = &said[name];
        assert_eq!(read["active"], json!([]), "{name}");
        for forbidden in ["img", "iframe", "object", "form", "base", "del"] {
            assert_eq!(read["elements"][forbidden], Value::Null, "{forbidden} in {name}");
        }
        // The name itself is readable.
        let text = read["text"].as_str().unwrap().to_owned();
        let attributes = String::from_utf8(workspace.read(&format!("made/{name}"))).unwrap();
        assert!(text.contains("alert(1)") || attributes.contains("alert(1)"), "{name}");
    }
    for name in ["a.md", "summary.md"] {
        for forbidden in ["a", "script", "code"] {
            assert_eq!(said[name]["elements"][forbidden], Value::Null, "{forbidden} in {name}");
        }
    }
    for name in ["allow.html", "filters.html"] {
        assert_eq!(said[name]["elements"]["script"], 1, "the JSON of {name}");
    }
}

#[test]
fn a_browser_runs_nothing_of_a_page_and_asks_for_nothing() {
    let Some(browser) = chromium::find() else { return };
    let workspace = workspace();
    make_files(&workspace);
    for name in ["allow.html", "filters.html"] {
        let page = workspace.path(&format!("made/{name}"));
        let opened = chromium::open(&browser, &page, &workspace.path("profile"));
        assert_eq!(opened.console, [""; 0], "{name}: the console is not empty");
        assert!(!opened.dom.contains("<img"), "{name}");
        assert!(opened.dom.contains("alert(1)"), "{name} does not show the name");
    }
}

#[test]
fn a_sarif_log_of_hostile_names_keeps_to_its_schema() {
    let Some(mut command) = python::with(&["jsonschema", "junitparser"]) else { return };
    let workspace = workspace();
    make_files(&workspace);
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/check_reports.py"));
    command.args([crate::support::testdata("sarif-schema-2.1.0.json"), workspace.path("made")]);
    let said: Value = serde_json::from_str(&python::output(command)).unwrap();
    assert_eq!(said["a.sarif"]["errors"], json!([]));
    assert!(said["a.xml"]["failures"].as_object().unwrap().len() > 2, "{said}");
}
