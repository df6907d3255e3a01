//! The time of a delivery.

use crate::parse::json::Json;
use crate::time::Time;

/// The time that `value` is, with or without an offset: a time of day without one is UTC.
pub(super) fn from_json(value: Json<'_>) -> Option<Time> {
    Time::from_json(value).or_else(|| {
        let text = value.as_str()?.as_bytes();
        // `2023-03-07 13:52:43`, perhaps with nine digits behind it.
        let mut with_zone = [0; 30];
        let zoned = with_zone.get_mut(..=text.len())?;
        zoned[..text.len()].copy_from_slice(text);
        zoned[text.len()] = b'Z';
        Time::parse(zoned)
    })
}

/// The first of `values` that is a time.
pub(super) fn first<'t>(values: impl IntoIterator<Item = Option<Json<'t>>>) -> Time {
    values.into_iter().flatten().find_map(from_json).unwrap_or(Time::MISSING)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::document::with_json;

    fn read(json: &str) -> Option<String> {
        with_json(json, |value| from_json(value).map(|time| time.to_string()))
    }

    #[test]
    fn a_time_without_an_offset_is_utc() {
        for (json, expected) in [
            (r#""2023-03-07 13:52:43""#, "2023-03-07T13:52:43.000Z"),
            (r#""2023-03-07T13:52:43.123456789""#, "2023-03-07T13:52:43.123Z"),
            (r#""2023-03-07T13:52:43+02:00""#, "2023-03-07T11:52:43.000Z"),
            ("1583348638390", "2020-03-04T19:03:58.390Z"),
        ] {
            assert_eq!(read(json).as_deref(), Some(expected), "{json}");
        }
        for json in ["\"\"", "\"12/Mar/2020:19:03:58 +0000\"", "true", "\"2023-03-07\"", "[]"] {
            assert_eq!(read(json), None, "{json}");
        }
    }
}
