//! Captures of no particular tool: what request bins, proxies and people's own scripts log.

use super::members::{Member, Members, text};
use super::{Body, Capture, time};
use crate::parse::shape::Shape;

/// Members that may hold the body, in order of preference.
const BODIES: [Member; 4] = [Member::Body, Member::RawBody, Member::Payload, Member::Content];
/// Members that may hold the time of the delivery, in order of preference.
const TIMES: [Member; 6] = [
    Member::ReceivedAt,
    Member::ReceivedAtSnake,
    Member::Timestamp,
    Member::CreatedAt,
    Member::Time,
    Member::Ts,
];

pub(super) fn read<'t>(members: &Members<'t>) -> Option<Capture<'t>> {
    let body = BODIES.into_iter().find_map(|member| members.get(member))?;
    Some(Capture {
        shape: Shape::Capture,
        body: Body::new(body, is_base64(members)),
        headers: members.headers(),
        path: members
            .path()
            .or_else(|| text(members.get(Member::Request)?, "uri"))
            .or_else(|| members.text(Member::Url)),
        time: time::first(TIMES.map(|member| members.get(member))),
    })
}

fn is_base64(members: &Members<'_>) -> bool {
    members.flag(Member::IsBase64Encoded) == Some(true)
        || members.flag(Member::Base64) == Some(true)
        || members
            .text(Member::Encoding)
            .is_some_and(|encoding| encoding.eq_ignore_ascii_case("base64"))
}
