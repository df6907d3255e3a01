//! Converts counts back to the counters of the phases, to make a report.

use std::collections::BTreeSet;

use super::Job;
use super::counts::{Counts, UNDATED};
use crate::engine::identity::Resolution;
use crate::engine::identity::resolve::Through;
use crate::engine::lead::ScoreCounts;
use crate::engine::map::counters::Counters;
use crate::engine::map::deletions::Until;
use crate::engine::map::example::Examples;
use crate::engine::map::names::Names;
use crate::engine::map::unused_email::{UnusedEmails, UnusedField};
use crate::engine::plan::{PeriodMix, Timeframe};
use crate::engine::resolve::cold_time::ColdTimes;
use crate::engine::resolve::history::{Fates, History};
use crate::engine::resolve::row::POLICIES;
use crate::engine::resolve::sums::LeadSums;
use crate::engine::resolve::tally::Tally;
use crate::event::CallType;
use crate::filter::destination;
use crate::parse::Repairs;
use crate::parse::reject::Reason;
use crate::parse::shape::Shape;

impl Counts {
    fn one(&self, counter: &str) -> u64 {
        self.of(counter, "")
    }

    /// Returns the count of `counter` and `key`; 0 if it is negative.
    pub(super) fn of(&self, counter: &str, key: &str) -> u64 {
        u64::try_from(self.get(counter, key)).unwrap_or(0)
    }

    fn examples<T>(&self, counter: &str) -> Examples<T> {
        Examples::counted(self.one(counter))
    }

    /// Returns the event names of `counter`.
    fn names(&self, counter: &str) -> Names {
        let mut names = Names::default();
        for (call, name, count) in self.named(counter) {
            names.add(call, name, count);
        }
        names
    }

    /// Returns each event name of `counter`, with its call and count.
    fn named(&self, counter: &str) -> impl Iterator<Item = (CallType, &str, u64)> {
        self.keys(counter).filter_map(|(key, count)| {
            let (call, name) = key.split_once(' ')?;
            Some((CallType::from_name(call)?, name, count))
        })
    }

    /// Returns the counts of `counter` by the indexes of `names`.
    fn by_place(&self, counter: &str, names: &Names) -> Vec<u64> {
        let mut counts = vec![0; names.len()];
        for (call, name, count) in self.named(counter) {
            if let Some(place) = names.place(call, name) {
                counts[place as usize] += count;
            }
        }
        counts
    }

    /// Returns the counters of the first phase; without examples, which are not counts.
    /// `deleted_users` are the users of the deletion requests.
    pub fn counters(&self, job: &Job, deleted_users: &BTreeSet<String>) -> Counters {
        let mut counters = Counters {
            events: self.one("events.total"),
            filtered: self.one("events.filtered"),
            filters: self.filters(job),
            no_anonymous_id: self.one("events.no_anonymous_id"),
            repairs: self.repairs(),
            foreign_requests: self.one("foreign_requests"),
            names: self.names("events.by_name"),
            volume: self.volume(),
            unused_emails: UnusedEmails::counted(
                UnusedField::ALL
                    .map(|field| self.of("identity.unused_emails.events", field.path())),
            ),
            ..Counters::default()
        };
        for user in deleted_users {
            counters.deletions.add(user, Until::Always);
        }
        counters.deletions.calls = self.one("deleted.calls");
        let times = &mut counters.times;
        times.missing = self.examples("events.no_timestamp");
        times.unreadable = self.examples("events.unreadable_timestamp");
        times.implausible = self.examples("events.implausible_timestamps");
        times.naive = self.one("events.naive_timestamps");
        times.clock_skew = self.one("events.clock_skew");
        times.corrected = self.one("events.corrected_clocks");
        for (reason, count) in Reason::ALL.iter().zip(&mut counters.rejects) {
            *count = self.of("rejects.by_reason", reason.name());
        }
        for (shape, count) in Shape::ALL.iter().zip(&mut counters.shapes) {
            *count = self.of("records_by_shape", shape.name());
        }
        counters
    }

    fn repairs(&self) -> Repairs {
        Repairs {
            lone_surrogates: self.one("events.lone_surrogates"),
            non_finite_numbers: self.one("events.non_finite_numbers"),
            hex_escapes: self.one("events.hex_escapes"),
            salvaged_batches: self.one("events.salvaged_batches"),
            call_types: self.one("events.call_types"),
            snake_case_names: self.one("events.snake_case_names"),
            assigned_message_ids: self.one("events.assigned_message_ids"),
        }
    }

    fn filters(&self, job: &Job) -> destination::Counts {
        let filters = job.engine.filters.as_ref().map_or(0, |filters| filters.filters().len());
        let count = |filter: usize| {
            let of = |kind| self.of("filters.by_filter", &format!("{filter} {kind}"));
            destination::Count {
                dropped: of("dropped"),
                sampled_out: of("sampled_out"),
                invalid: of("invalid"),
                unrecognised: of("unrecognised"),
                changed: of("changed"),
            }
        };
        destination::Counts::of_filters(
            (0..filters).map(count).collect(),
            self.one("filters.changed"),
        )
    }

