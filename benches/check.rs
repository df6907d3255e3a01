//! Measures `check` on a hundred thousand events against a plan and a rules file of five hundred
//! rules each: `cargo bench --bench check`.

#![allow(missing_docs)]

use std::fmt::Write as _;
use std::path::Path;

use backtrail::engine::Engine;
use backtrail::engine::watch::Unwatched;
use backtrail::jobs::check::examine::{Criteria, Examined, examine};
use backtrail::jobs::check::finding::Level;
use backtrail::rules::Rules;
use backtrail::schema::Plan;
use backtrail::source::{Discovery, Input, Options, Origin, Reader};
use divan::Bencher;
use divan::counter::ItemsCount;
use serde_json::{Value, json};

const EVENTS: usize = 100_000;
const RULES: usize = 500;

fn main() {
    divan::main();
}

fn plan() -> Plan {
    let properties: serde_json::Map<String, Value> = (0..12)
        .map(|place| {
            let kind = ["string", "integer", "boolean", "number"][place % 4];
            (format!("p{place}"), json!({"type": kind}))
        })
        .chain([
            ("plan".to_owned(), json!({"type": "string", "enum": ["free", "pro", "team"]})),
            ("code".to_owned(), json!({"type": "string", "pattern": "^[A-Z]{2}-[0-9]+$"})),
        ])
        .collect();
    let schema = json!({
        "type": "object",
        "properties": {"properties": {
            "type": "object", "properties": properties, "required": ["p0", "p1", "plan"],
            "additionalProperties": false
        }},
        "required": ["properties"]
    });
    let rule = |place| json!({"type": "TRACK", "key": format!("Event {place}"), "version": 1, "jsonSchema": schema});
    let rules: Vec<Value> = (0..RULES).map(rule).collect();
    let (plan, broken) = Plan::parse(&json!({"rules": rules}).to_string()).expect("a plan");
    assert!(broken.is_empty(), "{broken:?}");
    plan
}

fn engine() -> Engine {
    let mut rules = "version = 1\n".to_owned();
    for place in 0..RULES {
        let _ = writeln!(
            rules,
            "[[rule]]\nid = \"r{place}\"\nwhen = 'event = \"Event {place}\"'\n[rule.map]\nplan = \"properties.plan\""
        );
    }
    let rules = Rules::parse(&rules).expect("the rules are right");
    Engine::of_rules(rules).expect("they hold no allow list")
}

/// Writes the events; if `bad` is set, each has two members that the plan forbids.
fn fixtures(bad: bool) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("room for a file");
    let mut text = String::new();
    for event in 0..EVENTS {
        let mut properties = json!({
            "p0": "abc", "p1": 1, "p2": true, "p3": 3.5, "p4": "abc", "p5": 5, "p6": false, "p7": 7.5,
            "p8": "abc", "p9": 9, "p10": true, "p11": 11.5, "plan": "pro", "code": format!("DE-{event}")
        });
        if bad {
            (properties["p0"], properties["p"]) = (json!(5), json!(1));
        }
        let event = json!({
            "type": "track", "event": format!("Event {}", event * 7919 % RULES), "messageId": format!("m-{event}"),
            "anonymousId": format!("a-{}", event % 5000), "timestamp": "2025-05-01T00:00:00.000Z",
            "context": {"library": {"name": "analytics.js", "version": "2.1"},
                "page": {"url": "https://trailco.example/x", "path": "/x", "title": "X"},
                "userAgent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"},
            "properties": properties
        });
        let _ = writeln!(text, "{event}");
    }
    std::fs::write(file.path(), text).expect("room for the events");
    file
}

fn check(path: &Path, plan: &Plan, engine: &Engine, threads: usize) -> Examined {
    let input = Input {
        path: Some(path.into()),
        object: None,
        display: "events".into(),
        size: None,
        origin: Origin::Named,
    };
    let discovery = Discovery { inputs: [input].into_iter().collect(), ..Discovery::default() };
    let reader = Reader::new(discovery, Options::default());
    let criteria = Criteria { plan: Some(plan), engine, has_rules: true, not_allowed: Level::Note };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    examine(&criteria, &reader, &|_| true, &pool, &Unwatched).expect("nobody stops it")
}

#[divan::bench(args = [1, 2], sample_count = 5)]
fn events_that_fit(bencher: Bencher<'_, '_>, threads: usize) {
    let (plan, engine, file) = (plan(), engine(), fixtures(false));
    bencher.counter(ItemsCount::new(EVENTS)).bench(|| {
        let examined = check(file.path(), &plan, &engine, threads);
        assert!(examined.parts.iter().all(|part| part.findings.is_empty()));
        examined
    });
}

#[divan::bench(args = [1, 2], sample_count = 5)]
fn events_that_do_not(bencher: Bencher<'_, '_>, threads: usize) {
    let (plan, engine, file) = (plan(), engine(), fixtures(true));
    bencher.counter(ItemsCount::new(EVENTS)).bench(|| {
        let examined = check(file.path(), &plan, &engine, threads);
        let findings: usize = examined.parts.iter().map(|part| part.findings.len()).sum();
        assert_eq!(findings, 2 * EVENTS);
        examined
    });
}

#[divan::bench(sample_count = 5)]
fn schemas(bencher: Bencher<'_, '_>) {
    bencher.counter(ItemsCount::new(RULES)).bench(plan);
}
