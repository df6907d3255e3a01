//! Messages of Google Cloud Pub/Sub: pushed, pulled, and without either wrapper.
//!
//! <https://cloud.google.com/pubsub/docs/push> (`message` beside `subscription`),
//! <https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.subscriptions/pull>
//! (`receivedMessages`, each with an `ackId`; `gcloud` prints the list alone) and
//! <https://cloud.google.com/pubsub/docs/reference/rest/v1/PubsubMessage> (`data` is base64,
//! `publishTime` is set by the server). There are no headers and no path.

use super::members::{Member, Members, present, text};
use super::{Body, Capture, Headers, List, time};
use crate::json::Json;
use crate::parse::shape::Shape;

pub(super) fn list<'t>(members: &Members<'t>) -> Option<List<'t>> {
    let items = members.list(Member::ReceivedMessages)?;
    Some(List { shape: Shape::PubSub, path: &["receivedMessages"], items })
}

pub(super) fn read<'t>(members: &Members<'t>) -> Option<Capture<'t>> {
    let (data, time) = match members.object(Member::Message) {
        Some(message) => (text(message, "data")?, published(message)),
        None => (members.text(Member::Data)?, members.get(Member::PublishTime)),
    };
    if time.is_none() && !members.has(Member::Subscription) && !members.has(Member::AckId) {
        return None;
    }
    Some(Capture {
        shape: Shape::PubSub,
        body: Body::Base64(data),
        headers: Headers::NONE,
        path: None,
        time: time::first([time]),
    })
}

/// Returns the publish time, which pushed messages have under two names.
fn published(message: Json<'_>) -> Option<Json<'_>> {
    present(message, "publishTime").or_else(|| present(message, "publish_time"))
}
