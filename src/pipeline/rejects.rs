//! Rejects on their way to `rejects.ndjson`: lines of the file are known only at the end, when it
//! is known how many lines the blocks before had.

use super::mask;
use crate::canonical::write_string;
use crate::parse::auth::Auth;
use crate::parse::reject::Reject;

/// How much of a record is shown.
const RECORD_SHOWN: usize = 4096;

/// Appends `reject` to `out`: its line in the block, a length, and the JSON behind the line. What
/// is secret in the record, the secrets of `auth` among it, is masked.
pub fn encode(reject: &Reject<'_>, auth: &Auth, out: &mut Vec<u8>) {
    out.extend_from_slice(&reject.line_in_block.to_le_bytes());
    let mark = out.len();
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(format!(",\"offset\":{},\"reason\":", reject.offset).as_bytes());
    write_string(reject.refusal.reason.name(), out, true);
    out.extend_from_slice(b",\"detail\":");
    write_string(&reject.refusal.detail, out, false);
    out.extend_from_slice(b",\"record\":");
    let shown = &reject.record[..reject.record.len().min(RECORD_SHOWN)];
    // A character that the cut went through is left out rather than garbled.
    let cut = if shown.len() < reject.record.len() { whole_characters(shown) } else { shown };
    write_string(&mask::secrets(&String::from_utf8_lossy(cut), auth), out, false);
    out.extend_from_slice(b"}\n");
    #[allow(clippy::cast_possible_truncation)] // a few times 4 KiB
    let len = (out.len() - mark - 4) as u32;
    out[mark..mark + 4].copy_from_slice(&len.to_le_bytes());
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
