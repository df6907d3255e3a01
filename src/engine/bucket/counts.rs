//! The counts of stages, which are added up over all calls.
//!
//! A counter has the path of its member of `report.json`, such as `identity.signals.known`; if the
//! member is a list or an object, a key names the item. Keys of `plan.periods` and `history.spans`
//! begin with the index of the period or span. Three counters are not members: `raw_signals`, by
//! minute since 1970-01-01T00:00:00Z or `undated`; `identity.identifies`; and
//! `duplicates.outside_window`.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use arrow_array::RecordBatch;

use super::Job;
use crate::engine::exchange::arrow::{ExchangeError, counts};
use crate::engine::identity::Resolution;
use crate::engine::identity::resolve::Through;
use crate::engine::map::counters::Counters;
use crate::engine::map::names::Names;
use crate::engine::map::unused_email::UnusedField;
use crate::engine::plan::{PeriodMix, Timeframe, Volume};
use crate::engine::resolve::history::{Fates, HistoryCounter};
use crate::engine::resolve::row::POLICIES;
use crate::engine::resolve::tally::Tally;
use crate::event::CallType;
use crate::filter::destination;
use crate::parse::Repairs;
use crate::parse::reject::Reason;
use crate::parse::shape::Shape;

/// The counter of raw signals by minute.
const RAW_SIGNALS: &str = "raw_signals";
/// The key of `raw_signals` for those without a time.
pub(super) const UNDATED: &str = "undated";

/// Counts by counter and key. Counts of parts of the input add up to those of the whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<(Box<str>, Box<str>), i64>);

impl Counts {
    /// Reads `batches` and adds them up.
    ///
    /// # Errors
    /// Returns an error if a batch was not made by a stage of `job`.
    pub fn read(job: &Job, batches: &[RecordBatch]) -> Result<Self, ExchangeError> {
        let mut all = Self::default();
        for batch in batches {
            counts::each(batch, job.fingerprint, |counter, key, count| {
                all.add(counter, key, count);
            })?;
        }
        Ok(all)
    }

    /// Writes the counts to record batches.
    ///
    /// # Errors
    /// Returns an error if Arrow cannot build a batch.
    pub fn write(&self, job: &Job) -> Result<Vec<RecordBatch>, ExchangeError> {
        counts::write(self.iter(), job.fingerprint)
    }

