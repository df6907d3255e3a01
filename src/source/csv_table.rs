//! Detection of tables in CSV, with commas, semicolons or tabs.

use super::unsupported::{Kind, Unsupported};

/// The maximum length of the name of a column, in bytes.
const MAX_NAME_BYTES: usize = 64;

/// Columns that identify warehouse exports, and the descriptions of these.
const WAREHOUSE: [(&str, &str); 6] = [
    ("event_text", "a CSV table that looks like a warehouse export of tracks"),
    ("event", "a CSV table that looks like a warehouse export of tracks"),
    ("context_page_url", "a CSV table that looks like a warehouse export of pages"),
    ("context_page_path", "a CSV table that looks like a warehouse export of pages"),
    ("email", "a CSV table that looks like a warehouse export of identifies or users"),
    ("user_id", "a CSV table that looks like a warehouse export"),
];

const WAREHOUSE_REMEDY: &str = "the events themselves, as JSON, are in Segment's Amazon S3 or Google Cloud Storage \
     destination; or make events of the rows, for example with DuckDB: COPY (SELECT 'track' AS \
     type, id AS messageId, anonymous_id AS anonymousId, user_id AS userId, event_text AS event, \
     received_at AS timestamp FROM 'FILE') TO 'events.ndjson'";

const CSV_REMEDY: &str = "write its rows as JSON events, for example with DuckDB: COPY (FROM \
                          'FILE') TO 'events.ndjson'";

/// Detects a table by its first lines. Lines with braces are not headers.
pub(super) fn detect(head: &[u8]) -> Option<Unsupported> {
    let mut lines = head.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii_end);
    let header = str::from_utf8(lines.next()?).ok()?;
    let (separator, columns) = [',', '\t', ';'].into_iter().find_map(|separator| {
        let columns: Vec<&str> = header.split(separator).map(unquoted).collect();
        is_header(&columns).then_some((separator, columns))
    })?;
    // The last line may be incomplete.
    let mut rows: Vec<&[u8]> = lines.filter(|line| !line.is_empty()).collect();
    rows.pop();
    let has_all_cells = |row: &&[u8]| count_cells(row, separator) == columns.len();
    if rows.first().is_some_and(|row| !has_all_cells(row)) {
        return None;
    }
    let has = |name: &str| columns.iter().any(|column| column.eq_ignore_ascii_case(name));
    let is_warehouse = has("received_at") && (has("anonymous_id") || has("user_id"));
    let known = WAREHOUSE.iter().find(|(column, _)| is_warehouse && has(column));
    let (what, remedy) =
        known.map_or(("a CSV table", CSV_REMEDY), |(_, what)| (*what, WAREHOUSE_REMEDY));
    Some(Unsupported::new(Kind::Other, what, remedy))
}

/// Returns the name of a column without its quotes.
fn unquoted(column: &str) -> &str {
    column.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(column)
}

/// Returns `true` if these are names of at least two columns, not text.
fn is_header(columns: &[&str]) -> bool {
    // Two phrases separated by a comma are text.
    let may_have_blanks = columns.len() > 2;
    let is_name = |column: &&str| {
        let mut chars = column.chars();
        column.len() <= MAX_NAME_BYTES
            && chars.next().is_some_and(|first| first.is_alphabetic() || first == '_')
            && chars.all(|char| {
                char.is_alphanumeric()
                    || "_.$-/()".contains(char)
                    || (may_have_blanks && char == ' ')
            })
    };
    columns.len() > 1 && columns.iter().all(is_name)
}

/// Returns the number of cells in a row. Separators in quotes do not count.
fn count_cells(row: &[u8], separator: char) -> usize {
    let mut in_quotes = false;
    let mut count = 1;
    for &byte in row {
        match byte {
            b'"' => in_quotes = !in_quotes,
            byte if char::from(byte) == separator && !in_quotes => count += 1,
            _ => {}
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn what(text: &str) -> Option<&'static str> {
        detect(text.as_bytes()).map(|unsupported| unsupported.what())
    }

    #[test]
    fn detects_tables_and_warehouse_exports_by_their_header() {
        let tracks = "id,received_at,anonymous_id,event,event_text,user_id\nm1,2025,a1,x,X,u1\n";
        assert!(what(tracks).unwrap().ends_with("warehouse export of tracks"));
        let users = "id,received_at,user_id,email\r\nm1,2025,a1,x\r\n";
        assert!(what(users).unwrap().ends_with("identifies or users"));
        assert_eq!(what("name,company\nAna,\"Acme, Inc.\"\n"), Some("a CSV table"));
        assert_eq!(what("First Name;Last Name;Company\n"), Some("a CSV table"));
        assert_eq!(what("\"a b\"\t\"c\"\t\"d\"\n1\t2\t3\n"), Some("a CSV table"));
    }

    #[test]
    fn texts_are_not_tables() {
        for text in [
            "",
            "hello, world\n",
            "one\ntwo\n",
            "2025-03-01 10:00:00,INFO,received {\"type\":\"track\"}\n",
            "{\"type\":\"track\",\"event\":\"a\"}\n",
            "INFO,started\n2025-03-01,INFO,received,{}\nx\n",
            "\"type\":\"track\",\"event\":\"a\"\n",
            "1,2\n",
        ] {
            assert_eq!(what(text), None, "{text}");
        }
    }
}
