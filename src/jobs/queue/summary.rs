//! Builds the report from the counts.

use std::collections::BTreeMap;

use super::count::{Counted, MOST_NAMES, Ranking};
use super::example::{shown_name, shown_path};
use super::ingest::{Ingested, Selection};
use super::profile::{self, PathStat, TYPES};
use super::report::{
    DayCount, Events, Name, OtherPaths, Others, Path, PeriodCount, Plan, Profile, Report,
    RuleCount, VERSION,
};
use super::tally::Tally;
use crate::engine::Engine;
use crate::engine::map::counters::Counters;
use crate::engine::plan::{Calendar, Ledger, Terms};
use crate::event::CallType;
use crate::parse::reject::Reason;
use crate::report::layout::fitted;
use crate::report::{Fault, Input, Window};
use crate::source::Reader;
use crate::time::Time;

/// The input of a report.
pub struct Facts<'a> {
    /// The settings that mapped the events.
    pub engine: &'a Engine,
    /// The reader of the inputs, at their ends.
    pub reader: &'a Reader,
    /// The counts of the first phase.
    pub counters: &'a Counters,
    /// The number of duplicates.
    pub duplicates: u64,
    /// The names in order of frequency.
    pub ranking: &'a Ranking<'a>,
    /// The result of the second phase.
    pub counted: &'a Counted,
    /// The limits of the plan.
    pub terms: &'a Terms,
    /// The periods of the plan.
    pub ledger: &'a Ledger,
    /// The path of the rules file.
    pub rules_file: Option<String>,
    /// Warnings.
    pub warnings: Vec<String>,
}

impl Facts<'_> {
    /// Returns the report; if `wanted` is given, only about those events.
    pub fn report(self, wanted: Option<&Selection>) -> Report {
        let rejects: BTreeMap<_, _> = Reason::ALL
            .into_iter()
            .map(|reason| (reason.name(), self.counters.rejects[reason as usize]))
            .collect();
        Report {
            version: VERSION,
            inputs: Input::all(self.reader, &self.counters.records_by_file),
            records: self.counters.events + rejects.values().sum::<u64>(),
            rejects,
            window: self.engine.window.map(Window::from),
            events: self.events(),
            plan: self.plan(),
            timezone: self.terms.calendar.timezone().to_owned(),
            names: self.names(wanted),
            others: self.others().filter(|_| wanted.is_none()),
            faults: Fault::all(self.reader),
            bytes_read: self.reader.bytes_read(),
            rules: self.rules_file,
            warnings: self.warnings.into_iter().chain(self.reader.skipped()).collect(),
            ..Report::default()
        }
    }

    fn events(&self) -> Events {
        let Counters { events, filtered, .. } = self.counters;
        let outside = self.counted.outside;
        Events {
            total: *events,
            filtered: *filtered,
            outside_window: outside.events,
            counted: events - filtered - outside.events,
            duplicates: self.duplicates - outside.duplicates,
        }
    }

    fn plan(&self) -> Option<Plan> {
        Some(Plan {
            name: self.terms.name.clone(),
            period: self.terms.calendar.every().name(),
            raw_signals_limit: self.terms.raw_signals?,
            periods: self.ledger.periods.len() as u64,
        })
    }

    fn names(&self, wanted: Option<&Selection>) -> Vec<Name> {
        let calendar = self.terms.calendar.daily();
        let wanted = self
            .ranking
            .counted(&self.counted.tallies)
            .filter(|(call, name, _)| wanted.is_none_or(|wanted| wanted.takes(*call, name)));
        let mut names: Vec<Name> =
            wanted.map(|(call, name, tally)| self.name(call, name, tally, &calendar)).collect();
        // The ranking counts events by time of receipt, the tallies by the time at which they
        // happened.
        names.sort_by_key(|name| std::cmp::Reverse(name.count));
        names
    }

    fn name(&self, call: CallType, event: &str, tally: &Tally, calendar: &Calendar) -> Name {
        let seen = |time: Time| (!time.is_missing()).then(|| time.to_string());
        let (known, unknown) = (tally.known.count(), tally.unknown.count());
        let periods =
            self.terms.raw_signals.map_or_else(Vec::new, |limit| self.periods(tally, limit));
        let allowed = self
            .terms
            .raw_signals
            .map(|limit| limit.saturating_mul(self.ledger.periods.len() as u64));
        let used: u64 = periods.iter().map(|period| period.count).sum();
        Name {
            call: call.name(),
            event: event.to_owned(),
            count: tally.events,
            share: share(tally.events, self.events().counted),
            duplicates: tally.duplicates,
            visitors: known + unknown,
            known_visitors: known,
            first_seen: seen(tally.first),
            last_seen: seen(tally.last),
            before_identify: tally.before_identify,
            plan_share: allowed.map(|allowed| share(used, allowed)),
            periods,
            mapped: tally.mapped(),
            rules: self.rules(tally),
            days: days(tally, calendar),
        }
    }

    fn periods(&self, tally: &Tally, limit: u64) -> Vec<PeriodCount> {
        let period = |(&at, &count): (&usize, &u64)| {
            let period = self.ledger.periods.get(at)?.period.label();
            Some(PeriodCount { period, count, share: share(count, limit) })
        };
        tally.periods.iter().filter_map(period).collect()
    }

    fn rules(&self, tally: &Tally) -> Vec<RuleCount> {
        let rules = &self.engine.rules.rules;
        let mut counts: Vec<(u32, u64)> = tally.rules.iter().map(|(&r, &c)| (r, c)).collect();
        counts.sort_by_key(|&(rule, count)| (std::cmp::Reverse(count), rule));
        let rule = |(rule, count): (u32, u64)| {
            let rule = rules.get(rule as usize)?.id.clone();
            Some(RuleCount { rule, count })
        };
        counts.into_iter().filter_map(rule).collect()
    }

    fn others(&self) -> Option<Others> {
        let names = self.ranking.names.len().checked_sub(MOST_NAMES).filter(|&names| names > 0)?;
        let count = self.counted.tallies.last()?.events;
        let share = share(count, self.events().counted);
        Some(Others { names: names as u64, count, share })
    }
}

