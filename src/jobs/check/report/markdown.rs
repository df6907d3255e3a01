//! The Markdown report: tables, for comments and web pages.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::{self, Write};

use super::shown::{Count, Shown};
use crate::diagnostic::{is_unprintable, printable};
use crate::jobs::check::finding::{Checked, Level, Violation};

const HEADER: &str =
    "| where | level | violation | event | what |\n| --- | --- | --- | --- | --- |\n";
const KINDS: &str = "| violation | level | count | what it is |\n| --- | --- | ---: | --- |\n";
/// The size reserved for the line that counts what is left out, in bytes.
const CLOSING_BYTES: usize = 200;

pub(super) fn write(checked: &Checked, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(within(checked, usize::MAX).as_bytes())
}

/// Returns a report of at most `room` bytes: findings that do not fit are counted. Returns an empty
/// string if there is no room for the count either.
pub(super) fn within(checked: &Checked, room: usize) -> String {
    let mut out = head(checked);
    if out.len().saturating_add(HEADER.len() + CLOSING_BYTES) > room {
        return String::new();
    }
    if checked.findings.is_empty() {
        return out;
    }
    out.push_str("\n### Findings\n\n");
    out.push_str(HEADER);
    // Errors come first, because they must not be left out.
    let of_level = |level| checked.findings.iter().filter(move |finding| finding.level == level);
    let ordered = of_level(Level::Error).chain(of_level(Level::Note));
    for (place, finding) in ordered.enumerate() {
        let row = row(&Shown::new(finding));
        if out.len().saturating_add(row.len() + CLOSING_BYTES) > room {
            let left_out = checked.findings.len() - place;
            return out + &format!("\n{left_out} more findings do not fit in here.\n");
        }
        out.push_str(&row);
    }
    out
}

fn head(checked: &Checked) -> String {
    let mut kinds: BTreeMap<(Reverse<Level>, Violation), usize> = BTreeMap::new();
    for finding in &checked.findings {
        *kinds.entry((Reverse(finding.level), finding.violation)).or_default() += 1;
    }
    let count = Count::of(checked);
    let head = format!("## backtrail check: {}\n\n{}.\n", count.findings(), count.sentence());
    if kinds.is_empty() {
        return head;
    }
    let row = |((level, violation), count): ((Reverse<Level>, Violation), usize)| {
        let (name, level, title) = (violation.name(), level.0.name(), violation.title());
        format!("| {name} | {level} | {count} | {title} |\n")
    };
    head + "\n" + KINDS + &kinds.into_iter().map(row).collect::<Vec<_>>().concat()
}

fn row(shown: &Shown<'_>) -> String {
    let pointer = Some(&shown.pointer).filter(|pointer| !pointer.is_empty());
    let mut what = vec![escaped(&shown.message)];
    what.extend(pointer.map(|pointer| format!("at {}", escaped(pointer))));
    what.extend(shown.rule.as_ref().map(|rule| format!("rule {}", escaped(rule))));
    let what = what.join("<br>");
    format!(
        "| {} | {} | {} | {} | {what} |\n",
        escaped(&printable(&shown.location(shown.file))),
        shown.level.name(),
        shown.violation.name(),
        shown.event.as_ref().map(|event| escaped(event)).unwrap_or_default(),
    )
}

/// Escapes `text` for a cell, so that it is shown literally: nothing in it acts as markup, HTML, a
/// link, a mention or the end of the cell.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\r' if chars.peek() == Some(&'\n') => {}
            '\r' | '\n' => out.push_str("<br>"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // A zero-width space keeps GitHub from mentioning people and issues.
            '@' | '#' => {
                out.push(char);
                out.push_str("&#8203;");
            }
            '\t' => out.push(' '),
            _ if is_unprintable(char) => out.push('\u{fffd}'),
            '\\' | '`' | '|' | '*' | '_' | '[' | ']' | '~' | '$' | '!' => {
                out.push('\\');
                out.push(char);
            }
            // Keeps URLs from becoming links.
            ':' if chars.peek() == Some(&'/') => out.push_str("&#58;"),
            _ => out.push(char),
        }
    }
    out
}
