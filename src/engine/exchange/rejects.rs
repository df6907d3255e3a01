//! Rejects on their way to `rejects.ndjson`: lines of the file are known only at the end, when it
//! is known how many lines the blocks before had.

use crate::engine::Engine;
use crate::engine::redact::Redaction;
use crate::json::canonical::write_string;
use crate::parse::excerpt;
use crate::parse::reject::{MAX_REJECTS_PER_RECORD, Reason, Reject, Surplus};

/// How much of a record is shown.
const RECORD_SHOWN: usize = 4096;

/// Appends `reject` to `out`: its line in the block, a length, and the JSON behind the line. What
/// is secret in the record, the secrets of `engine` among it, is masked; where outputs are redacted,
/// nothing but its shape is shown.
pub fn encode(reject: &Reject<'_>, engine: &Engine, out: &mut Vec<u8>) {
    let Reject { refusal, line_in_block, offset, record, .. } = *reject;
    entry(line_in_block, out, |out| {
        let detail = engine.redaction.as_ref().map(|redaction| redaction.text(&refusal.detail));
        write_reason(offset, refusal.reason, detail.as_ref().unwrap_or(&refusal.detail), out);
        write_record(record, engine, out);
    });
}

/// The same for the rejects of a record that are only counted: one line with the most frequent
/// reason and a member `more`, the counts by reason.
pub fn encode_surplus(surplus: &Surplus<'_>, engine: &Engine, out: &mut Vec<u8>) {
    let by_reason = surplus.by_reason();
    let Some(&(reason, _)) = by_reason.first() else { return };
    let detail = format!(
        "{} more items of this record are refused; of one record {MAX_REJECTS_PER_RECORD} are written",
        surplus.total()
    );
    entry(surplus.line_in_block, out, |out| {
        write_reason(surplus.offset, reason, &detail, out);
        write_record(surplus.record, engine, out);
        out.extend_from_slice(b",\"more\":{");
        for (place, (reason, count)) in by_reason.iter().enumerate() {
            let comma = if place > 0 { "," } else { "" };
            out.extend_from_slice(format!("{comma}\"{}\":{count}", reason.name()).as_bytes());
        }
        out.push(b'}');
    });
}

/// Appends a line in the block and what `write` writes, with its length before it.
fn entry(line_in_block: u64, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(&line_in_block.to_le_bytes());
    let mark = out.len();
    out.extend_from_slice(&[0; 4]);
    write(out);
    out.extend_from_slice(b"}\n");
    #[allow(clippy::cast_possible_truncation)] // a few times 4 KiB
    let len = (out.len() - mark - 4) as u32;
    out[mark..mark + 4].copy_from_slice(&len.to_le_bytes());
}

fn write_reason(offset: u64, reason: Reason, detail: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(format!(",\"offset\":{offset},\"reason\":").as_bytes());
    write_string(reason.name(), out, true);
    out.extend_from_slice(b",\"detail\":");
    write_string(detail, out, false);
}

fn write_record(record: &[u8], engine: &Engine, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"record\":");
    let shown = &record[..record.len().min(RECORD_SHOWN)];
    // A character that the cut went through is left out rather than garbled.
    let cut = if shown.len() < record.len() { whole_characters(shown) } else { shown };
    let text = String::from_utf8_lossy(cut);
    if engine.redaction.is_some() {
        return write_string(&Redaction::shape(&text), out, false);
    }
    write_string(&excerpt::secrets(&text, &engine.auth), out, false);
}

/// `text` without the beginning of a character at its end.
fn whole_characters(text: &[u8]) -> &[u8] {
    match std::str::from_utf8(text) {
        Err(fault) if fault.error_len().is_none() => &text[..fault.valid_up_to()],
        _ => text,
    }
}

/// Writes the lines of `rejects.ndjson` that `encoded` stands for; `file` is its name and
/// `lines_before` how many lines of it stand before the block.
pub fn decode(mut encoded: &[u8], file: &str, lines_before: u64, out: &mut Vec<u8>) {
    while let Some((line, rest)) = encoded.split_first_chunk::<8>()
        && let Some((len, rest)) = rest.split_first_chunk::<4>()
        && let Some((tail, rest)) = rest.split_at_checked(u32::from_le_bytes(*len) as usize)
    {
        encoded = rest;
        out.extend_from_slice(b"{\"file\":");
        write_string(file, out, false);
        let line = lines_before + u64::from_le_bytes(*line) + 1;
        out.extend_from_slice(format!(",\"line\":{line}").as_bytes());
        out.extend_from_slice(tail);
    }
}
