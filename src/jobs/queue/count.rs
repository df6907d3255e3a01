//! The second phase of a queue: reads every row once more, when the identity of each visitor is
//! known.

use ahash::AHashMap;
use rayon::ThreadPool;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::bounded::Bounded;
use super::day::Days;
use super::section::section;
use super::tally::Tally;
use crate::engine::Engine;
use crate::engine::exchange::row::{Field, Row};
use crate::engine::exchange::store::{Segment, SegmentView, Store};
use crate::engine::identity::all_ids::AllIds;
use crate::engine::identity::ids::{NodeId, Space};
use crate::engine::identity::timeline::{Buffers, Timeline, Timelines};
use crate::engine::map::names::Names;
use crate::engine::plan::{Calendar, Ledger};
use crate::engine::watch::Watch;
use crate::error::Error;
use crate::event::CallType;
use crate::time::{MINUTE_MS, Time};

/// The maximum number of names that are counted separately, the most frequent ones; the others are
/// added up.
pub const MOST_NAMES: usize = 1_000;
/// The maximum number of parts of a site that are counted separately.
const MOST_SECTIONS: usize = 500;
/// The maximum time from an event to the identification of its visitor with which it counts as
/// shortly before.
pub const SHORTLY_MS: i64 = 60 * MINUTE_MS;

/// The parts of a site, such as `page /pricing` or `screen Account`.
pub type Sections = Bounded<Tally, MOST_SECTIONS>;

/// The event names in order of frequency.
#[derive(Debug)]
pub struct Ranking<'a> {
    /// The call, name and count of each, the most frequent first.
    pub names: Vec<(CallType, &'a str, u64)>,
    places: [AHashMap<&'a str, usize>; CallType::ALL.len()],
    /// The positions of calls whose events all have the same name.
    fixed: [usize; CallType::ALL.len()],
}

impl<'a> Ranking<'a> {
    /// Ranks the counted names.
    pub fn new(counted: &'a Names) -> Self {
        let names = counted.sorted();
        let mut places: [AHashMap<&str, usize>; CallType::ALL.len()] = Default::default();
        let mut fixed = [MOST_NAMES; CallType::ALL.len()];
        for (place, &(call, name, _)) in names.iter().enumerate().take(MOST_NAMES) {
            if call.fixed_name() == Some(name) {
                fixed[call as usize] = place;
            } else {
                places[call as usize].insert(name, place);
            }
        }
        Self { names, places, fixed }
    }

    /// Iterates over the names that are counted separately and have events in the window, with
    /// their `tallies`.
    pub fn counted<'t>(
        &'t self,
        tallies: &'t [Tally],
    ) -> impl Iterator<Item = (CallType, &'a str, &'t Tally)> {
        let ranked = self.names.iter().zip(tallies).take(MOST_NAMES);
        ranked
            .filter(|(_, tally)| tally.events > 0)
            .map(|(&(call, name, _), tally)| (call, name, tally))
    }

    /// Returns the position of a name, or [`MOST_NAMES`] if it is not counted separately.
    #[inline]
    fn place(&self, call: CallType, name: &str) -> usize {
        match call.fixed_name() {
            Some(fixed) if fixed == name => self.fixed[call as usize],
            _ => self.places[call as usize].get(name).copied().unwrap_or(MOST_NAMES),
        }
    }
}

/// The result of the second phase.
#[derive(Debug, Default)]
pub struct Counted {
    /// The tallies by position in the ranking; the last is that of all other names.
    pub tallies: Vec<Tally>,
    /// The tallies by part of the site, if requested.
    pub sections: Sections,
    /// Events outside the window.
    pub outside: Outside,
}

/// Events that are not counted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outside {
    /// The number of events.
    pub events: u64,
    /// The number of duplicates among them.
    pub duplicates: u64,
}

