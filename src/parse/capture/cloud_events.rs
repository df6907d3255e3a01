//! `CloudEvents` 1.0 in their JSON format.
//!
//! <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md>: `data` is
//! a JSON value or a string, `data_base64` is binary data. The `type` of a `CloudEvent` is
//! unrelated to Segment's. There are no headers and no path.

use super::members::{Member, Members};
use super::{Body, Capture, Headers, time};
use crate::parse::shape::Shape;

pub(super) fn read<'t>(members: &Members<'t>) -> Option<Capture<'t>> {
    members.text(Member::SpecVersion)?;
    let body = match (members.get(Member::Data), members.get(Member::DataBase64)) {
        (Some(data), _) => Body::new(data, false),
        (None, Some(data)) => Body::new(data, true),
        (None, None) if members.has(Member::Source) => Body::Absent("`data` or `data_base64`"),
        (None, None) => return None,
    };
    Some(Capture {
        shape: Shape::CloudEvents,
        body,
        headers: Headers::NONE,
        path: None,
        time: time::first([members.get(Member::Time)]),
    })
}
