//! Rows whose owners are known already.

use super::owner::{Absent, rows_of, show, unresolved};
use super::row::{OfLead, PolicySet};
use super::visit::Visit;
use crate::engine::Engine;
use crate::engine::exchange::store::SegmentView;
use crate::engine::identity::resolve::Owner;
use crate::engine::plan::Ledger;

/// What an [`OwnerFinder`](super::owner::OwnerFinder) found out about a row.
#[derive(Clone, Copy, Debug, Default)]
pub struct KnownOwner {
    /// The lead of the e-mail that it brings, else of its owner.
    pub lead: Option<OfLead>,
    /// The lead of the e-mail that it brings, or that its user id is.
    pub brought: Option<OfLead>,
    /// The lead of the e-mail that its user id is, where that identifies.
    pub user_lead: Option<OfLead>,
    /// What its ids lead to.
    pub owner: Option<Owner>,
    /// The policies that would give the signal to another lead.
    pub moved_by: PolicySet,
}

/// Shows all rows of the segment `view`, of which some are `absent`, with their `owners` to
/// `visitor`.
pub fn show_known(
    (engine, ledger): (&Engine, &Ledger),
    absent: Absent<'_>,
    view: &SegmentView<'_>,
    owners: &[KnownOwner],
    visitor: &mut impl Visit,
) {
    for ((row, number, fate), known) in rows_of(absent, view).zip(owners) {
        let mut row = unresolved(engine, ledger, row, (number, fate), view);
        let KnownOwner { lead, brought, user_lead, owner, moved_by } = *known;
        (row.lead, row.brought, row.user_lead) = (lead, brought, user_lead);
        (row.owner, row.moved_by) = (owner, moved_by);
        show(&row, visitor);
    }
}
