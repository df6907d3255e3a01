//! Counters of the second phase. Each worker has its own; they add up to those of the input.

use std::io;
use std::ops::AddAssign;

use ahash::AHashSet;

use crate::engine::identity::Resolution;
use crate::engine::identity::fact::OrderKey;
use crate::engine::identity::ids::NodeId;
use crate::engine::identity::resolve::Owner;
use crate::engine::lead::LeadStore;
use crate::engine::plan::{Ledger, PeriodMix, Verdict};
use crate::engine::resolve::row::POLICIES;

/// The counters of the second phase. Unless stated otherwise, they count kept events in the window.
#[derive(Debug, Default)]
pub struct Tally {
    /// Kept events outside of the window.
    pub outside_window: u64,
    /// Duplicates outside of the window.
    pub outside_duplicates: u64,
    /// Identity facts; an alias counts as one.
    pub facts: u64,
    /// Identify calls.
    pub identifies: u64,
    /// Identify calls without a valid e-mail whose user id is an address that is not used as one.
    pub address_as_user_id: u64,
    /// Identify calls without an e-mail.
    pub identify_without_email: u64,
    /// E-mails that are not valid addresses.
    pub invalid_email: u64,
    /// E-mails that the rules block.
    pub blocked_emails: u64,
    /// Occurrences of blocked ids.
    pub blocked_ids: u64,
    /// Signals by resolution.
    pub resolutions: [u64; 4],
    /// Signals resolved through the anonymous id, the user id, or a bridge.
    pub through: [u64; 3],
    /// Signals that would have another owner, by policy.
    pub would_change: [u64; POLICIES.len()],
    /// Signals of internal people.
    pub internal_signals: u64,
    /// Signals by rule.
    pub matches: Vec<u64>,
    /// Signals that no rule maps, by the index of their name.
    pub unmapped: Vec<u64>,
    /// Raw signals by kind, by period of the plan.
    pub mix: Vec<PeriodMix>,
    /// Identify calls that the service would have lost.
    pub lost_identifies: u64,
    /// Events removed by deletion requests.
    pub forgotten: Forgotten,
    /// Events of minutes in which the service would have accepted only a part.
    pub partial: Vec<Contender>,
}

/// Counts of events removed by deletion requests.
#[derive(Debug, Default)]
pub struct Forgotten {
    /// Events that are not duplicates.
    pub events: u64,
    /// Signals among these events.
    pub signals: u64,
    /// The leads whose e-mails these events bring.
    pub brought: AHashSet<NodeId>,
}

impl AddAssign for Forgotten {
    fn add_assign(&mut self, other: Self) {
        self.events += other.events;
        self.signals += other.signals;
        self.brought.extend(other.brought);
    }
}

/// An event of a minute in which the service accepts only the first few.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Contender {
    /// The minute of receipt.
    pub minute: i64,
    /// The order of acceptance in the minute: received time, event time, signal id.
    pub order: (crate::time::Time, crate::time::Time, u128),
    /// Whether the event is an identify call that is kept.
    pub is_identify: bool,
    /// The lead whose e-mail the event brings.
    pub brings: Option<NodeId>,
}

impl Contender {
    /// Creates a contender from an event received in `minute`.
    pub fn new(minute: i64, key: OrderKey, is_identify: bool, brings: Option<NodeId>) -> Self {
        Self { minute, order: (key.received, key.time, key.signal_id), is_identify, brings }
    }
}

impl Tally {
    /// Creates counters that are 0, for `periods` periods and `rules` rules.
    pub fn new(periods: usize, rules: usize) -> Self {
        Self {
            mix: vec![PeriodMix::default(); periods],
            matches: vec![0; rules],
            ..Self::default()
        }
    }

    /// Counts a signal by its resolution and owner.
    pub fn resolved(&mut self, resolution: Resolution, owner: Option<Owner>) {
        self.resolutions[resolution as usize] += 1;
        if let Some(owner) = owner {
            self.through[owner.through as usize] += 1;
        }
    }
}

fn add_all<T: AddAssign, const N: usize>(sums: &mut [T; N], others: [T; N]) {
    for (sum, other) in sums.iter_mut().zip(others) {
        *sum += other;
    }
}

