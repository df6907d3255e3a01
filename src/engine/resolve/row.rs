//! Rows with their owners.

use crate::engine::exchange::row::{Row, RowIds};
use crate::engine::exchange::store::SegmentView;
use crate::engine::identity::Resolution;
use crate::engine::identity::ids::NodeId;
use crate::engine::identity::resolve::Owner;
use crate::rules::{Policy, Rule};

/// All policies, in the order of reports.
pub const POLICIES: [Policy; 4] = [Policy::Split, Policy::First, Policy::Last, Policy::Strict];

/// A set of [`POLICIES`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PolicySet(u8);

impl PolicySet {
    /// Creates the set of the policies for which `holds` is true.
    pub fn of(holds: impl Fn(Policy) -> bool) -> Self {
        let bits = POLICIES.iter().enumerate();
        Self(bits.map(|(place, &policy)| u8::from(holds(policy)) << place).sum())
    }

    /// Returns the set as bits, one for each of [`POLICIES`].
    pub fn to_bits(self) -> u8 {
        self.0
    }

    /// Creates a set from the bits that [`to_bits`](Self::to_bits) returned.
    pub fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// Returns for each of [`POLICIES`] whether it is in the set.
    pub fn each(self) -> [bool; POLICIES.len()] {
        std::array::from_fn(|place| self.0 >> place & 1 == 1)
    }
}

/// The lead of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowLead {
    /// The e-mail that names the lead.
    pub email: NodeId,
    /// Whether the e-mail is of an internal domain, so that the person is no lead.
    pub internal: bool,
}

impl RowLead {
    /// Returns the e-mail, unless it is internal.
    pub fn external(self) -> Option<NodeId> {
        (!self.internal).then_some(self.email)
    }
}

/// Whether a row counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// The row counts.
    Kept,
    /// The row is a duplicate, or dropped.
    Dead,
    /// The row is covered by a deletion request.
    Forgotten,
}

/// A row with its rule, its owner, and its ids as numbers of the run.
pub struct ResolvedRow<'r> {
    /// The row as stored.
    pub row: &'r Row<'r>,
    /// The number of the row in the segment.
    pub number: u32,
    /// The segment.
    pub segment: &'r SegmentView<'r>,
    /// The ids of the row.
    pub ids: RowIds,
    /// The rule that maps the row.
    pub rule: Option<&'r Rule>,
    /// The minute in which the event was received, or happened if it has no receipt time; `None`
    /// outside of the window.
    pub minute: Option<i64>,
    /// The index of the period of `minute` in the ledger.
    pub period: Option<usize>,
    /// The lead of the e-mail that the user id is, if such a user id identifies.
    pub user_lead: Option<RowLead>,
    /// The owner that the ids resolve to, for a signal or group call that brings no e-mail itself.
    pub owner: Option<Owner>,
    /// The lead of the e-mail that the row brings, or else of its owner.
    pub lead: Option<RowLead>,
    /// The lead of the e-mail that the row brings, or else of its user id.
    pub brought: Option<RowLead>,
    /// The policies under which the signal would have another lead.
    pub moved_by: PolicySet,
    /// Whether the event happened in the window.
    pub in_window: bool,
    /// Whether the row counts.
    pub(super) fate: Fate,
}

impl ResolvedRow<'_> {
    /// Returns how the lead of a signal was found.
    pub fn resolution(&self) -> Resolution {
        match (self.ids.email, self.owner) {
            (Some(_), _) => Resolution::Direct,
            (None, Some(owner)) => owner.resolution,
            (None, None) => Resolution::Cold,
        }
    }
}