    /// Returns the number of duplicates, including those outside of the window, which the report
    /// leaves out.
    pub fn duplicates(&self) -> u64 {
        self.one("duplicates.total") + self.one("duplicates.outside_window")
    }

    /// Returns the counters of the second phase. `names` are the event names of the input.
    pub fn tally(&self, job: &Job, timeframe: &Timeframe, names: &Names) -> Tally {
        let rules = &job.engine.rules.rules;
        let mut tally = Tally::new(timeframe.ledger.periods.len(), rules.len());
        tally.outside_duplicates = self.one("duplicates.outside_window");
        tally.outside_window =
            self.one("events.outside_window").saturating_sub(tally.outside_duplicates);
        tally.facts = self.one("identity.facts");
        tally.identifies = self.one("identity.identifies");
        tally.address_as_user_id = self.one("identity.identify_user_id_is_email");
        tally.identify_without_email = self.one("identity.identify_without_email");
        tally.invalid_email = self.one("identity.invalid_email");
        tally.blocked_emails = self.one("identity.blocked_emails");
        tally.blocked_ids = self.one("identity.blocked_ids");
        tally.internal_signals = self.one("identity.internal_signals");
        tally.lost_identifies = self.one("plan.lost_identifies");
        tally.forgotten.events = self.one("deleted.events");
        tally.forgotten.signals = self.one("deleted.signals");
        for (resolution, counter) in [
            (Resolution::Direct, "identity.signals.direct"),
            (Resolution::Known, "identity.signals.known"),
            (Resolution::Rehydrated, "identity.signals.rehydrated"),
            (Resolution::Cold, "identity.signals.cold"),
        ] {
            tally.resolutions[resolution as usize] = self.one(counter);
        }
        for (through, counter) in [
            (Through::AnonymousId, "identity.through.anonymous_id"),
            (Through::UserId, "identity.through.user_id"),
            (Through::Bridge, "identity.through.bridge"),
        ] {
            tally.through[through as usize] = self.one(counter);
        }
        for (policy, count) in POLICIES.iter().zip(&mut tally.would_change) {
            *count = self.of("identity.would_change_owner", policy.name());
        }
        for (rule, count) in rules.iter().zip(&mut tally.matches) {
            *count = self.of("rules.by_rule", &rule.id);
        }
        tally.unmapped = self.by_place("rules.unmapped_by_event", names);
        for (period, mix) in tally.mix.iter_mut().enumerate() {
            *mix = self.mix(period);
        }
        tally
    }

    fn mix(&self, period: usize) -> PeriodMix {
        let of = |kind| self.of("plan.periods.mix", &format!("{period} {kind}"));
        PeriodMix {
            duplicates: of("duplicates"),
            identifies: of("identifies"),
            mapped: of("mapped"),
            unmapped: of("unmapped"),
            other: of("other"),
        }
    }

    /// Returns the outcomes of raw signals by the spans of `timeframe`.
    pub fn history(&self, timeframe: &Timeframe) -> History {
        let mut history = History::new(&timeframe.spans);
        for (span, fates) in history.spans.iter_mut().enumerate() {
            *fates = self.fates("history.spans", &format!("{span} "));
        }
        history.outside = self.fates("history.outside", "");
        history
    }

    fn fates(&self, counter: &str, prefix: &str) -> Fates {
        let of = |fate| self.of(counter, &format!("{prefix}{fate}"));
        Fates {
            direct: of("direct"),
            known: of("known"),
            rehydrated: of("rehydrated"),
            cold: of("cold"),
            other: of("other"),
            duplicates: of("duplicates"),
        }
    }

    /// Returns the times for which rehydrated signals were cold.
    pub fn cold_times(&self) -> ColdTimes {
        let mut times = ColdTimes::default();
        for (range, count) in times.counts.iter_mut().enumerate() {
            *count = self.of("identity.rehydrated_after", &range.to_string());
        }
        times.undated = self.of("identity.rehydrated_after", UNDATED);
        times
    }

    /// Returns the sums over leads, whose scores are from `lowest` to `highest`.
    pub fn lead_sums(&self, (lowest, highest): (i64, i64)) -> LeadSums {
        let mut by_score = ScoreCounts::default();
        for (range, leads) in self.keys("leads.by_score") {
            by_score.add(range, leads);
        }
        LeadSums {
            total: self.one("leads.total"),
            with_signals: self.one("leads.with_signals"),
            min_score: lowest,
            max_score: highest,
            total_score: self.get("leads.total_score", ""),
            by_score,
        }
    }

    /// Returns the counts of `counter` by the periods of `timeframe`.
    pub fn by_period(&self, counter: &str, timeframe: &Timeframe) -> Vec<u64> {
        let periods = 0..timeframe.ledger.periods.len();
        periods.map(|period| self.of(counter, &period.to_string())).collect()
    }
}
