//! Fixtures with one syntax error in a value that spans several lines: no line is JSON, and the
//! place of the error is the finding.

use super::{Part, PartCase};
use crate::jobs::check::finding::Violation;
use crate::jobs::check::flaw::Flaw;
use crate::jobs::check::place::Placer;
use crate::schema::json_error_offset;
use crate::source::{Block, Discovery, FileId, Input, Options, Reader};

/// The maximum size of a fixture that is searched for the error, in bytes.
const MAX_BYTES: usize = 64 << 20;

/// Replaces the findings about each line by one finding, in fixtures that begin with an object or a
/// list that spans several lines, and of which no line is a record. `parts` are in order.
pub(super) fn one_finding_each(parts: &mut Vec<Part>, reader: &Reader) {
    let files: Vec<FileId> = parts.iter().map(|part| part.file).collect();
    let mut files = files;
    files.dedup();
    let inputs = reader.files();
    for file in files {
        let own = || parts.iter().filter(|part| part.file == file);
        let lines: u64 = own().map(|part| part.lines).sum();
        let no_line_is_json = own().all(|part| part.no_json == part.cases.len() as u64);
        if lines < 2 || !no_line_is_json || own().all(|part| part.no_json == 0) {
            continue;
        }
        let Some(input) = inputs.get(file) else { continue };
        let Some(part) = syntax_error(&input, file) else { continue };
        let first = parts.iter().position(|part| part.file == file).unwrap_or_default();
        parts.retain(|part| part.file != file);
        parts.insert(first.min(parts.len()), part);
    }
}

/// Reads `input` again and returns a part with a finding at the place where its text stops being
/// one JSON value.
fn syntax_error(input: &Input, file: FileId) -> Option<Part> {
    if input.path.is_none() && input.object.is_none() {
        return None;
    }
    let discovery =
        Discovery { inputs: [input.clone()].into_iter().collect(), ..Discovery::default() };
    let reader = Reader::new(discovery, Options::default());
    let (mut text, mut block) = (Vec::new(), Block::default());
    while reader.next(&mut block).ok()? {
        text.extend_from_slice(block.content());
        if text.len() > MAX_BYTES || !block.oversize.is_empty() {
            return None;
        }
    }
    let text = String::from_utf8(text).ok()?;
    if !reader.faults().is_empty() || !begins_over_lines(&text) {
        return None;
    }
    let error = serde_json::from_str::<serde::de::IgnoredAny>(&text).err()?;
    let at = json_error_offset(&text, &error);
    let name = input.display.replace('\\', "/");
    let mut placer = Placer::new(&name, &text, 1);
    let message = if error.is_eof() {
        "invalid_json: the value that begins in the first line is not closed"
    } else {
        "invalid_json: the value that begins in the first line stops being JSON here"
    };
    let flaw = Flaw::new(Violation::InvalidEvent, message);
    let finding = flaw.found(&mut placer, &(at..at + 1), None);
    let case = PartCase {
        line: finding.place.line,
        event: "no event".into(),
        rule: String::new(),
        findings: vec![0],
    };
    Some(Part { file, findings: vec![finding], cases: vec![case], no_json: 1, ..Part::default() })
}

/// Returns `true` if the first line opens a value and does not close it.
fn begins_over_lines(text: &str) -> bool {
    let Some(line) = text.lines().find(|line| !line.trim().is_empty()) else { return false };
    let line = line.trim();
    line == "{" || line == "[" || line == "[{"
}
