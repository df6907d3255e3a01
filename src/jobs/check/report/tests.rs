use proptest::prelude::*;
use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::Value;

use super::sample::{NASTY, checked, finding, nasty};
use super::*;
use crate::jobs::check::finding::{Case, Excerpt, Finding, Level, Place, Suite, Violation};
use crate::report::colour::Colour;

fn setting() -> Setting {
    let repository = Repository::around(Path::new("/nowhere"));
    Setting { repository, layout: Layout::plain(), step_summary: None }
}

fn written(format: Format, checked: &Checked) -> String {
    let mut out = Vec::new();
    write(format, checked, &setting(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn json(format: Format, checked: &Checked) -> Value {
    serde_json::from_str(&written(format, checked)).unwrap()
}

/// The name, attributes and text of an element.
type Element = (String, Vec<(String, String)>, String);

/// Returns all elements, as an XML reader sees them.
fn read_xml(text: &str) -> Vec<Element> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = true;
    let mut elements: Vec<Element> = Vec::new();
    let mut depth = 0;
    loop {
        let event = reader.read_event().unwrap();
        match &event {
            Event::Start(start) | Event::Empty(start) => {
                depth += usize::from(matches!(event, Event::Start(_)));
                let attributes = start.attributes().map(|attribute| {
                    let attribute = attribute.unwrap();
                    let value = quick_xml::escape::unescape(&attribute.value).unwrap();
                    (attribute.key.as_ref().to_owned(), value.into_owned())
                });
                elements.push((
                    start.name().as_ref().to_owned(),
                    attributes.collect(),
                    String::new(),
                ));
            }
            Event::End(_) => depth -= 1,
            // Whitespace before the first element belongs to none.
            Event::Text(text) => {
                elements.iter_mut().last().into_iter().for_each(|last| last.2.push_str(text));
            }
            Event::GeneralRef(reference) => {
                let text = quick_xml::escape::unescape(&format!("&{};", &**reference))
                    .unwrap()
                    .into_owned();
                elements.last_mut().unwrap().2.push_str(&text);
            }
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(depth, 0);
    elements
}

#[test]
fn text_shows_every_finding_with_its_line_and_a_closing_count() {
    insta::assert_snapshot!(written(Format::Text, &checked()), @r##"
    fixtures/signup.ndjson:12:34: error[invalid-type]: expected a whole number, as
        the plan says for this property, found a text: "60"
     12 | …"properties":{"seats":"60"}…
        |                        ^^^^
      = event `Signed Up`, at /properties/seats, rule `Signed Up, version 2`

    fixtures/signup.ndjson:13:1: error[missing-required]: `plan` is required
      = event `Signed Up`, at /properties, rule `Signed Up, version 2`

    plan.json:1:1: note[uncovered]: no fixture has the planned event `Signed Out`
      = event `Signed Out`

    rules.toml:7:1: error[rule-never-matches]: `demo` at line 3 takes all of its
        signals first
      = rule `trial`

    3 errors, 1 note; 2 files with 4 events checked, the baseline mutes 2 more
    "##);
}

#[test]
fn junit_has_a_suite_a_fixture_and_a_case_an_event() {
    insta::assert_snapshot!(written(Format::Junit, &checked()), @r##"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="backtrail check" tests="5" failures="3" errors="0" skipped="0">
      <testsuite name="fixtures/signup.ndjson" tests="3" failures="2" errors="0" skipped="0">
        <testcase name="Signed Up (line 11): Signed Up, version 2" classname="fixtures/signup.ndjson" file="fixtures/signup.ndjson"/>
        <testcase name="Signed Up (line 12): Signed Up, version 2" classname="fixtures/signup.ndjson" file="fixtures/signup.ndjson">
          <failure message="expected a whole number, as the plan says for this property, found a text: &quot;60&quot;" type="invalid-type">fixtures/signup.ndjson:12:34: invalid-type: expected a whole number, as the plan says for this property, found a text: &quot;60&quot;
      event: Signed Up
      rule: Signed Up, version 2
      at: /properties/seats</failure>
        </testcase>
        <testcase name="Signed Up (line 13): Signed Up, version 2" classname="fixtures/signup.ndjson" file="fixtures/signup.ndjson">
          <failure message="`plan` is required" type="missing-required">fixtures/signup.ndjson:13:1: missing-required: `plan` is required
      event: Signed Up
      rule: Signed Up, version 2
      at: /properties</failure>
        </testcase>
      </testsuite>
      <testsuite name="fixtures/page.json" tests="1" failures="0" errors="0" skipped="0">
        <testcase name="Page Viewed" classname="fixtures/page.json" file="fixtures/page.json"/>
      </testsuite>
      <testsuite name="plan.json" tests="0" failures="0" errors="0" skipped="0">
        <system-out>plan.json:1:1: uncovered: no fixture has the planned event `Signed Out`
      event: Signed Out</system-out>
      </testsuite>
      <testsuite name="rules.toml" tests="1" failures="1" errors="0" skipped="0">
        <testcase name="rule-never-matches: trial" classname="rules.toml" file="rules.toml">
          <failure message="`demo` at line 3 takes all of its signals first" type="rule-never-matches">rules.toml:7:1: rule-never-matches: `demo` at line 3 takes all of its signals first
      rule: trial</failure>
        </testcase>
      </testsuite>
    </testsuites>
    "##);
}

#[test]
fn github_gets_a_command_for_each_kind_of_finding() {
    insta::assert_snapshot!(written(Format::Github, &checked()), @r##"
    ::error file=fixtures/signup.ndjson,line=12,col=34,endColumn=38,title=invalid-type%3A Signed Up::expected a whole number, as the plan says for this property, found a text: "60"%0Aat /properties/seats%0Arule `Signed Up, version 2`
    ::error file=fixtures/signup.ndjson,line=13,title=missing-required%3A Signed Up::`plan` is required%0Aat /properties%0Arule `Signed Up, version 2`
    ::error file=rules.toml,line=7,col=1,title=rule-never-matches%3A trial::`demo` at line 3 takes all of its signals first%0Arule `trial`
    ::notice file=plan.json,line=1,title=uncovered%3A Signed Out::no fixture has the planned event `Signed Out`
    "##);
}

#[test]
fn markdown_has_tables() {
    insta::assert_snapshot!(written(Format::Markdown, &checked()), @r##"
    ## backtrail check: 3 errors, 1 note

    3 errors, 1 note; 2 files with 4 events checked, the baseline mutes 2 more.

    | violation | level | count | what it is |
    | --- | --- | ---: | --- |
    | missing-required | error | 1 | A required property is absent |
    | invalid-type | error | 1 | A value is of a type that the tracking plan does not allow |
    | rule-never-matches | error | 1 | A rule can never map a signal |
    | uncovered | note | 1 | No fixture covers a planned event or a rule |

    ### Findings

    | where | level | violation | event | what |
    | --- | --- | --- | --- | --- |
    | fixtures/signup.ndjson:12 | error | invalid-type | Signed Up | expected a whole number, as the plan says for this property, found a text: "60"<br>at /properties/seats<br>rule Signed Up, version 2 |
    | fixtures/signup.ndjson:13 | error | missing-required | Signed Up | \`plan\` is required<br>at /properties<br>rule Signed Up, version 2 |
    | rules.toml:7 | error | rule-never-matches |  | \`demo\` at line 3 takes all of its signals first<br>rule trial |
    | plan.json | note | uncovered | Signed Out | no fixture has the planned event \`Signed Out\` |
    "##);
}

#[test]
fn text_keeps_to_eighty_columns_where_blanks_allow_it() {
    let text = written(Format::Text, &checked());
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn text_may_have_colours_and_is_the_same_without_them() {
    let mut out = Vec::new();
    text::write(&checked(), Layout::new(80, Colour::On), &mut out).unwrap();
    let coloured = String::from_utf8(out).unwrap();
    assert!(coloured.contains("\x1b[31merror[invalid-type]:\x1b[0m"), "{coloured}");
    let mut plain = coloured;
    for code in ["0", "1", "31", "32", "36"] {
        plain = plain.replace(&format!("\x1b[{code}m"), "");
    }
    assert_eq!(plain, written(Format::Text, &checked()));
}

#[test]
fn nothing_found_is_said() {
    let none = Checked { suites: checked().suites, files: 2, events: 1, ..Checked::default() };
    assert_eq!(written(Format::Text, &none), "no findings; 2 files with 1 event checked\n");
    assert_eq!(written(Format::Github, &none), "");
    assert!(written(Format::Markdown, &none).starts_with("## backtrail check: no findings\n"));
    assert_eq!(json(Format::Sarif, &none)["runs"][0]["results"], Value::Array(Vec::new()));
    let suites = &read_xml(&written(Format::Junit, &none))[0];
    assert!(suites.1.contains(&("failures".into(), "0".into())), "{suites:?}");
}

#[test]
fn json_counts_and_places_what_it_holds() {
    let value = json(Format::Json, &checked());
    assert_eq!(value["version"], 1);
    let summary = serde_json::json!({"errors": 3, "notes": 1, "muted": 2, "by_violation": {
        "invalid-type": 1, "missing-required": 1, "rule-never-matches": 1, "uncovered": 1}});
    assert_eq!(value["summary"], summary);
    let coverage = serde_json::json!({"files": 2, "events": 4, "cases": 4, "failed_cases": 2,
        "rules": 1, "uncovered": 1});
    assert_eq!(value["coverage"], coverage);
    let first = serde_json::json!({"file": "fixtures/signup.ndjson", "line": 12, "column": 34,
        "width": 4, "violation": "invalid-type", "level": "error", "event": "Signed Up",
        "pointer": "/properties/seats", "rule": "Signed Up, version 2",
        "message": checked().findings[0].message, "fingerprint": "d89e9b53d8421f62c5c226fe00b1bdb6"});
    assert_eq!(value["findings"][0], first);
    assert_eq!(value["findings"][2]["line"], Value::Null);
    let case = serde_json::json!({"name": "Signed Up (line 13)", "rule": "Signed Up, version 2",
        "findings": [1]});
    assert_eq!(value["suites"][0]["cases"][2], case);
}

#[test]
fn sarif_places_results_by_line_and_column_and_keeps_their_fingerprints() {
    let value = json(Format::Sarif, &checked());
    let run = &value["runs"][0];
    let result = &run["results"][0];
    assert_eq!(result["ruleId"], "invalid-type");
    let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
    assert_eq!(run["tool"]["driver"]["rules"][index]["id"], "invalid-type");
    assert_eq!(run["tool"]["driver"]["rules"].as_array().unwrap().len(), Violation::ALL.len());
    let place = &result["locations"][0]["physicalLocation"];
    let region = serde_json::json!({"startLine": 12, "startColumn": 34, "endColumn": 38});
    assert_eq!(place["region"], region);
    assert_eq!(place["artifactLocation"]["uri"], "fixtures/signup.ndjson");
    let whole_file = &run["results"][2];
    assert_eq!(whole_file["level"], "note");
    let region = &whole_file["locations"][0]["physicalLocation"]["region"];
    assert_eq!(*region, serde_json::json!({"startLine": 1}));
    let fingerprint = json(Format::Json, &checked())["findings"][0]["fingerprint"].clone();
    let fingerprint = format!("{}:1", fingerprint.as_str().unwrap());
    assert_eq!(result["partialFingerprints"]["backtrailFinding/v1"], fingerprint);
}

#[test]
fn sarif_messages_say_what_they_say_and_no_more() {
    let mut checked = checked();
    checked.findings[0].message = "`^[a]{2}$` and [b](c)".into();
    checked.findings[1].message = "[a] b".into();
    let results = json(Format::Sarif, &checked)["runs"][0]["results"].clone();
    assert_eq!(results[0]["message"]["text"], "`^\\[a\\]{{2}}$` and \\[b\\](c)");
    assert_eq!(results[1]["message"]["text"], "[a] b");
}

/// Returns 6,000 errors after 10 notes: 5,000 of one group, and 25 groups of 40 each.
fn many() -> Checked {
    let note = finding(Violation::Uncovered, "no fixture has it");
    let mut findings = vec![note; 10];
    findings.extend((0..6_000).map(|number| {
        let mut error = finding(Violation::InvalidType, "expected a number, found a text");
        error.place.line = number + 1;
        if number % 6 == 0 {
            error.event = Some(format!("Event {}", number / 6 % 25));
        }
        error
    }));
    Checked { findings, events: 6_000, ..Checked::default() }
}

#[test]
fn sarif_keeps_errors_before_notes_and_says_how_many_are_left_out() {
    let value = json(Format::Sarif, &many());
    let run = &value["runs"][0];
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 5_000);
    assert!(results.iter().all(|result| result["level"] == "error"));
    let prints: std::collections::BTreeSet<&str> = results
        .iter()
        .map(|result| result["partialFingerprints"]["backtrailFinding/v1"].as_str().unwrap())
        .collect();
    assert_eq!(prints.len(), 5_000);
    let notices = &run["invocations"][0]["toolExecutionNotifications"];
    assert_eq!(notices.as_array().unwrap().len(), 1);
    assert_eq!(notices[0]["level"], "note");
    let text = notices[0]["message"]["text"].as_str().unwrap();
    assert!(text.starts_with("1,010 results are not in this file, which holds 5,000"), "{text}");
    let few = json(Format::Sarif, &checked());
    assert_eq!(few["runs"][0]["invocations"][0], serde_json::json!({"executionSuccessful": true}));
}

#[test]
fn github_shows_the_most_frequent_kinds_in_ten_commands_and_counts_the_rest() {
    let text = written(Format::Github, &many());
    let commands: Vec<&str> = text.lines().collect();
    let errors = commands.iter().filter(|line| line.starts_with("::error ")).count();
    assert_eq!((commands.len(), errors), (11, 10), "{text}");
    assert!(
        commands[0].contains(",title=invalid-type%3A Signed Up (5000 times)::"),
        "{}",
        commands[0]
    );
    assert!(
        commands[0].ends_with(
            "%0Aalso in fixtures/signup.ndjson:3, fixtures/signup.ndjson:4, \
             fixtures/signup.ndjson:5, fixtures/signup.ndjson:6, fixtures/signup.ndjson:8 \
             and 4994 more"
        ),
        "{}",
        commands[0]
    );
    assert!(commands[1].contains("title=invalid-type%3A Event 0 (40 times)::"), "{}", commands[1]);
    // 25 groups of 40, of which 8 have a command.
    assert_eq!(
        commands[9],
        "::error title=680 more errors::invalid-type 680%0AThe summary of the step lists them."
    );
    assert!(commands[10].starts_with("::notice "), "{}", commands[10]);
}

#[test]
fn nasty_texts_stay_within_their_format() {
    let commands = written(Format::Github, &nasty());
    assert_eq!(commands.lines().count(), 1, "{commands}");
    assert!(commands.contains("h::error::%2525i"), "{commands}");
    assert!(commands.contains("h%3A%3Aerror%3A%3A%2525i"), "{commands}");
    let table = written(Format::Markdown, &nasty());
    let row = table.lines().last().unwrap();
    let bars = row.match_indices('|').filter(|(at, _)| !row[..*at].ends_with('\\')).count();
    assert_eq!(bars, 6, "{row}");
    assert!(!row.contains("<d>") && !row.contains("@user") && !row.contains("#1"), "{row}");
    let text = written(Format::Text, &nasty());
    assert!(!text.contains(['\u{1b}', '\u{1}', '\u{202e}', '\r']), "{text}");
    assert_eq!(json(Format::Json, &nasty())["findings"][0]["event"], *shown::mask(NASTY));
    for element in read_xml(&written(Format::Junit, &nasty())) {
        if element.0 == "failure" {
            let message = &element.1[0].1;
            let expected = NASTY.replace("ana@", "***@").replace("\r\n", " ");
            assert_eq!(*message, expected.replace(['\u{1}', '\u{1b}', '\u{ffff}'], "\u{fffd}"));
        }
    }
}

#[test]
fn no_format_shows_an_address() {
    for format in Format::ALL {
        let text = written(format, &nasty());
        assert!(!text.contains("ana@") && !text.contains("ana%40"), "{format}: {text}");
    }
}

#[test]
fn junit_puts_a_case_s_findings_into_one_failure_and_notes_beside_it() {
    let mut checked = checked();
    let mut note = finding(Violation::Uncovered, "worth knowing");
    note.level = Level::Note;
    checked.findings.push(note);
    checked.suites[0].cases[1].findings = vec![0, 1, 4, 99];
    checked.suites[0].cases[2].findings = vec![4];
    let elements = read_xml(&written(Format::Junit, &checked));
    let of = |name: &str| elements.iter().filter(|element| element.0 == name).collect::<Vec<_>>();
    let failures = of("failure");
    assert_eq!(failures.len(), 2);
    assert!(failures[0].1[0].1.ends_with(" (and 1 more)"), "{failures:?}");
    assert!(failures[0].2.contains("`plan` is required"), "{failures:?}");
    assert_eq!(of("system-out").len(), 3);
    let counts = ("failures".to_owned(), "1".to_owned());
    assert!(of("testsuite")[0].1.contains(&counts), "{elements:?}");
}

#[test]
fn the_summary_of_a_step_keeps_to_its_room() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("summary.md");
    std::fs::write(&path, "before\n").unwrap();
    let mut long = many();
    for finding in &mut long.findings {
        finding.message = "x".repeat(400);
    }
    append_summary(&path, &long).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("before\n## backtrail check: 6,000 errors, 10 notes\n"));
    assert!(text.len() > (1 << 20) - 1_000 && text.len() <= 1 << 20, "{}", text.len());
    let rows = text.lines().filter(|line| line.starts_with("| fixtures/")).count();
    let closing = format!("\n\n{} more findings do not fit in here.\n", 6_010 - rows);
    assert!(text.ends_with(&closing), "{rows}");
    // There is no room for another one.
    append_summary(&path, &long).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn reports_go_where_they_are_to_go() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("new/report.json");
    let summary = dir.path().join("summary.md");
    let reports: Vec<Report> =
        vec![format!("json={}", path.display()).parse().unwrap(), "github".parse().unwrap()];
    let setting = Setting { step_summary: Some(summary.clone()), ..setting() };
    let mut stdout = Vec::new();
    for _ in 0..2 {
        stdout.clear();
        deliver(&reports, &checked(), &setting, &mut stdout).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), written(Format::Json, &checked()));
    assert_eq!(String::from_utf8(stdout).unwrap(), written(Format::Github, &checked()));
    let text = std::fs::read_to_string(&summary).unwrap();
    assert_eq!(text, written(Format::Markdown, &checked()).repeat(2));
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn a_report_that_cannot_be_written_names_its_file() {
    let dir = tempfile::tempdir().unwrap();
    let error = put(dir.path(), |_| Ok(())).unwrap_err();
    assert!(error.to_string().contains(&dir.path().display().to_string()), "{error}");
    assert_eq!(error.exit_code(), 2);
    let path = dir.path().join("kept");
    std::fs::write(&path, "before").unwrap();
    let failing = |_: &mut dyn Write| Err(io::ErrorKind::StorageFull.into());
    assert!(put(&path, failing).is_err());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "before");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[cfg(unix)]
#[test]
fn a_report_may_be_read_by_others_and_links_and_pipes_stay() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let (file, link) = (dir.path().join("file"), dir.path().join("link"));
    put(&file, |out| out.write_all(b"one")).unwrap();
    assert_ne!(file.metadata().unwrap().permissions().mode() & 0o044, 0);
    std::os::unix::fs::symlink(&file, &link).unwrap();
    put(&link, |out| out.write_all(b"two")).unwrap();
    assert!(link.symlink_metadata().unwrap().is_symlink());
    assert_eq!(std::fs::read(&file).unwrap(), b"two");
    put(Path::new("/dev/null"), |out| out.write_all(b"x")).unwrap();
    assert!(!Path::new("/dev/null").metadata().unwrap().is_file());
}

/// Generates any text: often short, with special characters of the formats.
fn text() -> impl Strategy<Value = String> {
    let sign = prop_oneof![
        any::<char>(),
        prop::sample::select(r#""'<>&|`%:,@#\[]{}()-/*_"#.chars().collect::<Vec<_>>()),
        prop::sample::select(vec![
            '\0', '\t', '\n', '\r', '\u{b}', '\u{85}', '\u{2028}', 'a', '1', ' '
        ]),
    ];
    prop::collection::vec(sign, 0..24).prop_map(|chars| chars.into_iter().collect())
}

fn any_finding() -> impl Strategy<Value = Finding> {
    let place = (0u64..4, 0u64..4, 0u64..4, text());
    let texts = (text(), prop::option::of(text()), prop::option::of(text()), text());
    let kind = (prop::sample::select(Violation::ALL.to_vec()), any::<bool>());
    (place, texts, kind, prop::option::of((text(), text()))).prop_map(
        |((line, column, width, file), (pointer, event, rule, message), (violation, note), at)| {
            Finding {
                place: Place { file, line, column, width },
                violation,
                level: if note { Level::Note } else { Level::Error },
                pointer,
                event,
                rule,
                message,
                excerpt: at.map(|(text, carets)| Excerpt { text, carets }),
            }
        },
    )
}

fn any_checked() -> impl Strategy<Value = Checked> {
    let case = (text(), text(), prop::collection::vec(0usize..6, 0..4));
    let case = case.prop_map(|(name, rule, findings)| Case { name, rule, findings });
    let suite = (text(), prop::collection::vec(case, 0..4));
    let suite = suite.prop_map(|(file, cases)| Suite { file, cases });
    let findings = prop::collection::vec(any_finding(), 0..6);
    (findings, prop::collection::vec(suite, 0..3), 0u64..9, 0u64..3).prop_map(
        |(findings, suites, events, muted)| Checked {
            findings,
            files: suites.len() as u64,
            suites,
            events,
            muted,
        },
    )
}

proptest! {
    #[test]
    fn anything_gives_xml_that_reads_back(checked in any_checked()) {
        let elements = read_xml(&written(Format::Junit, &checked));
        let number = |attributes: &[(String, String)], name: &str| {
            let value = attributes.iter().find(|(key, _)| key == name);
            value.unwrap().1.parse::<usize>().unwrap()
        };
        let count = |name: &str| elements.iter().filter(|element| element.0 == name).count();
        prop_assert_eq!(number(&elements[0].1, "tests"), count("testcase"));
        prop_assert_eq!(number(&elements[0].1, "failures"), count("failure"));
        let allowed = |char: char| {
            matches!(char, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
        };
        prop_assert!(written(Format::Junit, &checked).chars().all(allowed));
    }

    #[test]
    fn anything_gives_json(checked in any_checked()) {
        let value = json(Format::Json, &checked);
        prop_assert_eq!(value["findings"].as_array().unwrap().len(), checked.findings.len());
        let value = json(Format::Sarif, &checked);
        let results = value["runs"][0]["results"].as_array().unwrap();
        prop_assert_eq!(results.len(), checked.findings.len());
        for result in results {
            for location in result["locations"].as_array().unwrap() {
                let uri = &location["physicalLocation"]["artifactLocation"]["uri"];
                let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/%:".contains(&byte);
                prop_assert!(uri.as_str().unwrap().bytes().all(is_plain), "{}", uri);
            }
        }
    }

    #[test]
    fn anything_gives_commands_of_one_line(checked in any_checked()) {
        let text = written(Format::Github, &checked);
        for line in text.lines() {
            prop_assert!(line.starts_with("::error ") || line.starts_with("::notice "), "{}", line);
            prop_assert!(!line.chars().any(|char| char.is_control() && char != '\t'), "{:?}", line);
            // GitHub's runner must not find an unescaped separator in the properties.
            let (properties, _) = line[2..].split_once("::").unwrap();
            prop_assert!(!properties.contains(':'), "{}", line);
            for property in properties.split_once(' ').unwrap().1.split(',') {
                let keys = ["file=", "line=", "col=", "endColumn=", "title="];
                prop_assert!(keys.iter().any(|key| property.starts_with(key)), "{}", line);
            }
        }
    }

    #[test]
    fn anything_gives_rows_of_five_cells_and_lines_without_controls(checked in any_checked()) {
        let table = written(Format::Markdown, &checked);
        let rows = table.split_once("### Findings").map_or("", |(_, rows)| rows).trim();
        for row in rows.lines() {
            let mut is_escaped = false;
            let bars = row.chars().filter(|char| {
                let is_bar = *char == '|' && !is_escaped;
                is_escaped = *char == '\\' && !is_escaped;
                is_bar
            });
            prop_assert_eq!(bars.count(), 6, "{}", row);
        }
        let text = written(Format::Text, &checked);
        prop_assert!(!text.chars().any(|char| char.is_control() && char != '\n'), "{:?}", text);
    }
}
