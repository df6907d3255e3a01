//! Visits rows whose owners were found earlier.

use super::owner::{ExcludedRows, rows_of, show, unresolved};
use super::row::{PolicySet, RowLead};
use super::visit::Visit;
use crate::engine::Engine;
use crate::engine::exchange::store::SegmentView;
use crate::engine::identity::resolve::Owner;
use crate::engine::plan::Ledger;

/// What an [`OwnerFinder`](super::owner::OwnerFinder) found for a row.
#[derive(Clone, Copy, Debug, Default)]
pub struct KnownOwner {
    /// The lead of the e-mail that the row brings, or else of its owner.
    pub lead: Option<RowLead>,
    /// The lead of the e-mail that the row brings, or else of its user id.
    pub brought: Option<RowLead>,
    /// The lead of the e-mail that the user id is, if such a user id identifies.
    pub user_lead: Option<RowLead>,
    /// The owner that the ids of the row resolve to.
    pub owner: Option<Owner>,
    /// The policies under which the signal would have another lead.
    pub moved_by: PolicySet,
}

/// Passes all rows of the segment `view`, with their `owners`, to `visitor`.
pub fn show_known(
    (engine, ledger): (&Engine, &Ledger),
    excluded: ExcludedRows<'_>,
    view: &SegmentView<'_>,
    owners: &[KnownOwner],
    visitor: &mut impl Visit,
) {
    for ((row, number, fate), known) in rows_of(excluded, view).zip(owners) {
        let mut row = unresolved(engine, ledger, (&row, number, fate), view);
        let KnownOwner { lead, brought, user_lead, owner, moved_by } = *known;
        (row.lead, row.brought, row.user_lead) = (lead, brought, user_lead);
        (row.owner, row.moved_by) = (owner, moved_by);
        show(&row, visitor);
    }
}
