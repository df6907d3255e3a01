//! Repair of records that are not valid JSON but whose meaning is unambiguous.
//!
//! Only texts that the parser refused are repaired.

mod nginx;
mod repair;
mod salvage;

use std::borrow::Cow;
use std::ops::{AddAssign, Range};

use schemars::JsonSchema;
use serde::Serialize;
use simd_json::Error;

use super::reject::Refusal;
use crate::json::Json;
use crate::json::document::Document;
use salvage::Salvage;
pub(super) use salvage::batch_end;

/// The number of repairs of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Repairs {
    /// Halves of a surrogate pair, each of which became U+FFFD: a text that JavaScript cut in the
    /// middle of an emoji.
    pub lone_surrogates: u64,
    /// `NaN`, infinities and numbers that no double holds, each of which became `null`, as
    /// JavaScript writes them.
    pub non_finite_numbers: u64,
    /// Escapes such as `\x22`, which nginx writes where its `log_format` lacks `escape=json`.
    pub hex_escapes: u64,
    /// Broken batches of which the whole elements were taken.
    pub salvaged_batches: u64,
    /// Events whose `type` is written in other letters, or is only in the path of their request.
    pub call_types: u64,
    /// Events whose names have underscores, as in a warehouse: `message_id`, `anonymous_id`.
    pub snake_case_names: u64,
    /// Events that came without a message id and were given the hash of their content.
    pub assigned_message_ids: u64,
}

impl AddAssign for Repairs {
    fn add_assign(&mut self, other: Self) {
        self.lone_surrogates += other.lone_surrogates;
        self.non_finite_numbers += other.non_finite_numbers;
        self.hex_escapes += other.hex_escapes;
        self.salvaged_batches += other.salvaged_batches;
        self.call_types += other.call_types;
        self.snake_case_names += other.snake_case_names;
        self.assigned_message_ids += other.assigned_message_ids;
    }
}

impl Repairs {
    /// Returns `true` if nothing was repaired.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// A text that was repaired to valid JSON.
pub(super) struct Mended<'a> {
    pub text: Cow<'a, [u8]>,
    pub repairs: Repairs,
    /// The refusal of what was left out of a broken batch, and its range in the original text.
    pub lost: Option<(Refusal, Range<usize>)>,
}

/// Repairs `text`, parses it again, and passes the value to `then`. Returns `None` if the text
/// cannot be repaired.
#[cold]
pub(super) fn read<R>(
    document: &mut Document,
    text: &[u8],
    mut then: impl FnMut(Json<'_>, &Mended<'_>) -> R,
) -> Option<R> {
    let decoded = nginx::decode(text);
    let (source, hex_escapes) = match &decoded {
        Some((decoded, count)) => (decoded.as_slice(), *count),
        None => (text, 0),
    };
    let (text, mut repairs) = match repair::repair(source) {
        Some((repaired, repairs)) => (Cow::Owned(repaired), repairs),
        None => (Cow::Borrowed(source), Repairs::default()),
    };
    repairs.hex_escapes += hex_escapes;
    let mut attempt = |mended: &Mended<'_>| -> Result<R, Error> {
        document.read(&mended.text, |value| value.map(|value| then(value, mended)))
    };
    if !repairs.is_none() {
        let mended = Mended { text: Cow::Borrowed(&*text), repairs, lost: None };
        if let Ok(found) = attempt(&mended) {
            return Some(found);
        }
    }
    let Salvage { text, lost } = salvage::salvage(&text)?;
    repairs.salvaged_batches += 1;
    attempt(&Mended { text: text.into(), repairs, lost }).ok()
}
