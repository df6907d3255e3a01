//! Record batches of event rows.
//!
//! | column | type | what it holds |
//! | --- | --- | --- |
//! | `job` | `int64` | the fingerprint of the job |
//! | `bucket` | `int32` | the bucket of the visitor: [`bucket_of`] of the anonymous id, or else of the user id, or else of the content hash; blocked ids are ignored |
//! | `copies_bucket` | `int32` | the bucket of all duplicates of the event; equal to `bucket` unless duplicates can have different ids |
//! | `file`, `member` | `int32` | the numbers of the input and of the archive member |
//! | `record`, `line` | `int64` | the numbers of the record and line in the file, from 1 |
//! | `fate` | `string` | `kept`, `duplicate` or `forgotten` |
//! | `call` | `string` | `track`, `page`, … |
//! | `flags` | `int32` | bits: 1 an identify call without an e-mail, 2 the e-mail is not an address, 4 the e-mail is blocked, 8 the anonymous id is blocked, 16 the user id is blocked, 32 an alias that connects its previous id, 64 the user id is an e-mail address and no other e-mail identifies |
//! | `time`, `received_at` | `timestamp(us, UTC)`, nullable | when the event happened and was received |
//! | `signal_id` | `binary` | the content hash: 16 bytes in big-endian order |
//! | `copies_key` | `binary`, nullable | the deduplication key, 16 bytes that are equal for all duplicates; null if nothing is deduplicated |
//! | `copies_content` | `int64` | orders duplicates with equal times |
//! | `rule` | `string`, nullable | the id of the rule that maps the event |
//! | `anonymous_id`, `user_id` | `string`, nullable | the ids, including blocked ones |
//! | `email` | `string`, nullable | the normalised e-mail of an identify call or a rule |
//! | `group_id`, `previous_id` | `string`, nullable | the ids of a group call and of an alias |
//! | `event` … `group_name` | `string`, nullable | the other texts, by the names of [`TEXTS`] |
//! | `cells` | `list<struct<is_text: bool, text: string>>` | the custom columns of the rules in order; `text` is null if no value was present, a string if `is_text`, and RFC 8785 JSON otherwise |
//!
//! [`bucket_of`]: crate::engine::bucket::assign::bucket_of

use std::sync::LazyLock;

use arrow_array::{BooleanArray, Int32Array, Int64Array, ListArray, RecordBatch};
use arrow_schema::SchemaRef;

use super::conform::{Hashes, Keys, Texts};
use super::{
    BatchBuilder, ExchangeError, Fingerprint, JOB, KEY, Null, Reader, Spec, Type, conform, put_key,
    schema_of,
};
use crate::emit::row::Cell;
use crate::engine::exchange::event_row::{EventFate, EventRow, InputPlace, OwnCells};
use crate::engine::exchange::row::{Field, Flags};
use crate::event::CallType;

/// The name of these batches in errors.
pub const KIND: &str = "rows";

/// The texts of a row other than ids: the column names and the fields.
pub const TEXTS: [(&str, Field); 15] = [
    ("event", Field::Event),
    ("page_url", Field::PageUrl),
    ("page_name", Field::PageName),
    ("message_id", Field::MessageId),
    ("referrer", Field::Referrer),
    ("utm_source", Field::UtmSource),
    ("utm_medium", Field::UtmMedium),
    ("utm_campaign", Field::UtmCampaign),
    ("name", Field::Name),
    ("first_name", Field::FirstName),
    ("last_name", Field::LastName),
    ("company", Field::Company),
    ("title", Field::Title),
    ("phone", Field::Phone),
    ("group_name", Field::GroupName),
];

const CELL: [Spec; 2] = [Spec("is_text", Type::Flag, Null::Never), Spec::text("text")];
const CELL_ITEM: Spec = Spec("item", Type::Struct(&CELL), Null::Never);

/// The index of the column `fate`.
pub(in crate::engine) const FATE: usize = 7;

/// The number of columns before those of [`TEXTS`].
const FIRST_TEXT: usize = 21;

