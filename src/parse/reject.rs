//! Records that yield no event: why, and where they stand.

use std::borrow::Cow;
use std::fmt;

use simd_json::ErrorType;

use super::diagnose::{diagnose, diagnose_body};
use super::shape::Shape;

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
    /// Nested deeper than [`super::MAX_DEPTH`].
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
    /// Which capture of a list it is, where it is one.
    pub entry: Option<Entry>,
}

/// A capture in a list that is a record's own value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The members that lead to the list.
    pub path: &'static [&'static str],
    /// Its place in the list, from 0.
    pub index: usize,
}

impl fmt::Display for Entry {
    /// `log.entries[3]`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.path.join("."), self.index)
    }
}

impl Refusal {
    /// A reason with its explanation.
    pub fn new(reason: Reason, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { reason, detail: detail.into(), shape: Shape::Unknown, entry: None }
    }

    /// What the body of a capture is refused for that did not parse.
    pub(super) fn from_body(error: &simd_json::Error, text: &[u8]) -> Self {
        let detail = match error.error() {
            ErrorType::DepthLimitExceeded => {
                format!("expected the body to be nested at most {} levels deep", super::MAX_DEPTH)
            }
            _ => diagnose_body(text)
                .unwrap_or_else(|| "expected the body to be one JSON value".to_owned()),
        };
        Self::new(Reason::BadCaptureBody, detail)
    }

    /// What a text that did not parse is refused for. `text` is the record as it stood before the
    /// parser touched it.
    pub fn from_parser(error: &simd_json::Error, text: &[u8]) -> Self {
        if let Err(fault) = std::str::from_utf8(text) {
            let at = fault.valid_up_to() + 1;
            return Self::new(Reason::NotUtf8, format!("byte {at} of the record is not UTF-8"));
        }
        if matches!(error.error(), ErrorType::DepthLimitExceeded) {
            let detail = format!("nested deeper than {} levels", super::MAX_DEPTH);
            return Self::new(Reason::TooDeep, detail);
        }
        let detail = diagnose(text).unwrap_or_else(|| "expected one JSON value".to_owned());
        Self::new(Reason::InvalidJson, detail)
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
}
