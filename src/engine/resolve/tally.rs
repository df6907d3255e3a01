//! What the second phase counts; sums over workers are sums over the input.

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

/// Counts over kept events.
#[derive(Debug, Default)]
pub struct Tally {
    /// Kept events outside of the window.
    pub outside_window: u64,
    /// Duplicates outside of the window.
    pub outside_duplicates: u64,
    /// Identity facts; an alias is one.
    pub facts: u64,
    /// Identify calls.
    pub identifies: u64,
    /// Identify calls that bring no valid e-mail, and whose user id is one that is not taken for it.
    pub address_as_user_id: u64,
    /// Identify calls that bring no e-mail.
    pub identify_without_email: u64,
    /// E-mails that are no addresses.
    pub invalid_email: u64,
    /// E-mails that the rules block.
    pub blocked_emails: u64,
    /// Ids that are blocked, each time one stands in an event.
    pub blocked_ids: u64,
    /// Signals by resolution.
    pub resolutions: [u64; 4],
    /// Signals resolved through the anonymous id, the user id, a bridge.
    pub through: [u64; 3],
    /// Signals that another policy would give another owner.
    pub would_change: [u64; POLICIES.len()],
    /// Signals of staff.
    pub internal_signals: u64,
    /// Signals by rule.
    pub matches: Vec<u64>,
    /// Signals that no rule maps, by the places of their names.
    pub unmapped: Vec<u64>,
    /// By period of the plan, what the raw signals were.
    pub mix: Vec<PeriodMix>,
    /// Identify calls that the service would have lost.
    pub lost_identifies: u64,
    /// What deletion requests took out.
    pub forgotten: Forgotten,
    /// Events in minutes of which the service would have taken only the first few.
    pub partial: Vec<Contender>,
}

/// What deletion requests took out.
#[derive(Debug, Default)]
pub struct Forgotten {
    /// Events that are no duplicates.
    pub events: u64,
    /// Those of them that are signals.
    pub signals: u64,
    /// The leads whose e-mails they brought.
    pub brought: AHashSet<NodeId>,
}

impl AddAssign for Forgotten {
    fn add_assign(&mut self, other: Self) {
        self.events += other.events;
        self.signals += other.signals;
        self.brought.extend(other.brought);
    }
}

/// An event that may or may not be among the first of its minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Contender {
    /// The minute.
    pub minute: i64,
    /// When it was received, then when it happened, then its content.
    pub order: (crate::time::Time, crate::time::Time, u128),
    /// It is a kept identify call.
    pub is_identify: bool,
    /// The lead whose e-mail it brings.
    pub brings: Option<NodeId>,
}

impl Contender {
    /// An event received in `minute`.
    pub fn new(minute: i64, key: OrderKey, is_identify: bool, brings: Option<NodeId>) -> Self {
        Self { minute, order: (key.received, key.time, key.signal_id), is_identify, brings }
    }
}

impl Tally {
    /// Nothing counted yet, for a plan of so many periods and so many rules.
    pub fn new(periods: usize, rules: usize) -> Self {
        Self {
            mix: vec![PeriodMix::default(); periods],
            matches: vec![0; rules],
            ..Self::default()
        }
    }

    /// A signal with its owner.
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

/// Adds lists, of which the shorter one has nothing more to add.
fn add_lists<T: AddAssign>(sums: &mut Vec<T>, mut others: Vec<T>) {
    if sums.len() < others.len() {
        std::mem::swap(sums, &mut others);
    }
    for (sum, other) in sums.iter_mut().zip(others) {
        *sum += other;
    }
}

/// [`Tally::default`] is the identity. Every field is named, so that none is forgotten.
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

/// What contenders come to.
#[derive(Debug, Default)]
pub struct DecidedContenders {
    /// The leads whose e-mails were brought by events that the service would have taken, each as
    /// often as one brought it.
    pub accepted: Vec<NodeId>,
    /// Identify calls that it would have lost.
    pub lost_identifies: u64,
}

/// Tells which of `contenders`, all of their minutes, would have been taken.
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

/// Decides about the events of minutes of which only the first few were taken.
///
/// # Errors
/// When leads on disk cannot be written.
pub fn settle_partial(tally: &mut Tally, ledger: &Ledger, leads: &LeadStore) -> io::Result<()> {
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
