//! Texts of times: what is read can be written and read again, and RFC 3339 is read as another
//! library reads it.

use backtrail::time::{Stamp, Time};

/// Reads `data` as the text of a time.
///
/// # Panics
/// If what is written for it is another time, or another library reads another.
pub fn target(data: &[u8]) {
    let time = Time::parse(data);
    assert_eq!(Stamp::parse(data).map(|stamp| stamp.time), time);
    if let Some(time) = time {
        let mut text = Vec::new();
        time.write(&mut text);
        assert_eq!(Time::parse(&text), Some(time), "{}", String::from_utf8_lossy(data));
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    // Another library takes more than RFC 3339; only that is compared.
    let Some(other) = rfc3339(text) else { return };
    let year = text.get(..4).and_then(|year| year.parse::<u16>().ok());
    if year.is_some_and(|year| year > 0 && year < 9999) {
        let ours = time.and_then(Time::millis).map(i128::from);
        // Digits past the milliseconds are cut off, also before 1970.
        assert_eq!(ours, Some(other.as_nanosecond().div_euclid(1_000_000)), "{text}");
    }
}

/// The time of a text that has the form of RFC 3339, with a real second.
fn rfc3339(text: &str) -> Option<jiff::Timestamp> {
    let bytes = text.as_bytes();
    let mut form = "0000-00-00T00:00:00".bytes().zip(bytes);
    let is_alike =
        |(form, byte): (u8, &u8)| if form == b'0' { byte.is_ascii_digit() } else { form == *byte };
    let has_form = bytes.len() >= 20 && form.all(is_alike);
    let rest = text.get(19..)?;
    let fraction = rest
        .strip_prefix('.')
        .map_or(rest, |rest| rest.trim_start_matches(|char: char| char.is_ascii_digit()));
    let is_zone = fraction == "Z" || (fraction.len() == 6 && fraction.as_bytes()[3] == b':');
    let few_digits = rest.len() - fraction.len() <= 10 && rest != "." && !rest.starts_with(".Z");
    let no_leap = text.get(17..19) != Some("60");
    (has_form && is_zone && few_digits && no_leap).then(|| text.parse().ok()).flatten()
}
