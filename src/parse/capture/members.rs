//! The members by which captures are told, found in one pass over an object.

use super::Headers;
use crate::json::{Json, Kind};

macro_rules! members {
    ($($variant:ident $name:literal),+ $(,)?) => {
        /// A member of some tool's captures.
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

/// The known members of an object. One that is `null` counts as absent; of two with one name the
/// last counts.
pub(super) struct Members<'t> {
    known: [Option<Json<'t>>; COUNT],
    /// How many members the object has, known or not.
    count: usize,
}

impl<'t> Members<'t> {
    /// Those of `object`.
    pub(super) fn new(object: Json<'t>) -> Self {
        let mut found = [None; COUNT];
        for (name, value) in object.entries() {
            if let Some(member) = member(name) {
                found[member as usize] = (!value.is_null()).then_some(value);
            }
        }
        Self { known: found, count: object.entries().size_hint().0 }
    }

    /// A member that is not `null`.
    pub(super) fn get(&self, member: Member) -> Option<Json<'t>> {
        self.known[member as usize]
    }

    /// Whether the object has one member.
    pub(super) fn is_alone(&self) -> bool {
        self.count == 1
    }

    /// Whether there is one that is not `null`.
    pub(super) fn has(&self, member: Member) -> bool {
        self.get(member).is_some()
    }

    /// A member that is an object.
    pub(super) fn object(&self, member: Member) -> Option<Json<'t>> {
        self.get(member).filter(|value| value.is_object())
    }

    /// A member that is a list.
    pub(super) fn list(&self, member: Member) -> Option<Json<'t>> {
        self.get(member).filter(|value| value.is_array())
    }

    /// A member that is a string with something in it.
    pub(super) fn text(&self, member: Member) -> Option<&'t str> {
        self.get(member).and_then(Json::as_str).filter(|text| !text.is_empty())
    }

    /// The headers, where they stand beside the body.
    pub(super) fn headers(&self) -> Headers<'t> {
        let headers = self.get(Member::Headers).or_else(|| self.get(Member::HttpHeaders));
        Headers::Json([headers, self.get(Member::MultiValueHeaders)])
    }

    /// The path, where it stands beside the body.
    pub(super) fn path(&self) -> Option<&'t str> {
        self.text(Member::Path).or_else(|| self.text(Member::RawPath))
    }

    /// A member that is `true` or `false`.
    pub(super) fn flag(&self, member: Member) -> Option<bool> {
        self.get(member).and_then(|value| match value.kind() {
            Kind::Bool(flag) => Some(flag),
            _ => None,
        })
    }
}

/// The member `name` of `object`, unless it is `null`.
pub(super) fn present<'t>(object: Json<'t>, name: &str) -> Option<Json<'t>> {
    object.get(name).filter(|value| !value.is_null())
}

/// The member `name` of `object` that is a string with something in it.
pub(super) fn text<'t>(object: Json<'t>, name: &str) -> Option<&'t str> {
    present(object, name).and_then(Json::as_str).filter(|text| !text.is_empty())
}
