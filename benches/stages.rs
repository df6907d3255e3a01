//! Measures the cost per event of each stage: parsing, hashing, rules, and the whole first phase.
//!
//! `cargo bench --bench stages`. The data is that of the generator beside this file, 20,000 events.

#![allow(missing_docs)]

#[path = "support/history.rs"]
mod history;
#[path = "support/rules.rs"]
mod rules;

use ahash::RandomState;
use backtrail::engine::Engine;
use backtrail::engine::compile;
use backtrail::engine::exchange::spill::Scratch;
use backtrail::engine::ingest::ingest;
use backtrail::engine::map::Mapper;
use backtrail::engine::map::batch::Place;
use backtrail::engine::watch::Unwatched;
use backtrail::event::Event;
use backtrail::event::content::ContentHasher;
use backtrail::filter::destination::{self, DestinationFilters};
use backtrail::fql::Expr;
use backtrail::json::document::Document;
use backtrail::parse::auth::{Auth, Secret};
use backtrail::parse::reject::{Reject, Surplus};
use backtrail::parse::{Arrival, Detection, Sink};
use backtrail::rules::Rules;
use backtrail::source::{Block, Discovery, Input, Options, Origin, PADDING, Reader};
use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use history::{History, Plan};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

const EVENTS: u64 = 20_000;
const SECRET: &str = "secret";

fn main() {
    divan::main();
}

fn events() -> Vec<u8> {
    let mut history = History::new(&Plan::of(EVENTS));
    let mut bytes = Vec::new();
    while history.write_next(&mut bytes) {}
    bytes
}

/// Returns a block with the whole history.
fn block() -> Block {
    let mut bytes = events();
    let len = bytes.len();
    bytes.resize(len + PADDING, b' ');
    Block { bytes, len, ..Block::default() }
}

fn engine(rules: usize) -> Engine {
    engine_with(rules, compile::Options::default())
}

fn engine_with(rules: usize, options: compile::Options) -> Engine {
    let rules = Rules::parse(&rules::rules_file(rules)).expect("the generated rules are right");
    Engine::compile(rules, options).expect("they hold no allow list").engine
}

/// Calls a function for each event and keeps none.
struct Each<F>(F);

