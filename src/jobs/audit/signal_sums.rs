//! Sums over identify calls and signals with owners.

use std::ops::AddAssign;

use ahash::AHashMap;

use super::fit::Unit;
use crate::engine::exchange::row::{Field, Head};
use crate::engine::identity::ids::NodeId;
use crate::engine::map::event_names::EventNames;
use crate::engine::resolve::row::{OfLead, ResolvedRow};
use crate::engine::resolve::visit::Visit;
use crate::event::CallType;
use crate::jobs::audit::event_counts::NONE;
use crate::jobs::audit::origins::RowOrigins;
use crate::jobs::audit::source_line::{Sightings, SourceLine};

/// What the signals of one name came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NameSum {
    /// Signals that are no duplicates.
    pub signals: u64,
    /// Those that have an owner.
    pub resolved: u64,
    /// Those that have an owner and a rule that scores.
    pub scored: u64,
    /// What the rules give to these, limits apart.
    pub score: i64,
}

impl AddAssign for NameSum {
    fn add_assign(&mut self, other: Self) {
        self.signals += other.signals;
        self.resolved += other.resolved;
        self.scored += other.scored;
        self.score = self.score.saturating_add(other.score);
    }
}

/// Who brought a lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bringer {
    /// Events of this unit alone.
    Only(Unit),
    /// An identify call, or events of several units.
    Others,
}

/// How many signals of a unit, a lead and a rule there are.
pub type Stakes = AHashMap<(Unit, NodeId, u32), u64>;

/// Sums over identify calls and signals.
#[derive(Debug, Default)]
pub struct SignalSums {
    /// Signals by call, then by number of their name.
    names: [Vec<NameSum>; CallType::ALL.len()],
    /// Signals and identify calls of the company's own people.
    pub internal: Sightings,
    /// Scored signals with an owner, where someone wants to know.
    pub stakes: Stakes,
    /// By lead, where someone wants to know.
    pub bringers: AHashMap<NodeId, Bringer>,
    /// Signals of leads by position of their period, where the plan limits active leads.
    active: Vec<Sightings>,
}

/// What is counted of each signal besides.
#[derive(Clone, Copy, Debug)]
pub struct SignalCounter<'a> {
    /// What the signals of each rule score.
    pub scores: &'a [i64],
    /// Whether it matters what each unit contributes to leads.
    pub stakes: bool,
    /// Whether the plan limits the leads that have a signal in a period.
    pub active: bool,
}

/// What became of one identify call or signal.
#[derive(Clone, Copy, Debug)]
struct Note {
    /// Its row in the segment.
    row: u32,
    /// The call.
    call: CallType,
    /// The number of its event's name; of no meaning for an identify call.
    event: u32,
    /// The rule that maps it.
    rule: Option<u32>,
    /// The lead that it is of.
    lead: Option<OfLead>,
    /// Whether it brings an e-mail itself.
    brings: bool,
    /// The position of its period in the ledger.
    period: Option<usize>,
    /// Whether it lies in the window.
    in_window: bool,
}

/// Sees the identify calls and signals of one segment after the other, and sums them up.
pub struct Notes<'a> {
    names: &'a EventNames<'a>,
    counter: SignalCounter<'a>,
    /// Those of the current segment.
    of_segment: Vec<Note>,
    sums: SignalSums,
    /// Holds the origins of a segment.
    buffer: Vec<u8>,
}

impl Visit for Notes<'_> {
    fn identify(&mut self, row: &ResolvedRow<'_>) {
        self.note(row);
    }

    fn signal(&mut self, row: &ResolvedRow<'_>) {
        self.note(row);
    }

    fn signal_outside(&mut self, row: &ResolvedRow<'_>) {
        self.note(row);
    }
}

impl<'a> Notes<'a> {
    /// Nothing seen yet.
    pub fn new(names: &'a EventNames<'a>, counter: SignalCounter<'a>) -> Self {
        let sums = SignalSums::default();
        Self { names, counter, of_segment: Vec::new(), sums, buffer: Vec::new() }
    }

    fn note(&mut self, row: &ResolvedRow<'_>) {
        let Head { call, rule, .. } = row.row.head;
        self.of_segment.push(Note {
            row: row.number,
            call,
            event: self.names.number(call, row.row.text(Field::Event)),
            rule,
            lead: row.lead,
            brings: row.brought.is_some(),
            period: row.period,
            in_window: row.in_window,
        });
    }

