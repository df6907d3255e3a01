//! Hostile histories: few ids, few times, and everything that makes them compete.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

type Object = Map<String, Value>;

/// A time from a small set: days around the end of a month, hours around midnight in several zones.
/// Some are missing or invalid.
fn time() -> impl Strategy<Value = Option<String>> {
    let day = proptest::sample::select(&["04-29", "04-30", "05-01", "05-02", "05-03"][..]);
    let hour = proptest::sample::select(&["00", "03", "04", "12", "20", "22", "23"][..]);
    let zone =
        prop_oneof![4 => Just("Z"), 1 => Just(".000Z"), 1 => Just(".250Z"), 1 => Just("+00:00")];
    let text = (day, hour, 0..2_u8, 0..2_u8, zone).prop_map(|(day, hour, minute, second, zone)| {
        format!("2025-{day}T{hour}:0{minute}:0{second}{zone}")
    });
    prop_oneof![8 => text.prop_map(Some), 1 => Just(None), 1 => Just(Some("soon".to_owned()))]
}

/// The value of an id, or none: includes blocked, numeric and blank ones.
fn id(kind: &'static str) -> impl Strategy<Value = Option<Value>> {
    let usual = (0..4_u8).prop_map(move |number| json!(format!("{kind}{number}")));
    let odd = proptest::sample::select(vec![
        json!("guest"),
        json!("test-1"),
        json!("x"),
        json!(7),
        json!("7"),
        json!(" "),
        json!("p1@acme.example"),
        json!(" P2@Acme.example"),
        json!("test-2 <p0@acme.example>"),
        json!("0-0"),
    ]);
    prop_oneof![6 => usual.prop_map(Some), 2 => odd.prop_map(Some), 2 => Just(None)]
}

/// The value of an e-mail member, or none.
fn email() -> impl Strategy<Value = Option<Value>> {
    let usual = (0..4_u8).prop_map(|number| json!(format!("p{number}@acme.example")));
    let odd = proptest::sample::select(vec![
        json!(" P0@Acme.Example "),
        json!("mailto:p1@acme.example"),
        json!("Pat <p2@acme.example>"),
        json!("k@staff.example"),
        json!("l@staff.example"),
        json!("test-1@acme.example"),
        json!("p@acme"),
        json!("p 1@acme.example"),
        json!(7),
        json!(""),
        Value::Null,
    ]);
    prop_oneof![6 => usual.prop_map(Some), 2 => odd.prop_map(Some), 2 => Just(None)]
}

fn put(object: &mut Object, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        object.insert(name.to_owned(), value);
    }
}

fn object(members: impl IntoIterator<Item = (&'static str, Option<Value>)>) -> Value {
    let mut object = Object::new();
    members.into_iter().for_each(|(name, value)| put(&mut object, name, value));
    object.into()
}

fn word(values: &'static [&'static str]) -> impl Strategy<Value = Option<Value>> {
    proptest::option::weighted(0.6, proptest::sample::select(values).prop_map(Value::from))
}

/// The traits of an identify call.
fn traits() -> impl Strategy<Value = Value> {
    let name = prop_oneof![Just("email"), Just("Email"), Just("EMAIL")];
    let company = proptest::option::weighted(
        0.6,
        proptest::sample::select(vec![
            json!("Own"),
            json!(""),
            json!({"name": "Inner"}),
            json!(7),
            json!([]),
        ]),
    );
    let phone = proptest::option::weighted(
        0.4,
        proptest::sample::select(vec![json!("1"), json!(2), json!(true)]),
    );
    (name, email(), word(&["Ann", "Bob", ""]), word(&["Lee"]), word(&["Ms A"]), company, phone)
        .prop_map(|(email_name, email, first, last, name, company, phone)| {
            object([
                (email_name, email),
                ("firstName", first),
                ("lastName", last),
                ("name", name),
                ("company", company),
                ("title", phone.clone()),
                ("phone", phone),
            ])
        })
}

fn context() -> impl Strategy<Value = Option<Value>> {
    let page = proptest::option::of((
        word(&["https://acme.example/a", "https://acme.example/b", ""]),
        word(&["https://r.example/"]),
    ));
    let campaign = proptest::option::of((word(&["news", "ads"]), word(&["mail"])));
    let traits = proptest::option::weighted(0.3, email());
    let context = (page, campaign, traits).prop_map(|(page, campaign, email)| {
        object([
            ("page", page.map(|(url, referrer)| object([("url", url), ("referrer", referrer)]))),
            (
                "campaign",
                campaign.map(|(source, medium)| object([("source", source), ("medium", medium)])),
            ),
            ("traits", email.map(|email| object([("email", email)]))),
        ])
    });
    proptest::option::weighted(0.6, context)
}

