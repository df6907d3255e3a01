//! Messages of Apache Kafka, as `kcat -J` prints them and as connectors write them to files.
//!
//! <https://github.com/edenhill/kcat#readme> (`topic`, `partition`, `offset`, `ts`, `key`,
//! `payload`) and <https://kafka.apache.org/documentation/#connect>, whose sinks name the value
//! `value` and the time `timestamp`. Consumers of bytes leave them in base64. A message's headers
//! are none of HTTP's.

use super::members::{Member, Members};
use super::{Body, Capture, Headers, seems_base64, time};
use crate::parse::shape::Shape;

pub(super) fn read<'t>(members: &Members<'t>) -> Option<Capture<'t>> {
    members.text(Member::Topic)?;
    let value = members.get(Member::Value).or_else(|| members.get(Member::Payload))?;
    Some(Capture {
        shape: Shape::Kafka,
        body: Body::new(value, value.as_str().is_some_and(seems_base64)),
        headers: Headers::NONE,
        path: None,
        time: time::first([members.get(Member::Ts), members.get(Member::Timestamp)]),
    })
}
