//! Workflow commands of GitHub Actions, which annotate lines of a pull request, and the summary of
//! a step.
//!
//! GitHub shows ten errors and ten notices of a step. So findings with the same kind, event, field
//! and rule share a command, the most frequent come first, and the tenth command counts the rest.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

use ahash::AHashMap;

use super::markdown;
use super::shown::Shown;
use crate::diagnostic::is_unprintable;
use crate::jobs::check::finding::{Checked, Level};
use crate::jobs::check::repository::Repository;
use crate::report::figure::counted;

/// The maximum number of commands of one level that GitHub shows for a step.
const MOST_COMMANDS: usize = 10;
/// The maximum number of further places in a message.
const MORE_PLACES: usize = 5;
/// The maximum length of titles and messages, in characters; GitHub cuts longer ones.
const TITLE_CHARS: usize = 200;
const MESSAGE_CHARS: usize = 3_000;
/// The maximum size of the summary of a step, in bytes; GitHub shows nothing of a larger one.
const SUMMARY_BYTES: u64 = 1 << 20;

/// Findings that share a command, in order.
type Group<'g> = Vec<&'g Shown<'g>>;

pub(super) fn write(
    checked: &Checked,
    repository: &Repository,
    out: &mut dyn Write,
) -> io::Result<()> {
    let shown: Vec<Shown<'_>> = checked.findings.iter().map(Shown::new).collect();
    for level in [Level::Error, Level::Note] {
        let of_level = shown.iter().filter(|shown| shown.level == level);
        let groups = grouped(of_level);
        let shown_alone =
            if groups.len() > MOST_COMMANDS { MOST_COMMANDS - 1 } else { groups.len() };
        for group in &groups[..shown_alone] {
            write_group(level, group, repository, out)?;
        }
        if shown_alone < groups.len() {
            write_rest(level, &groups[shown_alone..], out)?;
        }
    }
    Ok(())
}

/// Groups `findings` by kind, event, field and rule, the largest groups first, then in their order.
fn grouped<'g>(findings: impl Iterator<Item = &'g Shown<'g>>) -> Vec<Group<'g>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut places: AHashMap<_, usize> = AHashMap::new();
    for shown in findings {
        let key = (shown.violation, &shown.event, &shown.pointer, &shown.rule);
        let place = *places.entry(key).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Vec::new());
        }
        groups[place].push(shown);
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
    groups
}

fn write_group(
    level: Level,
    group: &Group<'_>,
    repository: &Repository,
    out: &mut dyn Write,
) -> io::Result<()> {
    let Some((first, more)) = group.split_first() else { return Ok(()) };
    let mut properties: Vec<(&str, String)> = Vec::new();
    if !first.file.is_empty() {
        properties.push(("file", repository.name(first.file)));
        let place = &first.finding.place;
        let (line, column) = first.position();
        properties.push(("line", line.to_string()));
        if place.line > 0 && place.column > 0 {
            properties.push(("col", column.to_string()));
            if place.width > 0 {
                let end = column.saturating_add(place.width);
                properties.push(("endColumn", end.to_string()));
            }
        }
    }
    properties.push(("title", title(first, group.len())));
    write_command(level, &properties, &message(first, more, repository), out)
}

fn title(first: &Shown<'_>, count: usize) -> String {
    let name = first.event.as_ref().or(first.rule.as_ref());
    let name = name.map(|name| format!(": {name}")).unwrap_or_default();
    let times = if count > 1 { format!(" ({count} times)") } else { String::new() };
    format!("{}{name}{times}", first.violation.name())
}

fn message(first: &Shown<'_>, more: &[&Shown<'_>], repository: &Repository) -> String {
    let mut lines = vec![first.message.to_string()];
    if !first.pointer.is_empty() {
        lines.push(format!("at {}", first.pointer));
    }
    lines.extend(first.rule.as_ref().map(|rule| format!("rule `{rule}`")));
    if !more.is_empty() {
        let spots =
            more.iter().take(MORE_PLACES).map(|shown| shown.location(&repository.name(shown.file)));
        let spots: Vec<String> = spots.collect();
        let rest = match more.len().saturating_sub(MORE_PLACES) {
            0 => String::new(),
            rest => format!(" and {rest} more"),
        };
        lines.push(format!("also in {}{rest}", spots.join(", ")));
    }
    lines.join("\n")
}

/// Writes one command for all groups that have none.
fn write_rest(level: Level, groups: &[Group<'_>], out: &mut dyn Write) -> io::Result<()> {
    let findings: usize = groups.iter().map(Vec::len).sum();
    let mut kinds: Vec<(&str, usize)> = Vec::new();
    for group in groups {
        let Some(first) = group.first() else { continue };
        let name = first.violation.name();
        match kinds.iter_mut().find(|(kind, _)| *kind == name) {
            Some((_, count)) => *count += group.len(),
            None => kinds.push((name, group.len())),
        }
    }
    kinds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let kinds: Vec<String> =
        kinds.into_iter().map(|(name, count)| format!("{name} {count}")).collect();
    let title = {
        let name = level.name();
        counted(findings as u64, &format!("more {name}"), &format!("more {name}s"))
    };
    let message = format!("{}\nThe summary of the step lists them.", kinds.join(", "));
    write_command(level, &[("title", title)], &message, out)
}

fn write_command(
    level: Level,
    properties: &[(&str, String)],
    message: &str,
    out: &mut dyn Write,
) -> io::Result<()> {
    let name = match level {
        Level::Error => "error",
        Level::Note => "notice",
    };
    let properties: Vec<String> = properties
        .iter()
        .map(|(key, value)| {
            let value = if *key == "title" { cut(value, TITLE_CHARS) } else { value.clone() };
            format!("{key}={}", escaped_property(&value))
        })
        .collect();
    let message = escaped(&cut(message, MESSAGE_CHARS));
    writeln!(out, "::{name} {}::{message}", properties.join(","))
}

fn cut(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Escapes `text` as the data of a command, like GitHub's toolkit (`escapeData`). Other control
/// characters, which have no escape and can end lines or reverse text, are replaced.
fn escaped(text: &str) -> String {
    let is_control = |char: char| is_unprintable(char) && !matches!(char, '\r' | '\n' | '\t');
    let text = text.replace(is_control, "\u{fffd}");
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes `text` as the value of a property (`escapeProperty`).
fn escaped_property(text: &str) -> String {
    escaped(text).replace(':', "%3A").replace(',', "%2C")
}

/// Appends the summary of `checked` to the summary file of a step, as far as it fits.
///
/// # Errors
/// Returns an error if the file cannot be written.
pub fn append_summary(path: &Path, checked: &Checked) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    let room = SUMMARY_BYTES.saturating_sub(file.metadata()?.len());
    let room = usize::try_from(room).unwrap_or(usize::MAX);
    file.write_all(markdown::within(checked, room).as_bytes())
}
