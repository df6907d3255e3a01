//! Rewriting of events whose content is clear but whose form differs from that of an event.
//!
//! The rewritten text is read as if it had been delivered, so that rules, filters and the content
//! hash all see the same event.

use crate::event::content::ContentHasher;
use crate::event::{CallType, Event, Member};
use crate::json::Json;
use crate::json::canonical::{stringify, write_string};

/// The members whose names warehouses and some libraries write in snake case.
const SNAKE_CASE: [(&str, Member); 8] = [
    ("anonymous_id", Member::AnonymousId),
    ("user_id", Member::UserId),
    ("message_id", Member::MessageId),
    ("group_id", Member::GroupId),
    ("previous_id", Member::PreviousId),
    ("original_timestamp", Member::OriginalTimestamp),
    ("received_at", Member::ReceivedAt),
    ("sent_at", Member::SentAt),
];

/// The differences between an object and its rewritten form.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Changes<'t> {
    /// The call to write as `type`.
    pub call: Option<CallType>,
    /// Whether names in snake case become Segment's names.
    pub renames: bool,
    /// A context whose members are added to the event's own context where that lacks them.
    pub context: Option<Json<'t>>,
    /// The hash to write as `messageId`.
    pub message_id: Option<u128>,
}

impl Changes<'_> {
    /// Appends `object` with these changes to `out`.
    pub fn write(&self, object: Json<'_>, out: &mut Vec<u8>) {
        out.push(b'{');
        for (name, value) in object.entries() {
            let name = if self.renames { camel_case(name, object) } else { name };
            let is_replaced = (self.call.is_some() && name == Member::Type.key())
                || (self.message_id.is_some() && name == Member::MessageId.key());
            if is_replaced {
                continue;
            }
            begin_member(name, out);
            match self.context {
                Some(lent) if name == Member::Context.key() => merge(value, lent, out),
                _ => stringify(value, out),
            }
        }
        if let Some(call) = self.call {
            begin_member(Member::Type.key(), out);
            write_string(call.name(), out, true);
        }
        if let Some(hash) = self.message_id {
            begin_member(Member::MessageId.key(), out);
            write_string(&format!("content-{hash:032x}"), out, true);
        }
        out.push(b'}');
    }
}

/// Returns Segment's name for the member `name`, unless `object` has that member as well.
fn camel_case<'n>(name: &'n str, object: Json<'_>) -> &'n str {
    let known = SNAKE_CASE.iter().find(|(snake, _)| *snake == name);
    let free = known.filter(|(_, member)| object.get(member.key()).is_none_or(Json::is_null));
    free.map_or(name, |(_, member)| member.key())
}

fn begin_member(name: &str, out: &mut Vec<u8>) {
    if out.last() != Some(&b'{') {
        out.push(b',');
    }
    write_string(name, out, false);
    out.push(b':');
}

/// Appends `own`, completed recursively with the members of `lent` that it lacks; a member that is
/// `null` counts as lacking.
fn merge(own: Json<'_>, lent: Json<'_>, out: &mut Vec<u8>) {
    if !own.is_object() || !lent.is_object() {
        return stringify(if own.is_null() { lent } else { own }, out);
    }
    out.push(b'{');
    for (name, value) in own.entries() {
        begin_member(name, out);
        match lent.get(name) {
            Some(lent) => merge(value, lent, out),
            None => stringify(value, out),
        }
    }
    for (name, value) in lent.entries().filter(|(name, _)| own.get(name).is_none()) {
        begin_member(name, out);
        stringify(value, out);
    }
    out.push(b'}');
}

