use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{
    Array, ArrayRef, BinaryViewArray, LargeListArray, LargeStringArray, RecordBatch, StructArray,
    TimestampMillisecondArray,
};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{DataType, Field};
use proptest::prelude::*;
use smallvec::SmallVec;

use super::event_rows::{EventRowBuilder, EventRows};
use super::id_links::{IdLinkBuilder, IdLinks};
use super::row_owners::{OwnerBuilder, RowOwners};
use super::*;
use crate::emit::row::Cell;
use crate::engine::exchange::event_row::{EventFate, EventRow, InputPlace};
use crate::engine::exchange::id_link::IdLink;
use crate::engine::exchange::lead_part::{LeadPart, SignalName};
use crate::engine::exchange::row::{Field as RowField, Flags};
use crate::engine::exchange::row_owner::{FoundOwner, RowOwner};
use crate::engine::identity::Resolution;
use crate::engine::identity::ids::Space;
use crate::engine::identity::resolve::Through;
use crate::engine::lead::FirstTouch;
use crate::engine::resolve::row::PolicySet;
use crate::event::CallType;

fn job() -> Fingerprint {
    Fingerprint::new([("rules", "version = 1")])
}

fn time() -> impl Strategy<Value = Time> {
    let millis = -62_167_219_200_000..253_402_300_799_999_i64;
    prop_oneof![Just(Time::MISSING), millis.prop_map(Time::from_raw)]
}

fn key() -> impl Strategy<Value = OrderKey> {
    (time(), time(), any::<u128>()).prop_map(|(time, received, signal_id)| OrderKey {
        time,
        received,
        signal_id,
    })
}

/// The contents of an [`EventRow`], with owned texts.
#[derive(Clone, Debug)]
struct Owned {
    numbers: (u32, u32, InputPlace),
    kinds: (usize, usize, u8),
    key: OrderKey,
    copies: (Option<u128>, u64),
    texts: Vec<String>,
    cells: Vec<Option<(bool, String)>>,
}

fn owned() -> impl Strategy<Value = Owned> {
    let place = (any::<u32>(), any::<u32>(), any::<u64>(), any::<u64>());
    let place =
        place.prop_map(|(file, member, record, line)| InputPlace { file, member, record, line });
    let numbers = (any::<u32>(), any::<u32>(), place);
    let kinds = (0..EventFate::ALL.len(), 0..CallType::ALL.len(), any::<u8>());
    let copies = (proptest::option::of(any::<u128>()), any::<u64>());
    let texts = proptest::collection::vec(".{0,9}", 6 + event_rows::TEXTS.len());
    let cells = proptest::collection::vec(proptest::option::of((any::<bool>(), ".{0,9}")), 0..4);
    (numbers, kinds, key(), copies, texts, cells).prop_map(
        |(numbers, kinds, key, copies, texts, cells)| Owned {
            numbers,
            kinds,
            key,
            copies,
            texts,
            cells,
        },
    )
}

fn row(owned: &Owned) -> EventRow<'_> {
    let (bucket, copies_bucket, place) = owned.numbers;
    let (fate, call, flags) = owned.kinds;
    let mut rest = owned.texts.iter().map(String::as_str);
    let mut next = || rest.next().unwrap();
    let [rule, anonymous_id, user_id, email, group_id, previous_id] =
        std::array::from_fn(|_| next());
    let mut texts = [""; RowField::ALL.len()];
    for (_, field) in event_rows::TEXTS {
        texts[field as usize] = next();
    }
    let cells = owned.cells.iter().map(|cell| match cell {
        None => Cell::Absent,
        Some((true, text)) => Cell::Text(text),
        Some((false, json)) => Cell::Json(json),
    });
    EventRow {
        bucket,
        copies_bucket,
        place,
        fate: EventFate::ALL[fate],
        call: CallType::ALL[call],
        flags: Flags::from_bits(flags),
        key: owned.key,
        copies_key: owned.copies.0,
        copies_content: owned.copies.1,
        rule,
        anonymous_id,
        user_id,
        email,
        group_id,
        previous_id,
        texts,
        cells: cells.collect::<SmallVec<_>>(),
    }
}

fn rows_of(owned: &[Owned]) -> Vec<RecordBatch> {
    let mut out = EventRowBuilder::new(job());
    for owned in owned {
        out.push(&row(owned)).unwrap();
    }
    out.finish().unwrap()
}

