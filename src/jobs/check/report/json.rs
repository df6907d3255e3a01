//! The JSON report. `docs/check.md` describes each field; fields are never removed within a
//! version.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use schemars::JsonSchema;
use serde::Serialize;

use super::shown::{Count, Shown, mask};
use crate::jobs::check::finding::{Case, Checked, Finding, Suite, Violation};
use crate::jobs::check::fingerprint::Fingerprint;
use crate::jobs::check::repository::Repository;

/// The version of the format.
const VERSION: u32 = 1;

#[derive(JsonSchema, Serialize)]
pub(super) struct Document<'c> {
    version: u32,
    summary: Summary,
    coverage: Coverage,
    findings: Vec<Entry<'c>>,
    suites: Vec<SuiteEntry<'c>>,
}

#[derive(JsonSchema, Serialize)]
struct Summary {
    errors: usize,
    notes: usize,
    muted: u64,
    by_violation: BTreeMap<&'static str, usize>,
}

#[derive(JsonSchema, Serialize)]
struct Coverage {
    files: u64,
    events: u64,
    cases: usize,
    failed_cases: usize,
    rules: usize,
    uncovered: usize,
}

#[derive(JsonSchema, Serialize)]
struct Entry<'c> {
    file: &'c str,
    line: Option<u64>,
    column: Option<u64>,
    width: Option<u64>,
    violation: &'static str,
    level: &'static str,
    event: Option<&'c str>,
    pointer: &'c str,
    rule: Option<&'c str>,
    message: &'c str,
    fingerprint: String,
}

#[derive(JsonSchema, Serialize)]
struct SuiteEntry<'c> {
    file: &'c str,
    cases: Vec<CaseEntry<'c>>,
}

#[derive(JsonSchema, Serialize)]
struct CaseEntry<'c> {
    name: Cow<'c, str>,
    rule: Cow<'c, str>,
    findings: &'c [usize],
}

pub(super) fn write(
    checked: &Checked,
    repository: &Repository,
    out: &mut dyn Write,
) -> io::Result<()> {
    let count = Count::of(checked);
    let shown: Vec<Shown<'_>> = checked.findings.iter().map(Shown::new).collect();
    let mut by_violation = BTreeMap::new();
    for finding in &shown {
        *by_violation.entry(finding.violation.name()).or_default() += 1;
    }
    let document = Document {
        version: VERSION,
        summary: Summary {
            errors: count.errors,
            notes: count.notes,
            muted: checked.muted,
            by_violation,
        },
        coverage: coverage(checked),
        findings: shown.iter().map(|finding| entry(finding, repository)).collect(),
        suites: checked.suites.iter().map(suite).collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

fn coverage(checked: &Checked) -> Coverage {
    let cases = || checked.suites.iter().flat_map(|suite| &suite.cases);
    let rules: BTreeSet<&str> = cases().map(|case| case.rule.as_str()).collect();
    let uncovered = |finding: &&Finding| finding.violation == Violation::Uncovered;
    Coverage {
        files: checked.files,
        events: checked.events,
        cases: cases().count(),
        failed_cases: cases().filter(|case| checked.fails(case)).count(),
        rules: rules.into_iter().filter(|rule| !rule.is_empty()).count(),
        uncovered: checked.findings.iter().filter(uncovered).count(),
    }
}

fn entry<'s>(shown: &'s Shown<'_>, repository: &Repository) -> Entry<'s> {
    let place = &shown.finding.place;
    let known = |number: u64| (number > 0).then_some(number);
    Entry {
        file: shown.file,
        line: known(place.line),
        column: known(place.column),
        width: known(place.width),
        violation: shown.violation.name(),
        level: shown.level.name(),
        event: shown.event.as_deref(),
        pointer: &shown.pointer,
        rule: shown.rule.as_deref(),
        message: &shown.message,
        fingerprint: Fingerprint::of(shown.finding, repository).to_string(),
    }
}

fn suite(suite: &Suite) -> SuiteEntry<'_> {
    SuiteEntry { file: &suite.file, cases: suite.cases.iter().map(case).collect() }
}

fn case(case: &Case) -> CaseEntry<'_> {
    CaseEntry { name: mask(&case.name), rule: mask(&case.rule), findings: &case.findings }
}
