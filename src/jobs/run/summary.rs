//! Builds the report from the counts of both phases.

use std::collections::BTreeMap;
use std::time::Duration;

use ahash::AHashMap;

use super::produce::Produced;
use crate::engine::Engine;
use crate::engine::identity::Resolution;
use crate::engine::identity::ids::Space;
use crate::engine::identity::resolve::Through;
use crate::engine::ingest::profile::Disagreement;
use crate::engine::map::counters::Counters;
use crate::engine::map::example::{Lines, Position};
use crate::engine::map::names::Ranked;
use crate::engine::map::unused_email::UnusedField;
use crate::engine::plan::{Light, Terms, Timeframe, Usage};
use crate::engine::resolve::row::POLICIES;
use crate::event::CallType;
use crate::parse::reject::Reason;
use crate::parse::shape::Shape;
use crate::report::filters::Filters;
use crate::report::history::{History, cold_ranges};
use crate::report::{
    Deleted, Duplicates, Events, Fault, Identity, Input, Leads, MergeRefused, NameCount, Period,
    Plan, Rejects, Report, Resolutions, RuleCount, RuleCounts, SharedId, TimestampExample,
    TimestampExamples, Trend, UnusedEmails, Window, finding, hint,
};
use crate::source::{FileId, Reader};

/// The maximum number of event names, and of lost leads, that are listed.
pub(super) const LISTED: usize = 1000;

/// The input of a report.
pub struct Facts<'a> {
    /// The settings of the run.
    pub engine: &'a Engine,
    /// What was read.
    pub read: Read,
    /// The counts of the first phase.
    pub counters: &'a Counters,
    /// The number of duplicates.
    pub duplicates: u64,
    /// The number of message ids with several contents and of contents with several message ids, if
    /// requested.
    pub profile: Option<Disagreement>,
    /// The line numbers of the inputs.
    pub lines: &'a Lines,
    /// The results of the second phase.
    pub produced: &'a Produced,
    /// The periods of the plan and the spans of the history.
    pub timeframe: &'a Timeframe,
    /// The limits of the plan.
    pub terms: &'a Terms,
    /// The path of the rules file.
    pub rules_file: Option<String>,
    /// The path of the file of destination filters.
    pub filters_file: Option<String>,
    /// Warnings.
    pub warnings: Vec<String>,
    /// The duration of the run.
    pub elapsed: Duration,
}

/// What was read.
#[derive(Debug, Default)]
pub struct Read {
    /// The inputs, in order.
    pub inputs: Vec<Input>,
    /// What could not be read.
    pub faults: Vec<Fault>,
    /// Warnings about inputs that were skipped.
    pub skipped: Vec<String>,
    /// Bytes read, as they are stored.
    pub bytes_read: u64,
}

impl Read {
    /// All that `reader` has read, with the number of records of each input.
    pub fn all(reader: &Reader, records: &AHashMap<FileId, u64>) -> Self {
        Self {
            inputs: Input::all(reader, records),
            faults: Fault::all(reader),
            skipped: reader.skipped(),
            bytes_read: reader.bytes_read(),
        }
    }
}

