//! The members by which captures are told, found in one pass over an object.

use super::Headers;
use crate::parse::json::{Json, Kind};

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
    Base64 "base64",
    Body "body",
    Content "content",
    Context "context",
    CreatedAt "created_at",
    Count "count",
    Data "data",
    DataBase64 "data_base64",
    Encoding "encoding",
    Event "event",
    Headers "headers",
    IngestedAt "ingested_at",
    IsBase64Encoded "isBase64Encoded",
    Log "log",
    Models "models",
    MultiValueHeaders "multiValueHeaders",
    Pagination "pagination",
    Path "path",
    Payload "payload",
    PerPage "per_page",
    RawBody "rawBody",
    RawPath "rawPath",
    ReceivedAt "receivedAt",
    ReceivedAtSnake "received_at",
    Request "request",
    RequestContext "requestContext",
    Requests "requests",
    Source "source",
    SpecVersion "specversion",
    Start "start",
    StartedDateTime "startedDateTime",
    Time "time",
    Timestamp "timestamp",
    TokenId "token_id",
    Total "total",
    Ts "ts",
    Url "url",
}

/// The known members of an object. One that is `null` counts as absent; of two with one name the
/// last counts.
pub(super) struct Members<'t>([Option<Json<'t>>; COUNT]);

impl<'t> Members<'t> {
    /// Those of `object`.
    pub(super) fn new(object: Json<'t>) -> Self {
        let mut found = [None; COUNT];
        for (name, value) in object.entries() {
            if let Some(member) = member(name) {
                found[member as usize] = (!value.is_null()).then_some(value);
            }
        }
        Self(found)
    }

    /// A member that is not `null`.
    pub(super) fn get(&self, member: Member) -> Option<Json<'t>> {
        self.0[member as usize]
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
        Headers::Json([self.get(Member::Headers), self.get(Member::MultiValueHeaders)])
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
