//! Times to text.

use super::calendar::civil_from_days;
use super::{DAY_MS, MINUTE_MS, Time};

/// Writes times, many of the same minute: the text up to it is worked out once for each run of
/// them.
#[derive(Clone, Debug)]
pub struct TimeWriter {
    /// The minute in the text, since 1970-01-01.
    minute: i64,
    text: [u8; 24],
}

impl Default for TimeWriter {
    fn default() -> Self {
        Self { minute: 0, text: *b"1970-01-01T00:00:00.000Z" }
    }
}

impl TimeWriter {
    /// Writes `2025-07-01T00:00:34.985Z` at the end of `out`; nothing of a missing time.
    #[inline]
    pub fn write(&mut self, time: Time, out: &mut Vec<u8>) {
        if time.is_missing() {
            return;
        }
        let minute = time.0.div_euclid(MINUTE_MS);
        if minute != self.minute {
            self.turn_to(minute);
        }
        // Less than a minute: 32 bits divide faster than 64.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let ms = (time.0 - minute * MINUTE_MS) as u32;
        self.put(17, ms / 1000);
        self.put(20, ms % 1000 / 10);
        self.text[22] = digit(ms % 10);
        out.extend_from_slice(&self.text);
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // below the year 10,000
    fn turn_to(&mut self, minute: i64) {
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

    /// Two digits.
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