/// The input of the second phase.
pub struct Counter<'a> {
    /// All ids.
    pub ids: &'a AllIds,
    /// The rows.
    pub store: &'a Store,
    /// The identity timeline of each id.
    pub timelines: &'a Timelines,
    /// The names in order of frequency.
    pub ranking: &'a Ranking<'a>,
    /// The periods of the plan.
    pub ledger: &'a Ledger,
    /// The calendar that defines days.
    pub calendar: &'a Calendar,
    /// The settings, including the window.
    pub engine: &'a Engine,
    /// Whether page and screen calls are counted by part of the site.
    pub sections: bool,
}

/// A visitor in a sketch: a hash whose lowest bit says whether the visitor resolves to an e-mail.
#[derive(Clone, Copy, Debug)]
struct Visitor(u64);

impl Visitor {
    fn new(space: Space, text: &str, timeline: &Timeline<'_>) -> Self {
        let hash = xxh3_64_with_seed(text.as_bytes(), space as u64);
        Self(hash & !1 | u64::from(timeline.emails() > 0))
    }

    #[inline]
    fn is_known(self) -> bool {
        self.0 & 1 == 1
    }
}

struct Worker {
    counted: Counted,
    days: Days,
    section: String,
    /// Buffers for timelines on disk.
    buffers: Buffers,
}

impl Counter<'_> {
    /// Counts all rows.
    ///
    /// # Errors
    /// Returns an error if the job was interrupted or if spilled data cannot be read.
    pub fn count(&self, pool: &ThreadPool, watch: &dyn Watch) -> Result<Counted, Error> {
        let visitors = pool.install(|| self.visitors());
        let start = || Worker {
            counted: self.nothing(),
            days: Days::new(self.calendar),
            section: String::new(),
            buffers: Buffers::default(),
        };
        let work = |worker: &mut Worker, number: usize, view: &SegmentView<'_>| {
            self.segment(worker, &self.store.segments()[number], view, visitors.as_deref());
            self.ids.check().and_then(|()| self.timelines.check()).map_err(Error::Spill)
        };
        let workers = self.store.each(pool, watch, start, work, |()| Ok(()))?;
        let mut sum = self.nothing();
        for Worker { counted, .. } in workers {
            for (sum, tally) in sum.tallies.iter_mut().zip(counted.tallies) {
                *sum += tally;
            }
            sum.sections += counted.sections;
            sum.outside.events += counted.outside.events;
            sum.outside.duplicates += counted.outside.duplicates;
        }
        Ok(sum)
    }

    /// By number, the visitor that each id would be; `None` where ids are on disk, for there may be
    /// many.
    fn visitors(&self) -> Option<Vec<Visitor>> {
        let AllIds::Memory(ids) = self.ids else { return None };
        let visitor = |place: u32| {
            let id = NodeId::from_raw(place);
            Visitor::new(ids.space(id), ids.text(id), &self.timelines.of(id))
        };
        #[allow(clippy::cast_possible_truncation)] // ids are numbered in 32 bits
        Some((0..ids.len() as u32).into_par_iter().map(visitor).collect())
    }

    fn visitor(&self, id: NodeId, listed: Option<&[Visitor]>, buffers: &mut Buffers) -> Visitor {
        if let Some(&visitor) = listed.and_then(|visitors| visitors.get(id.index())) {
            return visitor;
        }
        let timeline = self.timelines.read(id, buffers);
        Visitor::new(self.ids.space(id), &self.ids.text(id), &timeline)
    }

    fn nothing(&self) -> Counted {
        let names = self.ranking.names.len().min(MOST_NAMES);
        let mut tallies = Vec::new();
        tallies.resize_with(names + 1, Tally::default);
        Counted { tallies, ..Counted::default() }
    }

    fn segment(
        &self,
        worker: &mut Worker,
        segment: &Segment,
        view: &SegmentView<'_>,
        visitors: Option<&[Visitor]>,
    ) {
        let Worker { counted, days, section: part, buffers } = worker;
        let mut bytes = view.rows;
        let mut place = 0;
        while let Some(row) = Row::read(&mut bytes) {
            let fate = Fate::of(segment, place);
            place += 1;
            if !self.engine.counts(row.head.key.time) {
                counted.outside.events += 1;
                counted.outside.duplicates += u64::from(fate == Fate::Duplicate);
                continue;
            }
            let seen = self.seen(&row, fate, view, (visitors, buffers), days);
            let last = counted.tallies.len() - 1;
            let at = self.ranking.place(row.head.call, row.text(Field::Event)).min(last);
            counted.tallies[at].see(&seen);
            if self.sections
                && section(&row, part)
                && let Some(tally) = counted.sections.get(part)
            {
                tally.see(&seen);
            }
        }
    }

    fn seen(
        &self,
        row: &Row<'_>,
        fate: Fate,
        view: &SegmentView<'_>,
        (visitors, buffers): (Option<&[Visitor]>, &mut Buffers),
        days: &mut Days,
    ) -> Seen {
        let minute = |time: Time| time.millis().map(|millis| millis.div_euclid(MINUTE_MS));
        let key = row.head.key;
        let ids = [row.ids.anonymous, row.ids.user];
        let ids = ids.map(|id| id.and_then(|id| view.id(id)));
        let visitor = ids.into_iter().flatten().next();
        let limited = !self.ledger.periods.is_empty();
        let received = key.received.or(key.time);
        let received = minute(received).filter(|_| limited && self.engine.counts(received));
        Seen {
            fate,
            time: key.time,
            day: minute(key.time).map(|minute| days.start_of(minute)),
            period: received.and_then(|minute| self.ledger.period_of(minute)),
            rule: row.head.rule,
            visitor: visitor.map(|id| self.visitor(id, visitors, buffers)),
            before_identify: ids
                .into_iter()
                .flatten()
                .any(|id| self.is_before(id, key.time, buffers)),
        }
    }

    /// Returns `true` if `id` was identified shortly after `time`.
    fn is_before(&self, id: NodeId, time: Time, buffers: &mut Buffers) -> bool {
        let links = self.timelines.read(id, buffers).links;
        let next = links.get(links.partition_point(|link| link.time <= time));
        match (next.and_then(|link| link.time.millis()), time.millis()) {
            (Some(tied), Some(time)) => tied - time <= SHORTLY_MS,
            _ => false,
        }
    }
}

