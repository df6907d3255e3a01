//! Builds the report from two resolved scenarios and the counts.

use std::collections::BTreeMap;

use ahash::AHashMap;

use super::fit::{self, Uses};
use super::report::{
    By, Day, Entry, Events, Example, Fate, FilterInfo, HistorySpan, Lead, LeadCounts, Leads, Line,
    Loss, Lowered, Name, Pair, Period, Plan, Report, SignalCounts, Signals, Usage, VERSION,
};
use super::survey::Filters;
use super::{Side, finding};
use crate::engine::Engine;
use crate::engine::identity::Resolution;
use crate::engine::map::event_names::EventNames;
use crate::engine::map::example::Lines;
use crate::engine::plan::{Calendar, Ledger, Light, Span, Spans, Terms, Volume};
use crate::engine::resolve::sums::LeadSums;
use crate::engine::watch::Watch;
use crate::error::Error;
use crate::event::CallType;
use crate::jobs::audit::event_counts::{EventCounts, NONE, Traits};
use crate::jobs::audit::ingest::Ingested;
use crate::jobs::audit::lead_lines::{Comparison, LeadLine};
use crate::jobs::audit::scenario::{Outcome, Resources};
use crate::jobs::audit::signal_sums::{NameSum, SignalCounter};
use crate::jobs::audit::source_line::{Sightings, SourceLine};
use crate::parse::reject::Reason;
use crate::report::{Fault, Input, Window};
use crate::source::Reader;

/// The maximum number of leads, and of units that could be dropped, that are listed.
pub(super) const LISTED: usize = 1000;

/// The input of a report.
pub struct Facts<'a> {
    /// The rules and settings.
    pub engine: &'a Engine,
    /// The two filters.
    pub filters: &'a Filters,
    /// Descriptions of the two filters.
    pub infos: [Vec<FilterInfo>; 2],
    /// The reader of the inputs, at their ends.
    pub reader: &'a Reader,
    /// The result of the first phase.
    pub ingested: &'a Ingested,
    /// The limits of the plan.
    pub terms: &'a Terms,
    /// The path of the rules file.
    pub rules_file: Option<String>,
    /// Warnings.
    pub warnings: Vec<String>,
}

/// The evidence for findings: counts, outcomes, and places in the input.
pub struct Evidence<'a> {
    /// The input of the report.
    pub facts: &'a Facts<'a>,
    /// The outcomes before and after.
    pub outcomes: &'a [Outcome; 2],
    /// The raw signals by unit and period, if the plan does not suffice after the filter.
    pub uses: Option<&'a Uses>,
    /// The difference between the leads of the two outcomes.
    pub compared: Comparison,
    /// The number of addresses that signals carry after the filter and that belong to no lead.
    pub unknown_addresses: u64,
    /// The lines of the inputs.
    pub lines: Lines,
}

impl Evidence<'_> {
    /// Returns the counts of events.
    pub fn event_counts(&self) -> &EventCounts {
        &self.facts.ingested.counts.event_counts
    }

    /// Returns the first places of `seen`.
    pub fn examples(&self, seen: &Sightings) -> Vec<Example> {
        seen.source_lines().map(|source_line| self.example(source_line)).collect()
    }

    /// Returns the line of the allow list at the index `by`.
    pub fn entry(&self, by: u32) -> Option<Entry> {
        let line = self.facts.filters.after.allow.as_ref()?.lines().get(by as usize)?;
        Some(Entry { number: line.number, text: line.text.to_string() })
    }
}

impl Evidence<'_> {
    /// Returns the destination filter at the index `by` in the file.
    pub fn dropper(&self, by: u32) -> Option<Entry> {
        let filters = self.facts.filters.after.destination.as_ref()?;
        let filter = filters.filters().get(by as usize)?;
        Some(Entry { number: filter.number, text: filter.title.to_string() })
    }
}

impl Evidence<'_> {
    fn example(&self, source_line: SourceLine) -> Example {
        let (file, line) = self.lines.of(source_line.place, source_line.line.into());
        Example { file, line }
    }
}

/// The number of events that a line or a filter keeps (`true`) or drops, by its index.
type Deciders = AHashMap<(bool, u32), u64>;

