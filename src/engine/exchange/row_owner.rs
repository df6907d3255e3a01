//! Whose an event is, as it travels between processes beside the event's row.

use crate::engine::identity::Resolution;
use crate::engine::identity::resolve::Through;
use crate::engine::resolve::row::PolicySet;
use crate::time::Time;

/// What the ids of a signal or group call that brings no e-mail itself lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoundOwner {
    /// [`Resolution::Known`] or [`Resolution::Rehydrated`].
    pub resolution: Resolution,
    /// What led to the e-mail.
    pub through: Through,
    /// When the id of the event was tied to what led to it; missing where that has no time.
    pub tied: Time,
}

/// The owner of an event; an empty e-mail is none. E-mails are the names of leads: where e-mails
/// that share a user id become one lead, that of the lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowOwner<'a> {
    /// The lead of the e-mail that the event brings, else of its owner.
    pub lead_email: &'a str,
    /// The lead of the e-mail that the event brings, or that its user id is.
    pub brought_email: &'a str,
    /// The lead of the e-mail that its user id is, where that identifies.
    pub user_email: &'a str,
    /// How its ids led to the owner, where they did.
    pub found: Option<FoundOwner>,
    /// The policies that would give the signal to another lead.
    pub moved_by: PolicySet,
}