    /// Returns each counter and key with its count, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, i64)> {
        self.0.iter().map(|((counter, key), &count)| (&**counter, &**key, count))
    }

    /// Returns the count of `counter` and `key`; 0 if there is none.
    pub fn get(&self, counter: &str, key: &str) -> i64 {
        self.0.get(&(counter.into(), key.into())).copied().unwrap_or(0)
    }

    /// Returns the keys of `counter` with their counts. Negative counts, which the counters read
    /// here never have, are 0.
    pub(super) fn keys(&self, counter: &str) -> impl Iterator<Item = (&str, u64)> {
        let of = self.iter().filter(move |&(of, ..)| of == counter);
        of.map(|(_, key, count)| (key, u64::try_from(count).unwrap_or(0)))
    }

    /// Returns the volume of raw signals.
    pub fn volume(&self) -> Volume {
        let mut volume = Volume::default();
        for (_, key, count) in self.iter().filter(|(counter, ..)| *counter == RAW_SIGNALS) {
            let count = count.cast_unsigned();
            match key.parse() {
                Ok(minute) => volume.add(minute, count),
                Err(_) => volume.undated += count,
            }
        }
        volume
    }

    /// Returns the periods and spans of the raw signals under the plan of `job`.
    pub fn timeframe(&self, job: &Job) -> Timeframe {
        Timeframe::new(&self.volume(), &job.terms)
    }

    pub(super) fn add(&mut self, counter: &str, key: &str, count: i64) {
        if count != 0 {
            *self.0.entry((counter.into(), key.into())).or_insert(0) += count;
        }
    }

    pub(super) fn add_unsigned(&mut self, counter: &str, key: &str, count: u64) {
        self.add(counter, key, i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Converts the counters of the first phase.
    pub(super) fn of_map(counters: &Counters) -> Self {
        let mut all = Self::default();
        let mut add = |counter: &str, count| all.add_unsigned(counter, "", count);
        add("events.total", counters.events);
        add("events.filtered", counters.filtered);
        add("events.no_anonymous_id", counters.no_anonymous_id);
        let times = &counters.times;
        add("events.no_timestamp", times.missing.count());
        add("events.unreadable_timestamp", times.unreadable.count());
        add("events.implausible_timestamps", times.implausible.count());
        add("events.naive_timestamps", times.naive);
        add("events.clock_skew", times.clock_skew);
        add("events.corrected_clocks", times.corrected);
        add("foreign_requests", counters.foreign_requests);
        add("rejects.total", counters.rejects.iter().sum());
        add("records", counters.events + counters.rejects.iter().sum::<u64>());
        add("deleted.calls", counters.deletions.calls);
        for (reason, &count) in Reason::ALL.iter().zip(&counters.rejects) {
            all.add_unsigned("rejects.by_reason", reason.name(), count);
        }
        for (shape, &count) in Shape::ALL.iter().zip(&counters.shapes) {
            all.add_unsigned("records_by_shape", shape.name(), count);
        }
        for field in UnusedField::ALL {
            let count = counters.unused_emails.of(field).count();
            all.add_unsigned("identity.unused_emails.events", field.path(), count);
        }
        all.add_filters(&counters.filters);
        all.add_repairs(counters.repairs);
        for (call, name, count) in counters.names.sorted() {
            all.add_unsigned("events.by_name", &named(call, name), count);
            all.add_unsigned("events.by_type", call.name(), count);
        }
        for (minute, count) in counters.volume.by_minute() {
            all.add_unsigned(RAW_SIGNALS, &minute.to_string(), count);
        }
        all.add_unsigned(RAW_SIGNALS, UNDATED, counters.volume.undated);
        all
    }

    fn add_filters(&mut self, filters: &destination::Counts) {
        self.add_unsigned("filters.changed", "", filters.changed);
        for (filter, count) in filters.by_filter().iter().enumerate() {
            let destination::Count { dropped, sampled_out, invalid, unrecognised, changed } =
                *count;
            for (kind, count) in [
                ("dropped", dropped),
                ("sampled_out", sampled_out),
                ("invalid", invalid),
                ("unrecognised", unrecognised),
                ("changed", changed),
            ] {
                self.add_unsigned("filters.by_filter", &format!("{filter} {kind}"), count);
            }
        }
    }

    fn add_repairs(&mut self, repairs: Repairs) {
        let Repairs {
            lone_surrogates,
            non_finite_numbers,
            hex_escapes,
            salvaged_batches,
            call_types,
            snake_case_names,
            assigned_message_ids,
        } = repairs;
        for (name, count) in [
            ("lone_surrogates", lone_surrogates),
            ("non_finite_numbers", non_finite_numbers),
            ("hex_escapes", hex_escapes),
            ("salvaged_batches", salvaged_batches),
            ("call_types", call_types),
            ("snake_case_names", snake_case_names),
            ("assigned_message_ids", assigned_message_ids),
        ] {
            self.add_unsigned(&format!("events.{name}"), "", count);
        }
    }

    /// Converts the counters of the second phase over `rows` rows, including `duplicates`
    /// duplicates. `names` are the event names of the rows.
    pub(super) fn of_tally(
        job: &Job,
        (tally, names): (&Tally, &Names),
        rows: u64,
        duplicates: u64,
    ) -> Self {
        let mut all = Self::default();
        let mut add = |counter: &str, count| all.add_unsigned(counter, "", count);
        add("events.outside_window", tally.outside_window + tally.outside_duplicates);
        add("events.kept", rows - duplicates - tally.outside_window);
        for counter in ["events.duplicates", "duplicates.total"] {
            add(counter, duplicates - tally.outside_duplicates);
        }
        add("duplicates.outside_window", tally.outside_duplicates);
        add("deleted.events", tally.forgotten.events);
        add("deleted.signals", tally.forgotten.signals);
        let mapped = tally.matches.iter().sum::<u64>();
        add("rules.mapped", mapped);
        add("rules.unmapped", tally.resolutions.iter().sum::<u64>() - mapped);
        add("plan.lost_identifies", tally.lost_identifies);
        all.add_identity(tally);
        for (rule, &count) in job.engine.rules.rules.iter().zip(&tally.matches) {
            all.add_unsigned("rules.by_rule", &rule.id, count);
        }
        for (place, &count) in (0..).zip(&tally.unmapped) {
            let (call, name) = names.get(place);
            all.add_unsigned("rules.unmapped_by_event", &named(call, name), count);
        }
        for (period, &mix) in tally.mix.iter().enumerate() {
            all.add_mix(period, mix);
        }
        all
    }

    fn add_identity(&mut self, tally: &Tally) {
        let of = |resolution| tally.resolutions[resolution as usize];
        let through = |through| tally.through[through as usize];
        for (member, count) in [
            ("identifies", tally.identifies),
            ("facts", tally.facts),
            ("identify_without_email", tally.identify_without_email),
            ("identify_user_id_is_email", tally.address_as_user_id),
            ("invalid_email", tally.invalid_email),
            ("blocked_emails", tally.blocked_emails),
            ("blocked_ids", tally.blocked_ids),
            ("internal_signals", tally.internal_signals),
            ("signals.total", tally.resolutions.iter().sum()),
            ("signals.direct", of(Resolution::Direct)),
            ("signals.known", of(Resolution::Known)),
            ("signals.rehydrated", of(Resolution::Rehydrated)),
            ("signals.cold", of(Resolution::Cold)),
            ("through.anonymous_id", through(Through::AnonymousId)),
            ("through.user_id", through(Through::UserId)),
            ("through.bridge", through(Through::Bridge)),
        ] {
            self.add_unsigned(&format!("identity.{member}"), "", count);
        }
        for (policy, &count) in POLICIES.iter().zip(&tally.would_change) {
            self.add_unsigned("identity.would_change_owner", policy.name(), count);
        }
    }

    /// Adds the outcomes of raw signals by span, and the times for which signals were cold.
    pub(super) fn add_history(&mut self, counter: &HistoryCounter<'_>) {
        let HistoryCounter { history, cold_times, .. } = counter;
        for (span, fates) in history.spans.iter().enumerate() {
            self.add_fates("history.spans", &format!("{span} "), *fates);
        }
        self.add_fates("history.outside", "", history.outside);
        for (range, &count) in cold_times.counts.iter().enumerate() {
            self.add_unsigned("identity.rehydrated_after", &range.to_string(), count);
        }
        self.add_unsigned("identity.rehydrated_after", UNDATED, cold_times.undated);
    }

    fn add_fates(&mut self, counter: &str, prefix: &str, fates: Fates) {
        let Fates { direct, known, rehydrated, cold, other, duplicates } = fates;
        for (fate, count) in [
            ("direct", direct),
            ("known", known),
            ("rehydrated", rehydrated),
            ("cold", cold),
            ("other", other),
            ("duplicates", duplicates),
        ] {
            self.add_unsigned(counter, &format!("{prefix}{fate}"), count);
        }
    }

    fn add_mix(&mut self, period: usize, mix: PeriodMix) {
        let PeriodMix { duplicates, identifies, mapped, unmapped, other } = mix;
        for (kind, count) in [
            ("duplicates", duplicates),
            ("identifies", identifies),
            ("mapped", mapped),
            ("unmapped", unmapped),
            ("other", other),
        ] {
            self.add_unsigned("plan.periods.mix", &format!("{period} {kind}"), count);
        }
    }
}

/// Returns the key of an event name.
fn named(call: CallType, name: &str) -> String {
    format!("{} {name}", call.name())
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        for (of, count) in other.0 {
            *self.0.entry(of).or_insert(0) += count;
        }
    }
}