impl Facts<'_> {
    /// Resolves both scenarios and builds the report, except for its duration.
    ///
    /// # Errors
    /// Returns an error if the audit was interrupted or if spilled data cannot be read.
    pub fn report(&self, pool: &rayon::ThreadPool, watch: &dyn Watch) -> Result<Report, Error> {
        let ingested = self.ingested;
        let names = EventNames::new(&ingested.counters.names);
        let resources = Resources { engine: self.engine, names: &names, pool, watch };
        let scores: Vec<i64> = self.engine.rules.rules.iter().map(|rule| rule.score).collect();
        let ledger = |side: Side| Ledger::new(&ingested.counts.volumes[side as usize], self.terms);
        let is_over = ledger(Side::After).totals.over > 0;
        let resolve = |side: Side| {
            let contributions = is_over && side == Side::After;
            let active = side == Side::After && self.terms.active_leads.is_some();
            let signal_counter = SignalCounter { scores: &scores, contributions, active };
            // Only a change of the filter needs the facts again.
            let facts = ingested.scenarios[side as usize].facts(contributions);
            ingested.scenarios[side as usize].resolve(
                resources,
                ledger(side),
                facts,
                None,
                signal_counter,
            )
        };
        let outcomes = [resolve(Side::Before)?, resolve(Side::After)?];
        let after = &ingested.scenarios[Side::After as usize];
        let uses =
            if is_over { Some(Uses::count(after, resources, &outcomes[1].ledger)?) } else { None };
        let [before, left] = outcomes.each_ref().map(|outcome| &outcome.leads);
        let unused = &ingested.counts.unused_emails;
        let unknown_addresses = unused.count_unknown(|see| left.each(|lead| see(&lead.email)));
        let evidence = Evidence {
            facts: self,
            outcomes: &outcomes,
            uses: uses.as_ref(),
            compared: Comparison::new(before, left).map_err(Error::Spill)?,
            unknown_addresses: unknown_addresses.map_err(Error::Spill)?,
            lines: self.lines_of_files(),
        };
        let change = match &uses {
            Some(uses) => Some(fit::advise(self, resources, &outcomes[1], uses, &scores)?),
            None => None,
        };
        let mut report = self.plain(&evidence, &names);
        report.findings = finding::all(&evidence, &report, change.as_ref());
        report.change = change;
        Ok(report)
    }

    /// Returns the report without findings and change.
    fn plain(&self, evidence: &Evidence<'_>, names: &EventNames<'_>) -> Report {
        let ingested = self.ingested;
        let rejects: BTreeMap<_, _> = Reason::ALL
            .into_iter()
            .map(|reason| (reason.name(), ingested.counters.rejects[reason as usize]))
            .collect();
        let records = ingested.counters.events + rejects.values().sum::<u64>();
        Report {
            version: VERSION,
            filter: self.infos[Side::After as usize].clone(),
            against: self.infos[Side::Before as usize].clone(),
            rules: self.rules_file.clone(),
            inputs: Input::all(self.reader, &self.ingested.counters.records_by_file),
            records,
            rejects,
            window: self.engine.window.map(Window::from),
            events: self.events(evidence.outcomes),
            names: self.names(evidence),
            lines: self.lines(),
            plan: self.plan(evidence.outcomes),
            leads: leads(evidence.outcomes, &evidence.compared),
            signals: Signals {
                before: signals(&evidence.outcomes[0]),
                after: signals(&evidence.outcomes[1]),
            },
            losses: Self::losses(evidence.outcomes, names),
            warnings: self.warnings.iter().cloned().chain(self.reader.skipped()).collect(),
            faults: Fault::all(self.reader),
            bytes_read: self.reader.bytes_read(),
            ..Report::default()
        }
    }

    fn lines_of_files(&self) -> Lines {
        let segments = self.ingested.scenarios[Side::Before as usize].store.segments();
        Lines::new(self.reader.files(), segments)
    }

    fn events(&self, outcomes: &[Outcome; 2]) -> Events {
        let Ingested { scenarios, counts, .. } = self.ingested;
        let duplicates =
            |side: usize| scenarios[side].duplicates - outcomes[side].tally.outside_duplicates;
        Events {
            total: self.total(),
            outside_window: counts.outside_window,
            before: counts.volumes[0].total(),
            after: counts.volumes[1].total(),
            duplicates_before: duplicates(0),
            duplicates_after: duplicates(1),
            changed: counts.event_counts.sum(|key| key.traits.has(Traits::CHANGED)).count,
        }
    }

    /// Returns the number of events that the filter is applied to.
    fn total(&self) -> u64 {
        let Ingested { counters, counts, .. } = self.ingested;
        counters.events - counters.filtered - counts.outside_window
    }

    #[allow(clippy::cast_precision_loss)] // a share is good to fifteen digits
    fn names(&self, evidence: &Evidence<'_>) -> Vec<Name> {
        let event_counts = evidence.event_counts();
        let mut names: Vec<(Name, Sightings, Deciders)> = (0..event_counts.len())
            .map(|number| {
                let (call, event) = event_counts.name(u32::try_from(number).unwrap_or(NONE));
                let name = Name { call: call.name(), event: event.to_owned(), ..Name::default() };
                (name, Sightings::default(), AHashMap::new())
            })
            .collect();
        for (key, seen) in event_counts.cells() {
            let (name, sum, by) = &mut names[key.name as usize];
            let kept = key.traits.has(Traits::AFTER);
            *sum += *seen;
            name.kept += if kept { seen.count } else { 0 };
            name.before += if key.traits.has(Traits::BEFORE) { seen.count } else { 0 };
            name.mapped += if key.rule == NONE { 0 } else { seen.count };
            *by.entry((kept, key.by)).or_default() += seen.count;
        }
        let total = self.total();
        let mut names: Vec<Name> = names
            .into_iter()
            .map(|(name, sum, by)| Name {
                count: sum.count,
                share: sum.count as f64 / total.max(1) as f64,
                fate: match name.kept {
                    0 => Fate::Dropped,
                    kept if kept == sum.count => Fate::Kept,
                    _ => Fate::Partly,
                },
                by: Self::by(by, evidence),
                examples: evidence.examples(&sum),
                ..name
            })
            .collect();
        names.sort_unstable_by(|a, b| {
            let order = b.count.cmp(&a.count);
            order.then_with(|| (a.call, &a.event).cmp(&(b.call, &b.event)))
        });
        names
    }

    fn by(by: Deciders, evidence: &Evidence<'_>) -> Vec<By> {
        let mut by: Vec<By> = by
            .into_iter()
            .map(|((kept, by), count)| {
                let entry = if kept { evidence.entry(by) } else { evidence.dropper(by) };
                let (number, text) = entry.map(|entry| (entry.number, entry.text)).unzip();
                let fate = if kept { Fate::Kept } else { Fate::Dropped };
                By { fate, number, text, count }
            })
            .collect();
        by.sort_unstable_by(|a, b| b.count.cmp(&a.count).then_with(|| a.number.cmp(&b.number)));
        by
    }

    fn lines(&self) -> Vec<Line> {
        let Some(list) = &self.filters.after.allow else { return Vec::new() };
        let counts = &self.ingested.counts;
        let mut taken = vec![0; list.lines().len()];
        let kept = counts.event_counts.cells().filter(|(key, _)| key.traits.has(Traits::AFTER));
        for (key, seen) in kept {
            if let Some(sum) = taken.get_mut(key.by as usize) {
                *sum += seen.count;
            }
        }
        let lines = list.lines().iter().zip(taken).zip(&counts.lines_seen);
        let line = |((line, count), &seen): ((&crate::filter::allow::Line, u64), &bool)| Line {
            number: line.number,
            text: line.text.to_string(),
            count,
            seen,
        };
        lines.map(line).collect()
    }

    fn plan(&self, outcomes: &[Outcome; 2]) -> Plan {
        let terms = self.terms;
        let mut periods: BTreeMap<i64, Period> = BTreeMap::new();
        for (side, outcome) in Side::BOTH.into_iter().zip(outcomes) {
            for (at, usage) in outcome.ledger.periods.iter().enumerate() {
                let active = outcome.active_leads.get(at).copied().unwrap_or(0);
                let period = periods.entry(usage.period.start).or_insert_with(|| Period {
                    period: usage.period.label(),
                    days: days(usage.period.minutes()),
                    before: unused(),
                    after: unused(),
                    saved: 0,
                });
                let used = used(usage, active, terms);
                match side {
                    Side::Before => period.before = used,
                    Side::After => period.after = used,
                }
            }
        }
        let saved = |mut period: Period| {
            let raw = |usage: &Usage| i64::try_from(usage.raw_signals).unwrap_or(i64::MAX);
            period.saved = raw(&period.before) - raw(&period.after);
            period
        };
        let volumes = &self.ingested.counts.volumes;
        let spans = Spans::new(&[&volumes[0], &volumes[1]], &terms.calendar);
        Plan {
            name: terms.name.clone(),
            period: terms.calendar.every().name(),
            timezone: terms.calendar.timezone().to_owned(),
            raw_signals_limit: terms.raw_signals,
            active_leads_limit: terms.active_leads,
            periods: periods.into_values().map(saved).collect(),
            days: by_day(volumes, &terms.calendar.daily()),
            unit: spans.unit(),
            history: history(&spans, volumes, &outcomes[0].ledger, terms.raw_signals),
            undated: Pair { before: volumes[0].undated, after: volumes[1].undated },
        }
    }

    fn losses(outcomes: &[Outcome; 2], names: &EventNames<'_>) -> Vec<Loss> {
        let mut both: BTreeMap<(CallType, u32), [NameSum; 2]> = BTreeMap::new();
        for (side, outcome) in outcomes.iter().enumerate() {
            for (call, number, sum) in outcome.signal_sums.names() {
                both.entry((call, number)).or_default()[side] = sum;
            }
        }
        let mut losses: Vec<Loss> = both
            .into_iter()
            .filter(|(_, [before, after])| before.resolved > after.resolved)
            .map(|((call, event), [before, after])| Loss {
                call: call.name(),
                event: names.as_slice().get(event as usize).map_or("", |name| name).to_owned(),
                resolved: Pair { before: before.resolved, after: after.resolved },
                scored: Pair { before: before.scored, after: after.scored },
                score_lost: before.score.saturating_sub(after.score),
                gone_cold: (before.resolved - after.resolved)
                    .saturating_sub(before.signals.saturating_sub(after.signals)),
            })
            .collect();
        let lost = |pair: Pair| pair.before.saturating_sub(pair.after);
        losses.sort_by_key(|loss| {
            std::cmp::Reverse((loss.score_lost, lost(loss.scored), lost(loss.resolved)))
        });
        losses
    }
}

