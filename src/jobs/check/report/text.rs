//! The text report: every finding with its place, its line and a caret.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr as _;

use super::shown::{Count, Shown, mask};
use crate::diagnostic::printable;
use crate::jobs::check::finding::{Checked, Level};
use crate::report::colour::Tone;
use crate::report::layout::{Layout, wrap};

pub(super) fn write(checked: &Checked, layout: Layout, out: &mut dyn Write) -> io::Result<()> {
    for finding in &checked.findings {
        one(&Shown::new(finding), layout, out)?;
        writeln!(out)?;
    }
    let count = Count::of(checked);
    let tone = if count.errors > 0 { Tone::Bad } else { Tone::Good };
    for line in wrap(&count.sentence(), layout.width()) {
        writeln!(out, "{}", layout.paint(&line, tone))?;
    }
    Ok(())
}

fn one(shown: &Shown<'_>, layout: Layout, out: &mut dyn Write) -> io::Result<()> {
    let (line, column) = shown.position();
    let place = format!("{}:{line}:{column}:", printable(shown.file));
    let (level, tone) = match shown.level {
        Level::Error => ("error", Tone::Bad),
        Level::Note => ("note", Tone::Note),
    };
    let kind = format!("{level}[{}]:", shown.violation.name());
    let mut lines =
        broken(&format!("{place} {kind} {}", shown.message), layout.width()).into_iter();
    // A long path with spaces is broken too; then the line has no colour.
    let first = lines.next().unwrap_or_default();
    match first.strip_prefix(&format!("{place} {kind}")) {
        Some(rest) => {
            let (place, kind) = (layout.paint(&place, Tone::Strong), layout.paint(&kind, tone));
            writeln!(out, "{place} {kind}{rest}")?;
        }
        None => writeln!(out, "{first}")?,
    }
    for line in lines {
        writeln!(out, "    {line}")?;
    }
    if let Some(excerpt) = &shown.finding.excerpt {
        let gutter = shown.finding.place.line.to_string();
        let blank = " ".repeat(gutter.len());
        let text = mask(&excerpt.text);
        writeln!(out, " {gutter} | {}", printable(&text))?;
        writeln!(out, " {blank} | {}", layout.paint(&printable(&excerpt.carets), tone))?;
    }
    let context = context(shown);
    if !context.is_empty() {
        writeln!(out, "  = {}", printable(&context))?;
    }
    Ok(())
}

/// Describes the event, the field and the rule, if known.
fn context(shown: &Shown<'_>) -> String {
    let mut parts: Vec<String> = Vec::new();
    parts.extend(shown.event.as_ref().map(|event| format!("event `{event}`")));
    if !shown.pointer.is_empty() {
        parts.push(format!("at {}", shown.pointer));
    }
    parts.extend(shown.rule.as_ref().map(|rule| format!("rule `{rule}`")));
    parts.join(", ")
}

/// Breaks `text` at spaces into lines of at most `width` columns; lines after the first leave room
/// for four spaces. Line breaks are kept.
fn broken(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for paragraph in text.lines().map(printable) {
        let mut line = String::new();
        for word in paragraph.split(' ') {
            let room = if lines.is_empty() { width } else { width - 4 };
            if !line.is_empty() && line.width() + 1 + word.width() > room {
                lines.push(std::mem::take(&mut line));
            } else if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines
}
