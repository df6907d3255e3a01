//! The requirements of Segment's specification for every call, whatever the plan requires ("Spec:
//! Common Fields" and the pages on the calls).

use crate::event::{CallType, Event, Member};
use crate::jobs::check::finding::Violation;
use crate::jobs::check::flaw::Flaw;
use crate::json::{Json, Kind};
use crate::time::Time;

/// Fields that must be objects.
const OBJECTS: [Member; 4] =
    [Member::Properties, Member::Traits, Member::Context, Member::Integrations];
/// Fields that must be times.
const TIMES: [Member; 4] =
    [Member::Timestamp, Member::OriginalTimestamp, Member::SentAt, Member::ReceivedAt];

/// Returns the flaws of `event`.
pub(super) fn flaws(event: &Event<'_>, call: CallType) -> Vec<Flaw> {
    let mut flaws: Vec<Flaw> = Vec::new();
    flaws.extend(ids(event));
    flaws.extend(match call {
        CallType::Track => name(event),
        CallType::Group => id(event, Member::GroupId, "a group call says which group"),
        CallType::Alias => id(event, Member::PreviousId, "an alias call says whose new id it is"),
        CallType::Identify | CallType::Page | CallType::Screen => None,
    });
    // A field that the batch provides is not a field of the event itself.
    let own = |member: &Member| {
        let value = event.root().get(member.key()).filter(|value| !value.is_null())?;
        Some((*member, value))
    };
    flaws.extend(OBJECTS.iter().filter_map(own).filter(|(_, value)| !value.is_object()).map(
        |(member, value)| {
            let message = format!("`{}`: expected object, found {}", member.key(), found(value));
            at(member, Violation::InvalidType, message)
        },
    ));
    let no_time = |(_, value): &(Member, Json<'_>)| Time::from_json(*value).is_none();
    flaws.extend(TIMES.iter().filter_map(own).filter(no_time).map(|(member, value)| {
        let kind = match value.kind() {
            Kind::String(_) | Kind::Number(_) => Violation::InvalidValue,
            _ => Violation::InvalidType,
        };
        let message = format!(
            "`{}`: expected a time such as 2025-03-01T10:00:00.000Z, found {}",
            member.key(),
            found(value)
        );
        at(member, kind, message)
    }));
    flaws
}

/// Checks the ids that every call has and that Segment adds if they are missing.
fn ids(event: &Event<'_>) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    if event.id(Member::MessageId).is_none() {
        let message = "`messageId` is missing; Segment gives one to what comes without";
        flaws.push(at(Member::MessageId, Violation::MissingId, message));
    }
    if event.id(Member::AnonymousId).is_none() && event.id(Member::UserId).is_none() {
        let message = "both `anonymousId` and `userId` are missing; Segment refuses such a call";
        flaws.push(at(Member::AnonymousId, Violation::MissingId, message));
    }
    flaws
}

/// Checks the name of a track call.
fn name(event: &Event<'_>) -> Option<Flaw> {
    let value = event.get(Member::Event).filter(|value| !value.is_null());
    match value.map(|value| (value, value.kind())) {
        Some((_, Kind::String(text))) if !text.trim().is_empty() => None,
        None | Some((_, Kind::String(_))) => {
            let message = "`event` is missing; a track call says what happened";
            Some(at(Member::Event, Violation::MissingRequired, message))
        }
        Some((value, _)) => {
            let message = format!("`event`: expected string, found {}", found(value));
            Some(at(Member::Event, Violation::InvalidType, message))
        }
    }
}

/// Checks an id that a call must have: a string or a number.
fn id(event: &Event<'_>, member: Member, why: &str) -> Option<Flaw> {
    if event.id(member).is_some() {
        return None;
    }
    match event.get(member).filter(|value| !value.is_null()) {
        Some(value) if value.as_str().is_none() => {
            let message = format!("`{}`: expected string, found {}", member.key(), found(value));
            Some(at(member, Violation::InvalidType, message))
        }
        _ => {
            let message = format!("`{}` is missing; {why}", member.key());
            Some(at(member, Violation::MissingRequired, message))
        }
    }
}

fn at(member: Member, violation: Violation, message: impl Into<String>) -> Flaw {
    Flaw::new(violation, message).at(format!("/{}", member.key()))
}

/// Returns the type of a value, as JSON Schema names it.
fn found(value: Json<'_>) -> &'static str {
    match value.kind() {
        Kind::Null => "null",
        Kind::Bool(_) => "boolean",
        Kind::Number(_) => "number",
        Kind::String("") => "an empty string",
        Kind::String(_) => "string",
        Kind::Array(_) => "array",
        Kind::Object(_) => "object",
    }
}
