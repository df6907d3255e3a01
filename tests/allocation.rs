//! The first phase allocates nothing for an event once its buffers are warm.

#![allow(clippy::unwrap_used)] // a test that panics has failed

#[path = "../benches/support/history.rs"]
mod history;
#[path = "../benches/support/rules.rs"]
mod rules;

use std::alloc::System;

use ahash::RandomState;
use backtrail::identity::value::Blocklist;
use backtrail::parse::Detection;
use backtrail::pipeline::Engine;
use backtrail::pipeline::batch::Place;
use backtrail::pipeline::map::Mapper;
use backtrail::rules::Rules;
use backtrail::source::Block;
use history::{History, Plan};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const EVENTS: u64 = 2_000;

/// The same events as plain records, or each as the text of a capture's body.
fn block(captured: bool) -> Block {
    let mut history = History::new(&Plan::of(EVENTS));
    let (mut bytes, mut line) = (Vec::new(), Vec::new());
    while history.write_next(&mut line) {
        if captured {
            let body = String::from_utf8(line.clone()).unwrap();
            let capture = serde_json::json!({ "body": body.trim_end(), "headers": {} });
            bytes.extend_from_slice(capture.to_string().as_bytes());
            bytes.push(b'\n');
        } else {
            bytes.extend_from_slice(&line);
        }
        line.clear();
    }
    let len = bytes.len();
    bytes.resize(len + 64, b' ');
    Block { bytes, len, ..Block::default() }
}

fn allocations(captured: bool) -> usize {
    let engine = Engine {
        blocklist: Blocklist::default(),
        rules: Rules::parse(&rules::rules_file(10)).unwrap(),
        allow: None,
        filter: None,
        detection: Detection::EitherId,
        max_record_bytes: 8 << 20,
        profile_duplicates: false,
    };
    let mut parser = engine.parser();
    let mut mapper = Mapper::new(&engine, RandomState::new());
    let block = block(captured);
    let mut counted = 0;
    for _ in 0..3 {
        mapper.begin(Place::default());
        let region = Region::new(ALLOCATOR);
        let lines = parser.read_block(&block, &mut mapper);
        counted = region.change().allocations + region.change().reallocations;
        mapper.end(lines);
        assert_eq!(mapper.batch.marks.len() as u64, EVENTS);
    }
    counted
}

#[test]
fn warm_buffers_take_events_without_allocating() {
    // One test, because others at its side would be counted too.
    assert_eq!(allocations(false), 0, "plain events");
    assert_eq!(allocations(true), 0, "captured events");
}
