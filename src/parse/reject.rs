//! Records that yield no event: why, and where they stand.

use std::borrow::Cow;
use std::collections::BTreeMap;

use simd_json::ErrorType;

use super::shape::Shape;
use crate::json::MAX_DEPTH;
use crate::json::diagnose::{NotJson, diagnose_body};

/// Why a record yields no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The record is not one JSON value.
    InvalidJson,
    /// The record is not UTF-8.
    NotUtf8,
    /// A JSON value that is neither an event, a batch nor a capture.
    NotSegment,
    /// It has ids, but its `type` is none of Segment's six calls.
    UnknownType,
    /// An event without a `messageId`.
    MissingMessageId,
    /// An event with neither `anonymousId` nor `userId`.
    MissingIdentity,
    /// Longer than the record limit.
    TooLarge,
    /// Nested deeper than [`MAX_DEPTH`].
    TooDeep,
    /// A capture whose body is no record.
    BadCaptureBody,
    /// A capture without the expected secret or key.
    Unauthorized,
    /// A capture whose signature does not fit its body.
    BadSignature,
}

impl Reason {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 11] = [
        Self::InvalidJson,
        Self::NotUtf8,
        Self::NotSegment,
        Self::UnknownType,
        Self::MissingMessageId,
        Self::MissingIdentity,
        Self::TooLarge,
        Self::TooDeep,
        Self::BadCaptureBody,
        Self::Unauthorized,
        Self::BadSignature,
    ];

    /// The name in `rejects.ndjson` and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::InvalidJson => "invalid_json",
            Self::NotUtf8 => "not_utf8",
            Self::NotSegment => "not_segment",
            Self::UnknownType => "unknown_type",
            Self::MissingMessageId => "missing_message_id",
            Self::MissingIdentity => "missing_identity",
            Self::TooLarge => "too_large",
            Self::TooDeep => "too_deep",
            Self::BadCaptureBody => "bad_capture_body",
            Self::Unauthorized => "unauthorized",
            Self::BadSignature => "bad_signature",
        }
    }
}

/// A reason with what was expected; never holds a value from the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub reason: Reason,
    /// What was expected, for people.
    pub detail: Cow<'static, str>,
    /// How the record came.
    pub shape: Shape,
}

impl Refusal {
    /// A reason with its explanation.
    pub fn new(reason: Reason, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { reason, detail: detail.into(), shape: Shape::Unknown }
    }

    /// What the body of a capture is refused for that did not parse.
    pub(super) fn from_body(error: &simd_json::Error, text: &[u8]) -> Self {
        let detail = match error.error() {
            ErrorType::DepthLimitExceeded => {
                format!("expected the body to be nested at most {MAX_DEPTH} levels deep")
            }
            _ => diagnose_body(text)
                .unwrap_or_else(|| "expected the body to be one JSON value".to_owned()),
        };
        Self::new(Reason::BadCaptureBody, detail)
    }

    /// What a text that did not parse is refused for. `text` is the record as it stood before the
    /// parser touched it.
    pub fn from_parser(error: &simd_json::Error, text: &[u8]) -> Self {
        let fault = NotJson::new(error, text, " of the record");
        let reason = match fault {
            NotJson::NotUtf8(_) => Reason::NotUtf8,
            NotJson::TooDeep(_) => Reason::TooDeep,
            NotJson::Malformed(_) => Reason::InvalidJson,
        };
        Self::new(reason, fault.detail())
    }
}

/// A refused record and its place.
#[derive(Clone, Copy, Debug)]
pub struct Reject<'a> {
    /// Why.
    pub refusal: &'a Refusal,
    /// How many lines of the block stand before it.
    pub line_in_block: u64,
    /// Where it begins in the (decompressed) file, in bytes from 0.
    pub offset: u64,
    /// Its text as it stood in the input; may be cut short.
    pub record: &'a [u8],
    /// Whether it is an item of a list that the record is or holds, with a text of its own.
    pub is_item: bool,
}

/// How many rejects of one record are handed on one by one.
pub const MOST_OF_A_RECORD: u64 = 1000;

/// The rejects of one record beyond [`MOST_OF_A_RECORD`]: counts alone, so that a record of a few
/// megabytes with a million bad items costs no more than its own size.
#[derive(Clone, Copy, Debug)]
pub struct Surplus<'a> {
    /// How many there are, by shape and reason; none twice.
    pub counts: &'a [(Shape, Reason, u64)],
    /// How many lines of the block stand before the record.
    pub line_in_block: u64,
    /// Where the record begins in the (decompressed) file, in bytes from 0.
    pub offset: u64,
    /// The text of the record.
    pub record: &'a [u8],
}

impl Surplus<'_> {
    /// How many rejects it stands for.
    pub fn total(&self) -> u64 {
        self.counts.iter().map(|(.., count)| count).sum()
    }

    /// How many there are of each reason, the most frequent first.
    pub fn by_reason(&self) -> Vec<(Reason, u64)> {
        let mut sums: BTreeMap<Reason, u64> = BTreeMap::new();
        for &(_, reason, count) in self.counts {
            *sums.entry(reason).or_default() += count;
        }
        let mut sums: Vec<_> = sums.into_iter().collect();
        sums.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
        sums
    }
}
