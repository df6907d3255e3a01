//! Surveys each event in the first phase of an audit: maps it once, applies both filters, counts
//! it, and marks it with the scenarios that see it.

use std::ops::AddAssign;
use std::sync::Mutex;

use ahash::RandomState;

use super::Side;
use super::bots::{BotSignals, UserAgents};
use super::judge::{Filter, Verdict};
use crate::engine::Engine;
use crate::engine::map::batch::{Batch, BatchFact, Place};
use crate::engine::map::counters::Counters;
use crate::engine::map::unused_email::UnusedEmails;
use crate::engine::map::{Mapped, Mapper};
use crate::engine::plan::Volume;
use crate::event::{CallType, Event, Inner};
use crate::filter::destination::{Effect, Scratch};
use crate::jobs::audit::event_counts::{EventCounts, Key, NONE, Traits};
use crate::jobs::audit::field_loss::FieldLosses;
use crate::jobs::audit::line_set::{LineSetNumbers, LineSets};
use crate::jobs::audit::source_line::SourceLine;
use crate::json::Json;
use crate::parse::deletion::Deletion;
use crate::parse::reject::{Reject, Surplus};
use crate::parse::{Arrival, Repairs, Sink};

/// The two filters of an audit.
#[derive(Debug)]
pub struct Filters {
    /// The filter of the side before.
    pub before: Filter,
    /// The filter.
    pub after: Filter,
}

/// What an audit keeps about a row of a batch in addition to the row.
#[derive(Clone, Copy, Debug)]
pub struct RowMark {
    /// The set of sides that see the row.
    pub sides: u8,
    /// The [set of lines](crate::jobs::audit::line_set) of the allow list that match it, if it is a
    /// page or screen call.
    pub by: u32,
    /// Its line in the block.
    pub line: u32,
}

/// Counts of the first phase; sums over workers are sums over the input.
#[derive(Debug, Default)]
pub struct Counts {
    /// Events that were received outside the window; they are in no other count.
    pub outside_window: u64,
    /// Events by name, verdict and rule.
    pub event_counts: EventCounts,
    /// The raw signals of each side.
    pub volumes: [Volume; 2],
    /// For each line of the allow list, whether it matches any event, even if an earlier line
    /// matches too.
    pub lines_seen: Vec<bool>,
    /// What the filter removes from events and a rule would have mapped.
    pub field_losses: FieldLosses,
    /// Addresses in signals that pass the filter, if no rule maps them.
    pub unused_emails: UnusedEmails,
    /// For each destination filter, whether it affects any event.
    pub effects: Vec<Effect>,
    /// Signals of bots that pass the filter.
    pub bots: BotSignals,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.outside_window += other.outside_window;
        self.event_counts += other.event_counts;
        self.field_losses += other.field_losses;
        self.unused_emails += other.unused_emails;
        self.bots += other.bots;
        for (sum, volume) in self.volumes.iter_mut().zip(other.volumes) {
            *sum += volume;
        }
        if self.lines_seen.len() < other.lines_seen.len() {
            self.lines_seen.resize(other.lines_seen.len(), false);
        }
        for (seen, other) in self.lines_seen.iter_mut().zip(other.lines_seen) {
            *seen |= other;
        }
        if self.effects.len() < other.effects.len() {
            self.effects.resize(other.effects.len(), Effect::default());
        }
        for (effect, other) in self.effects.iter_mut().zip(other.effects) {
            *effect += other;
        }
    }
}

/// Surveys blocks; each worker has one.
pub struct Surveyor<'a> {
    engine: &'a Engine,
    filters: &'a Filters,
    /// The scratch of each side.
    scratches: [Scratch; 2],
    /// Maps the events that either side sees.
    pub mapper: Mapper<'a>,
    /// The marks of the rows in the mapper's batch.
    pub rows: Vec<RowMark>,
    counts: Counts,
    user_agents: UserAgents,
    line_sets: LineSetNumbers<'a>,
    takers: Vec<u32>,
    line: u32,
    renumbered: Vec<u32>,
}

impl<'a> Surveyor<'a> {
    /// Creates a surveyor for `engine`. `hasher` hashes ids, and `line_sets` numbers the sets of
    /// lines.
    pub fn new(
        engine: &'a Engine,
        filters: &'a Filters,
        line_sets: &'a Mutex<LineSets>,
        hasher: RandomState,
    ) -> Self {
        let lines = filters.after.allow.as_ref().map_or(0, |list| list.lines().len());
        let destination = filters.after.destination.as_ref();
        let destination = destination.map_or(0, |filters| filters.filters().len());
        let counts = Counts { lines_seen: vec![false; lines], ..Counts::default() };
        let mut mapper = Mapper::new(engine, hasher);
        // An audit writes no table, so rows need no other texts.
        mapper.batch.rows.keep_names_only();
        Self {
            engine,
            filters,
            scratches: [Scratch::default(), Scratch::with_effects(destination)],
            mapper,
            rows: Vec::new(),
            counts,
            user_agents: UserAgents::default(),
            line_sets: LineSetNumbers::new(line_sets),
            takers: Vec::new(),
            line: 0,
            renumbered: Vec::new(),
        }
    }

