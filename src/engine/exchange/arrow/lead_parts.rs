//! Record batches of parts of leads.
//!
//! A key is a `struct<time: timestamp(us, UTC), received_at: timestamp(us, UTC), signal_id:
//! binary>`. Its members precede the values that it dates.
//!
//! | column | type | what it holds |
//! | --- | --- | --- |
//! | `job` | `int64` | the fingerprint of the job |
//! | `bucket` | `int32` | the bucket of the e-mail |
//! | `email` | `string` | the e-mail that names the lead |
//! | `exists` | `bool` | whether any event belongs to the lead; otherwise the part only adds to other parts |
//! | `accepted` | `bool` | whether the service would have accepted an event that brings the e-mail |
//! | `forgotten` | `bool` | whether a deletion request removed an event that brings the e-mail |
//! | `signals`, `high_intent_signals`, `rehydrated_signals` | `int64` | counts |
//! | `first_seen`, `last_seen`, `identified_at` | `timestamp(us, UTC)`, nullable | the first and the last signal, and the first event that brings the e-mail |
//! | `name` … `phone` | `struct<key…, value: string>`, nullable | each trait with the key of its event |
//! | `first_touch` | `struct<key…, page_url, referrer, utm_source, utm_medium, utm_campaign: string>`, nullable | the first page |
//! | `last_signal` | `struct<key…, rule, event: string>`, nullable | the latest signal |
//! | `groups` | `list<struct<key…, group_id: string>>` | the groups that the lead joined |
//! | `anonymous_ids`, `user_ids` | `list<string>` | the distinct ids |
//! | `periods` | `list<int32>` | the indexes of the plan's periods with signals |
//! | `names` | `list<struct<rule, event: string, signals: int64>>` | the signals by rule and event |

use std::sync::LazyLock;

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{
    Array, BooleanArray, Int32Array, Int64Array, ListArray, RecordBatch, StructArray,
};
use arrow_schema::SchemaRef;

use super::conform::{Keys, Texts, Times};
use super::{
    BatchBuilder, Column, ExchangeError, Fingerprint, JOB, KEY, Null, Reader, Spec, Type, conform,
    schema_of,
};
use crate::engine::exchange::lead_part::{DatedText, LeadPart, SignalName};
use crate::engine::identity::fact::OrderKey;
use crate::engine::lead::{FirstTouch, Trait};
use crate::time::Time;

/// The name of these batches in errors.
pub const KIND: &str = "lead parts";

const DATED_TEXT: [Spec; 4] = [KEY[0], KEY[1], KEY[2], Spec::text("value")];
const TOUCH: [Spec; 8] = [
    KEY[0],
    KEY[1],
    KEY[2],
    Spec::text("page_url"),
    Spec::text("referrer"),
    Spec::text("utm_source"),
    Spec::text("utm_medium"),
    Spec::text("utm_campaign"),
];
const LAST_SIGNAL: [Spec; 5] = [KEY[0], KEY[1], KEY[2], Spec::text("rule"), Spec::text("event")];
const GROUP: [Spec; 4] = [KEY[0], KEY[1], KEY[2], Spec::text("group_id")];
const NAMED: [Spec; 3] =
    [Spec::text("rule"), Spec::text("event"), Spec("signals", Type::Int64, Null::Never)];

const GROUP_ITEM: Spec = Spec("item", Type::Struct(&GROUP), Null::Never);
const NAMED_ITEM: Spec = Spec("item", Type::Struct(&NAMED), Null::Never);
const TEXT_ITEM: Spec = Spec("item", Type::Text, Null::Never);
const PERIOD_ITEM: Spec = Spec("item", Type::Int32, Null::Never);

const fn dated(name: &'static str) -> Spec {
    Spec(name, Type::Struct(&DATED_TEXT), Null::Maybe)
}

const fn list(name: &'static str, item: &'static Spec) -> Spec {
    Spec(name, Type::List(item), Null::Never)
}

const SPECS: [Spec; 25] = [
    JOB,
    Spec("bucket", Type::Int32, Null::Never),
    Spec("email", Type::Text, Null::Never),
    Spec("exists", Type::Flag, Null::Never),
    Spec("accepted", Type::Flag, Null::Never),
    Spec("forgotten", Type::Flag, Null::Never),
    Spec("signals", Type::Int64, Null::Never),
    Spec("high_intent_signals", Type::Int64, Null::Never),
    Spec("rehydrated_signals", Type::Int64, Null::Never),
    Spec("first_seen", Type::Time, Null::Maybe),
    Spec("last_seen", Type::Time, Null::Maybe),
    Spec("identified_at", Type::Time, Null::Maybe),
    dated("name"),
    dated("first_name"),
    dated("last_name"),
    dated("company"),
    dated("title"),
    dated("phone"),
    Spec("first_touch", Type::Struct(&TOUCH), Null::Maybe),
    Spec("last_signal", Type::Struct(&LAST_SIGNAL), Null::Maybe),
    list("groups", &GROUP_ITEM),
    list("anonymous_ids", &TEXT_ITEM),
    list("user_ids", &TEXT_ITEM),
    list("periods", &PERIOD_ITEM),
    list("names", &NAMED_ITEM),
];

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| schema_of(KIND, &SPECS));

