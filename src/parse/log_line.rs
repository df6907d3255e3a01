//! Lines of log files: a text before the first `{`, and one JSON object behind it.

use super::from_utf8;
use crate::grammar::Scanner;
use crate::time::Time;

/// The longest text that is looked at for a time.
const MOST_WORDS: usize = 2;

/// A line of a log file that ends in JSON.
#[derive(Debug, PartialEq)]
pub(super) struct LogLine<'t> {
    /// Where the object begins.
    pub start: usize,
    /// The object.
    pub object: &'t str,
    /// The time that begins the line; missing where it begins otherwise.
    pub time: Time,
}

impl<'t> LogLine<'t> {
    /// `text` as a line of a log file, if it is one.
    #[cold]
    pub(super) fn of(text: &'t [u8]) -> Option<Self> {
        let line = from_utf8(text.trim_ascii_end()).ok()?;
        let start = memchr::memchr(b'{', line.as_bytes())?;
        let (before, object) = line.split_at(start);
        // A bracket or a quote that is not closed is JSON with a slip in it.
        let is_prose = before.bytes().any(|byte| byte.is_ascii_alphanumeric());
        let is_object = || Scanner::scan(object.as_bytes()) == Ok(object.len());
        (is_prose && is_object()).then(|| Self { start, object, time: time_before(before) })
    }
}

/// The time that `text` begins with: of one word or of two.
fn time_before(text: &str) -> Time {
    let text = text.trim_start().trim_start_matches(['[', '(', '"']);
    if text.bytes().take(4).filter(u8::is_ascii_digit).count() < 4 {
        return Time::MISSING;
    }
    let ends = text.match_indices([' ', '\t', ']', ')', '"', '|']).map(|(at, _)| at);
    let ends = ends.take(MOST_WORDS).chain([text.len()]);
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
