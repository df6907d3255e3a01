//! Sums over identify calls and over signals that belong to leads.

use std::io;
use std::ops::AddAssign;

use super::fit::Unit;
use crate::engine::exchange::row::{Field, Head};
use crate::engine::identity::ids::NodeId;
use crate::engine::map::event_names::EventNames;
use crate::engine::resolve::row::{ResolvedRow, RowLead};
use crate::engine::resolve::visit::Visit;
use crate::error::Error;
use crate::event::CallType;
use crate::jobs::audit::contributions::Contributions;
use crate::jobs::audit::origins::RowOrigins;
use crate::jobs::audit::source_line::{Sightings, SourceLine};

/// Sums over the signals of an event name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NameSum {
    /// The number of signals, without duplicates.
    pub signals: u64,
    /// The number of signals that belong to a lead.
    pub resolved: u64,
    /// The number of signals that belong to a lead and that a rule scores.
    pub scored: u64,
    /// The score of these, ignoring the rules' limits.
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

/// Sums over identify calls and signals.
#[derive(Debug, Default)]
pub struct SignalSums {
    /// Sums by call, then by number of the event name.
    names: [Vec<NameSum>; CallType::ALL.len()],
    /// Signals and identify calls of the company's employees.
    pub internal: Sightings,
    /// What each unit contributes to leads, if requested.
    pub contributions: Option<Contributions>,
    /// Signals of leads by position of their period, if the plan limits active leads.
    active: Vec<Sightings>,
}

/// Settings for counting signals.
#[derive(Clone, Copy, Debug)]
pub struct SignalCounter<'a> {
    /// The score of each rule.
    pub scores: &'a [i64],
    /// Whether to count what each unit contributes to leads.
    pub contributions: bool,
    /// Whether to count the signals of leads by period, because the plan limits active leads.
    pub active: bool,
}

/// The facts about one identify call or signal that are summed up at the end of its segment.
#[derive(Clone, Copy, Debug)]
struct Note {
    /// The index of its row in the segment.
    row: u32,
    /// The call.
    call: CallType,
    /// The number of its event name; meaningless for an identify call.
    event: u32,
    /// The rule that maps it.
    rule: Option<u32>,
    /// The lead that it belongs to.
    lead: Option<RowLead>,
    /// Whether it contains an e-mail itself.
    brings: bool,
    /// The position of its period in the ledger.
    period: Option<usize>,
    /// Whether it lies in the window.
    in_window: bool,
}

/// Visits the identify calls and signals of one segment after the other, and sums them up.
pub struct Notes<'a> {
    names: &'a EventNames<'a>,
    counter: SignalCounter<'a>,
    /// The notes of the current segment.
    of_segment: Vec<Note>,
    sums: SignalSums,
    /// A buffer for the origins of a segment.
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
    /// Creates empty sums, in `contributions` too, if these are requested.
    pub fn new(
        names: &'a EventNames<'a>,
        counter: SignalCounter<'a>,
        contributions: Option<Contributions>,
    ) -> Self {
        let sums = SignalSums { contributions, ..SignalSums::default() };
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

    /// Adds the notes of a finished segment to the sums; `origins` reads the origins of the
    /// segment.
    ///
    /// # Errors
    /// Returns the error of `origins`, or an error if counts cannot be written to disk.
    pub fn count<'b>(
        &'b mut self,
        origins: impl FnOnce(&'b mut Vec<u8>) -> Result<RowOrigins<'b>, Error>,
    ) -> Result<(), Error> {
        let Self { counter, of_segment, sums, buffer, .. } = self;
        let origins = origins(buffer)?;
        for note in of_segment.drain(..) {
            counter.count(&note, origins, sums).map_err(Error::Spill)?;
        }
        Ok(())
    }

    /// Returns the sums over all segments.
    pub fn into_sums(self) -> SignalSums {
        self.sums
    }
}

impl SignalCounter<'_> {
    /// Adds `note` to `signal_sums`; `origins` are those of its segment.
    fn count(
        &self,
        note: &Note,
        origins: RowOrigins<'_>,
        signal_sums: &mut SignalSums,
    ) -> io::Result<()> {
        let (by, line) = origins.of(note.row);
        let source_line = SourceLine { place: origins.place, line };
        if note.in_window && note.lead.is_some_and(|lead| lead.internal) {
            signal_sums.internal.see(source_line);
        }
        let lead = note.lead.and_then(RowLead::external);
        if note.in_window && note.call != CallType::Identify {
            self.signal(note, lead, signal_sums);
            if let Some(period) = note.period.filter(|_| self.active && lead.is_some()) {
                signal_sums.active(period).see(source_line);
            }
        }
        match (lead, &mut signal_sums.contributions) {
            (Some(lead), Some(contributions)) => self.contribute(note, lead, by, contributions),
            _ => Ok(()),
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

    fn contribute(
        &self,
        note: &Note,
        lead: NodeId,
        by: u32,
        contributions: &mut Contributions,
    ) -> io::Result<()> {
        let unit = Unit::of(note.call, note.event, by);
        if note.in_window && self.score(note.rule) != 0 {
            contributions.signal(lead, note.rule, unit)?;
        }
        if note.brings {
            contributions.source(lead, Some(unit).filter(|_| note.call != CallType::Identify))?;
        }
        Ok(())
    }
}

impl SignalSums {
    /// Returns the sum of a name.
    fn name(&mut self, call: CallType, number: u32) -> &mut NameSum {
        let (sums, number) = (&mut self.names[call as usize], number as usize);
        if sums.len() <= number {
            sums.resize(number + 1, NameSum::default());
        }
        &mut sums[number]
    }

    /// Iterates over the call, the number and the sum of all names.
    pub fn names(&self) -> impl Iterator<Item = (CallType, u32, NameSum)> {
        CallType::ALL.into_iter().zip(&self.names).flat_map(|(call, sums)| {
            (0_u32..).zip(sums).map(move |(number, sum)| (call, number, *sum))
        })
    }

    /// Returns the signals of leads in the period at `period`.
    fn active(&mut self, period: usize) -> &mut Sightings {
        if self.active.len() <= period {
            self.active.resize(period + 1, Sightings::default());
        }
        &mut self.active[period]
    }

    /// Returns the signals of leads in the period at `period`, if the plan limits active leads.
    pub fn active_in(&self, period: usize) -> Option<&Sightings> {
        self.active.get(period)
    }

    /// Adds the sums of `other`.
    ///
    /// # Errors
    /// Returns an error if counts cannot be written to disk.
    pub fn absorb(&mut self, other: Self) -> io::Result<()> {
        for (call, number, sum) in other.names() {
            *self.name(call, number) += sum;
        }
        self.internal += other.internal;
        for (period, seen) in other.active.into_iter().enumerate() {
            *self.active(period) += seen;
        }
        match (&mut self.contributions, other.contributions) {
            (Some(contributions), Some(other)) => contributions.absorb(other)?,
            (own, other) => *own = own.take().or(other),
        }
        Ok(())
    }
}