    /// Begins the batch of the block at `place`.
    pub fn begin(&mut self, place: Place) {
        self.mapper.begin(place);
        self.rows.clear();
        self.line = 0;
    }

    /// Returns the sums over all blocks.
    pub fn into_counts(self) -> (Counters, Counts) {
        let effects = self.scratches[Side::After as usize].effects().to_vec();
        (self.mapper.into_counters(), Counts { effects, ..self.counts })
    }

    /// Fills `out` with the part of the batch that `side` sees, except for the ids, which `out`
    /// shares with the mapper's batch.
    pub fn select(&mut self, side: Side, out: &mut Batch) {
        let batch = &self.mapper.batch;
        out.restart(batch.place);
        out.lines = batch.lines;
        self.renumbered.clear();
        for (keys, row) in batch.events.iter().zip(&self.rows) {
            let seen = row.sides & side.bit() != 0;
            #[allow(clippy::cast_possible_truncation)] // a block holds far fewer events
            self.renumbered.push(if seen { out.events.len() as u32 } else { NONE });
            if seen {
                out.events.push(*keys);
            }
        }
        out.rows.extend_from(&batch.rows, |row| self.renumbered[row] != NONE);
        for &BatchFact { row, source, target } in &batch.facts {
            let row = self.renumbered[row as usize];
            if row != NONE {
                out.facts.push(BatchFact { row, source, target });
            }
        }
    }

    /// Returns `true` if `side` sees every row of the batch.
    pub fn sees_all(&self, side: Side) -> bool {
        self.rows.iter().all(|row| row.sides & side.bit() != 0)
    }

    /// Returns `true` if the raw signal `mapped` lies in the window.
    fn counts_raw(&self, mapped: Mapped) -> bool {
        self.engine.counts(mapped.key.received.or(mapped.key.time))
    }

    fn source_line(&self) -> SourceLine {
        SourceLine { place: self.mapper.batch.place, line: self.line }
    }

    /// Applies the filter of `side` to `event`, which is `mapped` to the row at `row`. A changed
    /// event gets an additional row.
    fn judge(
        &mut self,
        side: Side,
        event: &Event<'_>,
        arrival: Arrival,
        mapped: Mapped,
        row: usize,
    ) -> Verdict {
        let filters = self.filters;
        let filter = match side {
            Side::Before => &filters.before,
            Side::After => &filters.after,
        };
        let mut scratch = std::mem::take(&mut self.scratches[side as usize]);
        let verdict = filter.apply(event, self.engine.detection, &mut scratch, |verdict, left| {
            let by = match side {
                Side::After if verdict.passes() => self.note_lines(event, mapped.call),
                _ => NONE,
            };
            let mut seen = mapped;
            match verdict {
                Verdict::Dropped(_) => return verdict,
                Verdict::Kept(_) => {
                    let mark = &mut self.rows[row];
                    mark.sides |= side.bit();
                    mark.by = if side == Side::After { by } else { mark.by };
                }
                Verdict::Changed(_) => {
                    let Some(changed) = self.mapper.receive(left, arrival) else { return verdict };
                    self.rows.push(RowMark { sides: side.bit(), by, line: self.line });
                    if side == Side::After && self.counts_raw(mapped) {
                        self.counts.field_losses.see(
                            self.engine,
                            (event, left),
                            (mapped, changed),
                            self.source_line(),
                        );
                    }
                    seen = changed;
                }
            }
            if !self.counts_raw(mapped) {
                return verdict;
            }
            if let (Side::After, Some(unused)) = (side, seen.unused_email) {
                self.counts.unused_emails.see(unused, self.mapper.position());
            }
            self.counts.volumes[side as usize].count(seen.key.received.or(seen.key.time));
            verdict
        });
        self.scratches[side as usize] = scratch;
        verdict
    }

    /// Counts `event` if its user agent is that of a bot, and returns `true` in that case.
    fn note_bot(&mut self, event: &Event<'_>) -> bool {
        let user_agent = event.inner(Inner::UserAgent).and_then(Json::as_str);
        let Self { user_agents, counts, .. } = self;
        user_agent.is_some_and(|text| user_agents.bot(text, |bot| counts.bots.see(bot)))
    }

