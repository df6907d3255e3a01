//! Outputs of earlier runs, detected by their columns.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// How much of each end of a file is looked at, in bytes.
const LOOKED_AT: u64 = 64 << 10;

/// The outputs that begin as JSON, by all that their first bytes hold in this order; the first of
/// it is how they begin.
const JSON: [(&[&str], &str); 4] = [
    (&["{\"signal_id\":\"", "\"timestamp\":", "\"received_at\":"], "signals"),
    (&["{\"email\":", "\"first_name\":", "\"rehydrated_signals\":"], "leads"),
    (&["{\"file\":\"", "\"line\":", "\"offset\":", "\"reason\":\""], "rejects"),
    (&["{\n  \"version\": ", "\"inputs\": ["], "report"),
];

/// The outputs that begin as CSV, by their header.
const CSV: [(&str, &str); 2] = [
    ("signal_id,timestamp,received_at,type,event,", "signals"),
    ("email,name,first_name,last_name,company,title,phone,score,", "leads"),
];

/// Which output a text is, by its first bytes.
pub(super) fn told(head: &[u8]) -> Option<&'static str> {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    if let Some((_, name)) = CSV.iter().find(|(header, _)| text.starts_with(header.as_bytes())) {
        return Some(name);
    }
    // A table as one value is a list.
    let text = text.strip_prefix(b"[").map_or(text, <[u8]>::trim_ascii_start);
    let is = |parts: &[&str]| {
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
    JSON.iter().find(|(parts, _)| is(parts)).map(|(_, name)| *name)
}

/// Which output the file at `path` is. Only files that are called like one are opened.
pub(super) fn at(path: &Path) -> Option<&'static str> {
    let name = path.file_name()?.to_str()?;
    let (stem, extension) = name.split_once('.')?;
    let is_table = matches!(stem, "signals" | "leads")
        && matches!(extension, "csv" | "ndjson" | "json" | "parquet");
    if !is_table && !matches!(name, "rejects.ndjson" | "report.json" | "report.html") {
        return None;
    }
    let mut file = File::open(path).ok()?;
    let mut head = Vec::new();
    (&file).take(LOOKED_AT).read_to_end(&mut head).ok()?;
    match extension {
        "parquet" => {
            let length = file.metadata().ok()?.len();
            file.seek(SeekFrom::Start(length.saturating_sub(LOOKED_AT))).ok()?;
            let mut tail = Vec::new();
            file.take(LOOKED_AT).read_to_end(&mut tail).ok()?;
            // The schema stands in front of the end.
            let has = |name: &str| memchr::memmem::find(&tail, name.as_bytes()).is_some();
            [("signal_id", "lead_email", "signals"), ("rehydrated_signals", "top_signal", "leads")]
                .into_iter()
                .find_map(|(one, other, name)| (has(one) && has(other)).then_some(name))
        }
        // A table without rows has no schema, and nothing in it.
        "ndjson" | "json" if is_table && is_empty(&head) => {
            Some(if stem == "leads" { "leads" } else { "signals" })
        }
        "html" => memchr::memmem::find(&head, b"backtrail").is_some().then_some("report"),
        _ => told(&head),
    }
}

/// Whether a table of JSON has no rows.
fn is_empty(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    let list = text.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]"));
    list.unwrap_or(text).trim_ascii().is_empty()
}

/// What is said of an output that is passed over.
pub(super) fn passed_over(path: &str, output: &str) -> String {
    format!(
        "{path}: passed over: this is the `{output}` of an earlier run; name the file to read it"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_told_by_their_schema_and_events_are_not_taken_for_them() {
        let rejects = "{\"file\":\"a\",\"line\":1,\"offset\":0,\"reason\":\"invalid_json\"}\n";
        assert_eq!(told(rejects.as_bytes()), Some("rejects"));
        let signals = "[\n{\"signal_id\":\"00\",\"timestamp\":null,\"received_at\":null}\n]\n";
        assert_eq!(told(signals.as_bytes()), Some("signals"));
        for text in [
            "{\"type\":\"track\",\"signal_id\":\"00\"}\n",
            "{\"email\":\"a\",\"name\":\"b\"}\n",
            "{\"file\":\"a\",\"reason\":\"b\"}\n",
            "{\n  \"version\": 1,\n  \"rules\": []\n}\n",
            "email,name\n",
            "[",
            "",
        ] {
            assert_eq!(told(text.as_bytes()), None, "{text}");
        }
    }
}
