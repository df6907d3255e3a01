//! The second phase of a run: processes every row once, then the leads.

use std::collections::BinaryHeap;
use std::io::Write;

use rayon::ThreadPool;

use super::leads::write_leads;
use super::output::Output;
use super::page::TopLead;
use super::signals::{Streams, write_signals};
use super::summary::LISTED;
use crate::engine::Engine;
use crate::engine::exchange::rejects;
use crate::engine::exchange::store::{Store, lines_before};
use crate::engine::identity::all_ids::{AllIds, TextOrder};
use crate::engine::identity::ids::{NodeId, Space};
use crate::engine::identity::timeline::Timelines;
use crate::engine::ingest::commit::Committed;
use crate::engine::lead::Ranked;
use crate::engine::map::counters::Counters;
use crate::engine::map::event_names::EventNames;
use crate::engine::map::unused_email::Addresses;
use crate::engine::plan::{Timeframe, TrackedUsers};
use crate::engine::resolve::cold_time::ColdTimes;
use crate::engine::resolve::history::History;
use crate::engine::resolve::lead_rows::LeadRows;
use crate::engine::resolve::sums::{LeadCounter, LeadSums, rule_terms};
use crate::engine::resolve::tally::Tally;
use crate::engine::resolve::{Input, Stage};
use crate::engine::watch::{Phase, Watch};
use crate::error::Error;
use crate::report::Visitors;
use crate::rules::PeriodLength;
use crate::source::Files;

/// The results of the second phase, for the report.
pub struct Produced {
    /// The counts of all kept events.
    pub tally: Tally,
    /// The numbers of anonymous ids and of user ids, and how many of each resolve to an e-mail.
    pub visitors: [Visitors; 2],
    /// Ids with more e-mails than one person has: the kind, the id, and the minimum number of
    /// e-mails.
    pub shared: Vec<(Space, String, usize)>,
    /// The number of e-mails that were merged into another lead.
    pub merged_emails: usize,
    /// E-mails that share user ids but are too many to be one person: their number, and the user
    /// ids.
    pub merge_refused: Vec<(usize, Vec<String>)>,
    /// The number of addresses in signals that no rule maps and no event supplies as an e-mail.
    pub unknown_addresses: u64,
    /// Sums over the leads.
    pub leads: LeadSums,
    /// The number of leads that the service would not have created.
    pub lost_leads: u64,
    /// The alphabetically first e-mails of these leads.
    pub lost_lead_emails: Vec<String>,
    /// The number of leads with a signal, by period of the plan.
    pub active_leads: Vec<u64>,
    /// Monthly tracked users, by period of the plan; empty if the period is not a month.
    pub tracked_users: Vec<u64>,
    /// The number of additional leads that there would be without deletion requests.
    pub forgotten_leads: u64,
    /// The number of CSV cells that a spreadsheet would have run as formulas.
    pub guarded_cells: u64,
    /// What became of the raw signals over time.
    pub history: History,
    /// How long rehydrated signals were cold.
    pub cold_times: ColdTimes,
    /// The leads with the highest scores.
    pub top_leads: Vec<TopLead>,
}

/// What is needed for the second phase.
#[derive(Clone, Copy)]
pub struct Setting<'a> {
    /// The rules and settings.
    pub engine: &'a Engine,
    /// The counts of the first phase.
    pub counters: &'a Counters,
    /// The inputs.
    pub files: &'a Files,
    /// The periods of the plan and the spans of the history.
    pub timeframe: &'a Timeframe,
    /// The thread pool.
    pub pool: &'a ThreadPool,
    /// Receives progress and can interrupt the run.
    pub watch: &'a dyn Watch,
}