    /// Marks every line that matches `event`, and returns the number of their set.
    fn note_lines(&mut self, event: &Event<'_>, call: CallType) -> u32 {
        let Some(list) = &self.filters.after.allow else { return NONE };
        if !matches!(call, CallType::Page | CallType::Screen) {
            // Other calls are dropped by name, whatever lines match them.
            list.mark_matching_lines(event, &mut self.counts.lines_seen);
            return NONE;
        }
        self.takers.clear();
        for line in list.matching_lines(event) {
            self.counts.lines_seen[line] = true;
            self.takers.extend(u32::try_from(line));
        }
        self.takers.sort_unstable();
        self.takers.dedup();
        self.line_sets.of(&self.takers).unwrap_or(NONE)
    }
}

impl Sink for Surveyor<'_> {
    #[inline]
    fn line(&mut self, line_in_block: u64) {
        self.mapper.line(line_in_block);
        self.line = u32::try_from(line_in_block).unwrap_or(u32::MAX);
    }

    fn event(&mut self, event: &Event<'_>, arrival: Arrival) {
        if !self.mapper.admit(event, arrival) {
            return;
        }
        let Some(mapped) = self.mapper.receive(event, arrival) else { return };
        let row = self.rows.len();
        self.rows.push(RowMark { sides: 0, by: NONE, line: self.line });
        let before = self.judge(Side::Before, event, arrival, mapped, row);
        let verdict = self.judge(Side::After, event, arrival, mapped, row);
        if !self.counts_raw(mapped) {
            self.counts.outside_window += 1;
            return;
        }
        let mut traits = Traits::default();
        traits.set(Traits::BEFORE, before.passes());
        traits.set(Traits::AFTER, verdict.passes());
        traits.set(Traits::CHANGED, matches!(verdict, Verdict::Changed(_)));
        traits.set(Traits::EMAIL, mapped.ids.email.is_some());
        let url = event.inner(Inner::PageUrl).or_else(|| event.inner(Inner::PropertiesUrl));
        traits.set(Traits::LOCAL, url.and_then(Json::as_str).is_some_and(is_local));
        let is_bot = verdict.passes() && mapped.call.is_signal() && self.note_bot(event);
        traits.set(Traits::BOT, is_bot);
        let source_line = self.source_line();
        let name = self.mapper.name(event, mapped.call);
        let name = self.counts.event_counts.number(mapped.call, name);
        let (by, rule) = (verdict.by().unwrap_or(NONE), mapped.rule.unwrap_or(NONE));
        self.counts.event_counts.see(Key { name, traits, by, rule }, source_line);
    }

    fn reject(&mut self, reject: Reject<'_>) {
        self.mapper.reject(reject);
        // Rejects are only counted; an audit does not write them.
        self.mapper.batch.rejects.clear();
    }

    fn foreign(&mut self) {
        self.mapper.foreign();
    }

    fn deletion(&mut self, deletion: Deletion<'_>) {
        self.mapper.deletion(deletion);
    }

    fn mended(&mut self, repairs: Repairs) {
        self.mapper.mended(repairs);
    }

    fn surplus(&mut self, surplus: Surplus<'_>) {
        self.mapper.surplus(surplus);
        self.mapper.batch.rejects.clear();
    }
}

/// Returns `true` if a URL leads to a developer's machine, or to a host whose name is never public
/// (RFC 2606, RFC 6761, RFC 6762).
fn is_local(url: &str) -> bool {
    let Some((_, rest)) = url.split_once("://") else { return false };
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if host.starts_with('[') {
        return host.starts_with("[::1]");
    }
    let host = host.split_once(':').map_or(host, |(host, _)| host);
    let ends_with = |suffix: &str| {
        let at = host.len().checked_sub(suffix.len());
        at.and_then(|at| host.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case(suffix))
    };
    host.eq_ignore_ascii_case("localhost")
        || host.starts_with("127.")
        || host == "0.0.0.0"
        || [".localhost", ".local", ".test", ".internal"].into_iter().any(ends_with)
}

#[cfg(test)]
mod tests {
    use super::is_local;

    #[test]
    fn a_page_on_a_machine_of_ones_own_is_local() {
        for url in [
            "http://localhost:3000/pricing",
            "http://LOCALHOST/",
            "http://127.0.0.1:8080",
            "http://[::1]:3000/x",
            "https://shop.test/a",
            "https://me:pw@app.local?x",
        ] {
            assert!(is_local(url), "{url}");
        }
        for url in [
            "https://www.example.com/localhost",
            "https://localhost.example.com/",
            "/pricing",
            "",
            "https://test/",
            "https://[2001:db8::1]/",
            "https://é.example/",
        ] {
            assert!(!is_local(url), "{url}");
        }
    }
}