fn days(tally: &Tally, calendar: &Calendar) -> Vec<DayCount> {
    let day = |(&start, &count): (&i64, &u64)| {
        let day = calendar.containing(start).label();
        DayCount { day, count }
    };
    tally.days.iter().map(day).collect()
}

/// Returns the profile of the events that were requested as `asked`.
pub fn profile(asked: &str, profile: profile::Profile) -> Profile {
    let events = profile.events;
    let (paths, rest) = profile.into_paths();
    let path = |(path, stat): (String, PathStat)| {
        let types = TYPES.into_iter().zip(stat.types).filter(|(_, count)| *count > 0);
        Path {
            path: shown_path(&path),
            filled: stat.filled,
            fill_rate: share(stat.filled, events),
            types: types.collect(),
            empty: stat.empty,
            distinct: stat.distinct.count(),
            examples: stat.examples.into_sorted(),
        }
    };
    let others = OtherPaths { paths: rest.names.count(), values: rest.count };
    let mut paths: Vec<Path> = paths.into_iter().map(path).collect();
    paths.sort_by(|a, b| a.path.cmp(&b.path));
    Profile { event: asked.to_owned(), events, paths, others: (others.paths > 0).then_some(others) }
}

/// Returns `part` as a fraction of `whole`.
#[allow(clippy::cast_precision_loss)] // a share is good to fifteen digits
pub(super) fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

/// Returns a name as shown in errors.
pub fn quoted(name: &str) -> String {
    format!("`{}`", fitted(&shown_name(name), 80))
}

/// Returns the counted name that is nearest to `asked`.
pub fn nearest<'n>(ingested: &'n Ingested, asked: &str) -> Option<&'n str> {
    let counted = ingested.counters.names.sorted().into_iter();
    let names = counted.map(|(_, name, _)| name).filter(|name| !name.is_empty());
    crate::nearest::nearest(asked, names)
}
