//! The encoding of event rows between the two phases.
//!
//! A row has everything that any output needs of an event, so that the input is read only once. Ids
//! are numbers of the batch that the row is in.

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::bytes::{put_length, take_length};
use crate::emit::row::Cell;
use crate::engine::identity::fact::OrderKey;
use crate::engine::identity::ids::NodeId;
use crate::event::CallType;
use crate::time::Time;

macro_rules! fields {
    ($($variant:ident),+ $(,)?) => {
        /// The text fields of a row.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs)] // each is the column or trait of that name
        pub enum Field { $($variant),+ }

        impl Field {
            /// All fields, in the order in which rows store them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];
        }
    };
}

// The texts of ids are stored only for ids without a number in the batch, which are blocked.
fields! {
    Event, PageUrl, PageName, AnonymousId, UserId, MessageId, Referrer, UtmSource, UtmMedium,
    UtmCampaign, Name, FirstName, LastName, Company, Title, Phone, GroupName,
}

/// Properties of an event that are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(u8);

impl Flags {
    /// An identify call without an e-mail.
    pub const WITHOUT_EMAIL: Self = Self(1);
    /// The e-mail is not an address.
    pub const INVALID_EMAIL: Self = Self(2);
    /// The e-mail is blocked.
    pub const BLOCKED_EMAIL: Self = Self(4);
    /// The anonymous id is blocked.
    pub const BLOCKED_ANONYMOUS_ID: Self = Self(8);
    /// An alias that connects its previous id.
    pub const TIES_PREVIOUS: Self = Self(32);
    /// The user id is blocked.
    pub const BLOCKED_USER_ID: Self = Self(16);
    /// The user id is an e-mail address, and no other e-mail identifies.
    pub const ADDRESS_AS_USER_ID: Self = Self(64);

    /// Adds `other`.
    pub fn set(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Returns the flags as bits.
    pub fn to_bits(self) -> u8 {
        self.0
    }

    /// Creates flags from the bits that [`to_bits`](Self::to_bits) returned.
    pub fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// Returns whether `other` is set.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// The ids of a row: numbers of its batch while it is stored, numbers of the run once it is
/// resolved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowIds {
    /// The anonymous id, unless blocked.
    pub anonymous: Option<NodeId>,
    /// The user id, unless blocked.
    pub user: Option<NodeId>,
    /// The e-mail of an identify call or a rule.
    pub email: Option<NodeId>,
    /// The group of a group call.
    pub group: Option<NodeId>,
}

/// The part of a row with a fixed size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The call.
    pub call: CallType,
    /// The properties that are counted.
    pub flags: Flags,
    /// The index of the rule that maps the event.
    pub rule: Option<u32>,
    /// The times and the content hash.
    pub key: OrderKey,
}

const HEAD_BYTES: usize = 4 + 4 + 4 + 1 + 1 + 4 + 16 + 8 + 8;
const ID_BYTES: usize = 16;
const NONE: u32 = u32::MAX;
/// Each field has one bit.
const _: () = assert!(Field::ALL.len() <= 32);

/// A buffer of rows. A row is written by [`begin`](Self::begin), [`text`](Self::text) for each
/// field with a text, in order, [`cell`](Self::cell) or [`no_cell`](Self::no_cell) for each custom
/// column, and [`end`](Self::end).
///
/// A row consists of its length, the length of its texts, a bit for each field with a text, the
/// fixed part, all texts, their lengths, and the ids. As all texts are contiguous, their UTF-8 is
/// validated at once.
#[derive(Debug, Default)]
pub struct Rows {
    bytes: Vec<u8>,
    lengths: Vec<u8>,
    start: usize,
    present: u32,
    brief: bool,
}

impl Rows {
    /// Makes rows store no text but the event name, for callers that count and write no table.
    /// Hashes are still those of complete rows.
    pub fn keep_names_only(&mut self) {
        self.brief = true;
    }