/// Returns the schema of parts of leads.
pub fn schema() -> SchemaRef {
    SchemaRef::clone(&SCHEMA)
}

/// Writes `parts` to record batches of `job`.
pub(in crate::engine) fn write(
    parts: impl IntoIterator<Item = LeadPart>,
    job: Fingerprint,
) -> Result<Vec<RecordBatch>, ExchangeError> {
    let mut out = BatchBuilder::new(schema(), &SPECS, job);
    for part in parts {
        out.begin(text_bytes(&part))?;
        put(&part, &mut out);
    }
    out.finish()
}

fn text_bytes(part: &LeadPart) -> usize {
    let ids = part.anonymous_ids.iter().chain(&part.user_ids).map(|id| id.len());
    let names = part.names.iter().map(|(name, _)| name.rule.len() + name.event.len());
    let traits = part.traits.iter().flatten().map(|(_, value)| value.len());
    let groups = part.groups.iter().map(|(group, _)| group.len());
    let all: usize = ids.chain(names).chain(traits).chain(groups).sum();
    all + part.email.len()
        + part.first_touch.as_ref().map_or(0, |(_, touch)| {
            touch.page_url.len() + touch.referrer.len() + touch.utm_campaign.len()
        })
}

fn put(part: &LeadPart, out: &mut BatchBuilder) {
    out.next().int32(part.bucket.cast_signed());
    out.next().any_text(Some(&part.email));
    for flag in [part.exists, part.accepted, part.forgotten] {
        out.next().flag(flag);
    }
    for count in [part.signals, part.high_intent_signals, part.rehydrated_signals] {
        out.next().int64(count.cast_signed());
    }
    for time in [part.first_seen, part.last_seen, part.identified_at] {
        out.next().time(time.unwrap_or(Time::MISSING));
    }
    for dated in &part.traits {
        let dated = dated.as_ref().map(|(key, value)| (*key, &**value));
        put_dated(out.next(), dated.map(|(key, value)| (key, [value])));
    }
    let touch = part.first_touch.as_ref().map(|(key, touch)| {
        let FirstTouch { page_url, referrer, utm_source, utm_medium, utm_campaign } = touch;
        (*key, [page_url, referrer, utm_source, utm_medium, utm_campaign].map(|text| &**text))
    });
    put_dated(out.next(), touch);
    let last = part.last_signal.as_ref();
    put_dated(out.next(), last.map(|(key, name)| (*key, [&*name.rule, &*name.event])));
    let groups = out.next().items(part.groups.len());
    part.groups.iter().for_each(|(group, key)| put_dated(groups, Some((*key, [&**group]))));
    for ids in [&part.anonymous_ids, &part.user_ids] {
        let items = out.next().items(ids.len());
        for id in ids {
            items.any_text(Some(id));
        }
    }
    let periods = out.next().items(part.periods.len());
    part.periods.iter().for_each(|period| periods.int32(period.cast_signed()));
    let names = out.next().items(part.names.len());
    for (name, count) in &part.names {
        let [rule, event, signals] = names.members() else { continue };
        rule.any_text(Some(&name.rule));
        event.any_text(Some(&name.event));
        signals.int64(count.cast_signed());
    }
}

/// Appends a struct of a key and texts, or null.
fn put_dated<const N: usize>(column: &mut Column, dated: Option<(OrderKey, [&str; N])>) {
    let Some((key, texts)) = dated else { return column.null() };
    let [time, received, signal_id, members @ ..] = column.members() else { return };
    time.time(key.time);
    received.time(key.received);
    signal_id.hash(key.signal_id);
    for (member, text) in members.iter_mut().zip(texts) {
        member.any_text(Some(text));
    }
}

/// A column of structs of a key and texts.
struct DatedTexts<'b, const N: usize> {
    structs: &'b StructArray,
    key: Keys<'b>,
    texts: [Texts<'b>; N],
}

impl<'b, const N: usize> DatedTexts<'b, N> {
    fn new(structs: &'b StructArray) -> Self {
        let mut members = Reader::of_struct(structs);
        let key = members.key();
        Self { structs, key, texts: std::array::from_fn(|_| members.text()) }
    }

