//! Records that yield no event: the reason and the position of each.

use std::borrow::Cow;
use std::collections::BTreeMap;

use simd_json::ErrorType;

use super::shape::Shape;
use crate::json::MAX_DEPTH;
use crate::json::diagnose::{Kind, NotJson, diagnose_body};

/// The reason why a record yields no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The record is not one JSON value.
    InvalidJson,
    /// The record is not UTF-8.
    NotUtf8,
    /// A JSON value that is neither an event, a batch nor a capture.
    NotSegment,
    /// A record with ids whose `type` is none of Segment's six calls.
    UnknownType,
    /// An event without a `messageId`.
    MissingMessageId,
    /// An event with neither `anonymousId` nor `userId`.
    MissingIdentity,
    /// A record longer than the limit.
    TooLarge,
    /// A record nested deeper than [`MAX_DEPTH`].
    TooDeep,
    /// A capture whose body is not a record.
    BadCaptureBody,
    /// A capture without the expected secret or key.
    Unauthorized,
    /// A capture whose signature does not match its body.
    BadSignature,
}

impl Reason {
    /// All reasons, in the order of reports.
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

    /// Returns the name in `rejects.ndjson` and reports.
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

/// A reason and what was expected. It never contains a value of the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The reason.
    pub reason: Reason,
    /// What was expected, in words.
    pub detail: Cow<'static, str>,
    /// The shape of the record.
    pub shape: Shape,
}

impl Refusal {
    /// Creates a refusal of unknown shape.
    pub fn new(reason: Reason, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { reason, detail: detail.into(), shape: Shape::Unknown }
    }

    /// Creates the refusal of a capture's body that did not parse.
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

    /// Creates the refusal of a record that did not parse. `text` is the original, from before the
    /// parser changed it in place.
    pub fn from_parser(error: &simd_json::Error, text: &[u8]) -> Self {
        let fault = NotJson::new(error, text);
        let reason = match fault.kind {
            Kind::NotUtf8 => Reason::NotUtf8,
            Kind::TooDeep => Reason::TooDeep,
            Kind::Malformed(_) | Kind::Refused => Reason::InvalidJson,
        };
        Self::new(reason, fault.detail(" of the record"))
    }
}

/// A refused record and its position.
#[derive(Clone, Copy, Debug)]
pub struct Reject<'a> {
    /// The reason and the explanation.
    pub refusal: &'a Refusal,
    /// The line within the block, starting at 0.
    pub line_in_block: u64,
    /// The offset in the (decompressed) file, in bytes, starting at 0.
    pub offset: u64,
    /// The text of the record in the input; may be truncated.
    pub record: &'a [u8],
    /// Whether the reject is about a list item inside the record, with a text of its own.
    pub is_item: bool,
}

/// The maximum number of rejects of one record that are passed on one by one.
pub const MAX_REJECTS_PER_RECORD: u64 = 1000;

/// The rejects of one record beyond [`MAX_REJECTS_PER_RECORD`]. They are only counted, so that a
/// record of a few megabytes with a million bad items costs no more than its own size.
#[derive(Clone, Copy, Debug)]
pub struct Surplus<'a> {
    /// The number of rejects by shape and reason, each combination once.
    pub counts: &'a [(Shape, Reason, u64)],
    /// The line of the record within the block, starting at 0.
    pub line_in_block: u64,
    /// The offset of the record in the (decompressed) file, in bytes, starting at 0.
    pub offset: u64,
    /// The text of the record.
    pub record: &'a [u8],
}

impl Surplus<'_> {
    /// Returns the total number of rejects.
    pub fn total(&self) -> u64 {
        self.counts.iter().map(|(.., count)| count).sum()
    }

    /// Returns the number of rejects by reason, the most frequent first.
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
