use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::engine::plan::PeriodMix;
use crate::rules::PeriodLength;
use crate::time::Time;

fn minute(text: &str) -> i64 {
    Volume::minute_of(Time::parse(text.as_bytes()).unwrap()).unwrap()
}

fn volume(counts: &[(&str, u64)]) -> Volume {
    let mut volume = Volume::default();
    for &(at, count) in counts {
        volume.add(minute(at), count);
    }
    volume
}

fn ledger(limit: u64, every: PeriodLength, zone: &str, counts: &[(&str, u64)]) -> Ledger {
    Ledger::new(&volume(counts), &Terms::of(limit, every, zone))
}

/// The label, raw signals, carried, over, retried, lost, and the minute in which the limit was reached.
type Row = (String, u64, u64, u64, u64, u64, Option<String>);

fn rows(ledger: &Ledger) -> Vec<Row> {
    let row = |usage: &Usage| {
        let Usage { period, raw_signals, carried, over, retried, lost, .. } = *usage;
        let reached = usage.reached_time().map(|time| time.to_string());
        (period.label(), raw_signals, carried, over, retried, lost, reached)
    };
    ledger.periods.iter().map(row).collect()
}

fn row(label: &str, counts: [u64; 5], reached: Option<&str>) -> Row {
    let [raw_signals, carried, over, retried, lost] = counts;
    (label.into(), raw_signals, carried, over, retried, lost, reached.map(Into::into))
}

#[test]
fn what_comes_after_the_limit_was_reached_is_over() {
    let ledger = ledger(
        100,
        PeriodLength::Month,
        "UTC",
        &[
            ("2025-07-01T00:00:00Z", 60),
            ("2025-07-03T14:05:00Z", 50),
            ("2025-07-04T00:00:00Z", 7),
            ("2025-08-01T00:00:00Z", 80),
        ],
    );
    assert_eq!(
        rows(&ledger),
        [
            row("2025-07", [117, 0, 17, 0, 17], Some("2025-07-03T14:05:00.000Z")),
            row("2025-08", [80, 0, 0, 0, 0], None),
        ]
    );
    assert_eq!(ledger.totals, Totals { accepted: 180, over: 17, retried: 0, lost: 17 });
    assert_eq!(ledger.verdict(minute("2025-07-01T00:00:00Z")), Verdict::Accepted);
    assert_eq!(ledger.verdict(minute("2025-07-03T14:05:00Z")), Verdict::Partial { accepted: 40 });
    assert_eq!(ledger.verdict(minute("2025-07-04T00:00:00Z")), Verdict::Lost);
    assert_eq!(ledger.verdict(minute("2025-08-01T00:00:00Z")), Verdict::Accepted);
}

#[test]
fn a_limit_that_is_just_reached_refuses_nothing() {
    let counts = [("2025-07-01T00:00:00Z", 60), ("2025-07-02T00:00:00Z", 40)];
    let ledger = ledger(100, PeriodLength::Month, "UTC", &counts);
    assert_eq!(
        rows(&ledger),
        [row("2025-07", [100, 0, 0, 0, 0], Some("2025-07-02T00:00:00.000Z"))]
    );
    assert_eq!(ledger.verdict(minute("2025-07-02T00:00:00Z")), Verdict::Accepted);
}

#[test]
fn a_limit_of_zero_is_unlimited() {
    let mut volume = volume(&[("2025-07-01T00:00:00Z", u64::MAX / 4)]);
    volume.undated = 3;
    let ledger = Ledger::new(&volume, &Terms::default());
    assert_eq!(rows(&ledger), [row("2025-07", [u64::MAX / 4, 0, 0, 0, 0], None)]);
    assert_eq!((ledger.totals.accepted, ledger.undated), (u64::MAX / 4 + 3, 3));
}

#[test]
fn what_is_refused_within_four_hours_of_midnight_is_retried_in_the_next_period() {
    let ledger = ledger(
        10,
        PeriodLength::Month,
        "UTC",
        &[
            ("2025-07-20T00:00:00Z", 10),
            ("2025-07-31T19:59:00Z", 1),
            ("2025-07-31T20:00:00Z", 2),
            ("2025-07-31T23:59:00Z", 3),
            ("2025-08-10T00:00:00Z", 4),
            ("2025-08-11T00:00:00Z", 2),
        ],
    );
    assert_eq!(
        rows(&ledger),
        [
            row("2025-07", [16, 0, 6, 5, 1], Some("2025-07-20T00:00:00.000Z")),
            row("2025-08", [6, 5, 1, 0, 1], Some("2025-08-11T00:00:00.000Z")),
        ]
    );
    assert_eq!(ledger.verdict(minute("2025-07-31T19:59:00Z")), Verdict::Lost);
    assert_eq!(ledger.verdict(minute("2025-07-31T20:00:00Z")), Verdict::Accepted);
    assert_eq!(ledger.verdict(minute("2025-08-11T00:00:00Z")), Verdict::Partial { accepted: 1 });
}

