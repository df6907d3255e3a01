//! Detection of outputs of earlier runs by their columns.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// The number of bytes at each end of a file that are examined.
const EXAMINED_BYTES: u64 = 64 << 10;

/// Outputs in JSON: texts that their first bytes contain in this order, the first one at the
/// beginning.
const JSON: [(&[&str], &str); 4] = [
    (&["{\"signal_id\":\"", "\"timestamp\":", "\"received_at\":"], "signals"),
    (&["{\"email\":", "\"first_name\":", "\"rehydrated_signals\":"], "leads"),
    (&["{\"file\":\"", "\"line\":", "\"offset\":", "\"reason\":\""], "rejects"),
    (&["{\n  \"version\": ", "\"inputs\": ["], "report"),
];

/// Outputs in CSV: the beginning of their header.
const CSV: [(&str, &str); 2] = [
    ("signal_id,timestamp,received_at,type,event,", "signals"),
    ("email,name,first_name,last_name,company,title,phone,score,", "leads"),
];

/// Detects an output by its first bytes, and returns its name.
pub(super) fn detect(head: &[u8]) -> Option<&'static str> {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    if let Some((_, name)) = CSV.iter().find(|(header, _)| text.starts_with(header.as_bytes())) {
        return Some(name);
    }
    // Tables in `.json` files are arrays.
    let text = text.strip_prefix(b"[").map_or(text, <[u8]>::trim_ascii_start);
    let contains_in_order = |parts: &[&str]| {
        let mut rest = text;
        text.starts_with(parts[0].as_bytes())
            && parts.iter().all(|part| match memchr::memmem::find(rest, part.as_bytes()) {
                Some(at) => {
                    rest = &rest[at + part.len()..];
                    true
                }
                None => false,
            })
    };
    JSON.iter().find(|(parts, _)| contains_in_order(parts)).map(|(_, name)| *name)
}

/// Detects the output at `path`. Opens only files with the name of an output.
pub(super) fn detect_file(path: &Path) -> Option<&'static str> {
    let name = path.file_name()?.to_str()?;
    let (stem, extension) = name.split_once('.')?;
    let is_table = matches!(stem, "signals" | "leads")
        && matches!(extension, "csv" | "ndjson" | "json" | "parquet");
    if !is_table && !matches!(name, "rejects.ndjson" | "report.json" | "report.html") {
        return None;
    }
    let mut file = File::open(path).ok()?;
    let mut head = Vec::new();
    (&file).take(EXAMINED_BYTES).read_to_end(&mut head).ok()?;
    match extension {
        "parquet" => {
            let length = file.metadata().ok()?.len();
            file.seek(SeekFrom::Start(length.saturating_sub(EXAMINED_BYTES))).ok()?;
            let mut tail = Vec::new();
            file.take(EXAMINED_BYTES).read_to_end(&mut tail).ok()?;
            // The schema is in the footer.
            let has = |name: &str| memchr::memmem::find(&tail, name.as_bytes()).is_some();
            [("signal_id", "lead_email", "signals"), ("rehydrated_signals", "top_signal", "leads")]
                .into_iter()
                .find_map(|(one, other, name)| (has(one) && has(other)).then_some(name))
        }
        // Tables without rows cannot be distinguished from empty inputs, but contain no events
        // either.
        "ndjson" | "json" if is_table && is_empty(&head) => {
            Some(if stem == "leads" { "leads" } else { "signals" })
        }
        "html" => memchr::memmem::find(&head, b"backtrail").is_some().then_some("report"),
        _ => detect(&head),
    }
}

/// Returns `true` if a table in JSON has no rows.
fn is_empty(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    let list = text.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]"));
    list.unwrap_or(text).trim_ascii().is_empty()
}

/// Returns the message about a skipped output.
pub(super) fn skipped(path: &str, output: &str) -> String {
    format!("{path}: skipped: this is the `{output}` of an earlier run; name the file to read it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detects_outputs_by_their_columns_and_does_not_confuse_events_with_them() {
        let rejects = "{\"file\":\"a\",\"line\":1,\"offset\":0,\"reason\":\"invalid_json\"}\n";
        assert_eq!(detect(rejects.as_bytes()), Some("rejects"));
        let signals = "[\n{\"signal_id\":\"00\",\"timestamp\":null,\"received_at\":null}\n]\n";
        assert_eq!(detect(signals.as_bytes()), Some("signals"));
        for text in [
            "{\"type\":\"track\",\"signal_id\":\"00\"}\n",
            "{\"email\":\"a\",\"name\":\"b\"}\n",
            "{\"file\":\"a\",\"reason\":\"b\"}\n",
            "{\n  \"version\": 1,\n  \"rules\": []\n}\n",
            "email,name\n",
            "[",
            "",
        ] {
            assert_eq!(detect(text.as_bytes()), None, "{text}");
        }
    }
}
