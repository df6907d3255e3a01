//! Log lines: a text before the first `{`, followed by one JSON object.

use super::from_utf8;
use crate::grammar::Scanner;
use crate::time::Time;

/// The maximum number of words that a time at the start of a line consists of.
const MAX_TIME_WORDS: usize = 2;

/// A line of a log file that ends in JSON.
#[derive(Debug, PartialEq)]
pub(super) struct LogLine<'t> {
    /// The offset of the object in the line.
    pub start: usize,
    /// The text of the object.
    pub object: &'t str,
    /// The time at the start of the line, or missing if the line starts otherwise.
    pub time: Time,
}

impl<'t> LogLine<'t> {
    /// Reads `text` as a log line. Returns `None` if it is not one.
    #[cold]
    pub(super) fn of(text: &'t [u8]) -> Option<Self> {
        let line = from_utf8(text.trim_ascii_end()).ok()?;
        let start = memchr::memchr(b'{', line.as_bytes())?;
        let (before, object) = line.split_at(start);
        // Text with only an unclosed bracket or quote before the object is damaged JSON, not a log
        // line.
        let is_prose = before.bytes().any(|byte| byte.is_ascii_alphanumeric());
        let is_object = || Scanner::scan(object.as_bytes()) == Ok(object.len());
        (is_prose && is_object()).then(|| Self { start, object, time: time_before(before) })
    }
}

/// Returns the time of one or two words that `text` begins with.
fn time_before(text: &str) -> Time {
    let text = text.trim_start().trim_start_matches(['[', '(', '"']);
    if text.bytes().take(4).filter(u8::is_ascii_digit).count() < 4 {
        return Time::MISSING;
    }
    let ends = text.match_indices([' ', '\t', ']', ')', '"', '|']).map(|(at, _)| at);
    let ends = ends.take(MAX_TIME_WORDS).chain([text.len()]);
    let times = ends.filter_map(|end| {
        Time::parse(text[..end].trim_end().trim_end_matches([':', ',']).as_bytes())
    });
    times.last().unwrap_or(Time::MISSING)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_text_and_one_object_behind_it() {
        for (line, time) in [
            (r#"INFO got {"a":{"b":"}"}}"#, ""),
            (r#"2025-03-01T10:00:00Z stdout F {"a":1}"#, "2025-03-01T10:00:00.000Z"),
            (r#"[2025-03-01T10:00:00.5+01:00] {"a":1} "#, "2025-03-01T09:00:00.500Z"),
            (r#"2025-03-01 10:00:00 [http] body={"a":1}"#, "2025-03-01T10:00:00.000Z"),
            (r#"2025-03-01T10:00:00Z: {"a":1}"#, "2025-03-01T10:00:00.000Z"),
        ] {
            let found = LogLine::of(line.as_bytes()).unwrap();
            assert_eq!(found.object, &line.trim_end()[line.find('{').unwrap()..], "{line}");
            assert_eq!(line.find('{'), Some(found.start), "{line}");
            assert_eq!(found.time.to_string(), time, "{line}");
        }
    }

    #[test]
    fn what_is_cut_or_followed_by_more_is_none() {
        for line in [
            r#"INFO {"a":1} done"#,
            r#"INFO {"a":1"#,
            "INFO",
            r#"{"a":1}"#,
            r#",{"a":1}"#,
            r#"[{"a":1}"#,
            "INFO {a}",
        ] {
            assert_eq!(LogLine::of(line.as_bytes()), None, "{line}");
        }
    }
}