fn links_of(links: &[IdLink<'_>]) -> Vec<RecordBatch> {
    let mut out = IdLinkBuilder::new(job());
    for link in links {
        out.push(link).unwrap();
    }
    out.finish().unwrap()
}

/// Converts a column as a host could: to another width or another unit.
fn widened(column: &ArrayRef) -> ArrayRef {
    match column.data_type() {
        DataType::Utf8 => Arc::new(column.as_string::<i32>().iter().collect::<LargeStringArray>()),
        DataType::Binary => Arc::new(column.as_binary::<i32>().iter().collect::<BinaryViewArray>()),
        DataType::Timestamp(..) => {
            let micros = column.as_primitive::<TimestampMicrosecondType>();
            let millis: TimestampMillisecondArray = micros.unary(|micros| micros / 1000);
            Arc::new(millis.with_timezone("Europe/Berlin"))
        }
        DataType::List(_) => {
            let (field, ends, items, nulls) = column.as_list::<i32>().clone().into_parts();
            let items = widened(&items);
            let field = field.as_ref().clone().with_name("element").with_nullable(false);
            let field = Arc::new(field.with_data_type(items.data_type().clone()));
            let ends: Vec<i64> = ends.iter().map(|&end| end.into()).collect();
            let ends = OffsetBuffer::new(ends.into());
            Arc::new(LargeListArray::new(field, ends, items, nulls))
        }
        DataType::Struct(_) => {
            let (fields, columns, nulls) = column.as_struct().clone().into_parts();
            let columns: Vec<_> = columns.iter().map(widened).collect();
            let field = |(field, column): (&Arc<Field>, &ArrayRef)| {
                Arc::new(field.as_ref().clone().with_data_type(column.data_type().clone()))
            };
            let fields = fields.iter().zip(&columns).map(field).collect();
            Arc::new(StructArray::new(fields, columns, nulls))
        }
        _ => Arc::clone(column),
    }
}

/// Converts `batch` as a host could: to other widths, in another order, with a further column.
fn changed(batch: &RecordBatch) -> RecordBatch {
    let names = batch.schema();
    let names = names.fields().iter().map(|field| field.name().clone());
    let mut columns: Vec<_> = names.zip(batch.columns().iter().map(widened)).collect();
    columns.push(("partition".to_owned(), Arc::clone(batch.column(1))));
    columns.reverse();
    RecordBatch::try_from_iter(columns).unwrap()
}

fn part() -> impl Strategy<Value = LeadPart> {
    let text = || ".{0,6}".prop_map(Box::<str>::from);
    let name = || (text(), text()).prop_map(|(rule, event)| SignalName { rule, event });
    let flags = any::<[bool; 3]>();
    let counts = [any::<u64>(), any::<u64>(), any::<u64>()];
    let times = [time(), time(), time()];
    let traits = proptest::array::uniform6(proptest::option::of((key(), text())));
    let touch = [text(), text(), text(), text(), text()].prop_map(|texts| {
        let [page_url, referrer, utm_source, utm_medium, utm_campaign] = texts;
        FirstTouch { page_url, referrer, utm_source, utm_medium, utm_campaign }
    });
    let dated = (
        proptest::option::of((key(), touch)),
        proptest::option::of((key(), name())),
        proptest::collection::vec((text(), key()), 0..3),
    );
    let ids = [(); 2].map(|()| proptest::collection::vec(text(), 0..4));
    let numbers = proptest::collection::vec(any::<u32>(), 0..3);
    let names = proptest::collection::vec((name(), any::<u64>()), 0..3);
    let lists = (ids, numbers, names);
    (any::<u32>(), text(), flags, counts, times, traits, dated, lists).prop_map(
        |(bucket, email, flags, counts, times, traits, dated, lists)| {
            let [first_seen, last_seen, identified_at] =
                times.map(|time| Some(time).filter(|time| !time.is_missing()));
            let ((first_touch, last_signal, groups), (ids, periods, names)) = (dated, lists);
            let [anonymous_ids, user_ids] = ids;
            let [exists, accepted, forgotten] = flags;
            let [signals, high_intent_signals, rehydrated_signals] = counts;
            LeadPart {
                bucket,
                email,
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
                first_touch,
                last_signal,
                groups,
                anonymous_ids,
                user_ids,
                periods,
                names,
            }
        },
    )
}

proptest! {
    #[test]
    fn rows_read_back_as_they_were_written(owned in proptest::collection::vec(owned(), 1..5)) {
        let wanted: Vec<_> = owned.iter().map(|owned| format!("{:?}", row(owned))).collect();
        let written = rows_of(&owned);
        for batch in [&written[0], &changed(&written[0])] {
            let batch = event_rows::read(batch, job()).unwrap();
            let rows = EventRows::new(&batch);
            let found: Vec<_> = rows.iter().map(|row| format!("{:?}", row.unwrap())).collect();
            prop_assert_eq!(&found, &wanted);
        }
    }

    #[test]
    fn links_read_back_as_they_were_written(
        links in proptest::collection::vec((any::<u32>(), any::<bool>(), ".{1,9}", key(), ".{1,9}"), 0..5),
    ) {
        let links: Vec<_> = links.iter().map(|(bucket, is_user, source, key, target)| IdLink {
            bucket: *bucket,
            source_space: if *is_user { Space::User } else { Space::Anonymous },
            source,
            key: *key,
            target_space: if *is_user { Space::Email } else { Space::User },
            target,
        }).collect();
        let mut found = Vec::new();
        let batches = links_of(&links);
        for batch in batches.iter().map(|batch| id_links::read(batch, job()).unwrap()) {
            let of_batch: Result<Vec<_>, _> = IdLinks::new(&batch).iter().collect();
            found.extend(of_batch.unwrap().iter().map(|link| format!("{link:?}")));
        }
        prop_assert_eq!(found, links.iter().map(|link| format!("{link:?}")).collect::<Vec<_>>());
    }

    #[test]
    fn owners_read_back_beside_their_rows(
        owned in owned(),
        emails in proptest::array::uniform3(".{0,9}"),
        found in proptest::option::of((any::<bool>(), 0..3_usize, time())),
        bits in 0..16_u8,
    ) {
        let rows = rows_of(&[owned]);
        let through = [Through::AnonymousId, Through::UserId, Through::Bridge];
        let owner = RowOwner {
            lead_email: &emails[0],
            brought_email: &emails[1],
            user_email: &emails[2],
            found: found.map(|(known, at, tied)| FoundOwner {
                resolution: if known { Resolution::Known } else { Resolution::Rehydrated },
                through: through[at],
                tied,
            }),
            moved_by: PolicySet::from_bits(bits),
        };
        let mut owners = OwnerBuilder::new(job());
        owners.push(&owner).unwrap();
        let batch = row_owners::read(&owners.beside(&rows[0]).unwrap(), job()).unwrap();
        prop_assert_eq!(RowOwners::new(&batch).owner(0).unwrap(), owner);
    }

    #[test]
    fn parts_of_leads_read_back_as_they_were_written(
        parts in proptest::collection::vec(part(), 1..4),
    ) {
        let mut found = Vec::new();
        for batch in lead_parts::write(parts.clone(), job()).unwrap() {
            lead_parts::each(&batch, job(), |part| found.push(part)).unwrap();
        }
        prop_assert_eq!(found, parts);
    }
}

#[test]
fn batches_of_other_jobs_and_without_columns_are_refused() {
    let link = |source| IdLink {
        bucket: 1,
        source_space: Space::User,
        source,
        key: OrderKey { time: Time::MISSING, received: Time::MISSING, signal_id: 7 },
        target_space: Space::Email,
        target: "a@acme.example",
    };
    let batch = links_of(&[link("u")]).remove(0);
    let other = Fingerprint::new([("rules", "version = 1\n")]);
    let error = id_links::read(&batch, other).unwrap_err().to_string();
    assert!(error.contains("another version of backtrail, or under other rules"), "{error}");
    assert!(error.contains(&job().to_string()) && error.contains(&other.to_string()), "{error}");
    let error = event_rows::read(&batch, job()).unwrap_err().to_string();
    assert_eq!(
        error,
        "a batch of rows has no column `copies_bucket`: pass on all columns of the previous stage"
    );
    let numbers = (0..batch.num_columns()).filter(|&at| at != 3).collect::<Vec<_>>();
    let error = id_links::read(&batch.project(&numbers).unwrap(), job()).unwrap_err().to_string();
    assert!(error.contains("no column `source`"), "{error}");
}

#[test]
fn batches_are_cut_before_they_are_too_large() {
    let text = "x".repeat(MAX_TEXT_BYTES / 3);
    let groups = (0..7).map(|_| {
        (
            "g",
            OrderKey { time: Time::MISSING, received: Time::MISSING, signal_id: 1 },
            text.as_str(),
        )
    });
    let batches = group_names::write(groups, job()).unwrap();
    let rows: Vec<usize> = batches.iter().map(RecordBatch::num_rows).collect();
    assert_eq!(rows, [2, 2, 2, 1]);
    let many = counts::write((0..=MAX_ROWS).map(|_| ("c", "", 1)), job()).unwrap();
    assert_eq!(many.iter().map(RecordBatch::num_rows).collect::<Vec<_>>(), [MAX_ROWS, 1]);
}
