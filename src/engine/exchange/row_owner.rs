//! The owner of an event row, between processes.

use crate::engine::identity::Resolution;
use crate::engine::identity::resolve::Through;
use crate::engine::resolve::row::PolicySet;
use crate::time::Time;

/// The owner that the ids of a signal or group call resolve to, if the event brings no e-mail
/// itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoundOwner {
    /// [`Resolution::Known`] or [`Resolution::Rehydrated`].
    pub resolution: Resolution,
    /// How the owner was found.
    pub through: Through,
    /// When the id of the event was connected to the owner; missing if that has no time.
    pub tied: Time,
}

/// The owner of an event row. An empty e-mail is missing; merged e-mails are replaced by the one
/// that names their lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowOwner<'a> {
    /// The lead of the e-mail that the event brings, or else of its owner.
    pub lead_email: &'a str,
    /// The lead of the e-mail that the event brings, or else of its user id.
    pub brought_email: &'a str,
    /// The lead of the e-mail that the user id is, if such a user id identifies.
    pub user_email: &'a str,
    /// How the owner was found, if it was by ids.
    pub found: Option<FoundOwner>,
    /// The policies under which the signal would have another lead.
    pub moved_by: PolicySet,
}
