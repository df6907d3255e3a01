use std::path::Path;

use proptest::prelude::*;

use super::*;

/// A budget that fits one piece of the table's entries, but not two.
const ONE_PIECE_BYTES: usize = 2 << 20;

fn entry(key: u128, received: i64, row: u32) -> Entry {
    let rank = Rank { received: Time::from_raw(received), time: Time::MISSING, content: 7 };
    Entry { key, rank, event: EventRef::new(3, row) }
}

fn deduplicator(dir: &Path, budget_bytes: usize) -> Deduplicator {
    Deduplicator::new(Arc::new(Spill::new(dir.to_owned(), 0)), budget_bytes, PART_BITS)
}

/// Returns the duplicates of `batches`, in order. `budget_of` is the budget in bytes for each
/// batch.
fn losers(batches: &[&[Entry]], budget_of: impl Fn(usize) -> usize) -> Vec<EventRef> {
    let dir = tempfile::tempdir().unwrap();
    let mut deduplicator = deduplicator(dir.path(), 0);
    let mut losers = Vec::new();
    for (number, batch) in batches.iter().enumerate() {
        deduplicator.budget_bytes = budget_of(number);
        deduplicator.pass(batch.iter().copied(), EventRef::row, &mut losers).unwrap();
    }
    for part in deduplicator.into_parts(budget_of(batches.len())) {
        losers.extend(part.losers(&EventRef::row).unwrap());
    }
    losers.sort_unstable_by_key(|event| event.to_raw());
    losers
}

#[test]
fn an_entry_comes_back_as_it_was() {
    for entry in [
        entry(u128::MAX - 1, i64::MIN, u32::MAX),
        Entry {
            key: 1,
            rank: Rank {
                received: Time::from_millis(-5).unwrap(),
                time: Time::from_millis(1_700_000_000_123).unwrap(),
                content: u64::MAX,
            },
            event: EventRef::new(usize::try_from(u32::MAX).unwrap(), 0),
        },
    ] {
        let mut bytes = Vec::new();
        write(entry, &mut bytes);
        assert_eq!(read(bytes.as_slice().try_into().unwrap()), entry);
    }
}

#[test]
fn a_partition_that_does_not_fit_is_partitioned_again() {
    let dir = tempfile::tempdir().unwrap();
    let spill = Arc::new(Spill::new(dir.path().to_owned(), 0));
    let mut parts = Parts::new(0, Arc::clone(&spill), 0, PART_BITS);
    let keys = 40_000;
    // All in one partition, twice, the second time received earlier.
    parts.hasher = RandomState::with_seeds(1, 2, 3, 4);
    let part_of = |key: &u128| parts.hasher.hash_one(*key) >> (u64::BITS - PART_BITS);
    let same: Vec<u128> = (0..).filter(|key| part_of(key) == 5).take(keys).collect();
    for (copy, received) in [(0, 20), (1, 10)] {
        for (row, &key) in (0..).zip(&same) {
            parts.put(entry(key, received, row * 2 + copy)).unwrap();
        }
    }
    let before = spill.spilled_bytes();
    let mut rows = Vec::new();
    for part in parts.finish(ONE_PIECE_BYTES) {
        rows.extend(part.losers(&EventRef::row).unwrap().into_iter().map(EventRef::row));
    }
    rows.sort_unstable();
    assert!(rows.into_iter().eq((0..).step_by(2).take(keys)));
    assert!(spill.spilled_bytes() > before, "it was written once more");
}

#[test]
fn duplicates_of_one_event_take_no_memory() {
    let dir = tempfile::tempdir().unwrap();
    let spill = Arc::new(Spill::new(dir.path().to_owned(), 0));
    let mut parts = Parts::new(0, Arc::clone(&spill), 0, PART_BITS);
    (0..100_000).for_each(|row| parts.put(entry(1, 0, row)).unwrap());
    let before = spill.spilled_bytes();
    let losers: usize = parts
        .finish(ONE_PIECE_BYTES)
        .into_iter()
        .map(|part| part.losers(&EventRef::row).unwrap().len())
        .sum();
    assert_eq!(losers, 99_999);
    assert_eq!(spill.spilled_bytes(), before);
}

#[test]
#[cfg(target_os = "linux")]
fn the_file_is_deleted_with_the_last_partition() {
    let files = |dir: &Path| {
        let open = std::fs::read_dir("/proc/self/fd").unwrap();
        let paths = open.filter_map(|file| std::fs::read_link(file.unwrap().path()).ok());
        paths.filter(|path| path.starts_with(dir)).count()
    };
    let dir = tempfile::tempdir().unwrap();
    let mut deduplicator = deduplicator(dir.path(), 0);
    let entries = (0..50_000_u32).map(|row| entry(row.into(), 0, row));
    deduplicator.pass(entries, EventRef::row, &mut Vec::new()).unwrap();
    assert_eq!(files(dir.path()), 1);
    for part in std::mem::take(&mut deduplicator).into_parts(ONE_PIECE_BYTES) {
        part.losers(&EventRef::row).unwrap();
    }
    assert_eq!(files(dir.path()), 0);
}

#[test]
fn duplicates_in_memory_are_found_at_once_and_leave_no_partition() {
    let mut deduplicator = deduplicator(Path::new("nowhere"), 2 << 20);
    let mut losers = Vec::new();
    let entries = [entry(1, 5, 0), entry(1, 5, 1), entry(2, 5, 2)];
    deduplicator.pass(entries.iter().copied(), EventRef::row, &mut losers).unwrap();
    assert_eq!(losers, [EventRef::new(3, 1)]);
    assert!(deduplicator.into_parts(ONE_PIECE_BYTES).is_empty());
}

#[test]
fn without_entries_nothing_is_written() {
    let mut deduplicator = deduplicator(Path::new("nowhere"), 0);
    deduplicator.pass(std::iter::empty(), EventRef::row, &mut Vec::new()).unwrap();
    assert!(deduplicator.into_parts(ONE_PIECE_BYTES).is_empty());
}

/// Events, many of which are duplicates, and many of these equal in every way.
fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let one = (0..40_u128, prop_oneof![Just(i64::MIN), 0..3_i64], 0..2_i64, 0..2_u64);
    proptest::collection::vec(one, 1..150).prop_map(|all| {
        let entry = |(row, (key, received, time, content))| Entry {
            key,
            rank: Rank { received: Time::from_raw(received), time: Time::from_raw(time), content },
            event: EventRef::new(0, row),
        };
        (0..).zip(all).map(entry).collect()
    })
}

proptest! {
    #[test]
    fn the_result_is_that_of_one_table_for_any_order_and_budget(
        (all, shuffled) in entries().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        size in 1..60_usize,
        in_memory in 0..6_usize,
        for_parts in prop_oneof![Just(0), Just(ONE_PIECE_BYTES)],
    ) {
        let together = losers(&[&all], |_| usize::MAX);
        let batches: Vec<&[Entry]> = shuffled.chunks(size).collect();
        prop_assert_eq!(&losers(&batches, |_| usize::MAX), &together);
        let last = batches.len();
        let budget = |batch| match batch {
            batch if batch == last => for_parts,
            batch if batch < in_memory => usize::MAX,
            _ => 0,
        };
        prop_assert_eq!(&losers(&batches, budget), &together);
    }
}