/// Adds two lists element by element; missing elements of the shorter one are 0.
fn add_lists<T: AddAssign>(sums: &mut Vec<T>, mut others: Vec<T>) {
    if sums.len() < others.len() {
        std::mem::swap(sums, &mut others);
    }
    for (sum, other) in sums.iter_mut().zip(others) {
        *sum += other;
    }
}

/// [`Tally::default`] is the neutral element. The destructuring makes a field that is not added a
/// compile error.
impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        let Self {
            outside_window,
            outside_duplicates,
            facts,
            identifies,
            address_as_user_id,
            identify_without_email,
            invalid_email,
            blocked_emails,
            blocked_ids,
            resolutions,
            through,
            would_change,
            internal_signals,
            matches,
            unmapped,
            mix,
            lost_identifies,
            forgotten,
            mut partial,
        } = other;
        self.outside_window += outside_window;
        self.outside_duplicates += outside_duplicates;
        self.facts += facts;
        self.identifies += identifies;
        self.address_as_user_id += address_as_user_id;
        self.identify_without_email += identify_without_email;
        self.invalid_email += invalid_email;
        self.blocked_emails += blocked_emails;
        self.blocked_ids += blocked_ids;
        add_all(&mut self.resolutions, resolutions);
        add_all(&mut self.through, through);
        add_all(&mut self.would_change, would_change);
        self.internal_signals += internal_signals;
        add_lists(&mut self.matches, matches);
        add_lists(&mut self.unmapped, unmapped);
        add_lists(&mut self.mix, mix);
        self.lost_identifies += lost_identifies;
        self.forgotten += forgotten;
        self.partial.append(&mut partial);
    }
}

/// The outcome of contenders.
#[derive(Debug, Default)]
pub struct DecidedContenders {
    /// The leads whose e-mails accepted events bring, once per event.
    pub accepted: Vec<NodeId>,
    /// Identify calls that were lost.
    pub lost_identifies: u64,
}

/// Decides which of `contenders` are accepted. They include all events of their minutes.
pub fn decide_contenders(mut contenders: Vec<Contender>, ledger: &Ledger) -> DecidedContenders {
    let mut decided = DecidedContenders::default();
    contenders.sort_unstable();
    for of_minute in contenders.chunk_by(|a, b| a.minute == b.minute) {
        let Verdict::Partial { accepted } = ledger.verdict(of_minute[0].minute) else { continue };
        let accepted = usize::try_from(accepted).unwrap_or(usize::MAX).min(of_minute.len());
        let (taken, lost) = of_minute.split_at(accepted);
        decided.accepted.extend(taken.iter().filter_map(|event| event.brings));
        decided.lost_identifies +=
            lost.iter().filter(|event: &&Contender| event.is_identify).count() as u64;
    }
    decided
}

/// Counts the outcome of the contenders in `tally`, and marks the leads that accepted ones bring as
/// accepted.
///
/// # Errors
/// Returns an error if leads on disk cannot be written.
pub fn count_contenders(tally: &mut Tally, ledger: &Ledger, leads: &LeadStore) -> io::Result<()> {
    let decided = decide_contenders(std::mem::take(&mut tally.partial), ledger);
    tally.lost_identifies += decided.lost_identifies;
    leads.accept(decided.accepted.into_iter())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adding_to_nothing_loses_nothing() {
        let counted = || {
            let mut tally = Tally::new(2, 3);
            (tally.facts, tally.lost_identifies) = (1, 2);
            tally.resolutions = [1, 2, 3, 4];
            tally.matches = vec![5, 0, 7];
            tally.mix[1].mapped = 9;
            tally
        };
        let shown = |tally: &Tally| format!("{tally:?}");
        let mut sum = Tally::default();
        sum += counted();
        assert_eq!(shown(&sum), shown(&counted()));
        sum += Tally::default();
        assert_eq!(shown(&sum), shown(&counted()));
        sum += counted();
        assert_eq!((sum.matches, sum.mix[1].mapped, sum.facts), (vec![10, 0, 14], 18, 2));
    }
}