    /// At the end of a segment adds what it had to the sums; `origins` reads its origins.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn count<'b, E>(
        &'b mut self,
        origins: impl FnOnce(&'b mut Vec<u8>) -> Result<RowOrigins<'b>, E>,
    ) -> Result<(), E> {
        let Self { counter, of_segment, sums, buffer, .. } = self;
        let origins = origins(buffer)?;
        for note in of_segment.drain(..) {
            counter.count(&note, origins, sums);
        }
        Ok(())
    }

    /// The sums over all segments.
    pub fn into_sums(self) -> SignalSums {
        self.sums
    }
}

impl SignalCounter<'_> {
    /// Adds `note`, which is of the segment of `origins`, to the sums `signal_sums`.
    fn count(&self, note: &Note, origins: RowOrigins<'_>, signal_sums: &mut SignalSums) {
        let (by, line) = origins.of(note.row);
        let source_line = SourceLine { place: origins.place, line };
        if note.in_window && note.lead.is_some_and(|lead| lead.internal) {
            signal_sums.internal.see(source_line);
        }
        let lead = note.lead.and_then(OfLead::external);
        if note.in_window && note.call != CallType::Identify {
            self.signal(note, lead, signal_sums);
            if let Some(period) = note.period.filter(|_| self.active && lead.is_some()) {
                signal_sums.active(period).see(source_line);
            }
        }
        if let Some(lead) = lead.filter(|_| self.stakes) {
            self.stake(note, lead, by, signal_sums);
        }
    }

    fn score(&self, rule: Option<u32>) -> i64 {
        rule.and_then(|rule| self.scores.get(rule as usize).copied()).unwrap_or(0)
    }

    fn signal(&self, note: &Note, lead: Option<NodeId>, signal_sums: &mut SignalSums) {
        let sum = signal_sums.name(note.call, note.event);
        sum.signals += 1;
        sum.resolved += u64::from(lead.is_some());
        if lead.is_some() {
            let score = self.score(note.rule);
            sum.scored += u64::from(score != 0);
            sum.score = sum.score.saturating_add(score);
        }
    }

    fn stake(&self, note: &Note, lead: NodeId, by: u32, signal_sums: &mut SignalSums) {
        let unit = Unit::of(note.call, note.event, by);
        if note.in_window && self.score(note.rule) != 0 {
            let rule = note.rule.unwrap_or(NONE);
            *signal_sums.stakes.entry((unit, lead, rule)).or_default() += 1;
        }
        if note.brings {
            let bringer = match note.call {
                CallType::Identify => Bringer::Others,
                _ => Bringer::Only(unit),
            };
            signal_sums.bring(lead, bringer);
        }
    }
}

impl SignalSums {
    /// The sum of a name.
    fn name(&mut self, call: CallType, number: u32) -> &mut NameSum {
        let (sums, number) = (&mut self.names[call as usize], number as usize);
        if sums.len() <= number {
            sums.resize(number + 1, NameSum::default());
        }
        &mut sums[number]
    }

    /// The sums of all names: the call, the number of the name, and the sum.
    pub fn names(&self) -> impl Iterator<Item = (CallType, u32, NameSum)> {
        CallType::ALL.into_iter().zip(&self.names).flat_map(|(call, sums)| {
            (0_u32..).zip(sums).map(move |(number, sum)| (call, number, *sum))
        })
    }

    /// The signals of leads in the period at `period`.
    fn active(&mut self, period: usize) -> &mut Sightings {
        if self.active.len() <= period {
            self.active.resize(period + 1, Sightings::default());
        }
        &mut self.active[period]
    }

    /// The signals of leads in the period at `period`, where the plan limits active leads.
    pub fn active_in(&self, period: usize) -> Option<&Sightings> {
        self.active.get(period)
    }

    fn bring(&mut self, lead: NodeId, bringer: Bringer) {
        let kept = self.bringers.entry(lead).or_insert(bringer);
        if *kept != bringer {
            *kept = Bringer::Others;
        }
    }
}

impl AddAssign for SignalSums {
    fn add_assign(&mut self, other: Self) {
        for (call, number, sum) in other.names() {
            *self.name(call, number) += sum;
        }
        self.internal += other.internal;
        for (stake, count) in other.stakes {
            *self.stakes.entry(stake).or_default() += count;
        }
        for (lead, bringer) in other.bringers {
            self.bring(lead, bringer);
        }
        for (period, seen) in other.active.into_iter().enumerate() {
            *self.active(period) += seen;
        }
    }
}
