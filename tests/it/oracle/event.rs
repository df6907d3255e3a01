//! One line of a history: an event, or the reason for which it is rejected.

use serde_json::{Map, Value};
use xxhash_rust::xxh3::xxh3_128;

use super::settings::{DedupBy, Settings};
use crate::targets::canonical::canonical;

/// Milliseconds since 1970; `None`, a missing time, sorts before all others.
pub type Time = Option<i64>;

/// The order of events.
pub type Key = (Time, Time, u128);

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// The members that are part of the content, in addition to `timestamp`.
const CONTENT: [&str; 13] = [
    "anonymousId",
    "category",
    "context",
    "event",
    "groupId",
    "messageId",
    "name",
    "originalTimestamp",
    "previousId",
    "properties",
    "traits",
    "type",
    "userId",
];

/// An event with its derived values.
#[derive(Clone, Debug)]
pub struct Event {
    pub json: Value,
    pub call: String,
    pub time: Time,
    pub received: Time,
    pub signal_id: u128,
    pub clock_skew: bool,
    pub unreadable_times: u64,
}

impl Event {
    /// Reads a line.
    ///
    /// # Errors
    /// The reason for which it is rejected.
    pub fn read(line: &str, settings: &Settings) -> Result<Self, &'static str> {
        let json: Value = serde_json::from_str(line).map_err(|_| "invalid_json")?;
        let calls = ["identify", "track", "page", "screen", "group", "alias"];
        let call = json["type"].as_str().filter(|call| calls.contains(call)).unwrap_or_default();
        let ids = ["messageId", "anonymousId", "userId"].map(|name| id_text(&json[name]));
        match ids {
            _ if call.is_empty() => return Err("not_segment"),
            [None, None, None] => return Err("not_segment"),
            [None, _, _] => return Err("missing_message_id"),
            [_, None, None] => return Err("missing_identity"),
            _ => {}
        }
        let mut unreadable_times = 0;
        let mut time_of = |name: &str| {
            let text = json[name].as_str()?;
            let time = text.parse::<jiff::Timestamp>().ok();
            unreadable_times += u64::from(time.is_none());
            Some(time?.as_millisecond())
        };
        let received = time_of("receivedAt");
        let own = ["timestamp", "originalTimestamp", "sentAt"].into_iter().find_map(time_of);
        let own = own.or(received);
        let clock_skew = own.zip(received).is_some_and(|(own, received)| own - received > DAY_MS);
        Ok(Self {
            call: call.to_owned(),
            time: if clock_skew { received } else { own },
            received,
            signal_id: signal_id(json.as_object().unwrap(), settings),
            clock_skew,
            unreadable_times,
            json,
        })
    }

    pub fn key(&self) -> Key {
        (self.time, self.received, self.signal_id)
    }

    pub fn is_signal(&self) -> bool {
        ["track", "page", "screen"].contains(&&*self.call)
    }

    /// The value at a dotted path, if it is neither `null` nor `""`.
    pub fn present(&self, path: &str) -> Option<&Value> {
        let value = path.split('.').try_fold(&self.json, |value, name| value.get(name))?;
        (!value.is_null() && value != "").then_some(value)
    }

    /// Returns the value as the text of a CSV cell.
    pub fn text(&self, path: &str) -> String {
        self.present(path).map(cell).unwrap_or_default()
    }

    pub fn id(&self, name: &str) -> Option<String> {
        id_text(&self.json[name])
    }

    /// The name of the event as tables show it.
    pub fn name(&self) -> String {
        match &*self.call {
            "page" => "Page Viewed".to_owned(),
            "screen" => "Screen Viewed".to_owned(),
            _ => self.text("event"),
        }
    }

    pub fn page_url(&self) -> String {
        let url = self.present("properties.url").or_else(|| self.present("context.page.url"));
        url.map(cell).unwrap_or_default()
    }

    /// The minute in which the event counts against the plan.
    pub fn minute(&self) -> Option<i64> {
        Some(self.received.or(self.time)?.div_euclid(60_000))
    }
}

/// Returns a string unchanged, and anything else in canonical form.
pub fn cell(value: &Value) -> String {
    value.as_str().map_or_else(|| canonical(value), str::to_owned)
}

/// Returns the text of an id, or `None` if `value` is not one.
fn id_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(_) => Some(canonical(value)),
        _ => None,
    }
}

fn signal_id(event: &Map<String, Value>, settings: &Settings) -> u128 {
    let ignored: &[&str] = match settings.dedup {
        DedupBy::ContentWithout(members) => members,
        _ => &[],
    };
    let has = |name: &str| event.get(name).is_some_and(|value| !value.is_null());
    let timestamp = (!has("originalTimestamp")).then_some("timestamp");
    let members = CONTENT.into_iter().chain(timestamp);
    let members = members.filter(|name| has(name) && !ignored.contains(name));
    let content = members.map(|name| (name.to_owned(), event[name].clone())).collect();
    xxh3_128(canonical(&Value::Object(content)).as_bytes())
}
