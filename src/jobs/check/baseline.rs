//! The baseline: a file of known findings that are muted, so that only new ones make a check fail.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::Range;

use ahash::{AHashMap, AHashSet};
use serde::Serialize;

use super::finding::{Checked, Finding, Place, Violation};
use super::fingerprint::{Fingerprint, outline};
use super::repository::Repository;
use crate::config::read::{Faults, Table, mismatch};
use crate::config::tree::{Node, Value};
use crate::diagnostic::{Diagnostic, first_error, masked, render};
use crate::error::Error;

/// The version of the file's format.
const VERSION: i64 = 1;
const MEMBERS: &[&str] = &["version", "findings"];
const ENTRY: &[&str] =
    &["fingerprint", "count", "file", "violation", "event", "pointer", "rule", "message"];

/// The findings of a baseline file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    file: String,
    known: Vec<Known>,
}

/// Findings with the same [`Fingerprint`].
#[derive(Clone, Debug, PartialEq, Eq)]
struct Known {
    fingerprint: Fingerprint,
    /// The maximum number of them to mute.
    count: u64,
    /// The path of their file, from the root of the repository.
    file: String,
    /// A description for people.
    what: String,
    /// The line and column of the fingerprint in the baseline.
    place: (u64, u64),
}

/// An entry as it is written, ordered as in the file.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Entry {
    file: String,
    violation: &'static str,
    event: String,
    pointer: String,
    rule: String,
    message: String,
    fingerprint: String,
}

impl Baseline {
    /// Parses `text`, the contents of the file `name`.
    ///
    /// # Errors
    /// Returns all faults if the text is not in the format of [`Baseline::write`].
    pub fn parse(name: &str, text: &str) -> Result<Self, Error> {
        let mut faults = Faults::new();
        let known = read(text, &mut faults);
        if faults.is_empty() {
            return Ok(Self { file: name.to_owned(), known });
        }
        Err(Error::Diagnostics {
            name: name.to_owned(),
            first: first_error(text, &faults),
            count: faults.len(),
            rendered: render(name, text, &faults),
        })
    }

    /// Writes a baseline of all findings in `checked`, to which no baseline has been applied.
    ///
    /// # Errors
    /// Returns an error if writing to `out` fails.
    pub fn write(
        checked: &Checked,
        repository: &Repository,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let mut entries: BTreeMap<Entry, u64> = BTreeMap::new();
        let stale = |finding: &&Finding| finding.violation == Violation::StaleBaseline;
        for finding in checked.findings.iter().filter(|finding| !stale(finding)) {
            *entries.entry(entry(finding, repository)).or_default() += 1;
        }
        write!(out, "{{\n  \"version\": {VERSION},\n  \"findings\": [")?;
        for (place, (entry, count)) in entries.iter().enumerate() {
            // One entry per line, so that two branches that change the file can be merged.
            write!(out, "{}\n    ", if place == 0 { "" } else { "," })?;
            let text = |text: &str| serde_json::to_string(text);
            write!(out, "{{\"fingerprint\": {}, \"count\": {count}", text(&entry.fingerprint)?)?;
            for (key, value) in [
                ("file", entry.file.as_str()),
                ("violation", entry.violation),
                ("event", &entry.event),
                ("pointer", &entry.pointer),
                ("rule", &entry.rule),
                ("message", &entry.message),
            ] {
                if !value.is_empty() {
                    write!(out, ", \"{key}\": {}", text(value)?)?;
                }
            }
            write!(out, "}}")?;
        }
        writeln!(out, "{}]\n}}", if entries.is_empty() { "" } else { "\n  " })
    }

    /// Removes known findings from `checked`, as many as each entry allows. Adds a note for each
    /// entry with fewer findings than it allows, if its file was checked or no longer exists.
    pub fn mute(&self, checked: &mut Checked, repository: &Repository) {
        let mut left: AHashMap<Fingerprint, u64> = AHashMap::new();
        for known in &self.known {
            let count = left.entry(known.fingerprint).or_default();
            *count = count.saturating_add(known.count);
        }
        let mut checked_files: AHashSet<String> =
            checked.suites.iter().map(|suite| repository.name(&suite.file)).collect();
        checked_files
            .extend(checked.findings.iter().map(|found| repository.name(&found.place.file)));
        let mut kept: Vec<(Option<usize>, Finding)> = Vec::with_capacity(checked.findings.len());
        for (place, finding) in std::mem::take(&mut checked.findings).into_iter().enumerate() {
            match left.get_mut(&Fingerprint::of(&finding, repository)) {
                Some(count) if *count > 0 => {
                    *count -= 1;
                    checked.muted += 1;
                }
                _ => kept.push((Some(place), finding)),
            }
        }
        for known in &self.known {
            let gone = left.remove(&known.fingerprint).unwrap_or_default();
            if gone > 0 && (checked_files.contains(&known.file) || !repository.has(&known.file)) {
                kept.push((None, self.stale(known, gone)));
            }
        }
        kept.sort_by(|(_, one), (_, other)| {
            (&one.place, one.violation).cmp(&(&other.place, other.violation))
        });
        put_back(kept, checked);
    }

    fn stale(&self, known: &Known, gone: u64) -> Finding {
        let (line, column) = known.place;
        let what = if known.what.is_empty() { "a finding" } else { &known.what };
        let times = if gone == 1 { String::new() } else { format!(", {gone} times,") };
        Finding {
            place: Place { file: self.file.clone(), line, column, width: 0 },
            violation: Violation::StaleBaseline,
            level: Violation::StaleBaseline.level(),
            pointer: String::new(),
            event: None,
            rule: None,
            message: format!("{what} in `{}`{times} is gone from the data", known.file),
            excerpt: None,
        }
    }
}