    /// Begins a row.
    pub fn begin(&mut self, head: &Head) {
        self.start = self.bytes.len();
        self.lengths.clear();
        self.present = 0;
        let mut fixed = [0; HEAD_BYTES];
        fixed[12] = head.call as u8;
        fixed[13] = head.flags.0;
        fixed[14..18].copy_from_slice(&head.rule.unwrap_or(NONE).to_le_bytes());
        fixed[18..34].copy_from_slice(&head.key.signal_id.to_le_bytes());
        fixed[34..42].copy_from_slice(&head.key.time.to_raw().to_le_bytes());
        fixed[42..50].copy_from_slice(&head.key.received.to_raw().to_le_bytes());
        self.bytes.extend_from_slice(&fixed);
    }

    /// Writes the text of `field`, unless it is empty.
    #[inline]
    pub fn text(&mut self, field: Field, text: &str) {
        if !text.is_empty() {
            self.bytes.extend_from_slice(text.as_bytes());
            self.has(field, text.len());
        }
    }

    /// Writes the text of `field` that `write` appends, unless it appends nothing.
    pub fn write_text(&mut self, field: Field, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        write(&mut self.bytes);
        if self.bytes.len() > start {
            self.has(field, self.bytes.len() - start);
        }
    }

    #[inline]
    fn has(&mut self, field: Field, len: usize) {
        debug_assert_eq!(self.present >> field as u32, 0, "fields come in order");
        self.present |= 1 << field as u32;
        put_length(len, &mut self.lengths);
    }

    /// Writes a custom column without a value.
    #[inline]
    pub fn no_cell(&mut self) {
        put_length(0, &mut self.lengths);
    }

    /// Writes the value of a custom column that `write` appends: a string if `is_text`, or
    /// canonical JSON.
    pub fn cell(&mut self, is_text: bool, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        write(&mut self.bytes);
        // 0 encodes an absent value.
        let tagged = ((self.bytes.len() - start) << 1 | usize::from(is_text)) + 1;
        put_length(tagged, &mut self.lengths);
    }

    /// Returns a hash of everything written to the current row.
    pub fn hash(&self) -> u64 {
        let texts = xxh3_64(&self.bytes[self.start + 12..]);
        xxh3_64_with_seed(&self.lengths, texts ^ u64::from(self.present))
    }

    /// Ends the row.
    #[allow(clippy::cast_possible_truncation)] // a row is shorter than its 4 GiB record
    pub fn end(&mut self, ids: RowIds) {
        if self.brief {
            self.shorten();
        }
        let Self { bytes, lengths, start, present, .. } = self;
        let (start, texts) = (*start, bytes.len() - *start - HEAD_BYTES);
        bytes.extend_from_slice(lengths);
        let ids = [ids.anonymous, ids.user, ids.email, ids.group];
        let ids = ids.map(|id| id.map_or(NONE, NodeId::to_raw).to_le_bytes());
        bytes.extend_from_slice(ids.as_flattened());
        let len = (bytes.len() - start) as u32;
        bytes[start..start + 4].copy_from_slice(&len.to_le_bytes());
        bytes[start + 4..start + 8].copy_from_slice(&(texts as u32).to_le_bytes());
        bytes[start + 8..start + 12].copy_from_slice(&present.to_le_bytes());
    }

    /// Removes all texts but the event name, which is the first field.
    fn shorten(&mut self) {
        self.present &= 1;
        let mut rest = self.lengths.as_slice();
        let name = if self.present == 0 { None } else { take_length(&mut rest) };
        let name_lengths = if name.is_some() { self.lengths.len() - rest.len() } else { 0 };
        self.lengths.truncate(name_lengths);
        self.bytes.truncate(self.start + HEAD_BYTES + name.unwrap_or(0));
    }

