//! The trigger step of a Pipedream workflow, as its inspector exports it: `event` and `context`.
//!
//! <https://pipedream.com/docs/workflows/events> documents both: the event of an HTTP trigger
//! (`body`, `headers`, `method`, `path`, `url`), and its time as `context.ts`. An event that was
//! exported without its step has the generic shape.

use super::members::{Member, Members, present, text};
use super::{Body, Capture, Headers, time};
use crate::parse::shape::Shape;

pub(super) fn read<'t>(members: &Members<'t>) -> Option<Capture<'t>> {
    let event = members.object(Member::Event)?;
    let body = present(event, "body").or_else(|| present(event, "bodyRaw"))?;
    let context = members.object(Member::Context);
    Some(Capture {
        shape: Shape::Pipedream,
        body: Body::new(body, false),
        headers: Headers::new(present(event, "headers")),
        path: text(event, "path").or_else(|| text(event, "url")),
        time: time::first([context.and_then(|context| context.get("ts"))]),
    })
}