/// Returns the changes that turn `object` into an event if it nearly is one: its `type` differs in
/// case, or is missing and known from the path, or names are in snake case.
#[cold]
pub(super) fn near_miss(object: Json<'_>, from_path: Option<CallType>) -> Option<Changes<'static>> {
    let own = object.get(Member::Type.key()).filter(|value| !value.is_null());
    let written = match own {
        Some(value) => CallType::from_any_case(value.as_str()?)?,
        None => from_path?,
    };
    let has = |name: &str| object.get(name).is_some_and(Json::is_present);
    let renames = SNAKE_CASE.iter().take(3).any(|(name, _)| has(name));
    let camel = [Member::AnonymousId, Member::UserId, Member::MessageId];
    let has_id = renames || camel.iter().any(|member| has(member.key()));
    let is_exact = own.and_then(Json::as_str) == Some(written.name());
    (has_id && (renames || !is_exact)).then(|| Changes {
        call: (!is_exact).then_some(written),
        renames,
        ..Changes::default()
    })
}

/// Returns the changes that give `event` a message id: the hash of all its other content, so that a
/// redelivery has the same id.
#[cold]
pub(super) fn message_id(event: &Event<'_>) -> Changes<'static> {
    let hash = ContentHasher::default().hash_without_outline(event, &[Member::MessageId], false);
    Changes { message_id: Some(hash), ..Changes::default() }
}

/// Returns the call that requests to `path`, which may be a URL, make: `/v1/track`, `/v1/t`,
/// `/v1/pixel/track` (HTTP tracking API, and the paths that analytics.js posts to).
pub(super) fn call_of_path(path: &str) -> Option<CallType> {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let mut from_end = path.trim_end_matches('/').rsplit('/');
    let (last, before) = (from_end.next()?, from_end.next()?);
    (before == "v1" || before == "pixel").then_some(())?;
    CallType::from_name(last).or_else(|| {
        Some(match last {
            "i" => CallType::Identify,
            "t" => CallType::Track,
            "p" => CallType::Page,
            "s" => CallType::Screen,
            "g" => CallType::Group,
            "a" => CallType::Alias,
            _ => return None,
        })
    })
}

/// Returns `true` if `path` is that of a pixel, whose calls have no message id by design.
pub(super) fn is_pixel(path: &str) -> bool {
    path.split(['?', '#']).next().unwrap_or_default().contains("/v1/pixel/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::document::with_json;

    fn near(json: &str, from_path: Option<CallType>) -> String {
        with_json(json, |value| {
            let mut out = Vec::new();
            if let Some(changes) = near_miss(value, from_path) {
                changes.write(value, &mut out);
            }
            String::from_utf8(out).unwrap()
        })
    }

    #[test]
    fn an_object_that_means_to_be_an_event_becomes_one() {
        for (json, expected) in [
            (r#"{"type":"TRACK","userId":"u"}"#, r#"{"userId":"u","type":"track"}"#),
            (
                r#"{"type":"track","anonymous_id":"a","message_id":"m","user_id":null}"#,
                r#"{"type":"track","anonymousId":"a","messageId":"m","userId":null}"#,
            ),
            (
                r#"{"type":"Page","userId":"u","user_id":"v"}"#,
                r#"{"userId":"u","user_id":"v","type":"page"}"#,
            ),
            (r#"{"type":"track","userId":"u"}"#, ""),
            (r#"{"type":"web","user_id":"u"}"#, ""),
            (r#"{"type":7,"user_id":"u"}"#, ""),
            (r#"{"type":"TRACK"}"#, ""),
            (r#"{"userId":"u"}"#, ""),
        ] {
            assert_eq!(near(json, None), expected, "{json}");
        }
        let named = near(r#"{"userId":"u","type":null}"#, Some(CallType::Track));
        assert_eq!(named, r#"{"userId":"u","type":"track"}"#);
    }

    #[test]
    fn contexts_are_merged_member_by_member_and_the_events_own_wins() {
        let merged = |own: &str, lent: &str| {
            with_json(lent, |context| {
                let changes = Changes { context: Some(context), ..Changes::default() };
                with_json(&format!(r#"{{"context":{own}}}"#), |value| {
                    let mut out = Vec::new();
                    changes.write(value, &mut out);
                    String::from_utf8(out).unwrap()
                })
            })
        };
        for (own, lent, expected) in [
            (
                r#"{"a":{"x":1},"b":[1]}"#,
                r#"{"a":{"x":2,"y":3},"b":[2],"c":4}"#,
                r#"{"a":{"x":1,"y":3},"b":[1],"c":4}"#,
            ),
            (r#"{"a":null,"b":1}"#, r#"{"a":{"x":2},"b":{"y":1}}"#, r#"{"a":{"x":2},"b":1}"#),
            ("{}", r#"{"a":12345678901234567890}"#, r#"{"a":12345678901234567890}"#),
        ] {
            assert_eq!(merged(own, lent), format!(r#"{{"context":{expected}}}"#));
        }
    }

    #[test]
    fn the_call_is_that_of_the_path() {
        for (path, expected) in [
            ("/v1/track", Some(CallType::Track)),
            ("https://api.segment.io/v1/i?x=/v1/t", Some(CallType::Identify)),
            ("/v1/pixel/page?data=e30", Some(CallType::Page)),
            ("/v1/batch", None),
            ("/track", None),
            ("", None),
        ] {
            assert_eq!(call_of_path(path), expected, "{path}");
        }
        assert!(is_pixel("/v1/pixel/track?data=e30") && !is_pixel("/v1/t?data=/v1/pixel/"));
    }
}
