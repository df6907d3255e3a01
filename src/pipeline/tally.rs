//! What the second phase counts; sums over workers are sums over the input.

use std::ops::AddAssign;

use super::counters::Names;
use crate::identity::Resolution;
use crate::identity::fact::OrderKey;
use crate::identity::ids::NodeId;
use crate::identity::resolve::Owner;
use crate::plan::PeriodMix;
use crate::rules::Policy;

/// The policies, in the order of reports.
pub const POLICIES: [Policy; 4] = [Policy::Split, Policy::First, Policy::Last, Policy::Strict];

/// Counts over kept events.
#[derive(Debug, Default)]
pub struct Tally {
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
    /// Signals that no rule maps.
    pub unmapped: Names,
    /// By period of the plan, what the raw signals were.
    pub mix: Vec<PeriodMix>,
    /// Identify calls that the service would have lost.
    pub lost_identifies: u64,
    /// Events in minutes of which the service would have taken only the first few.
    pub partial: Vec<Contender>,
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

fn add_all<T: AddAssign>(sums: &mut [T], others: Vec<T>) {
    for (sum, other) in sums.iter_mut().zip(others) {
        *sum += other;
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, mut other: Self) {
        self.facts += other.facts;
        self.identifies += other.identifies;
        self.address_as_user_id += other.address_as_user_id;
        self.identify_without_email += other.identify_without_email;
        self.invalid_email += other.invalid_email;
        self.blocked_emails += other.blocked_emails;
        self.blocked_ids += other.blocked_ids;
        self.internal_signals += other.internal_signals;
        self.lost_identifies += other.lost_identifies;
        self.unmapped += other.unmapped;
        add_all(&mut self.resolutions, other.resolutions.to_vec());
        add_all(&mut self.through, other.through.to_vec());
        add_all(&mut self.would_change, other.would_change.to_vec());
        add_all(&mut self.matches, other.matches);
        add_all(&mut self.mix, other.mix);
        self.partial.append(&mut other.partial);
    }
}