pub(in crate::engine) static SPECS: [Spec; FIRST_TEXT + TEXTS.len() + 1] = {
    const fn int32(name: &'static str) -> Spec {
        Spec(name, Type::Int32, Null::Never)
    }
    const fn int64(name: &'static str) -> Spec {
        Spec(name, Type::Int64, Null::Never)
    }
    let mut specs = [JOB; FIRST_TEXT + TEXTS.len() + 1];
    let first = [
        JOB,
        int32("bucket"),
        int32("copies_bucket"),
        int32("file"),
        int32("member"),
        int64("record"),
        int64("line"),
        Spec("fate", Type::Text, Null::Never),
        Spec("call", Type::Text, Null::Never),
        int32("flags"),
        KEY[0],
        KEY[1],
        KEY[2],
        Spec("copies_key", Type::Hash, Null::Maybe),
        int64("copies_content"),
        Spec::text("rule"),
        Spec::text("anonymous_id"),
        Spec::text("user_id"),
        Spec::text("email"),
        Spec::text("group_id"),
        Spec::text("previous_id"),
    ];
    let mut at = 0;
    while at < FIRST_TEXT {
        specs[at] = first[at];
        at += 1;
    }
    while at < FIRST_TEXT + TEXTS.len() {
        specs[at] = Spec::text(TEXTS[at - FIRST_TEXT].0);
        at += 1;
    }
    specs[at] = Spec("cells", Type::List(&CELL_ITEM), Null::Never);
    specs
};

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| schema_of(KIND, &SPECS));

/// Returns the schema of event rows.
pub fn schema() -> SchemaRef {
    SchemaRef::clone(&SCHEMA)
}

/// A builder of batches of event rows.
pub(in crate::engine) struct EventRowBuilder(BatchBuilder);

impl EventRowBuilder {
    /// Creates a builder without rows.
    pub(in crate::engine) fn new(job: Fingerprint) -> Self {
        Self(BatchBuilder::new(schema(), &SPECS, job))
    }

    /// Appends a row.
    pub(in crate::engine) fn push(&mut self, row: &EventRow<'_>) -> Result<(), ExchangeError> {
        let out = &mut self.0;
        out.begin(text_bytes(row))?;
        out.next().int32(row.bucket.cast_signed());
        out.next().int32(row.copies_bucket.cast_signed());
        out.next().int32(row.place.file.cast_signed());
        out.next().int32(row.place.member.cast_signed());
        out.next().int64(row.place.record.cast_signed());
        out.next().int64(row.place.line.cast_signed());
        out.next().text(row.fate.name());
        out.next().text(row.call.name());
        out.next().int32(row.flags.to_bits().into());
        put_key(row.key, out);
        out.next().any_hash(row.copies_key);
        out.next().int64(row.copies_content.cast_signed());
        for text in
            [row.rule, row.anonymous_id, row.user_id, row.email, row.group_id, row.previous_id]
        {
            out.next().text(text);
        }
        for (_, field) in TEXTS {
            out.next().text(row.text(field));
        }
        let cells = out.next().items(row.cells.len());
        for cell in &row.cells {
            let [is_text, text] = cells.members() else { continue };
            let (shown, value) = match cell {
                Cell::Absent => (false, None),
                Cell::Text(text) => (true, Some(*text)),
                Cell::Json(json) => (false, Some(*json)),
            };
            is_text.flag(shown);
            text.any_text(value);
        }
        Ok(())
    }

    /// Takes the full batches.
    pub(in crate::engine) fn take_full(&mut self) -> Vec<RecordBatch> {
        self.0.take_full()
    }

    /// Returns all batches that were not taken.
    pub(in crate::engine) fn finish(self) -> Result<Vec<RecordBatch>, ExchangeError> {
        self.0.finish()
    }
}

fn text_bytes(row: &EventRow<'_>) -> usize {
    let ids = [row.anonymous_id, row.user_id, row.email, row.group_id, row.previous_id];
    let cells = row.cells.iter().map(|cell| match cell {
        Cell::Absent => 0,
        Cell::Text(text) | Cell::Json(text) => text.len(),
    });
    let texts = row.texts.iter().chain(&ids).map(|text| text.len());
    texts.chain(cells).sum()
}

