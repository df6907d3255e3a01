//! The members that identify captures, collected in one pass over an object.

use super::Headers;
use crate::json::{Json, Kind};

macro_rules! members {
    ($($variant:ident $name:literal),+ $(,)?) => {
        /// A member that some tool's captures have.
        #[derive(Clone, Copy, Debug)]
        pub(super) enum Member { $($variant),+ }

        const COUNT: usize = [$($name),+].len();

        fn member(name: &str) -> Option<Member> {
            Some(match name { $($name => Member::$variant,)+ _ => return None })
        }
    };
}

members! {
    AckId "ackId",
    AirbyteEmittedAt "_airbyte_emitted_at",
    Arrival "approximateArrivalTimestamp",
    ArrivalUpper "ApproximateArrivalTimestamp",
    AtTimestamp "@timestamp",
    Attributes "attributes",
    AttributesUpper "Attributes",
    Base64 "base64",
    Body "body",
    BodyUpper "Body",
    Content "content",
    Context "context",
    CreatedAt "created_at",
    Count "count",
    Data "data",
    DataBase64 "data_base64",
    DataUpper "Data",
    Detail "detail",
    DetailType "detail-type",
    Encoding "encoding",
    Event "event",
    EventSource "eventSource",
    Headers "headers",
    HttpHeaders "httpHeaders",
    IngestedAt "ingested_at",
    IngestedAtCamel "ingestedAt",
    IsBase64Encoded "isBase64Encoded",
    Kinesis "kinesis",
    Log "log",
    Message "message",
    MessageUpper "Message",
    Messages "Messages",
    Models "models",
    Msg "msg",
    MultiValueHeaders "multiValueHeaders",
    Pagination "pagination",
    Path "path",
    Payload "payload",
    PerPage "per_page",
    PublishTime "publishTime",
    RawBody "rawBody",
    RawPath "rawPath",
    RawUnderscore "_raw",
    ReceiptHandle "receiptHandle",
    ReceiptUpper "ReceiptHandle",
    ReceivedAt "receivedAt",
    ReceivedAtSnake "received_at",
    ReceivedMessages "receivedMessages",
    RecordId "recordId",
    Records "records",
    RecordsUpper "Records",
    Request "request",
    RequestContext "requestContext",
    Requests "requests",
    SequenceNumber "SequenceNumber",
    Sns "Sns",
    Source "source",
    SpecVersion "specversion",
    Start "start",
    StartedDateTime "startedDateTime",
    Subscription "subscription",
    Time "time",
    TimeIso8601 "time_iso8601",
    TimeUnderscore "_time",
    Timestamp "timestamp",
    TimestampUpper "Timestamp",
    TokenId "token_id",
    Topic "topic",
    TopicArn "TopicArn",
    Total "total",
    Ts "ts",
    Url "url",
    Value "value",
}

/// The known members of an object. A member that is `null` counts as absent; if a name occurs
/// twice, the last occurrence counts.
pub(super) struct Members<'t> {
    known: [Option<Json<'t>>; COUNT],
    /// The number of members of the object, known or not.
    count: usize,
}

impl<'t> Members<'t> {
    /// Collects the known members of `object`.
    pub(super) fn new(object: Json<'t>) -> Self {
        let mut found = [None; COUNT];
        for (name, value) in object.entries() {
            if let Some(member) = member(name) {
                found[member as usize] = (!value.is_null()).then_some(value);
            }
        }
        Self { known: found, count: object.entries().size_hint().0 }
    }

    /// Returns a member, or `None` if it is absent or `null`.
    pub(super) fn get(&self, member: Member) -> Option<Json<'t>> {
        self.known[member as usize]
    }

    /// Returns `true` if the object has exactly one member.
    pub(super) fn is_alone(&self) -> bool {
        self.count == 1
    }

    /// Returns `true` if a member is present and not `null`.
    pub(super) fn has(&self, member: Member) -> bool {
        self.get(member).is_some()
    }

    /// Returns a member if it is an object.
    pub(super) fn object(&self, member: Member) -> Option<Json<'t>> {
        self.get(member).filter(|value| value.is_object())
    }

    /// Returns a member if it is a list.
    pub(super) fn list(&self, member: Member) -> Option<Json<'t>> {
        self.get(member).filter(|value| value.is_array())
    }

    /// Returns a member if it is a non-empty string.
    pub(super) fn text(&self, member: Member) -> Option<&'t str> {
        self.get(member).and_then(Json::as_str).filter(|text| !text.is_empty())
    }

    /// Returns the headers next to the body.
    pub(super) fn headers(&self) -> Headers<'t> {
        let headers = self.get(Member::Headers).or_else(|| self.get(Member::HttpHeaders));
        Headers::Json([headers, self.get(Member::MultiValueHeaders)])
    }

    /// Returns the path next to the body.
    pub(super) fn path(&self) -> Option<&'t str> {
        self.text(Member::Path).or_else(|| self.text(Member::RawPath))
    }

    /// Returns a member if it is `true` or `false`.
    pub(super) fn flag(&self, member: Member) -> Option<bool> {
        self.get(member).and_then(|value| match value.kind() {
            Kind::Bool(flag) => Some(flag),
            _ => None,
        })
    }
}

/// Returns the member `name` of `object`, unless it is `null`.
pub(super) fn present<'t>(object: Json<'t>, name: &str) -> Option<Json<'t>> {
    object.get(name).filter(|value| !value.is_null())
}

/// Returns the member `name` of `object` if it is a non-empty string.
pub(super) fn text<'t>(object: Json<'t>, name: &str) -> Option<&'t str> {
    present(object, name).and_then(Json::as_str).filter(|text| !text.is_empty())
}
