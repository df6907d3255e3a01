//! A row with its owner.

use crate::engine::exchange::row::{Row, RowIds};
use crate::engine::exchange::store::SegmentView;
use crate::engine::identity::Resolution;
use crate::engine::identity::ids::NodeId;
use crate::engine::identity::resolve::Owner;
use crate::rules::{Policy, Rule};

/// The policies, in the order of reports.
pub const POLICIES: [Policy; 4] = [Policy::Split, Policy::First, Policy::Last, Policy::Strict];

/// Some of the [`POLICIES`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PolicySet(u8);

impl PolicySet {
    /// Those of which `holds`.
    pub fn of(holds: impl Fn(Policy) -> bool) -> Self {
        let bits = POLICIES.iter().enumerate();
        Self(bits.map(|(place, &policy)| u8::from(holds(policy)) << place).sum())
    }

    /// As a plain number: a bit for each of the [`POLICIES`].
    pub fn to_bits(self) -> u8 {
        self.0
    }

    /// From a plain number.
    pub fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// For each of the policies whether it is among them.
    pub fn each(self) -> [bool; POLICIES.len()] {
        std::array::from_fn(|place| self.0 >> place & 1 == 1)
    }
}

/// The lead that an event is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OfLead {
    /// The e-mail that names it.
    pub email: NodeId,
    /// It is staff, and so no lead.
    pub internal: bool,
}

impl OfLead {
    /// Its e-mail, unless it is staff.
    pub fn external(self) -> Option<NodeId> {
        (!self.internal).then_some(self.email)
    }
}

/// What becomes of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It counts.
    Kept,
    /// It is a duplicate, or is dropped.
    Dead,
    /// A deletion request covers it.
    Forgotten,
}

/// A row with all that is known of it: its ids as numbers of the run, its rule and its owner.
pub struct ResolvedRow<'r> {
    /// The row.
    pub row: Row<'r>,
    /// Its number in the segment.
    pub number: u32,
    /// The segment.
    pub segment: &'r SegmentView<'r>,
    /// Its ids.
    pub ids: RowIds,
    /// The rule that maps it.
    pub rule: Option<&'r Rule>,
    /// The minute in which it was received, else happened.
    pub minute: Option<i64>,
    /// The position of its period in the ledger.
    pub period: Option<usize>,
    /// The lead of the e-mail that its user id is, where that identifies.
    pub user_lead: Option<OfLead>,
    /// What its ids lead to, of a signal or group call that brings no e-mail itself.
    pub owner: Option<Owner>,
    /// The lead of the e-mail that it brings, else of its owner.
    pub lead: Option<OfLead>,
    /// The lead of the e-mail that it brings, or that its user id is.
    pub brought: Option<OfLead>,
    /// The policies that would give the signal to another lead.
    pub moved_by: PolicySet,
    /// It lies in the window.
    pub in_window: bool,
    /// What becomes of it.
    pub(super) fate: Fate,
}

impl ResolvedRow<'_> {
    /// How a signal came to its lead.
    pub fn resolution(&self) -> Resolution {
        match (self.ids.email, self.owner) {
            (Some(_), _) => Resolution::Direct,
            (None, Some(owner)) => owner.resolution,
            (None, None) => Resolution::Cold,
        }
    }
}