#[test]
fn retries_take_the_room_of_the_next_period_oldest_first() {
    let ledger = ledger(
        3,
        PeriodLength::Day,
        "UTC",
        &[
            ("2025-07-01T22:00:00Z", 5),
            ("2025-07-01T23:00:00Z", 4),
            ("2025-07-02T01:00:00Z", 1),
            ("2025-07-02T21:00:00Z", 1),
        ],
    );
    assert_eq!(
        rows(&ledger),
        [
            row("2025-07-01", [9, 0, 6, 3, 3], Some("2025-07-01T22:00:00.000Z")),
            row("2025-07-02", [2, 3, 2, 1, 1], Some("2025-07-02T00:00:00.000Z")),
        ]
    );
    assert_eq!(ledger.verdict(minute("2025-07-01T22:00:00Z")), Verdict::Accepted);
    assert_eq!(ledger.verdict(minute("2025-07-01T23:00:00Z")), Verdict::Partial { accepted: 1 });
    assert_eq!(ledger.verdict(minute("2025-07-02T01:00:00Z")), Verdict::Lost);
    // The day after the last one accepts retries, although it has no row.
    assert_eq!(ledger.verdict(minute("2025-07-02T21:00:00Z")), Verdict::Accepted);
}

#[test]
fn periods_without_events_have_rows_of_zero() {
    let counts = [("2025-01-31T23:00:00Z", 1), ("2025-04-01T00:00:00Z", 1)];
    let ledger = ledger(5, PeriodLength::Month, "Europe/Berlin", &counts);
    assert_eq!(
        rows(&ledger),
        [
            row("2025-02", [1, 0, 0, 0, 0], None),
            row("2025-03", [0, 0, 0, 0, 0], None),
            row("2025-04", [1, 0, 0, 0, 0], None),
        ]
    );
}

#[test]
fn an_absurd_span_keeps_only_the_periods_with_events() {
    let counts = [
        ("0001-01-01T23:00:00Z", 3),
        ("2025-01-01T00:00:00Z", 1),
        ("2025-01-01T00:01:00Z", 1),
        ("9999-12-31T23:59:00Z", 1),
    ];
    let ledger = ledger(1, PeriodLength::Day, "UTC", &counts);
    assert_eq!(
        ledger.periods.iter().map(|usage| usage.period.label()).collect::<Vec<_>>()[..2],
        ["0001-01-01", "2025-01-01"]
    );
    assert_eq!(ledger.periods.len(), 3);
    assert_eq!(ledger.totals, Totals { accepted: 4, over: 3, retried: 1, lost: 2 });
    assert_eq!(ledger.period_of(minute("2025-01-01T12:00:00Z")), Some(1));
    assert_eq!(ledger.period_of(minute("2025-01-02T12:00:00Z")), None);
    assert_eq!(ledger.trend, None);
}

#[test]
fn no_signals_use_nothing_of_the_plan() {
    let ledger = ledger(5, PeriodLength::Day, "UTC", &[]);
    assert_eq!((rows(&ledger), ledger.totals), (vec![], Totals::default()));
    assert_eq!((ledger.verdict(0), ledger.period_of(0)), (Verdict::Accepted, None));
}

#[test]
fn counts_by_the_minute_add_up_by_period() {
    let counts = [("2025-06-30T21:59:00Z", 1), ("2025-07-31T22:00:00Z", 1)];
    let ledger = ledger(5, PeriodLength::Month, "Europe/Berlin", &counts);
    let mix = |mapped| PeriodMix { mapped, ..PeriodMix::default() };
    let mixes = ledger.by_period([
        (minute("2025-06-30T21:59:00Z"), mix(1)),
        (minute("2025-06-30T22:00:00Z"), mix(2)),
        (minute("2025-07-31T21:59:00Z"), mix(4)),
        (minute("2025-07-31T22:00:00Z"), mix(8)),
        (minute("2025-08-31T22:00:00Z"), mix(16)),
    ]);
    assert_eq!(mixes.iter().map(PeriodMix::total).collect::<Vec<_>>(), [1, 6, 8]);
}

