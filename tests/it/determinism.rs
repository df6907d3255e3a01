//! Threads do not change the outputs; the order of lines and files only changes the order of
//! `signals`.

use crate::support::{Workspace, assert_ledger_holds, gzip};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Rules that map, score up to a limit, identify and enrich.
pub const RULES: &str = r#"
version = 1
[identity]
merge = "user_id"
max_emails = 2
lookback_days = 1
[plan]
raw_signals = 10
active_leads = 2
period = "day"
[[rule]]
id = "demo"
when = 'event = "Demo"'
score = 50
limit = 1
identify = true
high_intent = true
[rule.map]
email = "properties.email"
name = "properties.name"
number = "properties.n"
[[rule]]
id = "page"
when = 'type = "page"'
signal = "seen"
score = 3
limit = 2
map = { url = "context.page.url", company = "properties.company" }
"#;

/// A time, or none. Only few times differ from each other.
fn time() -> impl Strategy<Value = Option<String>> {
    let near = (0..4u8, 0..3u8, 0..3u8);
    let text = near
        .prop_map(|(day, hour, second)| format!("2025-05-{:02}T0{hour}:00:0{second}Z", day + 1));
    prop_oneof![6 => text.prop_map(Some), 1 => Just(None)]
}

/// The delivery of a duplicate: when it was sent, received, and said to have happened.
fn delivery() -> impl Strategy<Value = Map<String, Value>> {
    (time(), time(), time()).prop_map(|(timestamp, sent, received)| {
        let times = [("timestamp", timestamp), ("sentAt", sent), ("receivedAt", received)];
        let given =
            times.into_iter().filter_map(|(name, time)| Some((name.to_owned(), time?.into())));
        given.collect()
    })
}

/// The content of an event, independent of its delivery.
fn content() -> impl Strategy<Value = Map<String, Value>> {
    let call = prop_oneof![
        4 => Just("track"), 4 => Just("page"), 1 => Just("screen"), 4 => Just("identify"),
        2 => Just("alias"), 2 => Just("group"),
    ];
    let id = || proptest::option::weighted(0.8, 0..3u8);
    let texts = (0..4u8, 0..3u8, 0..3u8);
    let original = proptest::option::weighted(0.3, time());
    (call, id(), id(), texts, 0..6u8, original).prop_map(|(call, anonymous, user, texts, number, original)| {
        let (email, name, group) = texts;
        let mut event = Map::new();
        let mut put = |key: &str, value: Value| event.insert(key.to_owned(), value);
        put("type", call.into());
        put("messageId", format!("m{number}").into());
        if let Some(anonymous) = anonymous {
            put("anonymousId", format!("a{anonymous}").into());
        }
        if let Some(user) = user {
            put("userId", format!("u{user}").into());
        }
        if let Some(time) = original.flatten() {
            put("originalTimestamp", time.into());
        }
        let email = format!("p{email}@acme.example");
        match call {
            "identify" => put("traits", json!({"email": email, "name": format!("Name {name}"), "company": (number % 2 == 0).then(|| format!("Own {group}"))})),
            "alias" => put("previousId", ["a0", "a1", "u0"][usize::from(name)].into()),
            "group" => {
                put("groupId", format!("g{group}").into());
                put("traits", json!({"name": format!("Group {name}")}))
            }
            "track" => {
                put("event", ["Demo", "Ping", "Pong"][usize::from(group)].into());
                put("properties", json!({"email": email, "name": format!("Form {name}"), "n": number}))
            }
            _ => {
                put("properties", json!({"company": format!("Page {name}")}));
                put("context", json!({"page": {"url": format!("https://acme.example/{group}"), "referrer": ""}, "campaign": {"source": format!("s{name}"), "medium": "web"}}))
            }
        };
        event
    })
}

