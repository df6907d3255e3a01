//! Captures of no particular tool, as request bins, proxies and custom scripts log them.

use super::members::{Member, Members, text};
use super::time::first;
use super::{Body, Capture};
use crate::parse::shape::Shape;
use crate::time::Time;

/// Members that may hold the body, in order of preference.
const BODIES: [Member; 4] = [Member::Body, Member::RawBody, Member::Payload, Member::Content];
/// Members that may hold the time of the delivery, in order of preference.
const TIMES: [Member; 10] = [
    Member::ReceivedAt,
    Member::ReceivedAtSnake,
    Member::Timestamp,
    Member::CreatedAt,
    Member::Time,
    Member::Ts,
    Member::IngestedAtCamel,
    Member::AtTimestamp,
    Member::AirbyteEmittedAt,
    Member::TimeIso8601,
];

pub(super) fn read<'t>(members: &Members<'t>) -> Option<Capture<'t>> {
    let body = BODIES.into_iter().find_map(|member| members.get(member))?;
    Some(Capture {
        shape: Shape::Capture,
        body: Body::new(body, is_base64(members)),
        headers: members.headers(),
        path: path(members),
        time: time(members),
    })
}

/// Returns the path of the request, or its URL.
pub(super) fn path<'t>(members: &Members<'t>) -> Option<&'t str> {
    let of_request = || text(members.get(Member::Request)?, "uri");
    members.path().or_else(of_request).or_else(|| members.text(Member::Url))
}

/// Returns the time of the delivery.
pub(super) fn time(members: &Members<'_>) -> Time {
    first(TIMES.map(|member| members.get(member)))
}

fn is_base64(members: &Members<'_>) -> bool {
    members.flag(Member::IsBase64Encoded) == Some(true)
        || members.flag(Member::Base64) == Some(true)
        || members
            .text(Member::Encoding)
            .is_some_and(|encoding| encoding.eq_ignore_ascii_case("base64"))
}
