//! Delete calls: the message with which Segment forwards a deletion request to destinations.

use crate::event::id::Id;
use crate::event::{Event, Member};
use crate::time::Time;

/// The `type` of such a message.
const DELETE: &str = "delete";

/// The members that say when a call was made, in the order of an event's.
const TIMES: [Member; 4] =
    [Member::Timestamp, Member::OriginalTimestamp, Member::SentAt, Member::ReceivedAt];

/// A request that what is known of a user be deleted.
#[derive(Clone, Copy, Debug)]
pub struct Deletion<'t> {
    /// The user.
    pub user_id: Option<Id<'t>>,
    /// When it was made. Segment makes it, so no clock of a client is corrected.
    pub asked_at: Time,
}

impl<'t> Deletion<'t> {
    /// The request that `message` is, if it is one. Where it has no time of its own, that of its
    /// `batch` counts, else that of its capture, `captured_at`.
    pub(super) fn of(
        message: &Event<'t>,
        batch: Option<&Event<'_>>,
        captured_at: Time,
    ) -> Option<Self> {
        let is_deletion =
            message.text(Member::Type).is_some_and(|name| name.eq_ignore_ascii_case(DELETE));
        let asked_at = || time_of(message).or_else(|| time_of(batch?)).unwrap_or(captured_at);
        is_deletion.then(|| Self { user_id: message.id(Member::UserId), asked_at: asked_at() })
    }
}

fn time_of(message: &Event<'_>) -> Option<Time> {
    TIMES.into_iter().find_map(|member| Time::from_json(message.get(member)?))
}