    /// Appends the rows of `other` for whose index `wanted` is true.
    pub fn extend_from(&mut self, other: &Self, wanted: impl Fn(usize) -> bool) {
        let mut rest = other.as_bytes();
        // Consecutive wanted rows are copied at once.
        let (mut from, mut at) = (0, 0);
        for place in 0.. {
            let len = rest.first_chunk().map_or(0, |len| u32::from_le_bytes(*len) as usize);
            let Some((_, later)) = rest.split_at_checked(len).filter(|_| len > 0) else { break };
            rest = later;
            if !wanted(place) {
                self.bytes.extend_from_slice(&other.bytes[from..at]);
                from = at + len;
            }
            at += len;
        }
        self.bytes.extend_from_slice(&other.bytes[from..at]);
    }

    /// Returns all rows.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Removes all rows, and keeps the allocation unless a very large row made it exceed 8 MiB.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(8 << 20);
    }
}

/// A decoded row. Rows are moved often, and a reference to each text would double their size.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    /// The fixed part.
    pub head: Head,
    /// The ids, as numbers of the batch.
    pub ids: RowIds,
    /// The texts of all fields, back to back.
    texts: &'a str,
    /// The end of the text of each field.
    ends: [u32; Field::ALL.len()],
    cell_lengths: &'a [u8],
    cell_texts: &'a str,
}

impl<'a> Row<'a> {
    /// Reads a row from the beginning of `bytes`, and advances it; returns `None` at the end.
    pub fn read(bytes: &mut &'a [u8]) -> Option<Self> {
        let len = u32::from_le_bytes(*bytes.first_chunk()?) as usize;
        let (row, rest) = bytes.split_at_checked(len)?;
        *bytes = rest;
        let (body, ids) = row.split_at_checked(len.checked_sub(ID_BYTES)?)?;
        let (head, body) = body.split_at_checked(HEAD_BYTES)?;
        let number = |at: usize| Some(u32::from_le_bytes(*head.get(at..)?.first_chunk()?));
        let (all, mut lengths) = body.split_at_checked(number(4)? as usize)?;
        // Rows are written from strings, so this never fails.
        let all = simdutf8::basic::from_utf8(all).ok()?;
        let (mut ends, mut end) = ([0; Field::ALL.len()], 0_u32);
        let present = number(8)?;
        for (field, of_field) in ends.iter_mut().enumerate() {
            if present >> field & 1 == 1 {
                let len = u32::try_from(take_length(&mut lengths)?).ok()?;
                end = end.checked_add(len)?;
            }
            *of_field = end;
        }
        let (texts, cell_texts) = all.split_at_checked(end as usize)?;
        let id = |place: usize| {
            let raw = u32::from_le_bytes(*ids.get(place * 4..)?.first_chunk()?);
            (raw != NONE).then(|| NodeId::from_raw(raw))
        };
        let ids = RowIds { anonymous: id(0), user: id(1), email: id(2), group: id(3) };
        Some(Self { head: read_head(head)?, ids, texts, ends, cell_lengths: lengths, cell_texts })
    }

    /// Returns the text of `field`; empty if there is none.
    #[inline]
    pub fn text(&self, field: Field) -> &'a str {
        let field = field as usize;
        let start = field.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.texts.get(start as usize..self.ends[field] as usize).unwrap_or_default()
    }

    /// Returns the values of the custom columns, in order.
    pub fn cells(&self) -> impl Iterator<Item = Cell<'a>> + use<'a> {
        let (mut lengths, mut texts) = (self.cell_lengths, self.cell_texts);
        std::iter::from_fn(move || {
            let tagged = take_length(&mut lengths)?;
            let cell = tagged.checked_sub(1).and_then(|tagged| {
                let text = take_text(&mut texts, tagged >> 1)?;
                Some(if tagged & 1 == 1 { Cell::Text(text) } else { Cell::Json(text) })
            });
            Some(cell.unwrap_or(Cell::Absent))
        })
    }
}