/// The lines of a history: events, some delivered several times, and some lines without an event.
pub(crate) fn history() -> impl Strategy<Value = Vec<String>> {
    let deliveries = || proptest::collection::vec(delivery(), 1..4);
    let event = (content(), deliveries()).prop_map(|(content, deliveries)| {
        let line = |delivery: Map<String, Value>| {
            let mut event = content.clone();
            event.extend(delivery);
            Value::from(event).to_string()
        };
        deliveries.into_iter().map(line).collect::<Vec<_>>()
    });
    let noise = prop_oneof![
        Just("{".to_owned()),
        Just("{\"type\":\"track\"}".to_owned()),
        Just(" ".to_owned())
    ];
    let part = prop_oneof![12 => event, 1 => noise.prop_map(|line| vec![line])];
    proptest::collection::vec(part, 5..25).prop_map(|parts| {
        let mut lines = parts.concat();
        lines.truncate(40);
        lines.push(r#"{"type":"page","messageId":"always","anonymousId":"a0"}"#.into());
        lines
    })
}

/// Another arrangement of the same lines.
#[derive(Clone, Debug)]
pub struct Arrangement {
    lines: Vec<String>,
    /// For each file but the last, the share of lines before its end; unsorted.
    cuts: Vec<f64>,
    compressed: [bool; 4],
}

pub fn arranged() -> impl Strategy<Value = (Vec<String>, Arrangement)> {
    let cuts = proptest::collection::vec(0.0..1.0, 0..4);
    history().prop_flat_map(move |lines| {
        let arrangement = (Just(lines.clone()).prop_shuffle(), cuts.clone(), any::<[bool; 4]>());
        let arrangement = arrangement.prop_map(|(lines, cuts, compressed)| Arrangement {
            lines,
            cuts,
            compressed,
        });
        (Just(lines), arrangement)
    })
}

impl Arrangement {
    /// Writes the files into the folder `name`.
    pub fn write(&self, workspace: &Workspace, name: &str) {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss
        )]
        let place = |share: f64| (share * self.lines.len() as f64) as usize;
        let mut ends: Vec<usize> = self.cuts.iter().map(|&share| place(share)).collect();
        ends.push(self.lines.len());
        ends.sort_unstable();
        let mut start = 0;
        for (file, end) in ends.into_iter().enumerate() {
            let text: String =
                self.lines[start..end].iter().map(|line| format!("{line}\n")).collect();
            let bytes =
                if self.compressed[file] { gzip(text.as_bytes()) } else { text.into_bytes() };
            workspace.write(&format!("{name}/{file}.ndjson"), bytes);
            start = end;
        }
    }
}

#[track_caller]
fn run(workspace: &Workspace, inputs: &str, out: &str, threads: usize) {
    run_within(workspace, inputs, out, threads, "1GiB");
}

#[track_caller]
fn run_within(workspace: &Workspace, inputs: &str, out: &str, threads: usize, memory: &str) {
    let threads = threads.to_string();
    let arguments = [inputs, "-o", out, "--rules", "rules.toml", "--profile-duplicates"];
    workspace.run([&arguments[..], &["--threads", &threads, "--memory", memory]].concat()).exits(0);
    assert_ledger_holds(workspace, out);
}

/// Returns the report without members that depend on files and time.
fn report(workspace: &Workspace, out: &str) -> Value {
    let mut report = workspace.report(out);
    let members = report.as_object_mut().unwrap();
    for name in ["inputs", "elapsed_seconds", "bytes_read"] {
        assert!(members.remove(name).is_some(), "{name}");
    }
    for warning in report["warnings"].as_array_mut().unwrap() {
        let text = warning.as_str().unwrap().split(", as in ").next().unwrap();
        *warning = text.into();
    }
    report
}

fn text(workspace: &Workspace, name: &str) -> String {
    String::from_utf8(workspace.read(name)).unwrap()
}

