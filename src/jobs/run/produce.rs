//! The second phase: timelines, then every row once, then the leads.

use std::collections::BTreeMap;
use std::io::Write;
use std::ops::Range;

use rayon::ThreadPool;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::output::{Output, Tables};
use crate::emit::staging::StagedFile;
use crate::emit::{Chunk, Encoder, Spent};
use crate::engine::Engine;
use crate::engine::exchange::ordered::in_order;
use crate::engine::exchange::rejects;
use crate::engine::identity::ids::{Ids, Space};
use crate::engine::identity::merge::Merged;
use crate::engine::identity::resolve::Resolver;
use crate::engine::identity::timeline::Timelines;
use crate::engine::ingest::Ingested;
use crate::engine::ingest::commit::{Buffers, lines_before};
use crate::engine::lead::Ranking;
use crate::engine::map::event_names::EventNames;
use crate::engine::plan::Ledger;
use crate::engine::resolve::finish::{AHEAD, Finisher};
use crate::engine::resolve::lead_rows::LeadRows;
use crate::engine::resolve::sums::{LeadSums, rule_terms, sum_leads};
use crate::engine::resolve::tally::{Tally, settle_partial};
use crate::engine::watch::Watch;
use crate::error::Error;
use crate::report::Visitors;
use crate::rules::{Merge, PeriodLength};
use crate::source::{FileId, Input};

/// How many leads are encoded at once.
const LEADS_A_CHUNK: usize = 8192;

/// What the second phase found, for the report.
pub struct Produced {
    /// The sums over all kept events.
    pub tally: Tally,
    /// Anonymous ids and user ids: how many there are, and how many lead to an e-mail.
    pub visitors: [Visitors; 2],
    /// Ids with more e-mails than a person has: which kind, the id, how many at least.
    pub shared: Vec<(Space, String, usize)>,
    /// What was merged.
    pub merged: Merged,
    /// Leads.
    pub leads: LeadSums,
    /// Leads that the service would not have made, by e-mail.
    pub lost_leads: Vec<String>,
    /// Leads with a signal, by period of the plan.
    pub active_leads: Vec<u64>,
    /// Monthly tracked users, by period of the plan; empty where that is no month.
    pub tracked_users: Vec<u64>,
    /// Users of delete calls whom leads name.
    pub undeleted: u64,
    /// CSV cells that a spreadsheet would have run as formulas.
    pub guarded_cells: u64,
}

/// Resolves, scores and writes what was ingested.
///
/// # Errors
/// When the run was interrupted, when what was spilled cannot be read, or when an output cannot
/// be written.
pub fn produce(
    engine: &Engine,
    ingested: &mut Ingested,
    files: &BTreeMap<FileId, Input>,
    ledger: &Ledger,
    output: &mut Output,
    pool: &ThreadPool,
    watch: &dyn Watch,
) -> Result<Produced, Error> {
    let identity = &engine.rules.identity;
    let max_emails = identity.max_emails as usize;
    let mut facts = std::mem::take(&mut ingested.committed.facts);
    let ids = &ingested.committed.ids;
    let timelines = pool.install(|| Timelines::new(&mut facts, ids, max_emails));
    let merged = match identity.merge {
        Merge::None => Merged::default(),
        Merge::UserId => Merged::new(&facts, ids, max_emails),
    };
    drop(facts);
    let events = EventNames::new(&ingested.counters.names);
    let resolver = Resolver::new(&timelines, ids, identity);
    let mut finisher = Finisher::new(engine, ids, resolver, &merged, ledger, &events);
    if engine.rules.plan.period == PeriodLength::Month {
        finisher = finisher.tracking_users();
    }

    let mut signals = output.signals(engine)?;
    let rejected = ingested.counters.rejects.iter().any(|&count| count > 0);
    let mut rejects = if rejected { output.file("rejects.ndjson")? } else { None };
    let mut tally = write_signals(
        ingested,
        files,
        &finisher,
        &mut Streams { signals: &mut signals, rejects: rejects.as_mut() },
        pool,
        watch,
    )?;
    let mut guarded_cells = signals.guarded_cells();
    output.close(signals)?;
    if let Some(file) = rejects {
        output.keep(file);
    }

    // Nobody waits for the rows' file to go.
    let spill = std::mem::take(&mut ingested.committed.spill);
    pool.spawn(move || drop(spill));

    let tracked_users = finisher.tracked_users();
    let (leads, groups) = finisher.into_leads();
    settle_partial(&mut tally, ledger, &leads);
    let terms = rule_terms(engine);
    let ranked = pool.install(|| leads.rank(&terms, events.as_slice(), ids));
    let mut table = output.leads()?;
    let rows = LeadRows { ids, groups: &groups, terms: &terms, events: events.as_slice() };
    let at_once = LEADS_A_CHUNK * pool.current_num_threads();
    for start in (0..ranked.len()).step_by(at_once) {
        let firsts = (start..ranked.len().min(start + at_once)).step_by(LEADS_A_CHUNK);
        let some: Vec<_> = firsts.map(|first| (first, table.encoders())).collect();
        let encode = |(first, encoders)| {
            let end = ranked.len().min(first + LEADS_A_CHUNK);
            encode_leads(&rows, &ranked, first..end, encoders)
        };
        let encoded: Vec<_> = pool.install(|| some.into_par_iter().map(encode).collect());
        for chunks in encoded {
            table.write(chunks)?;
        }
    }
    guarded_cells += table.guarded_cells();
    output.close(table)?;
    let (lead_sums, active_leads) = sum_leads(&ranked, ledger.periods.len());
    let produced = Produced {
        tally,
        visitors: [Space::Anonymous, Space::User].map(|space| visitors(&timelines, ids, space)),
        shared: shared(&timelines, ids, max_emails),
        leads: lead_sums,
        lost_leads: lost_leads(&ranked, ids),
        active_leads,
        tracked_users,
        undeleted: ingested.counters.deletions.with_leads(&ranked, ids),
        merged,
        guarded_cells,
    };
    ranked.free(pool);
    Ok(produced)
}

