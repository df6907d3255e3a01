//! Records of Amazon's queues and streams: as a Lambda function receives them, as the command line
//! and the SDKs return them, and one by one, as functions log them.
//!
//! - SQS: <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>, and `Messages` of
//!   <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html>.
//! - SNS: <https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html>, and the notification that
//!   its other subscribers get, SQS queues among them:
//!   <https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html>.
//! - Kinesis: <https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html>, and
//!   <https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html>.
//! - Firehose: <https://docs.aws.amazon.com/lambda/latest/dg/services-kinesisfirehose.html>, and
//!   <https://docs.aws.amazon.com/firehose/latest/dev/httpdeliveryrequestresponse.html>.

use super::members::{Member, Members, present, text};
use super::{Body, Capture, Headers, List, seems_base64, time};
use crate::json::Json;
use crate::parse::shape::Shape;

pub(super) fn list<'t>(members: &Members<'t>) -> Option<List<'t>> {
    let of = |member, path, shape| Some(List { shape, path, items: members.list(member)? });
    let first_has = |list: &List<'_>, name| {
        list.items.item(0).is_some_and(|item| present(item, name).is_some())
    };
    let records = || of(Member::RecordsUpper, &["Records"], Shape::Sqs);
    let told = |shape, name| {
        records().filter(|list| first_has(list, name)).map(|list| List { shape, ..list })
    };
    told(Shape::Sns, "Sns")
        .or_else(|| told(Shape::Kinesis, "kinesis"))
        .or_else(|| told(Shape::Kinesis, "Data"))
        .or_else(|| told(Shape::Sqs, "body"))
        .or_else(|| {
            of(Member::Messages, &["Messages"], Shape::Sqs).filter(|list| first_has(list, "Body"))
        })
        .or_else(|| {
            of(Member::Records, &["records"], Shape::Firehose)
                .filter(|list| first_has(list, "data"))
        })
}

pub(super) fn read<'t>(members: &Members<'t>) -> Option<Capture<'t>> {
    notification(members)
        .or_else(|| from_sns(members))
        .or_else(|| from_kinesis(members))
        .or_else(|| from_stream(members))
        .or_else(|| from_firehose(members))
        .or_else(|| from_sqs(members))
}

fn capture<'t>(shape: Shape, body: Body<'t>, time: Option<Json<'t>>) -> Capture<'t> {
    Capture { shape, body, headers: Headers::NONE, path: None, time: time::first([time]) }
}

/// Reads a notification that a topic sends to a queue or an address.
fn notification<'t>(members: &Members<'t>) -> Option<Capture<'t>> {
    members.text(Member::TopicArn)?;
    let body = Body::new(members.get(Member::MessageUpper)?, false);
    Some(capture(Shape::Sns, body, members.get(Member::TimestampUpper)))
}

fn from_sns<'t>(members: &Members<'t>) -> Option<Capture<'t>> {
    let sns = members.object(Member::Sns)?;
    let body = present(sns, "Message")
        .map_or(Body::Absent("`Sns.Message`"), |message| Body::new(message, false));
    Some(capture(Shape::Sns, body, present(sns, "Timestamp")))
}

fn from_kinesis<'t>(members: &Members<'t>) -> Option<Capture<'t>> {
    let kinesis = members.object(Member::Kinesis)?;
    let data = text(kinesis, "data").map_or(Body::Absent("`kinesis.data`"), Body::Base64);
    Some(capture(Shape::Kinesis, data, present(kinesis, "approximateArrivalTimestamp")))
}

/// Reads a record as the Kinesis API returns it.
fn from_stream<'t>(members: &Members<'t>) -> Option<Capture<'t>> {
    members.text(Member::SequenceNumber)?;
    let data = Body::Base64(members.text(Member::DataUpper)?);
    Some(capture(Shape::Kinesis, data, members.get(Member::ArrivalUpper)))
}

/// Reads a record of a delivery stream, as a function receives it, or the bare `data` that an HTTP
/// endpoint receives.
fn from_firehose<'t>(members: &Members<'t>) -> Option<Capture<'t>> {
    let data = members.text(Member::Data)?;
    let is_record = members.has(Member::RecordId) || (members.is_alone() && seems_base64(data));
    is_record.then(|| capture(Shape::Firehose, Body::Base64(data), members.get(Member::Arrival)))
}

fn from_sqs<'t>(members: &Members<'t>) -> Option<Capture<'t>> {
    let is_lambda = members.text(Member::EventSource) == Some("aws:sqs");
    if !is_lambda && !members.has(Member::ReceiptHandle) && !members.has(Member::ReceiptUpper) {
        return None;
    }
    let body = members.get(Member::Body).or_else(|| members.get(Member::BodyUpper));
    let attributes = members.object(Member::Attributes);
    let attributes = attributes.or_else(|| members.object(Member::AttributesUpper));
    let sent = attributes.and_then(|attributes| present(attributes, "SentTimestamp"));
    let body = body.map_or(Body::Absent("`body`"), |body| Body::new(body, false));
    Some(capture(Shape::Sqs, body, sent))
}
