//! Requests that the ngrok agent recorded, single or in the list that its API on port 4040 returns.
//!
//! <https://ngrok.com/docs/agent/api/>, "List Captured Requests" and "Captured Request Detail":
//! `request.raw` is the message in its wire format, in base64. A long body may be cut short
//! (<https://ngrok.com/docs/agent/web-inspection-interface/>).

use super::members::{Member, Members, present, text};
use super::{Body, Capture, Headers, List, time};
use crate::parse::shape::Shape;

pub(super) fn list<'t>(members: &Members<'t>) -> Option<List<'t>> {
    let items = members.list(Member::Requests)?;
    Some(List { shape: Shape::Ngrok, path: &["requests"], items })
}

pub(super) fn read<'t>(members: &Members<'t>) -> Option<Capture<'t>> {
    let request = members.object(Member::Request)?;
    let body = match text(request, "raw") {
        Some(raw) => Body::Message(raw),
        None if members.has(Member::Start) => Body::Absent("`request.raw`"),
        None => return None,
    };
    Some(Capture {
        shape: Shape::Ngrok,
        body,
        // For a message without a head.
        headers: Headers::new(present(request, "headers")),
        path: text(request, "uri"),
        time: time::first([members.get(Member::Start)]),
    })
}
