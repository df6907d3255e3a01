//! Messages of Apache Kafka: as `kcat -J` prints them, as connectors write them to files, and as a
//! Lambda function receives them, in an object of lists by topic and partition.
//!
//! <https://github.com/edenhill/kcat#readme> (`topic`, `partition`, `offset`, `ts`, `key`,
//! `payload`) and <https://kafka.apache.org/documentation/#connect>, whose sinks name the value
//! `value` and the time `timestamp`. Consumers of bytes leave values in base64. A message's headers
//! are not HTTP headers. Lambda: <https://docs.aws.amazon.com/lambda/latest/dg/with-msk.html>, and
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-kafka.html> for self-managed clusters.

use super::members::{Member, Members};
use super::{Body, Capture, Headers, List, seems_base64, time};
use crate::parse::shape::Shape;

/// The `eventSource` of Lambda's events, for Amazon MSK and for other clusters.
const SOURCES: [&str; 2] = ["aws:kafka", "SelfManagedKafka"];

/// Returns the lists of a Lambda event, by topic and partition.
pub(super) fn lists<'t>(members: &Members<'t>) -> Option<List<'t>> {
    let source = members.text(Member::EventSource)?;
    let items = members.object(Member::Records)?;
    let is_lambda = SOURCES.contains(&source) && items.entries().all(|(_, list)| list.is_array());
    is_lambda.then_some(List { shape: Shape::Kafka, path: &["records", "*"], items })
}

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
