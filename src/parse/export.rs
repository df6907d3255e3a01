//! Detection of records of other products by their members, so that the refusal of a file can name
//! its format.

use crate::json::Json;

/// A format and the members that identify it: every one of `all`, and at least one of `any`.
struct Kind {
    name: &'static str,
    all: &'static [&'static str],
    any: &'static [&'static str],
}

/// All formats, the more specific first. The member names are from each product's documentation of
/// its export.
const KINDS: [Kind; 13] = [
    Kind {
        name: "PostHog's export",
        all: &["event", "distinct_id"],
        any: &["uuid", "timestamp", "properties"],
    },
    Kind { name: "Mixpanel's export", all: &["event", "properties.distinct_id"], any: &[] },
    Kind { name: "Mixpanel's export", all: &["event", "properties.$insert_id"], any: &[] },
    Kind { name: "Mixpanel's export of profiles", all: &["$distinct_id", "$properties"], any: &[] },
    Kind {
        name: "Amplitude's export",
        all: &["event_type"],
        any: &["amplitude_id", "device_id", "$insert_id", "event_properties", "user_properties"],
    },
    Kind {
        name: "a GA4 export to BigQuery",
        all: &["event_name"],
        any: &["event_timestamp", "event_params", "user_pseudo_id"],
    },
    Kind {
        name: "Snowplow's enriched events",
        all: &["event_id"],
        any: &["collector_tstamp", "domain_userid", "v_collector"],
    },
    Kind { name: "a warehouse export of tracks", all: &["event_text"], any: WAREHOUSE },
    Kind { name: "a warehouse export of groups", all: &["group_id"], any: WAREHOUSE },
    Kind { name: "a warehouse export of identifies", all: &["email"], any: WAREHOUSE },
    Kind { name: "a warehouse export of pages", all: &["context_page_url"], any: WAREHOUSE },
    Kind { name: "a warehouse export of tracks", all: &["event"], any: WAREHOUSE },
    Kind { name: "a warehouse export", all: &["received_at"], any: WAREHOUSE },
];

/// Columns of the tables that Segment and `RudderStack` load into warehouses
/// (<https://segment.com/docs/connections/storage/warehouses/schema/>).
const WAREHOUSE: &[&str] =
    &["anonymous_id", "user_id", "uuid_ts", "original_timestamp", "context_library_name"];

/// Returns the name of the format that `object` appears to have.
#[cold]
pub(super) fn looks_like(object: Json<'_>) -> Option<&'static str> {
    let has = |path: &&str| {
        let value = match path.split_once('.') {
            Some((outer, inner)) => object.get(outer).and_then(|value| value.get(inner)),
            None => object.get(path),
        };
        value.is_some()
    };
    let is = |kind: &&Kind| {
        kind.all.iter().all(has) && (kind.any.is_empty() || kind.any.iter().any(has))
    };
    KINDS.iter().find(is).map(|kind| kind.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::document::with_json;

    #[test]
    fn exports_are_told_by_their_members() {
        for (json, expected) in [
            (
                r#"{"event":"A","properties":{"distinct_id":"d","time":1}}"#,
                Some("Mixpanel's export"),
            ),
            (r#"{"event_type":"A","device_id":"d"}"#, Some("Amplitude's export")),
            (r#"{"event_name":"a","event_timestamp":"1"}"#, Some("a GA4 export to BigQuery")),
            (r#"{"uuid":"1","event":"a","distinct_id":"d"}"#, Some("PostHog's export")),
            (r#"{"event_id":"1","collector_tstamp":"x"}"#, Some("Snowplow's enriched events")),
            (
                r#"{"id":"1","anonymous_id":"a","event":"signed_up","event_text":"Signed Up"}"#,
                Some("a warehouse export of tracks"),
            ),
            (
                r#"{"id":"u","email":"e","received_at":"x","uuid_ts":"y"}"#,
                Some("a warehouse export of identifies"),
            ),
            (r#"{"event":"A","properties":{}}"#, None),
            (r#"{"received_at":"x"}"#, None),
            ("7", None),
        ] {
            assert_eq!(with_json(json, looks_like), expected, "{json}");
        }
    }
}