/// Puts findings into `checked` and updates the cases. Each finding comes with its previous index,
/// if any.
fn put_back(findings: Vec<(Option<usize>, Finding)>, checked: &mut Checked) {
    let mut moved: AHashMap<usize, usize> = AHashMap::with_capacity(findings.len());
    for (now, (before, finding)) in findings.into_iter().enumerate() {
        moved.extend(before.map(|before| (before, now)));
        checked.findings.push(finding);
    }
    for case in checked.suites.iter_mut().flat_map(|suite| &mut suite.cases) {
        case.findings =
            case.findings.iter().filter_map(|place| moved.get(place).copied()).collect();
    }
}

fn entry(finding: &Finding, repository: &Repository) -> Entry {
    let text = |text: &Option<String>| text.as_deref().map(masked).unwrap_or_default();
    Entry {
        file: repository.name(&finding.place.file),
        violation: finding.violation.name(),
        event: text(&finding.event),
        pointer: masked(&finding.pointer),
        rule: text(&finding.rule),
        // The same text as in the fingerprint: with values, the file would change with the data.
        message: masked(&outline(&finding.message, finding.violation)),
        fingerprint: Fingerprint::of(finding, repository).to_string(),
    }
}

fn read(text: &str, faults: &mut Faults) -> Vec<Known> {
    if !text.trim_start().starts_with('{') {
        let start = text.len() - text.trim_start().len();
        let fault = Diagnostic::error(start..start, "expected a JSON object");
        faults.push(fault.with_help("`--write-baseline` writes one"));
        return Vec::new();
    }
    let root = match Node::parse(text) {
        Ok(root) => root,
        Err(wrong) => {
            faults.extend(wrong);
            return Vec::new();
        }
    };
    let Some(table) = Table::new(&root, "a baseline", MEMBERS, faults) else { return Vec::new() };
    match table.integer("version", faults) {
        Some(VERSION) => {}
        Some(_) => {
            let span = table.get("version").map_or(0..0, |node| node.span.clone());
            faults.push(Diagnostic::error(span, format!("`version` must be {VERSION}")));
        }
        None if table.get("version").is_none() => {
            faults.push(Diagnostic::error(0..1, "a baseline must have `version`"));
        }
        None => {}
    }
    match table.get("findings").map(|node| (node, &node.value)) {
        Some((_, Value::List(items))) => {
            let lines = Lines::of(text);
            items.iter().filter_map(|item| read_entry(item, &lines, faults)).collect()
        }
        Some((node, _)) => {
            faults.push(mismatch(node, "`findings`", "a list"));
            Vec::new()
        }
        None => {
            faults.push(Diagnostic::error(0..1, "a baseline must have `findings`"));
            Vec::new()
        }
    }
}

fn read_entry(node: &Node, lines: &Lines<'_>, faults: &mut Faults) -> Option<Known> {
    let table = Table::new(node, "a finding", ENTRY, faults)?;
    for key in ["fingerprint", "file"] {
        if table.get(key).is_none() {
            let span = first_place(node);
            faults.push(Diagnostic::error(span, format!("a finding must have `{key}`")));
        }
    }
    let fingerprint = table.text("fingerprint", faults);
    let file = table.text("file", faults);
    let count = match table.get("count") {
        Some(_) => table.count("count", 1, faults),
        None => Some(1),
    };
    let mut part = |key| table.text(key, faults).map(|(text, _)| text).unwrap_or_default();
    let parts = [part("violation"), part("event"), part("pointer"), part("rule")];
    let (text, span) = fingerprint?;
    let Some(fingerprint) = Fingerprint::parse(text) else {
        faults.push(Diagnostic::error(span, "`fingerprint` must be 32 hexadecimal digits"));
        return None;
    };
    let place = lines.place(span.start);
    Some(Known { fingerprint, count: count?, file: file?.0.to_owned(), what: what(parts), place })
}

/// Describes a finding.
fn what([violation, event, pointer, rule]: [&str; 4]) -> String {
    let mut what = violation.to_owned();
    for (before, text) in [(" of `", event), (" at `", pointer), (" by `", rule)] {
        if !text.is_empty() {
            what.push_str(before);
            what.push_str(text);
            what.push('`');
        }
    }
    what
}

/// Returns the place of the first key of a table, or of any other value.
fn first_place(node: &Node) -> Range<usize> {
    match &node.value {
        Value::Table(entries) => {
            entries.first().map_or(node.span.clone(), |entry| entry.key_span.clone())
        }
        _ => node.span.clone(),
    }
}

/// The starts of the lines of a text.
struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    fn of(text: &'t str) -> Self {
        let breaks = text.match_indices('\n').map(|(offset, _)| offset + 1);
        Self { text, starts: std::iter::once(0).chain(breaks).collect() }
    }

    /// Returns the line and column of the byte `offset`, from 1.
    fn place(&self, offset: usize) -> (u64, u64) {
        let line = self.starts.partition_point(|&start| start <= offset);
        let before = self.text.get(self.starts[line - 1]..offset).unwrap_or_default();
        (line as u64, before.chars().count() as u64 + 1)
    }
}

#[cfg(test)]
mod tests;
