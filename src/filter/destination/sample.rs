//! Sampling by hash: of all events with the same value at a path, either all or none are in the
//! sample.
//!
//! The method is that of Segment's own implementations (`sampleConsistentPercent` of tsub-js and
//! its Go original), up to their rounding: the first 8 bytes of the MD5 of the value's JSON text,
//! as a big-endian integer over 2^64, are compared with the share.

use md5::{Digest as _, Md5};

use super::fields::names;
use crate::event::path::{Lookup as _, Path};
use crate::event::{Event, Member};
use crate::json::canonical::stringify;

/// A sampled share of events.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The share that is sent: none at 0 or below, all at 1 or above.
    pub percent: f64,
    /// The path of the value that decides. Without a path, Segment samples at random; this
    /// implementation uses the `messageId`, so that the same input gives the same output.
    pub path: Option<Path>,
    share: Share,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Share {
    None,
    /// Events whose hash is below this.
    Below(u64),
    All,
}

impl Sample {
    /// Creates a sample of the share `percent` (0 to 1), by the value at `path`. With no path or an
    /// empty one, Segment samples at random.
    pub fn new(percent: f64, path: Option<&str>) -> Self {
        let path = path.filter(|path| !path.is_empty());
        let path = path.and_then(|path| Path::new(&names(path)));
        Self { percent, path, share: Share::of(percent) }
    }

    /// Returns `true` if Segment samples at random where this implementation uses a hash.
    pub fn is_estimate(&self) -> bool {
        self.path.is_none() && matches!(self.share, Share::Below(_))
    }

    /// Returns `true` if `event` is in the sample; `text` is a buffer.
    pub(super) fn keeps(&self, event: &Event<'_>, text: &mut Vec<u8>) -> bool {
        let limit = match self.share {
            Share::None => return false,
            Share::All => return true,
            Share::Below(limit) => limit,
        };
        let value = match &self.path {
            Some(path) => event.lookup(path),
            None => event.get(Member::MessageId),
        };
        text.clear();
        match value {
            Some(value) => stringify(value, text),
            // A missing value is null, as in FQL.
            None => text.extend_from_slice(b"null"),
        }
        hash(text) < limit
    }
}

impl Share {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // it is between 0 and 2^64
    fn of(percent: f64) -> Self {
        /// 2^64; multiplication by it is exact.
        const ALL: f64 = 18_446_744_073_709_551_616.0;
        if percent >= 1.0 {
            return Self::All;
        }
        // An integer is below a fraction exactly if it is below the next integer.
        if percent > 0.0 { Self::Below((percent * ALL).ceil() as u64) } else { Self::None }
    }
}

fn hash(text: &[u8]) -> u64 {
    let digest = Md5::digest(text);
    digest.iter().take(8).fold(0, |number, &byte| number << 8 | u64::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::document::with_json;

    fn json_hash(json: &str) -> u64 {
        let mut text = Vec::new();
        with_json(json, |value| stringify(value, &mut text));
        hash(&text)
    }

    // python3 -c 'import hashlib; print(hashlib.md5(b"\"user-1\"").hexdigest()[:16])', and so on.
    #[test]
    fn hashes_are_those_of_other_libraries() {
        for (json, expected) in HASHES {
            assert_eq!(format!("{:016x}", json_hash(json)), *expected, "{json}");
        }
    }

    const HASHES: &[(&str, &str)] = &[
        (r#""user-1""#, "b78e041863fbae8b"),
        (r#""m1""#, "6a4fa756d89a9850"),
        (r#""\u00e9\n""#, "3a94ada146747782"), // "é\n", the é as it is
        ("42", "a1d0c6e83f027327"),
        ("1.0", "c4ca4238a0b92382"), // 1
        ("0.1", "cb5ae17636e975f9"),
        ("9007199254740993", "322d1e02970a2dea"),
        ("true", "b326b5062b2f0e69"),
        ("null", "37a6259cc0c1dae2"),
        (r#"{ "b": 1, "a": [1, "x"] }"#, "092e7df51318220b"), // {"b":1,"a":[1,"x"]}
    ];

    #[test]
    fn shares_are_exact_at_both_ends() {
        assert_eq!(Share::of(-1.0), Share::None);
        assert_eq!(Share::of(0.0), Share::None);
        assert_eq!(Share::of(f64::MIN_POSITIVE), Share::Below(1));
        assert_eq!(Share::of(0.5), Share::Below(1 << 63));
        assert_eq!(Share::of(1.0_f64.next_down()), Share::Below(u64::MAX - (1 << 11) + 1));
        assert_eq!(Share::of(1.0), Share::All);
        assert_eq!(Share::of(50.0), Share::All);
    }
}