    fn at(&self, row: usize) -> Result<Option<(OrderKey, [&'b str; N])>, ExchangeError> {
        if self.structs.is_null(row) {
            return Ok(None);
        }
        Ok(Some((self.key.at(row, KIND)?, self.texts.map(|text| text.at(row)))))
    }
}

/// The columns of a batch of parts of leads.
struct LeadParts<'b> {
    bucket: &'b Int32Array,
    email: Texts<'b>,
    flags: [&'b BooleanArray; 3],
    counts: [&'b Int64Array; 3],
    times: [Times<'b>; 3],
    traits: [DatedTexts<'b, 1>; Trait::ALL.len()],
    touch: DatedTexts<'b, 5>,
    last_signal: DatedTexts<'b, 2>,
    groups: (&'b ListArray, DatedTexts<'b, 1>),
    ids: [&'b ListArray; 2],
    periods: &'b ListArray,
    names: &'b ListArray,
}

/// Calls `take` with each part of `batch`.
///
/// # Errors
/// Returns an error if the batch does not conform to the schema, or is of another job.
pub(in crate::engine) fn each(
    batch: &RecordBatch,
    job: Fingerprint,
    mut take: impl FnMut(LeadPart),
) -> Result<(), ExchangeError> {
    let batch = conform(batch, KIND, &SCHEMA, job)?;
    let parts = LeadParts::new(&batch);
    for row in 0..batch.num_rows() {
        take(parts.part(row)?);
    }
    Ok(())
}

impl<'b> LeadParts<'b> {
    fn new(batch: &'b RecordBatch) -> Self {
        let mut columns = Reader::new(batch);
        columns.skip();
        let (bucket, email) = (columns.int32(), columns.text());
        let flags = std::array::from_fn(|_| columns.flag());
        let counts = std::array::from_fn(|_| columns.int64());
        let times = std::array::from_fn(|_| columns.time());
        let traits = std::array::from_fn(|_| DatedTexts::new(columns.structs()));
        let touch = DatedTexts::new(columns.structs());
        let last_signal = DatedTexts::new(columns.structs());
        let groups = columns.list();
        Self {
            bucket,
            email,
            flags,
            counts,
            times,
            traits,
            touch,
            last_signal,
            groups: (groups, DatedTexts::new(groups.values().as_struct())),
            ids: std::array::from_fn(|_| columns.list()),
            periods: columns.list(),
            names: columns.list(),
        }
    }

    fn part(&self, row: usize) -> Result<LeadPart, ExchangeError> {
        let [exists, accepted, forgotten] = self.flags.map(|flags| flags.value(row));
        let [signals, high_intent_signals, rehydrated_signals] =
            self.counts.map(|counts| counts.value(row).cast_unsigned());
        let [first_seen, last_seen, identified_at] =
            self.times.map(|times| Some(times.at(row)).filter(|time| !time.is_missing()));
        let mut traits: [Option<DatedText>; Trait::ALL.len()] = Default::default();
        for (kept, column) in traits.iter_mut().zip(&self.traits) {
            *kept = column.at(row)?.map(|(key, [value])| (key, value.into()));
        }
        let touch = self.touch.at(row)?.map(|(key, texts)| {
            let [page_url, referrer, utm_source, utm_medium, utm_campaign] = texts.map(Into::into);
            (key, FirstTouch { page_url, referrer, utm_source, utm_medium, utm_campaign })
        });
        let last_signal = self.last_signal.at(row)?;
        let (groups, group) = &self.groups;
        let groups: Result<Vec<_>, ExchangeError> = items(groups, row)
            .filter_map(|at| group.at(at).transpose())
            .map(|dated| dated.map(|(key, [group])| (group.into(), key)))
            .collect();
        let [anonymous_ids, user_ids] = self.ids.map(|ids| {
            let texts = Texts::of(&**ids.values());
            items(ids, row).map(|at| texts.at(at).into()).collect()
        });
        let periods: &Int32Array = self.periods.values().as_primitive::<Int32Type>();
        Ok(LeadPart {
            bucket: self.bucket.value(row).cast_unsigned(),
            email: self.email.at(row).into(),
            exists,
            accepted,
            forgotten,
            signals,
            high_intent_signals,
            rehydrated_signals,
            first_seen,
            last_seen,
            identified_at,
            traits,
            first_touch: touch,
            last_signal: last_signal.map(|(key, [rule, event])| {
                (key, SignalName { rule: rule.into(), event: event.into() })
            }),
            groups: groups?,
            anonymous_ids,
            user_ids,
            periods: items(self.periods, row).map(|at| periods.value(at).cast_unsigned()).collect(),
            names: self.names(row),
        })
    }

    fn names(&self, row: usize) -> Vec<(SignalName, u64)> {
        let mut members = Reader::of_struct(self.names.values().as_struct());
        let (rule, event, signals) = (members.text(), members.text(), members.int64());
        let name = |at| SignalName { rule: rule.at(at).into(), event: event.at(at).into() };
        items(self.names, row).map(|at| (name(at), signals.value(at).cast_unsigned())).collect()
    }
}

/// Returns the indexes of the items of the list in `row` among the items of all rows.
fn items(list: &ListArray, row: usize) -> std::ops::Range<usize> {
    let ends = list.value_offsets();
    ends[row].cast_unsigned() as usize..ends[row + 1].cast_unsigned() as usize
}
