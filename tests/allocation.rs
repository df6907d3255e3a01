//! The first phase allocates nothing for an event once its buffers are warm.

#![allow(clippy::unwrap_used)] // a test that panics has failed

#[path = "../benches/support/history.rs"]
mod history;
#[path = "../benches/support/rules.rs"]
mod rules;

use std::alloc::System;

use ahash::RandomState;
use backtrail::engine::Engine;
use backtrail::engine::compile::Options;
use backtrail::engine::map::Mapper;
use backtrail::engine::map::batch::Place;
use backtrail::filter::destination::DestinationFilters;
use backtrail::parse::auth::{Auth, Secret};
use backtrail::rules::Rules;
use backtrail::source::Block;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use history::{History, Plan};
use serde_json::json;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const EVENTS: u64 = 2_000;

/// The events, each in what `wrap` makes of it.
fn block(wrap: fn(&str) -> String) -> Block {
    let mut history = History::new(&Plan::of(EVENTS));
    let (mut bytes, mut line) = (Vec::new(), Vec::new());
    while history.write_next(&mut line) {
        let event = std::str::from_utf8(&line).unwrap().trim_end();
        bytes.extend_from_slice(wrap(event).as_bytes());
        bytes.push(b'\n');
        line.clear();
    }
    let len = bytes.len();
    bytes.resize(len + 64, b' ');
    Block { bytes, len, ..Block::default() }
}

/// Filters that drop nothing, each by another way, and change every event.
const FILTERS: &str = r#"[
    {"title": "a sample", "if": "all", "actions": [{"type": "SAMPLE", "percent": 0.99999999999999, "path": "userId"}]},
    {"title": "no drop", "if": "event = 'Never Seen' or contains(event, 'Never')", "actions": [{"type": "DROP"}]},
    {"title": "the address", "if": "all", "actions": [{"type": "DROP_PROPERTIES", "fields": {"context": ["ip"]}}]},
    {"title": "the page", "if": "context.ip = null and !(type = 'alias')",
     "actions": [
        {"type": "ALLOW_PROPERTIES", "fields": {"context.page": ["url", "path"]}},
        {"type": "DROP_PROPERTIES", "fields": {"properties": ["referrer", "title"], "": ["integrations", "channel"]}}
     ]}
]"#;

fn allocations(wrap: fn(&str) -> String) -> usize {
    allocations_with(None, wrap)
}

fn allocations_with(filters: Option<&str>, wrap: fn(&str) -> String) -> usize {
    let filters = filters.map(|text| DestinationFilters::parse(text).unwrap().0);
    let filtered = filters.is_some();
    let options = Options {
        filters,
        auth: Auth {
            api_secret: Secret::new("secret"),
            api_key: Secret::new("key"),
            signing_secret: None,
        },
        ..Options::default()
    };
    let rules = Rules::parse(&rules::rules_file(10)).unwrap();
    let engine = Engine::compile(rules, options).unwrap().engine;
    let mut parser = engine.parser();
    let mut mapper = Mapper::new(&engine, RandomState::new());
    let block = block(wrap);
    let mut counted = 0;
    for _ in 0..3 {
        mapper.begin(Place::default());
        let region = Region::new(ALLOCATOR);
        let lines = parser.read_block(&block, &mut mapper);
        counted = region.change().allocations + region.change().reallocations;
        mapper.end(lines);
        assert_eq!(mapper.batch.events.len() as u64, EVENTS);
    }
    assert_eq!(mapper.into_counters().filters.changed, if filtered { 3 * EVENTS } else { 0 });
    counted
}

fn generic(event: &str) -> String {
    json!({ "body": event, "headers": { "X-Api-Secret": "secret" }, "path": "/webhook/key" })
        .to_string()
}

fn lambda(event: &str) -> String {
    json!({
        "version": "2.0",
        "rawPath": "/webhook/key",
        "headers": { "x-api-secret": "secret" },
        "requestContext": { "timeEpoch": 1_583_348_638_390_u64 },
        "body": STANDARD.encode(event),
        "isBase64Encoded": true,
    })
    .to_string()
}

fn webhook_site(event: &str) -> String {
    json!({
        "uuid": "0b7f2c64",
        "token_id": "5d1a3a0c",
        "content": event,
        "headers": { "x-api-secret": ["secret"] },
        "url": "https://webhook.site/5d1a3a0c/webhook/key",
        "created_at": "2023-03-07 13:52:43",
    })
    .to_string()
}

fn ngrok(event: &str) -> String {
    let head = "POST /webhook/key HTTP/1.1\r\nX-Api-Secret: secret\r\n\r\n";
    let raw = STANDARD.encode(format!("{head}{event}"));
    json!({ "start": "2014-12-15T20:32:07-08:00", "request": { "raw": raw } }).to_string()
}

#[test]
fn warm_buffers_take_events_without_allocating() {
    // One test, because others at its side would be counted too.
    assert_eq!(allocations(str::to_owned), 0, "plain events");
    assert_eq!(allocations(generic), 0, "captured events");
    assert_eq!(allocations(lambda), 0, "captures of Lambda in base64");
    assert_eq!(allocations(webhook_site), 0, "captures of webhook.site");
    assert_eq!(allocations(ngrok), 0, "captures of ngrok");
    assert_eq!(allocations_with(Some(FILTERS), str::to_owned), 0, "events that filters change");
    assert_eq!(allocations_with(Some(FILTERS), generic), 0, "captured events that filters change");
}