/// What a row counts as, in addition to a raw signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Kept,
    Duplicate,
    /// Covered by a deletion request.
    Forgotten,
}

impl Fate {
    fn of(segment: &Segment, row: u32) -> Self {
        if segment.dead.binary_search(&row).is_ok() {
            Self::Duplicate
        } else if segment.forgotten.binary_search(&row).is_ok() {
            Self::Forgotten
        } else {
            Self::Kept
        }
    }
}

/// The values of a row that are counted.
struct Seen {
    fate: Fate,
    time: Time,
    day: Option<i64>,
    period: Option<usize>,
    rule: Option<u32>,
    visitor: Option<Visitor>,
    before_identify: bool,
}

impl Tally {
    fn see(&mut self, seen: &Seen) {
        self.events += 1;
        self.span(seen.time);
        if let Some(day) = seen.day {
            *self.days.entry(day).or_default() += 1;
        }
        if let Some(period) = seen.period {
            *self.periods.entry(period).or_default() += 1;
        }
        if let Some(visitor) = seen.visitor {
            let sketch = if visitor.is_known() { &mut self.known } else { &mut self.unknown };
            sketch.see(visitor.0);
        }
        match seen.fate {
            Fate::Kept => {}
            Fate::Duplicate => {
                self.duplicates += 1;
                return;
            }
            Fate::Forgotten => return,
        }
        self.before_identify += u64::from(seen.before_identify);
        if let Some(rule) = seen.rule {
            *self.rules.entry(rule).or_default() += 1;
        }
    }
}

/// The space of an id seeds its hash, so that the same text in two spaces is two visitors.
const _: () = assert!(Space::Anonymous as u64 != Space::User as u64);