fn properties() -> impl Strategy<Value = Option<Value>> {
    let number = proptest::option::of(proptest::sample::select(vec![
        json!(1),
        json!(2.5),
        json!("two"),
        json!([1, {"b": 1, "a": null}]),
    ]));
    let texts = (
        word(&["Form"]),
        word(&["From page"]),
        word(&["https://acme.example/p"]),
        word(&["https://q.example/"]),
    );
    let properties =
        (email(), number, texts).prop_map(|(email, number, (name, company, url, referrer))| {
            object([
                ("email", email),
                ("n", number),
                ("name", name),
                ("company", company),
                ("url", url.filter(|_| referrer.is_some())),
                ("referrer", referrer),
            ])
        });
    proptest::option::weighted(0.8, properties)
}

/// The members of an event that only its call has.
fn payload(call: &'static str) -> BoxedStrategy<Object> {
    let members = match call {
        "identify" => traits().prop_map(|traits| vec![("traits", Some(traits))]).boxed(),
        "alias" => prop_oneof![id("a"), id("u")].prop_map(|id| vec![("previousId", id)]).boxed(),
        "group" => (word(&["g0", "g1"]), word(&["Group A", "Group B", ""]))
            .prop_map(|(id, name)| {
                vec![("groupId", id), ("traits", Some(object([("name", name)])))]
            })
            .boxed(),
        "track" => (word(&["Demo", "Ping", "Pong"]), properties())
            .prop_map(|(event, properties)| vec![("event", event), ("properties", properties)])
            .boxed(),
        _ => (word(&["Home"]), properties())
            .prop_map(|(name, properties)| vec![("name", name), ("properties", properties)])
            .boxed(),
    };
    members.prop_map(|members| object(members).as_object().unwrap().clone()).boxed()
}

/// The content of an event, independent of its delivery.
fn content() -> impl Strategy<Value = Object> {
    let call = prop_oneof![
        5 => Just("track"), 3 => Just("page"), 1 => Just("screen"), 4 => Just("identify"),
        3 => Just("alias"), 2 => Just("group"),
    ];
    let call = call.prop_flat_map(|call| (Just(call), payload(call)));
    let message = proptest::option::weighted(0.97, 0..7_u8);
    let original = proptest::option::weighted(0.4, time()).prop_map(Option::flatten);
    (call, message, id("a"), id("u"), original, context()).prop_map(
        |((call, payload), message, anonymous, user, original, context)| {
            // At most one of the required members is missing.
            let anonymous = match (message, &user) {
                (None, None) => Some(json!("a0")),
                _ => anonymous,
            };
            let mut content = payload;
            put(&mut content, "type", Some(call.into()));
            put(&mut content, "messageId", message.map(|number| format!("m{number}").into()));
            put(&mut content, "anonymousId", anonymous);
            put(&mut content, "userId", user);
            put(&mut content, "originalTimestamp", original.map(Value::from));
            put(&mut content, "context", context);
            // An address that is not part of the content must depend on it.
            let address =
                (call == "identify" && message == Some(5)).then(|| json!("Top@acme.example"));
            put(&mut content, "email", address);
            content
        },
    )
}

/// The lines of a history: events, some of them delivered several times, and some lines without an
/// event.
///
/// With `distinct_receipts`, no two lines were received at the same time, for settings under which
/// duplicates can have different outputs.
pub fn history(distinct_receipts: bool) -> impl Strategy<Value = Vec<String>> {
    let deliveries = proptest::collection::vec((time(), time(), time()), 1..4);
    let event = (content(), deliveries).prop_map(|(content, deliveries)| {
        let line =
            |(timestamp, sent, received): (Option<String>, Option<String>, Option<String>)| {
                let mut event = content.clone();
                for (name, time) in
                    [("timestamp", timestamp), ("sentAt", sent), ("receivedAt", received)]
                {
                    put(&mut event, name, time.map(Value::from));
                }
                event
            };
        deliveries.into_iter().map(line).collect::<Vec<_>>()
    });
    let noise = prop_oneof![
        Just("{".to_owned()),
        Just("{\"type\":\"track\"}".to_owned()),
        Just("[7".to_owned()),
        Just(" ".to_owned())
    ];
    let events = proptest::collection::vec(event, 3..22);
    (events, proptest::collection::vec((any::<prop::sample::Index>(), noise), 0..3)).prop_map(
        move |(events, noises)| {
            let mut lines: Vec<String> = Vec::new();
            for (at, mut event) in events.into_iter().flatten().enumerate() {
                if distinct_receipts {
                    let received = format!("2025-05-01T{:02}:{:02}:00Z", at / 60, at % 60);
                    put(&mut event, "receivedAt", Some(received.into()));
                }
                lines.push(Value::from(event).to_string());
            }
            for (at, noise) in noises {
                lines.insert(at.index(lines.len()), noise);
            }
            // A history without any event is an error.
            lines.push(r#"{"type":"page","messageId":"always","anonymousId":"a0"}"#.to_owned());
            lines
        },
    )
}