/// The columns of a batch of event rows.
pub(in crate::engine) struct EventRows<'b> {
    len: usize,
    buckets: [&'b Int32Array; 2],
    file: &'b Int32Array,
    member: &'b Int32Array,
    record: &'b Int64Array,
    line: &'b Int64Array,
    fate: Texts<'b>,
    call: Texts<'b>,
    flags: &'b Int32Array,
    key: Keys<'b>,
    copies_key: Hashes<'b>,
    copies_content: &'b Int64Array,
    rule: Texts<'b>,
    ids: [Texts<'b>; 5],
    texts: [Texts<'b>; TEXTS.len()],
    cells: &'b ListArray,
    cell_is_text: &'b BooleanArray,
    cell_text: Texts<'b>,
}

/// Returns `batch` with the columns of event rows of `job`.
///
/// # Errors
/// Returns an error if the batch does not conform to the schema, or is of another job.
pub(in crate::engine) fn read(
    batch: &RecordBatch,
    job: Fingerprint,
) -> Result<RecordBatch, ExchangeError> {
    conform(batch, KIND, &SCHEMA, job)
}

impl<'b> EventRows<'b> {
    /// Creates a reader of a batch that [`read`] returned.
    pub(in crate::engine) fn new(batch: &'b RecordBatch) -> Self {
        let mut columns = Reader::new(batch);
        columns.skip();
        let buckets = std::array::from_fn(|_| columns.int32());
        let (file, member) = (columns.int32(), columns.int32());
        let (record, line) = (columns.int64(), columns.int64());
        let (fate, call, flags) = (columns.text(), columns.text(), columns.int32());
        let (key, copies_key) = (columns.key(), columns.hash());
        let (copies_content, rule) = (columns.int64(), columns.text());
        let ids = std::array::from_fn(|_| columns.text());
        let texts = std::array::from_fn(|_| columns.text());
        let cells = columns.list();
        let mut members = Reader::of_struct(struct_of(cells));
        let (cell_is_text, cell_text) = (members.flag(), members.text());
        Self {
            len: batch.num_rows(),
            buckets,
            file,
            member,
            record,
            line,
            fate,
            call,
            flags,
            key,
            copies_key,
            copies_content,
            rule,
            ids,
            texts,
            cells,
            cell_is_text,
            cell_text,
        }
    }

    /// Returns the bucket of each row.
    pub(in crate::engine) fn buckets(&self) -> impl Iterator<Item = u32> + '_ {
        self.buckets[0].values().iter().map(|bucket| bucket.cast_unsigned())
    }

    /// Returns all rows.
    pub(in crate::engine) fn iter(
        &self,
    ) -> impl Iterator<Item = Result<EventRow<'b>, ExchangeError>> + '_ {
        (0..self.len).map(|row| self.row(row))
    }

    /// Returns a row.
    ///
    /// # Errors
    /// Returns an error if a value was not written by [`EventRowBuilder`].
    pub(in crate::engine) fn row(&self, row: usize) -> Result<EventRow<'b>, ExchangeError> {
        let broken = |column| move || ExchangeError::BrokenValue { kind: KIND, column };
        let fate = self.fate.at(row);
        let fate = EventFate::ALL.into_iter().find(|known| known.name() == fate);
        let flags = u8::try_from(self.flags.value(row)).map_err(|_| broken("flags")())?;
        let mut texts = [""; Field::ALL.len()];
        for ((_, field), column) in TEXTS.iter().zip(self.texts) {
            texts[*field as usize] = column.at(row);
        }
        let [anonymous_id, user_id, email, group_id, previous_id] =
            self.ids.map(|column| column.at(row));
        let place = InputPlace {
            file: self.file.value(row).cast_unsigned(),
            member: self.member.value(row).cast_unsigned(),
            record: self.record.value(row).cast_unsigned(),
            line: self.line.value(row).cast_unsigned(),
        };
        let [bucket, copies_bucket] = self.buckets.map(|column| column.value(row).cast_unsigned());
        Ok(EventRow {
            bucket,
            copies_bucket,
            place,
            fate: fate.ok_or_else(broken("fate"))?,
            call: CallType::from_name(self.call.at(row)).ok_or_else(broken("call"))?,
            flags: Flags::from_bits(flags),
            key: self.key.at(row, KIND)?,
            copies_key: self.copies_key.at(row),
            copies_content: self.copies_content.value(row).cast_unsigned(),
            rule: self.rule.at(row),
            anonymous_id,
            user_id,
            email,
            group_id,
            previous_id,
            texts,
            cells: self.cells(row),
        })
    }

    fn cells(&self, row: usize) -> OwnCells<'b> {
        let ends = self.cells.value_offsets();
        let (start, end) = (ends[row].cast_unsigned(), ends[row + 1].cast_unsigned());
        let cell = |at: u32| match self.cell_text.get(at as usize) {
            None => Cell::Absent,
            Some(text) if self.cell_is_text.value(at as usize) => Cell::Text(text),
            Some(json) => Cell::Json(json),
        };
        (start..end).map(cell).collect()
    }
}

/// Returns the items of `list`, which are structs.
fn struct_of(list: &ListArray) -> &arrow_array::StructArray {
    use arrow_array::cast::AsArray;
    list.values().as_struct()
}
