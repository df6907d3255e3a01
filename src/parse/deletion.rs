//! Delete calls: the messages with which Segment forwards deletion requests to destinations.

use crate::event::id::Id;
use crate::event::{Event, Member};
use crate::time::Time;

/// The `type` of a delete call.
const DELETE: &str = "delete";

/// The members that give the time of a call, in the order of preference used for events.
const TIMES: [Member; 4] =
    [Member::Timestamp, Member::OriginalTimestamp, Member::SentAt, Member::ReceivedAt];

/// A request to delete the data of a user.
#[derive(Clone, Copy, Debug)]
pub struct Deletion<'t> {
    /// The user whose data is to be deleted.
    pub user_id: Option<Id<'t>>,
    /// The time of the request. Segment sets it, so there is no client clock to correct.
    pub asked_at: Time,
}

impl<'t> Deletion<'t> {
    /// Returns the request in `message`, if it is a delete call. If it has no time of its own, the
    /// time of its `batch` applies, else the time of its capture, `captured_at`.
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