#[allow(clippy::cast_precision_loss)] // for a line in a picture
fn days(minutes: i64) -> f64 {
    minutes as f64 / (24.0 * 60.0)
}

fn unused() -> Usage {
    Usage {
        light: Light::Green.name(),
        active_leads_light: Light::Green.name(),
        ..Usage::default()
    }
}

#[allow(clippy::cast_precision_loss)] // a share is good to fifteen digits
fn used(usage: &crate::engine::plan::Usage, active_leads: u64, terms: &Terms) -> Usage {
    let limit = terms.raw_signals;
    Usage {
        raw_signals: usage.raw_signals,
        share: limit.map(|limit| usage.raw_signals as f64 / limit as f64),
        light: Light::of(usage.raw_signals, limit).name(),
        over: usage.over,
        lost: usage.lost,
        reached_at: usage.reached_time().map(|time| time.to_string()),
        active_leads,
        active_leads_light: Light::of(active_leads, terms.active_leads).name(),
    }
}

/// Returns the raw signals of each span; the ledger is that of the scenario with more raw signals.
fn history(
    spans: &Spans,
    volumes: &[Volume; 2],
    ledger: &Ledger,
    limit: Option<u64>,
) -> Vec<HistorySpan> {
    let span = |span: &Span| HistorySpan {
        span: span.label.clone(),
        allowance: ledger.allowance(span, limit),
        ..HistorySpan::default()
    };
    let mut history: Vec<HistorySpan> = spans.as_slice().iter().map(span).collect();
    for (side, volume) in Side::BOTH.into_iter().zip(volumes) {
        let mut at = 0;
        for (minute, count) in volume.by_minute() {
            let Some(position) = spans.position(minute, at) else { continue };
            at = position;
            match side {
                Side::Before => history[at].before += count,
                Side::After => history[at].after += count,
            }
        }
    }
    history
}

