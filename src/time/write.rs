//! Formatting of times.

use super::calendar::civil_from_days;
use super::{DAY_MS, MINUTE_MS, Time};

/// Writes times and caches the text of the minute, so that a run of times of the same minute
/// computes it once.
#[derive(Clone, Debug)]
pub struct TimeWriter {
    /// The minute in `text`, in minutes since 1970-01-01.
    minute: i64,
    text: [u8; 24],
}

impl Default for TimeWriter {
    fn default() -> Self {
        Self { minute: 0, text: *b"1970-01-01T00:00:00.000Z" }
    }
}

impl TimeWriter {
    /// Appends the time as `2025-07-01T00:00:34.985Z` to `out`; appends nothing for a missing time.
    #[inline]
    pub fn write(&mut self, time: Time, out: &mut Vec<u8>) {
        if time.is_missing() {
            return;
        }
        let minute = time.0.div_euclid(MINUTE_MS);
        if minute != self.minute {
            self.set_minute(minute);
        }
        // The value is less than a minute, and 32-bit division is faster than 64-bit division.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let ms = (time.0 - minute * MINUTE_MS) as u32;
        self.put(17, ms / 1000);
        self.put(20, ms % 1000 / 10);
        self.text[22] = digit(ms % 10);
        out.extend_from_slice(&self.text);
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // below the year 10,000
    fn set_minute(&mut self, minute: i64) {
        const DAY_MINUTES: i64 = DAY_MS / MINUTE_MS;
        if minute.div_euclid(DAY_MINUTES) != self.minute.div_euclid(DAY_MINUTES) {
            let (year, month, day) = civil_from_days(minute.div_euclid(DAY_MINUTES));
            self.put(0, year as u32 / 100);
            self.put(2, year as u32 % 100);
            self.put(5, month as u32);
            self.put(8, day as u32);
        }
        let of_day = minute.rem_euclid(DAY_MINUTES) as u32;
        self.put(11, of_day / 60);
        self.put(14, of_day % 60);
        self.minute = minute;
    }

    /// Writes two digits at `at`.
    #[inline]
    fn put(&mut self, at: usize, value: u32) {
        self.text[at] = digit(value / 10);
        self.text[at + 1] = digit(value % 10);
    }
}

#[inline]
#[allow(clippy::cast_possible_truncation)] // one digit
fn digit(value: u32) -> u8 {
    b'0' + value as u8
}