/// Returns how many raw signals of each minute are accepted, computed event by event: each is tried
/// on arrival, and again when a period begins within four hours after its arrival.
fn accepted_one_by_one(volume: &Volume, limit: u64, calendar: &Calendar) -> BTreeMap<i64, u64> {
    // (minute of the try, minute of arrival, number)
    let mut tries = std::collections::BTreeSet::new();
    let mut number = 0_u64;
    for (minute, count) in volume.by_minute() {
        for _ in 0..count {
            number += 1;
            tries.insert((minute, minute, number));
            let turn = calendar.containing(minute).end;
            if turn - minute <= 240 {
                tries.insert((turn, minute, number));
            }
        }
    }
    let mut used: BTreeMap<i64, u64> = BTreeMap::new();
    let mut through: BTreeMap<i64, Vec<u64>> = BTreeMap::new();
    // A retry sorts before the arrivals of the same minute, as it arrived earlier.
    for (when, arrived, number) in tries {
        let taken = through.entry(arrived).or_default();
        let used = used.entry(calendar.containing(when).start).or_default();
        if !taken.contains(&number) && *used < limit {
            *used += 1;
            taken.push(number);
        }
    }
    through.into_iter().map(|(minute, taken)| (minute, taken.len() as u64)).collect()
}

fn zones() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "America/St_Johns",
        "Pacific/Apia",
    ])
}

/// Minutes in a month around a clock change or the end of a year, mostly near midnight.
fn minutes() -> impl Strategy<Value = Vec<(i64, u64)>> {
    let starts = prop::sample::select(vec![
        minute("2025-03-08T00:00:00Z"),
        minute("2025-03-29T00:00:00Z"),
        minute("2025-10-25T00:00:00Z"),
        minute("2025-11-01T00:00:00Z"),
        minute("2011-12-29T00:00:00Z"),
        minute("2010-11-06T00:00:00Z"),
        minute("2024-02-28T00:00:00Z"),
    ]);
    let day = prop_oneof![0..4_i64, 0..35_i64];
    let hour = -300..300_i64;
    let near = prop_oneof![Just(0_i64), Just(-1), Just(-240), Just(-241), hour];
    // The offsets are those of local midnights from midnight in UTC.
    let offset = prop::sample::select(vec![0_i64, -60, -120, 240, 300, 210, 150, -840, -780]);
    let moment = (day, near, offset).prop_map(|(day, near, offset)| day * 1_440 + offset + near);
    (starts, prop::collection::vec((moment, 1..6_u64), 0..40)).prop_map(|(start, counts)| {
        counts.into_iter().map(|(moment, count)| (start + moment, count)).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn usage_agrees_with_a_simulation_event_by_event(
        counts in minutes(),
        limit in prop_oneof![1..6_u64, 1..60_u64],
        zone in zones(),
        every in prop::sample::select(vec![PeriodLength::Month, PeriodLength::Day]),
    ) {
        let mut volume = Volume::default();
        for (minute, count) in counts {
            volume.add(minute, count);
        }
        let terms = Terms::of(limit, every, zone);
        let ledger = Ledger::new(&volume, &terms);
        let expected = accepted_one_by_one(&volume, limit, &terms.calendar);
        let mut lost_by_period = vec![0; ledger.periods.len()];
        for (minute, count) in volume.by_minute() {
            let accepted = match ledger.verdict(minute) {
                Verdict::Accepted => count,
                Verdict::Lost => 0,
                Verdict::Partial { accepted } => accepted,
            };
            prop_assert_eq!(accepted, expected[&minute], "minute {}", minute);
            lost_by_period[ledger.period_of(minute).unwrap()] += count - accepted;
        }
        let lost: Vec<_> = ledger.periods.iter().map(|usage| usage.lost).collect();
        prop_assert_eq!(lost, lost_by_period);
    }

    #[test]
    fn every_raw_signal_is_accepted_retried_or_lost_once(counts in minutes(), limit in 0..40_u64, zone in zones()) {
        let mut volume = Volume::default();
        for (minute, count) in counts {
            volume.add(minute, count);
        }
        let ledger = Ledger::new(&volume, &Terms::of(limit, PeriodLength::Day, zone));
        let Totals { accepted, over, retried, lost } = ledger.totals;
        prop_assert_eq!(accepted + lost, volume.total());
        prop_assert_eq!(retried + lost, over);
        let sums = ledger.by_period(volume.by_minute());
        for (usage, sum) in ledger.periods.iter().zip(sums) {
            prop_assert_eq!(usage.raw_signals, sum);
            prop_assert_eq!(usage.retried + usage.lost, usage.over);
            prop_assert_eq!(usage.reached.is_some(), limit > 0 && usage.used() >= limit);
            if limit > 0 {
                prop_assert_eq!(usage.over, usage.used().saturating_sub(limit));
                prop_assert!(usage.carried <= limit);
            }
        }
        prop_assert!(ledger.periods.windows(2).all(|two| two[0].period.end == two[1].period.start));
        prop_assert!(ledger.gaps.windows(2).all(|two| two[0].last < two[1].first));
    }
}