fn read_head(body: &[u8]) -> Option<Head> {
    let rule = u32::from_le_bytes(*body.get(14..)?.first_chunk()?);
    let time =
        |at: usize| Some(Time::from_raw(i64::from_le_bytes(*body.get(at..)?.first_chunk()?)));
    Some(Head {
        call: *CallType::ALL.get(usize::from(*body.get(12)?))?,
        flags: Flags(*body.get(13)?),
        rule: (rule != NONE).then_some(rule),
        key: OrderKey {
            signal_id: u128::from_le_bytes(*body.get(18..)?.first_chunk()?),
            time: time(34)?,
            received: time(42)?,
        },
    })
}

#[inline]
fn take_text<'a>(texts: &mut &'a str, len: usize) -> Option<&'a str> {
    let (text, rest) = texts.split_at_checked(len)?;
    *texts = rest;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn head() -> Head {
        let key = OrderKey { time: Time::MISSING, received: Time::from_raw(5), signal_id: 7 << 90 };
        Head { call: CallType::Screen, flags: Flags(9), rule: Some(3), key }
    }

    #[test]
    fn a_brief_row_has_its_name_and_the_hash_of_a_whole_one() {
        let mut hashes = Vec::new();
        let mut names = Vec::new();
        for brief in [false, true] {
            let mut rows = Rows::default();
            if brief {
                rows.keep_names_only();
            }
            for name in ["Signed Up", "", &"x".repeat(300)] {
                rows.begin(&head());
                rows.text(Field::Event, name);
                for &field in &Field::ALL[1..] {
                    rows.text(field, "more");
                }
                rows.cell(true, |out| out.extend_from_slice(b"cell"));
                hashes.push(rows.hash());
                rows.end(RowIds::default());
            }
            let mut bytes = rows.as_bytes();
            while let Some(row) = Row::read(&mut bytes) {
                assert_eq!(row.head, head());
                assert_eq!(row.text(Field::PageUrl), if brief { "" } else { "more" });
                names.push(row.text(Field::Event).to_owned());
            }
        }
        assert_eq!(hashes[..3], hashes[3..]);
        assert_eq!((names.len(), &names[..3]), (6, &names[3..]));
    }

    proptest! {
        #[test]
        fn a_row_reads_back_as_it_was_written(
            texts in proptest::collection::vec(".{0,200}", Field::ALL.len()),
            cells in proptest::collection::vec(proptest::option::of((any::<bool>(), ".{0,99}")), 0..4),
        ) {
            let mut rows = Rows::default();
            let ids = RowIds { user: Some(NodeId::from_raw(4)), ..RowIds::default() };
            for _ in 0..2 {
                rows.begin(&head());
                for (&field, text) in Field::ALL.iter().zip(&texts) {
                    rows.text(field, text);
                }
                for cell in &cells {
                    match cell {
                        None => rows.no_cell(),
                        Some((is_text, text)) => rows.cell(*is_text, |out| out.extend_from_slice(text.as_bytes())),
                    }
                }
                rows.end(ids);
            }
            let mut bytes = rows.as_bytes();
            for _ in 0..2 {
                let row = Row::read(&mut bytes).unwrap();
                prop_assert_eq!(row.head, head());
                prop_assert_eq!(row.ids, ids);
                let read: Vec<_> = Field::ALL.iter().map(|&field| row.text(field)).collect();
                prop_assert_eq!(read, texts.iter().map(String::as_str).collect::<Vec<_>>());
                let read: Vec<_> = row.cells().collect();
                let expected: Vec<_> = cells.iter().map(|cell| match cell {
                    None => Cell::Absent,
                    Some((true, text)) => Cell::Text(text),
                    Some((false, text)) => Cell::Json(text),
                }).collect();
                prop_assert_eq!(read, expected);
            }
            prop_assert!(Row::read(&mut bytes).is_none());
        }
    }
}
