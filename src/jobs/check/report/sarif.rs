//! The SARIF 2.1.0 report, for code scanning.
//!
//! The fingerprint has a name specific to this program. GitHub's `primaryLocationLineHash` is left
//! to its upload action, which computes it from the lines of the files and rejects any other value.

use std::collections::BTreeSet;
use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::shown::Shown;
use crate::jobs::check::finding::{Checked, Level, Violation};
use crate::jobs::check::fingerprint::Fingerprint;
use crate::jobs::check::repository::Repository;
use crate::report::figure::{counted, thousands};

/// The maximum number of results of one run that GitHub shows; it refuses reports with many more.
const MOST_RESULTS: usize = 5_000;
/// The schema of the document.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// The version in the name stands for the way the value is computed.
const FINGERPRINT: &str = "backtrailFinding/v1";
/// The id of the notification that results were left out.
const LEFT_OUT: &str = "results-left-out";

pub(super) fn write(
    checked: &Checked,
    repository: &Repository,
    out: &mut dyn Write,
) -> io::Result<()> {
    let kept = most_severe(checked);
    let numbered = Fingerprint::numbered(&checked.findings, repository);
    let results: Vec<Value> = kept
        .iter()
        .map(|&place| {
            let shown = Shown::new(&checked.findings[place]);
            result(&shown, numbered[place], repository)
        })
        .collect();
    let mut run = json!({
        "tool": { "driver": driver() },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": { "%SRCROOT%": {
            "description": { "text": "The root of the repository." },
        } },
        "invocations": [invocation(checked.findings.len() - kept.len())],
        "results": results,
    });
    // All files that were checked, with or without findings.
    let files: BTreeSet<&str> = checked.suites.iter().map(|suite| suite.file.as_str()).collect();
    run["artifacts"] =
        files.into_iter().map(|file| json!({ "location": location(file, repository) })).collect();
    let log = json!({ "$schema": SCHEMA, "version": "2.1.0", "runs": [run] });
    serde_json::to_writer_pretty(&mut *out, &log)?;
    writeln!(out)
}

/// Returns the indices of the findings to include, in order: all, or the maximum number with errors
/// before notes.
fn most_severe(checked: &Checked) -> Vec<usize> {
    let mut places: Vec<usize> = (0..checked.findings.len()).collect();
    places.sort_by_key(|&place| std::cmp::Reverse(checked.findings[place].level));
    places.truncate(MOST_RESULTS);
    places.sort_unstable();
    places
}

fn driver() -> Value {
    json!({
        "name": "backtrail",
        "version": env!("CARGO_PKG_VERSION"),
        "semanticVersion": env!("CARGO_PKG_VERSION"),
        "rules": Violation::ALL.map(rule),
        "notifications": [{
            "id": LEFT_OUT,
            "shortDescription": { "text": "There are more results than the file holds" },
            "fullDescription": { "text": "There are more results than the file holds." },
            "help": { "text": "The other formats tell all of them." },
        }],
    })
}

fn rule(violation: Violation) -> Value {
    let problem = match violation.level() {
        Level::Error => "error",
        Level::Note => "recommendation",
    };
    json!({
        "id": violation.name(),
        "shortDescription": { "text": literal(violation.title()) },
        "fullDescription": { "text": literal(&format!("{}.", violation.title())) },
        "help": { "text": violation.help(), "markdown": violation.help() },
        "defaultConfiguration": { "level": violation.level().name() },
        "properties": { "tags": ["tracking-plan"], "problem.severity": problem },
    })
}

fn invocation(left_out: usize) -> Value {
    let mut invocation = json!({ "executionSuccessful": true });
    if left_out > 0 {
        let left_out = counted(left_out as u64, "result", "results");
        let most = thousands(MOST_RESULTS as u64);
        let text = format!("{left_out} are not in this file, which holds {most} at most");
        invocation["toolExecutionNotifications"] = json!([{
            "descriptor": { "id": LEFT_OUT, "index": 0 },
            "level": "note",
            "message": { "text": text },
        }]);
    }
    invocation
}

fn result(
    shown: &Shown<'_>,
    (fingerprint, number): (Fingerprint, u32),
    repository: &Repository,
) -> Value {
    let index = Violation::ALL.iter().position(|violation| *violation == shown.violation);
    let mut properties = Map::new();
    for (name, value) in [
        ("event", shown.event.as_deref()),
        ("pointer", Some(&*shown.pointer)),
        ("rule", shown.rule.as_deref()),
    ] {
        properties.extend(value.map(|value| (name.to_owned(), value.into())));
    }
    let mut result = json!({
        "ruleId": shown.violation.name(),
        "ruleIndex": index,
        "level": shown.level.name(),
        "message": { "text": literal(&shown.message) },
        "partialFingerprints": { FINGERPRINT: format!("{fingerprint}:{number}") },
        "properties": properties,
    });
    result["locations"] = match shown.file {
        "" => json!([]),
        file => json!([{ "physicalLocation": {
            "artifactLocation": location(file, repository),
            "region": region(shown),
        } }]),
    };
    result
}

fn location(file: &str, repository: &Repository) -> Value {
    let uri = repository.uri(file);
    if uri.starts_with("file:") {
        json!({ "uri": uri })
    } else {
        json!({ "uri": uri, "uriBaseId": "%SRCROOT%" })
    }
}

/// Returns the region of a result. GitHub requires a line: the first if the finding is about the
/// whole file.
fn region(shown: &Shown<'_>) -> Value {
    let place = &shown.finding.place;
    let mut region = json!({ "startLine": place.line.max(1) });
    if place.line > 0 && place.column > 0 {
        region["startColumn"] = place.column.into();
        if place.width > 0 {
            region["endColumn"] = place.column.saturating_add(place.width).into();
        }
    }
    region
}

/// Escapes `text` as a literal message: braces would be placeholders (section 3.11.5), and brackets
/// before parentheses would be links (3.11.6).
fn literal(text: &str) -> String {
    let text = text.replace('{', "{{").replace('}', "}}");
    if text.contains("](") { text.replace('[', "\\[").replace(']', "\\]") } else { text }
}