pub fn sorted_lines(text: &str) -> Vec<&str> {
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort_unstable();
    lines
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn order_and_files_and_threads_change_no_value(
        (lines, arrangement) in arranged(),
        threads in 1..=8usize,
    ) {
        let workspace = Workspace::new();
        workspace.write("rules.toml", RULES);
        workspace.write("plain.ndjson", lines.join("\n"));
        arrangement.write(&workspace, "other");
        run(&workspace, "plain.ndjson", "a", 1);
        run(&workspace, "other", "b", threads);
        let signals = ["a", "b"].map(|out| text(&workspace, &format!("{out}/signals.csv")));
        prop_assert_eq!(sorted_lines(&signals[0]), sorted_lines(&signals[1]));
        prop_assert_eq!(text(&workspace, "a/leads.csv"), text(&workspace, "b/leads.csv"));
        prop_assert_eq!(report(&workspace, "a"), report(&workspace, "b"));
    }

    #[test]
    fn threads_change_no_byte((_, arrangement) in arranged(), threads in 2..=8usize) {
        let workspace = Workspace::new();
        workspace.write("rules.toml", RULES);
        arrangement.write(&workspace, "in");
        run(&workspace, "in", "a", 1);
        run(&workspace, "in", "b", threads);
        for name in workspace.list("a").iter().filter(|name| *name != "report.json") {
            let of = |out| text(&workspace, &format!("{out}/{name}"));
            prop_assert_eq!(of("a"), of("b"), "{}", name);
        }
        prop_assert_eq!(workspace.list("a"), workspace.list("b"));
        prop_assert_eq!(report(&workspace, "a"), report(&workspace, "b"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn memory_changes_no_byte(
        (_, arrangement) in arranged(),
        policy in prop::sample::select(vec!["split", "first", "last", "strict"]),
        threads in 1..=8usize,
    ) {
        let workspace = Workspace::new();
        let identity = format!("[identity]\npolicy = \"{policy}\"\n");
        workspace.write("rules.toml", RULES.replace("[identity]\n", &identity));
        arrangement.write(&workspace, "in");
        run_within(&workspace, "in", "a", 1, "1GiB");
        run_within(&workspace, "in", "b", threads, "1");
        for name in workspace.list("a").iter().filter(|name| *name != "report.json") {
            let of = |out| text(&workspace, &format!("{out}/{name}"));
            prop_assert_eq!(of("a"), of("b"), "{}", name);
        }
        prop_assert_eq!(report(&workspace, "a"), report(&workspace, "b"));
    }
}

/// Histories of a few lines have only one block. This one has many, processed by several threads.
#[test]
fn threads_change_no_byte_of_a_history_of_many_blocks() {
    let workspace = Workspace::new();
    workspace.write("rules.toml", RULES);
    let padding = "x".repeat(400);
    for file in 0..3 {
        let lines: String = (0..6000)
            .map(|n| {
                let (call, visitor) = (["track", "page", "identify"][n % 3], n % 97);
                let email = format!("p{}@acme.example", n % 31);
                if n % 500 == 499 {
                    return format!("{{\"file\":{file},\"n\":{n}\n");
                }
                format!(
                    "{{\"type\":\"{call}\",\"event\":\"Demo\",\"messageId\":\"m{n}\",\"anonymousId\":\"a{visitor}\",\
                     \"timestamp\":\"2025-05-0{}T00:00:00Z\",\"traits\":{{\"email\":\"{email}\"}},\
                     \"receivedAt\":\"2025-05-0{}T00:00:0{file}Z\",\"properties\":{{\"n\":\"{padding}\"}}}}\n",
                    n % 4 + 1, n % 4 + 1,
                )
            })
            .collect();
        workspace.write(&format!("in/{file}.ndjson"), lines);
    }
    run(&workspace, "in", "one", 1);
    let names = workspace.list("one");
    assert_eq!(names, ["leads.csv", "rejects.ndjson", "report.html", "report.json", "signals.csv"]);
    for threads in [2, 3, 8] {
        let out = format!("t{threads}");
        run(&workspace, "in", &out, threads);
        for name in names.iter().filter(|name| *name != "report.json") {
            let same =
                workspace.read(&format!("{out}/{name}")) == workspace.read(&format!("one/{name}"));
            assert!(same, "{name} with {threads} threads");
        }
        assert_eq!(report(&workspace, &out), report(&workspace, "one"), "{threads} threads");
    }
}
