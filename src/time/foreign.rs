//! Less usual formats of times, tried one after the other.

use percent_encoding::percent_decode_str;

use super::{Stamp, Time, Zone, epoch, loose, named, zone};

/// The maximum length of a time, in bytes: enough for the text of `Date` with the longest zone
/// name.
const MAX_BYTES: usize = 100;

/// Parses `text` in one of these formats.
#[cold]
pub(super) fn parse(text: &[u8]) -> Option<Stamp> {
    if text.len() > MAX_BYTES {
        return None;
    }
    let text = std::str::from_utf8(text).ok()?.trim();
    if text.contains('%') {
        // The text of a form that was not decoded: `2025-03-01T10:00:00%2B00:00`.
        let decoded = percent_decode_str(text).decode_utf8().ok()?;
        return if decoded.contains('%') { None } else { plain(decoded.trim()) };
    }
    plain(text)
}

fn plain(text: &str) -> Option<Stamp> {
    let digits = || Some(Stamp { time: epoch::parse(text)?, zone: Zone::Stated });
    loose::parse(text)
        .or_else(digits)
        .or_else(|| in_named_zone(text))
        .or_else(|| dot_net(text))
        .or_else(|| named::parse(text))
}

/// Parses the format of RFC 9557 and Java's `ZonedDateTime`: `2025-03-01T10:00:00Z[UTC]`, and
/// without an offset `2025-03-01T10:00:00[Europe/Berlin]`.
fn in_named_zone(text: &str) -> Option<Stamp> {
    let (local, name) = text.strip_suffix(']')?.split_once('[')?;
    let stamp = loose::parse(local)?;
    // A second bracket names a calendar, which does not affect the time.
    let name = name.split(']').next().unwrap_or(name);
    if stamp.zone == Zone::Stated || name.contains('=') {
        return Some(stamp);
    }
    let zone = jiff::tz::TimeZone::get(name).ok()?;
    let local = jiff::Timestamp::from_millisecond(stamp.time.millis()?).ok()?;
    let local = jiff::tz::TimeZone::UTC.to_datetime(local);
    let at = zone.to_timestamp(local).ok()?.as_millisecond();
    Some(Stamp { time: Time::from_millis(at)?, zone: Zone::Stated })
}

/// Parses .NET's `/Date(1740823200000+0100)/`: milliseconds since 1970 in UTC; the offset is only
/// for display.
fn dot_net(text: &str) -> Option<Stamp> {
    let inside = text.strip_prefix("/Date(")?.strip_suffix(")/")?;
    let end = inside.rfind(['+', '-']).filter(|&at| at > 0).unwrap_or(inside.len());
    let (millis, offset) = inside.split_at(end);
    if !offset.is_empty() {
        zone::offset(offset.as_bytes())?;
    }
    Some(Stamp { time: Time::from_millis(millis.parse().ok()?)?, zone: Zone::Stated })
}
