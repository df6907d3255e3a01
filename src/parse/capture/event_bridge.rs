//! Events of Amazon `EventBridge`, to which Segment's `EventBridge` destination sends.
//!
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html>: `detail`
//! is a JSON object next to `detail-type` and `source`;
//! <https://segment.com/docs/connections/destinations/catalog/amazon-eventbridge/> says that it is
//! the Segment event. There are no headers and no path.

use super::members::{Member, Members};
use super::{Body, Capture, Headers, time};
use crate::parse::shape::Shape;

pub(super) fn read<'t>(members: &Members<'t>) -> Option<Capture<'t>> {
    members.text(Member::DetailType)?;
    members.text(Member::Source)?;
    let body = members.get(Member::Detail);
    Some(Capture {
        shape: Shape::EventBridge,
        body: body.map_or(Body::Absent("`detail`"), |detail| Body::new(detail, false)),
        headers: Headers::NONE,
        path: None,
        time: time::first([members.get(Member::Time)]),
    })
}