impl<F: FnMut(&Event<'_>)> Sink for Each<F> {
    fn event(&mut self, event: &Event<'_>, _: Arrival) {
        (self.0)(event);
    }

    fn reject(&mut self, _: Reject<'_>) {}
    fn surplus(&mut self, _: Surplus<'_>) {}
}

fn each(bencher: Bencher<'_, '_>, mut look: impl FnMut(&Event<'_>)) {
    let block = block();
    let mut parser = engine(0).parser();
    bencher
        .counter(BytesCount::new(block.len))
        .counter(ItemsCount::new(EVENTS))
        .bench_local(|| parser.read_block(&block, &mut Each(&mut look)));
}

/// Measures the parsing of JSON alone, for comparison with all other stages.
#[divan::bench]
fn tape(bencher: Bencher<'_, '_>) {
    let block = block();
    let mut document = Document::default();
    bencher.counter(BytesCount::new(block.len)).counter(ItemsCount::new(EVENTS)).bench_local(
        || {
            let bytes = &block.bytes;
            let mut start = 0;
            while let Some(length) = memchr::memchr(b'\n', &bytes[start..block.len]) {
                let line = &bytes[start..start + length];
                document.read(line, |json| black_box(json.is_ok()));
                start += length + 1;
            }
        },
    );
}

#[divan::bench]
fn parse(bencher: Bencher<'_, '_>) {
    each(bencher, |event| {
        black_box(event);
    });
}

#[divan::bench]
fn hash(bencher: Bencher<'_, '_>) {
    let mut hasher = ContentHasher::default();
    each(bencher, |event| {
        black_box(hasher.hash(event, &[], true));
    });
}

#[divan::bench(args = [10, 1000])]
fn match_rules(bencher: Bencher<'_, '_>, rules: usize) {
    let engine = engine(rules);
    each(bencher, |event| {
        black_box(engine.rules.first_match(event));
    });
}

#[divan::bench]
fn fql(bencher: Bencher<'_, '_>) {
    let text = "type = 'page' and match(context.page.path, '/docs/*') and !contains(context.userAgent, 'bot')";
    let expr = Expr::compile(text).expect("this compiles").expr;
    each(bencher, |event| {
        black_box(expr.holds(event));
    });
}

/// Compiles an expression with `clauses` alternatives; the time per alternative shows whether
/// compiling is linear.
#[divan::bench(args = [50, 5_000, 50_000])]
fn compile_names(bencher: Bencher<'_, '_>, clauses: usize) {
    compile_each(bencher, clauses, |n| format!("event = 'Event {n}'"));
}

/// Compiles an expression whose alternatives each require a different field.
#[divan::bench(args = [50, 5_000, 50_000])]
fn compile_fields(bencher: Bencher<'_, '_>, clauses: usize) {
    compile_each(bencher, clauses, |n| format!("properties.field{n} = 'x'"));
}

/// Compiles an expression whose alternatives each cause a warning.
#[divan::bench(args = [50, 5_000, 50_000])]
fn compile_doubtful(bencher: Bencher<'_, '_>, clauses: usize) {
    compile_each(bencher, clauses, |n| format!("field{n} = 'x'"));
}

fn compile_each(bencher: Bencher<'_, '_>, clauses: usize, clause: impl Fn(usize) -> String) {
    let text = (0..clauses).map(clause).collect::<Vec<_>>().join(" or ");
    bencher.counter(ItemsCount::new(clauses)).bench_local(|| {
        let compiled = Expr::compile(&text).expect("this compiles");
        black_box((compiled.expr.demand(), compiled.warnings));
    });
}

/// Parses a rules file with `rules` rules.
#[divan::bench(args = [10, 10_000])]
fn load_rules(bencher: Bencher<'_, '_>, rules: usize) {
    let text = rules::rules_file(rules);
    bencher.counter(ItemsCount::new(rules)).bench_local(|| black_box(Rules::parse(&text)));
}

/// Applies one filter that drops all but `clauses` event names.
#[divan::bench(args = [10, 200])]
fn filter_of_clauses(bencher: Bencher<'_, '_>, clauses: usize) {
    let names: Vec<String> = (0..clauses).map(|n| format!("event = 'Event {n}'")).collect();
    filter_each(bencher, &[format!("!({})", names.join(" or "))]);
}

/// Applies `filters` filters that each drop one event name.
#[divan::bench(args = [10, 200])]
fn filters_of_one_clause(bencher: Bencher<'_, '_>, filters: usize) {
    let conditions: Vec<String> = (0..filters).map(|n| format!("event = 'Event {n}'")).collect();
    filter_each(bencher, &conditions);
}

fn filter_each(bencher: Bencher<'_, '_>, conditions: &[String]) {
    let filters = filters(conditions, r#"{"type":"DROP"}"#);
    let mut scratch = destination::Scratch::default();
    each(bencher, |event| {
        black_box(filters.judge(event, Detection::EitherId, &mut scratch));
    });
}

fn filters(conditions: &[String], action: &str) -> DestinationFilters {
    let filter = |condition: &String| format!(r#"{{"if":"{condition}","actions":[{action}]}}"#);
    let list: Vec<String> = conditions.iter().map(filter).collect();
    DestinationFilters::parse(&format!("[{}]", list.join(","))).expect("these are filters").0
}

/// Measures parsing, filtering, hashing, rules and rows.
#[divan::bench]
fn map(bencher: Bencher<'_, '_>) {
    map_block(bencher, &block(), Auth::default());
}

/// Measures the same stages with a filter that changes every event.
#[divan::bench]
fn map_changed(bencher: Bencher<'_, '_>) {
    let action = r#"{"type":"DROP_PROPERTIES","fields":{"context":["ip"]}}"#;
    let filters = Some(filters(&["all".to_owned()], action));
    map_engine(
        bencher,
        &block(),
        &engine_with(10, compile::Options { filters, ..compile::Options::default() }),
    );
}

/// Measures the same events, each as the text of a capture's body.
#[divan::bench]
fn map_captured(bencher: Bencher<'_, '_>) {
    map_block(bencher, &captures(), Auth::default());
}

/// Measures the same captures with checks of their secret and signature.
#[divan::bench]
fn map_captured_signed(bencher: Bencher<'_, '_>) {
    let auth = Auth {
        api_secret: Secret::new(SECRET),
        api_key: None,
        signing_secret: Secret::new(SECRET),
    };
    map_block(bencher, &captures(), auth);
}

/// Returns a block of captures in the format of a request bin.
fn captures() -> Block {
    let mut bytes = Vec::new();
    for event in String::from_utf8_lossy(&events()).lines() {
        let mac = Hmac::<Sha1>::new_from_slice(SECRET.as_bytes()).expect("any key will do");
        let signature = mac.chain_update(event).finalize().into_bytes();
        let signature =
            signature.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        let capture = serde_json::json!({
            "method": "POST",
            "path": "/webhook/key",
            "headers": {
                "Content-Type": "application/json",
                "X-Api-Secret": SECRET,
                "X-Signature": signature,
            },
            "body": event,
            "receivedAt": "2025-05-01T00:00:00Z",
        });
        bytes.extend_from_slice(capture.to_string().as_bytes());
        bytes.push(b'\n');
    }
    let len = bytes.len();
    bytes.resize(len + PADDING, b' ');
    Block { bytes, len, ..Block::default() }
}

fn map_block(bencher: Bencher<'_, '_>, block: &Block, auth: Auth) {
    map_engine(
        bencher,
        block,
        &engine_with(10, compile::Options { auth, ..compile::Options::default() }),
    );
}

fn map_engine(bencher: Bencher<'_, '_>, block: &Block, engine: &Engine) {
    let mut parser = engine.parser();
    let mut mapper = Mapper::new(engine, RandomState::new());
    bencher.counter(BytesCount::new(block.len)).counter(ItemsCount::new(EVENTS)).bench_local(
        || {
            mapper.begin(Place::default());
            let lines = parser.read_block(block, &mut mapper);
            mapper.end(lines)
        },
    );
}

/// Measures the first phase on a file, on one thread and on all threads.
#[divan::bench(args = [1, 0])]
fn first_phase(bencher: Bencher<'_, '_>, threads: usize) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("events.ndjson");
    let history = events();
    std::fs::write(&path, &history).expect("room for the events");
    let engine = engine(10);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    let input = Input {
        display: "events".into(),
        path: Some(path),
        object: None,
        size: None,
        origin: Origin::Named,
    };
    bencher.counter(BytesCount::new(history.len())).counter(ItemsCount::new(EVENTS)).bench_local(
        || {
            let inputs =
                Discovery { inputs: [input.clone()].into_iter().collect(), ..Discovery::default() };
            let reader = Reader::new(inputs, Options::default());
            let scratch = Scratch::new(dir.path().to_owned(), 1 << 30);
            ingest(&engine, &reader, &pool, scratch, &Unwatched).expect("it reads").counters.events
        },
    );
}