struct Streams<'a, 'b> {
    signals: &'a mut Tables<'b>,
    rejects: Option<&'a mut StagedFile>,
}

/// What one segment gives to the outputs.
struct Written {
    chunks: Vec<Chunk>,
    rejects: Vec<u8>,
}

fn write_signals(
    ingested: &Ingested,
    files: &BTreeMap<FileId, Input>,
    finisher: &Finisher<'_>,
    streams: &mut Streams<'_, '_>,
    pool: &ThreadPool,
    watch: &dyn Watch,
) -> Result<Tally, Error> {
    let committed = &ingested.committed;
    let lines_before = lines_before(&committed.segments);
    let encoders: Vec<_> =
        (0..pool.current_num_threads()).map(|_| streams.signals.encoders()).collect();
    let encoders = std::sync::Mutex::new(encoders);
    let all_spent: std::sync::Mutex<Vec<Vec<Spent>>> = std::sync::Mutex::default();
    let take_spent = || all_spent.lock().ok().and_then(|mut all| all.pop()).unwrap_or_default();
    let start = || {
        let own = encoders.lock().ok().and_then(|mut all| all.pop()).unwrap_or_default();
        (finisher.worker(own), Buffers::default())
    };
    let workers = in_order(
        pool,
        committed.segments.len(),
        start,
        |(worker, buffers), number| {
            if watch.stopped() {
                return Err(Error::Interrupted);
            }
            for (encoder, spent) in worker.encoders.iter_mut().zip(take_spent()) {
                encoder.reuse(spent);
            }
            let segment = &committed.segments[number];
            let parts = committed.read(segment, buffers).map_err(Error::Spill)?;
            finisher.segment(worker, &segment.dead, &parts);
            let mut rejects = Vec::new();
            let file = files.get(&segment.place.file).map_or("", |file| file.display.as_str());
            rejects::decode(parts.rejects, file, lines_before[number], &mut rejects);
            let chunks = worker.encoders.iter_mut().map(Encoder::take).collect();
            Ok(Written { chunks, rejects })
        },
        |written: Written| {
            if let Some(file) = &mut streams.rejects {
                file.write_all(&written.rejects).map_err(Error::from_output)?;
            }
            let spent = streams.signals.write(written.chunks)?;
            if let Ok(mut all) = all_spent.lock() {
                all.push(spent);
            }
            Ok(())
        },
    )?;
    let mut workers = workers.into_iter().map(|(worker, _)| worker.tally);
    let mut tally = workers.next().unwrap_or_default();
    workers.for_each(|other| tally += other);
    Ok(tally)
}

/// Writes the rejects of all that was ingested from `files`, in order.
///
/// # Errors
/// When what was spilled cannot be read, or when `out` cannot be written.
pub fn write_rejects(
    ingested: &Ingested,
    files: &BTreeMap<FileId, Input>,
    out: &mut impl Write,
) -> Result<(), Error> {
    let committed = &ingested.committed;
    let (mut buffers, mut written) = (Buffers::default(), Vec::new());
    for (segment, before) in committed.segments.iter().zip(lines_before(&committed.segments)) {
        let parts = committed.read(segment, &mut buffers).map_err(Error::Spill)?;
        let file = files.get(&segment.place.file).map_or("", |file| file.display.as_str());
        written.clear();
        rejects::decode(parts.rejects, file, before, &mut written);
        out.write_all(&written).map_err(Error::from_output)?;
    }
    Ok(())
}

fn visitors(timelines: &Timelines, ids: &Ids, wanted: Space) -> Visitors {
    let mut visitors = Visitors::default();
    for (id, _) in ids.iter().filter(|&(_, space)| space == wanted) {
        visitors.seen += 1;
        visitors.resolved += u64::from(timelines.distance(id).is_some());
    }
    visitors
}

fn shared(timelines: &Timelines, ids: &Ids, max_emails: usize) -> Vec<(Space, String, usize)> {
    let mut shared: Vec<_> = ids
        .iter()
        .filter(|(_, space)| matches!(space, Space::Anonymous | Space::User))
        .filter(|&(id, _)| timelines.emails(id) > max_emails)
        .map(|(id, space)| (space, ids.text(id).to_owned(), timelines.emails(id)))
        .collect();
    shared.sort_unstable();
    shared
}

fn lost_leads(ranked: &Ranking<'_>, ids: &Ids) -> Vec<String> {
    let lost = ranked.iter().filter(|lead| !lead.lead.accepted);
    let mut lost: Vec<String> = lost.map(|lead| ids.text(lead.email).to_owned()).collect();
    lost.sort_unstable();
    lost
}

/// Encodes the rows of the leads from one rank to before another.
fn encode_leads(
    rows: &LeadRows<'_>,
    leads: &Ranking<'_>,
    ranks: Range<usize>,
    mut encoders: Vec<Encoder>,
) -> Vec<Chunk> {
    for first in ranks.clone().step_by(AHEAD) {
        let some = first..ranks.end.min(first + AHEAD);
        leads.prefetch(some.clone());
        for ranked in leads.range(some) {
            rows.with_row(&ranked, |row| {
                for encoder in &mut encoders {
                    encoder.lead(row);
                }
            });
        }
    }
    encoders.iter_mut().map(Encoder::take).collect()
}