impl Facts<'_> {
    /// Returns the report.
    pub fn report(mut self) -> Report {
        let rejects = self.rejects();
        let events = self.events();
        let mut warnings = std::mem::take(&mut self.warnings);
        let identity = self.identity();
        let tally = &self.produced.tally;
        warnings.extend(events.implausible_warning());
        warnings.extend(hint::user_id_is_email(tally.address_as_user_id, tally.identifies));
        warnings.extend(identity.unused_emails.warning());
        warnings.append(&mut self.read.skipped);
        let deleted = self.deleted();
        warnings.extend(hint::deleted(&deleted));
        let mut report = Report {
            version: 1,
            inputs: std::mem::take(&mut self.read.inputs),
            records: events.total + rejects.total,
            records_by_shape: self.shapes(),
            foreign_requests: self.counters.foreign_requests,
            rejects,
            window: self.engine.window.map(Window::from),
            duplicates: Duplicates {
                total: self.duplicates(),
                same_message_id_different_content: self.profile.map(|profile| profile.messages),
                same_content_different_message_id: self.profile.map(|profile| profile.contents),
            },
            identity,
            deleted,
            rules: self.rules(),
            leads: self.leads(),
            plan: self.plan(),
            history: self.history(),
            guarded_cells: self.produced.guarded_cells,
            faults: std::mem::take(&mut self.read.faults),
            elapsed_seconds: self.elapsed.as_secs_f64(),
            bytes_read: self.read.bytes_read,
            filters: self.filters(),
            events,
            warnings,
            findings: Vec::new(),
        };
        report.findings = finding::all(&report);
        report
    }

    /// Returns the number of duplicates in the window.
    fn duplicates(&self) -> u64 {
        self.duplicates - self.produced.tally.outside_duplicates
    }

    fn deleted(&self) -> Deleted {
        let (deletions, forgotten) = (&self.counters.deletions, &self.produced.tally.forgotten);
        Deleted {
            calls: deletions.calls,
            users: deletions.users(),
            events: forgotten.events,
            signals: forgotten.signals,
            leads: self.produced.forgotten_leads,
        }
    }

    fn filters(&self) -> Option<Filters> {
        let filters = self.engine.filters.as_ref()?;
        let file = self.filters_file.clone().unwrap_or_default();
        Some(Filters::new(file, filters, &self.counters.filters))
    }

    fn shapes(&self) -> BTreeMap<&'static str, u64> {
        let counts = self.counters.shapes;
        Shape::ALL.map(|shape| (shape.name(), counts[shape as usize])).into()
    }

    fn rejects(&self) -> Rejects {
        let counts = self.counters.rejects;
        let by_reason = Reason::ALL.map(|reason| (reason.name(), counts[reason as usize]));
        Rejects { total: counts.iter().sum(), by_reason: by_reason.into() }
    }

    fn timestamp_examples(&self) -> TimestampExamples {
        let times = &self.counters.times;
        let at = |position: &Position| {
            let (file, line) = self.lines.of(position.place, position.line);
            TimestampExample { file, line, ..TimestampExample::default() }
        };
        let missing = times.missing.first().iter();
        let unreadable = times.unreadable.first().iter().map(|(position, found)| {
            let (field, value) = (Some(found.member.key()), Some(found.value.to_string()));
            TimestampExample { field, value, ..at(position) }
        });
        let implausible = times.implausible.first().iter().map(|(position, time)| {
            TimestampExample { value: Some(time.to_string()), ..at(position) }
        });
        TimestampExamples {
            no_timestamp: missing.map(|(position, ())| at(position)).collect(),
            unreadable_timestamp: unreadable.collect(),
            implausible_timestamps: implausible.collect(),
        }
    }

    fn events(&self) -> Events {
        let counters = self.counters;
        let (times, tally) = (&counters.times, &self.produced.tally);
        let ranked = counters.names.ranked(LISTED);
        let mut by_type = BTreeMap::new();
        for call in CallType::ALL {
            by_type.insert(call.name(), 0);
        }
        for (call, _, count) in counters.names.iter() {
            *by_type.entry(call.name()).or_default() += count;
        }
        Events {
            total: counters.events,
            filtered: counters.filtered,
            outside_window: tally.outside_window + tally.outside_duplicates,
            duplicates: self.duplicates(),
            kept: counters.events - counters.filtered - self.duplicates - tally.outside_window,
            no_anonymous_id: counters.no_anonymous_id,
            repairs: counters.repairs,
            no_timestamp: times.missing.count(),
            clock_skew: times.clock_skew,
            corrected_clocks: times.corrected,
            naive_timestamps: times.naive,
            unreadable_timestamp: times.unreadable.count(),
            implausible_timestamps: times.implausible.count(),
            timestamp_examples: self.timestamp_examples(),
            by_type,
            by_name: name_counts(&ranked),
            other_names: ranked.others,
            other_count: ranked.other_count,
        }
    }

    fn identity(&self) -> Identity {
        let Produced { tally, visitors, shared, merge_refused, .. } = self.produced;
        let of = |resolution| tally.resolutions[resolution as usize];
        let kind = |space: &Space| match space {
            Space::User => "user_id",
            _ => "anonymous_id",
        };
        let shared = shared.iter().map(|(space, id, emails)| SharedId {
            kind: kind(space),
            id: id.clone(),
            emails: *emails,
        });
        let refused = merge_refused
            .iter()
            .map(|(emails, user_ids)| MergeRefused { emails: *emails, user_ids: user_ids.clone() });
        let changes = POLICIES.iter().zip(tally.would_change);
        Identity {
            policy: self.engine.rules.identity.policy.name(),
            facts: tally.facts,
            anonymous_ids: visitors[0],
            user_ids: visitors[1],
            signals: Resolutions {
                total: tally.resolutions.iter().sum(),
                direct: of(Resolution::Direct),
                known: of(Resolution::Known),
                rehydrated: of(Resolution::Rehydrated),
                cold: of(Resolution::Cold),
            },
            through: crate::report::Through {
                anonymous_id: tally.through[Through::AnonymousId as usize],
                user_id: tally.through[Through::UserId as usize],
                bridge: tally.through[Through::Bridge as usize],
            },
            rehydrated_after: cold_ranges(&self.produced.cold_times),
            identify_without_email: tally.identify_without_email,
            identify_user_id_is_email: tally.address_as_user_id,
            unused_emails: self.unused_emails(),
            invalid_email: tally.invalid_email,
            blocked_emails: tally.blocked_emails,
            blocked_ids: tally.blocked_ids,
            internal_signals: tally.internal_signals,
            would_change_owner: changes.map(|(policy, count)| (policy.name(), count)).collect(),
            shared_ids: shared.collect(),
            merged_emails: self.produced.merged_emails as u64,
            merge_refused: refused.collect(),
        }
    }

    fn unused_emails(&self) -> UnusedEmails {
        let unused = &self.counters.unused_emails;
        let by_path = UnusedField::ALL.map(|field| (field.path(), unused.of(field).count()));
        UnusedEmails::new(&by_path, self.produced.unknown_addresses)
    }

    fn rules(&self) -> RuleCounts {
        let tally = &self.produced.tally;
        let by_rule = self.engine.rules.rules.iter().zip(&tally.matches);
        let mapped = tally.matches.iter().sum();
        let unmapped = self.counters.names.ranked_by(&tally.unmapped, LISTED);
        RuleCounts {
            file: self.rules_file.clone(),
            mapped,
            unmapped: tally.resolutions.iter().sum::<u64>() - mapped,
            by_rule: by_rule
                .map(|(rule, &matches)| RuleCount {
                    id: rule.id.clone(),
                    matches,
                    score: rule.score,
                })
                .collect(),
            unmapped_by_event: name_counts(&unmapped),
        }
    }

    fn leads(&self) -> Leads {
        let leads = &self.produced.leads;
        Leads {
            total: leads.total,
            with_signals: leads.with_signals,
            without_signals: leads.total - leads.with_signals,
            lowest_score: leads.min_score,
            highest_score: leads.max_score,
            total_score: leads.total_score,
            by_score: leads.by_score.ranges(),
        }
    }

    fn history(&self) -> History {
        let Timeframe { ledger, spans } = self.timeframe;
        History::new(spans, &self.produced.history, ledger, self.terms.raw_signals)
    }

    fn plan(&self) -> Plan {
        let Self { timeframe, terms, produced, .. } = self;
        let ledger = &timeframe.ledger;
        let totals = &ledger.totals;
        let trend = ledger.trend.as_ref().map(|trend| Trend {
            change_per_period: trend.change,
            limit_reached_in: trend.reached_in.clone(),
        });
        let periods = ledger.periods.iter().enumerate();
        Plan {
            name: terms.name.clone(),
            period: terms.calendar.every().name(),
            timezone: terms.calendar.timezone().to_owned(),
            raw_signals_limit: terms.raw_signals,
            active_leads_limit: terms.active_leads,
            periods: periods.map(|(at, usage)| self.period(at, usage)).collect(),
            over: totals.over,
            retried: totals.retried,
            lost: totals.lost,
            lost_identifies: produced.tally.lost_identifies,
            lost_leads: produced.lost_leads,
            lost_lead_emails: produced.lost_lead_emails.clone(),
            undated: ledger.undated,
            trend,
        }
    }

    #[allow(clippy::cast_precision_loss)] // a share is good to fifteen digits
    fn period(&self, at: usize, usage: &Usage) -> Period {
        let active_leads = self.produced.active_leads.get(at).copied().unwrap_or(0);
        let limit = self.terms.raw_signals;
        Period {
            period: usage.period.label(),
            start: usage.period.start_time().to_string(),
            end: usage.period.end_time().to_string(),
            raw_signals: usage.raw_signals,
            limit,
            share: limit.map(|limit| usage.raw_signals as f64 / limit as f64),
            light: Light::of(usage.raw_signals, limit).name(),
            reached_at: usage.reached_time().map(|time| time.to_string()),
            carried: usage.carried,
            over: usage.over,
            retried: usage.retried,
            lost: usage.lost,
            monthly_tracked_users: self.produced.tracked_users.get(at).copied(),
            active_leads,
            active_leads_limit: self.terms.active_leads,
            active_leads_light: Light::of(active_leads, self.terms.active_leads).name(),
            mix: self.produced.tally.mix.get(at).copied().unwrap_or_default(),
        }
    }
}

/// Converts the most frequent names to the format of the report.
fn name_counts(ranked: &Ranked<'_>) -> Vec<NameCount> {
    let names = ranked.first.iter();
    names
        .map(|&(call, event, count)| NameCount {
            call: call.name(),
            event: event.to_owned(),
            count,
        })
        .collect()
}