/// Resolves, scores and writes what was `committed`; `addresses` are those that signals carry unused.
///
/// # Errors
/// Returns an error if the run was interrupted, if spilled data cannot be read, or if an output
/// cannot be written.
pub fn produce(
    setting: Setting<'_>,
    (committed, addresses): (Committed, Addresses),
    output: &mut Output,
) -> Result<Produced, Error> {
    let Setting { engine, counters, files, timeframe, pool, watch } = setting;
    let Timeframe { ledger, spans } = timeframe;
    let Committed { ids, facts, store, scratch, .. } = committed;
    let names = EventNames::new(&counters.names);
    let is_monthly = engine.rules.plan.period == PeriodLength::Month;
    let tracked = is_monthly.then(|| TrackedUsers::new(ledger.periods.len(), ids.visitors_end()));
    let scratch = scratch.without(tracked.as_ref().map_or(0, TrackedUsers::most_bytes));
    let mut signals = output.signals(engine)?;
    let rejected = counters.rejects.iter().any(|&count| count > 0);
    let mut rejects = if rejected { output.file("rejects.ndjson")? } else { None };
    let resolved = write_signals(
        Stage { engine, ids: &ids, ledger, names: &names, pool, watch },
        Input { facts, store: &store, scratch: &scratch, dropped: None },
        files,
        (tracked.as_ref(), spans),
        &mut Streams { signals: &mut signals, rejects: rejects.as_mut() },
    )?;
    watch.enter(Phase::Writing);
    let mut guarded_cells = signals.guarded_cells();
    output.close(signals)?;
    if let Some(file) = rejects {
        output.keep(file);
    }
    // Deleting the file of rows takes time and must not delay the leads.
    pool.spawn(move || drop(store));

    let leads = &resolved.leads;
    let terms = rule_terms(engine);
    let mut table = output.leads(engine)?;
    let rows =
        LeadRows { ids: &ids, groups: &resolved.groups, terms: &terms, events: names.as_slice() };
    let (mut counter, mut lost_leads) =
        (LeadCounter::new(ledger.periods.len()), LostLeads::default());
    let mut forgotten = resolved.tally.forgotten.brought.clone();
    let mut top_leads = Vec::with_capacity(TopLead::SHOWN);
    let see = |ranked: &Ranked<'_>| {
        counter.see(ranked);
        forgotten.remove(&ranked.email);
        if top_leads.len() < TopLead::SHOWN {
            top_leads.push(rows.with_row(ranked, |row| match &engine.redaction {
                None => TopLead::new(row),
                Some(redaction) => redaction.lead(row, TopLead::new),
            }));
        }
        if !ranked.lead.accepted {
            lost_leads.see(&ids, ranked.email);
        }
    };
    // Visitors are counted by one thread, while the others encode leads.
    let (visitors, written) = pool.join(
        || VisitorCounts::new(&resolved.identities.timelines, &ids, tracked.as_ref(), engine),
        || write_leads(&rows, leads, engine.redaction.as_ref(), &mut table, pool, see),
    );
    written?;
    guarded_cells += table.guarded_cells();
    output.close(table)?;
    let (lead_sums, active_leads) = counter.finish();
    let merged = &resolved.identities.merged;
    let texts = |user_ids: &[_]| user_ids.iter().map(|&id| ids.text(id).into_owned()).collect();
    let refused = merged.refused().iter();
    let (mut history, mut cold_times) = (History::new(spans), ColdTimes::default());
    for render in resolved.visitors {
        let counter = render.into_history();
        history += counter.history;
        cold_times += counter.cold_times;
    }
    let produced = Produced {
        top_leads,
        history,
        cold_times,
        visitors: visitors.by_space,
        shared: visitors.shared,
        merged_emails: merged.joined(),
        merge_refused: refused.map(|one| (one.emails, texts(&one.user_ids))).collect(),
        unknown_addresses: counters
            .unused_emails
            .count_unknown_in(addresses, &ids)
            .map_err(Error::Spill)?,
        leads: lead_sums,
        lost_leads: lost_leads.count,
        lost_lead_emails: lost_leads.emails(&ids),
        active_leads,
        tracked_users: visitors.tracked,
        forgotten_leads: forgotten.len() as u64,
        tally: resolved.tally,
        guarded_cells,
    };
    ids.check().map_err(Error::Spill)?;
    resolved.leads.free(pool);
    Ok(produced)
}

/// The counts of visitors in a report; see [`Produced`].
struct VisitorCounts {
    by_space: [Visitors; 2],
    shared: Vec<(Space, String, usize)>,
    tracked: Vec<u64>,
}

impl VisitorCounts {
    fn new(
        timelines: &Timelines,
        ids: &AllIds,
        tracked: Option<&TrackedUsers>,
        engine: &Engine,
    ) -> Self {
        Self {
            by_space: [Space::Anonymous, Space::User].map(|space| Visitors {
                seen: ids.count(space) as u64,
                resolved: timelines.resolved(ids, space),
            }),
            shared: shared(timelines, ids, engine.rules.identity.max_emails as usize),
            tracked: tracked.map_or_else(Vec::new, TrackedUsers::counts),
        }
    }
}

/// Leads that the service would not have created: their number, and those that are listed.
#[derive(Default)]
struct LostLeads<'a> {
    count: u64,
    first: BinaryHeap<(TextOrder<'a>, NodeId)>,
}

impl<'a> LostLeads<'a> {
    fn see(&mut self, ids: &'a AllIds, email: NodeId) {
        self.count += 1;
        self.first.push((ids.order(email), email));
        if self.first.len() > LISTED {
            self.first.pop();
        }
    }

    fn emails(self, ids: &AllIds) -> Vec<String> {
        let first = self.first.into_sorted_vec().into_iter();
        first.map(|(_, email)| ids.text(email).into_owned()).collect()
    }
}

/// Writes the rejects in `store`, which come from `files`, in order.
///
/// # Errors
/// Returns an error if spilled data cannot be read, or if `out` cannot be written.
pub fn write_rejects(store: &Store, files: &Files, out: &mut impl Write) -> Result<(), Error> {
    let mut buffer = Vec::new();
    for (segment, before) in store.segments().iter().zip(lines_before(store.segments())) {
        let encoded = store.rejects(segment, &mut buffer).map_err(Error::Spill)?;
        let file = files.name(segment.place.file);
        rejects::write_lines(encoded, &file, before, |lines| {
            out.write_all(lines).map_err(Error::from_output)
        })?;
    }
    Ok(())
}

fn shared(timelines: &Timelines, ids: &AllIds, max_emails: usize) -> Vec<(Space, String, usize)> {
    let shared = timelines.shared(max_emails).into_iter();
    let shared = shared.map(|(id, emails)| (ids.space(id), ids.text(id).into_owned(), emails));
    let of_visitors = |space| matches!(space, Space::Anonymous | Space::User);
    let mut shared: Vec<_> = shared.filter(|&(space, ..)| of_visitors(space)).collect();
    shared.sort_unstable();
    shared
}