fn by_day(volumes: &[Volume; 2], calendar: &Calendar) -> Vec<Day> {
    let mut days: BTreeMap<i64, Day> = BTreeMap::new();
    for (side, volume) in Side::BOTH.into_iter().zip(volumes) {
        let mut day = None;
        for (minute, count) in volume.by_minute() {
            let day = match day.filter(|day: &crate::engine::plan::Period| day.contains(minute)) {
                Some(day) => day,
                None => *day.insert(calendar.containing(minute)),
            };
            let sum =
                days.entry(day.start).or_insert_with(|| Day { day: day.label(), ..Day::default() });
            match side {
                Side::Before => sum.before += count,
                Side::After => sum.after += count,
            }
        }
    }
    days.into_values().collect()
}

/// Returns the sums in the format of the report.
pub(super) fn lead_counts(sums: &LeadSums) -> LeadCounts {
    LeadCounts { total: sums.total, with_signals: sums.with_signals, total_score: sums.total_score }
}

fn signals(outcome: &Outcome) -> SignalCounts {
    let tally = &outcome.tally;
    let of = |resolution: Resolution| tally.resolutions[resolution as usize];
    let total = tally.resolutions.iter().sum();
    SignalCounts {
        total,
        resolved: total - of(Resolution::Cold),
        direct: of(Resolution::Direct),
        known: of(Resolution::Known),
        rehydrated: of(Resolution::Rehydrated),
        cold: of(Resolution::Cold),
        mapped: tally.matches.iter().sum(),
    }
}

fn leads(outcomes: &[Outcome; 2], compared: &Comparison) -> Leads {
    let lead = |LeadLine { email, score, signals }| Lead { email: email.into(), score, signals };
    let lowered_lead = |(before, after): (LeadLine, i64)| Lowered {
        email: before.email.into(),
        before: before.score,
        after,
    };
    Leads {
        before: lead_counts(&outcomes[0].sums),
        after: lead_counts(&outcomes[1].sums),
        lost: compared.lost,
        gained: compared.gained,
        lowered: compared.lowered,
        lost_leads: compared.lost_leads().into_iter().map(lead).collect(),
        lowered_leads: compared.lowered_leads().into_iter().map(lowered_lead).collect(),
    }
}
