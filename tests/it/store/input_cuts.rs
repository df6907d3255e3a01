//! Responses to reads and listings that end at every byte: no object is lost.

use std::time::Duration;

use super::http::{Message, send};
use crate::support::store::{Fault, Request, Server};
use crate::support::{Finished, Workspace, gzip, track};

/// More than the length of a response here, head and body, in bytes.
const MAX_MESSAGE_BYTES: usize = 600;

/// Creates a fault that ends a response at an offset.
type Cut = fn(usize) -> Fault;

/// Runs the program with `arguments` against `server`.
fn run(workspace: &Workspace, server: &Server, arguments: &[&str]) -> Finished {
    let mut command = server.found_by(workspace.command(arguments));
    let output = command.output().unwrap();
    Finished::of(&command, output)
}

/// Returns the offsets at which responses end.
fn offsets() -> impl Iterator<Item = usize> {
    let is_all = std::env::var_os(super::ALL_FAULTS).is_some();
    (0..MAX_MESSAGE_BYTES).step_by(if is_all { 1 } else { 7 })
}

/// Returns the number in a key such as `f012/a`.
fn number(key: &str) -> Option<usize> {
    key.get(1..4)?.parse().ok()
}

fn events(name: usize) -> Vec<u8> {
    (0..3).map(|event| track(&format!("{name}-{event}"))).collect::<String>().into_bytes()
}

/// Asserts that a run of `pattern` over `objects` writes the same tables if the response to the
/// first request of each offset that `offset` returns ends there.
fn assert_nothing_is_lost(
    objects: &[(String, Vec<u8>)],
    pattern: &str,
    cuts: &[Cut],
    offset: fn(&Request) -> Option<usize>,
) {
    let workspace = Workspace::new();
    let tables = |out: &str, cut: Option<Cut>| {
        let objects = objects.iter().map(|(key, bytes)| (key.as_str(), bytes.clone()));
        let server = Server::with(objects, Duration::ZERO, move |request| {
            let at = offset(request).filter(|_| request.earlier == 0)?;
            cut.map(|cut| cut(at))
        });
        run(&workspace, &server, &[pattern, "-o", out, "--overwrite"]).exits(0);
        let retries = server.requests().iter().filter(|request| request.earlier > 0).count();
        let tables = ["signals.csv", "leads.csv"];
        (retries, tables.map(|table| workspace.read(&format!("{out}/{table}"))))
    };
    let (_, expected) = tables("expected", None);
    for &cut in cuts {
        let (retries, found) = tables("out", Some(cut));
        assert!(found == expected, "{:?}", cut(0));
        assert!(retries > objects.len() / 4, "{:?}: only {retries} requests were retried", cut(0));
    }
}

#[test]
fn reads_that_are_cut_off_at_any_byte_are_retried() {
    let content = |number: usize| {
        let bytes = events(number);
        if number.is_multiple_of(2) { bytes } else { gzip(&bytes) }
    };
    let objects: Vec<_> = offsets().map(|at| (format!("f{at:03}"), content(at))).collect();
    let cuts = [Fault::CutResponseAt as Cut, Fault::ShortenTo];
    assert_nothing_is_lost(&objects, "s3://bucket/", &cuts, |request| {
        request.is_read().then(|| number(&request.key)).flatten()
    });
}

#[test]
fn listings_that_are_cut_off_at_any_byte_are_retried() {
    let objects: Vec<_> = offsets()
        .flat_map(|at| [(format!("f{at:03}/a"), events(at)), (format!("f{at:03}/x/b"), events(at))])
        .collect();
    // Lists the contents of each folder recursively, or only its subfolders.
    for pattern in ["s3://bucket/f*", "s3://bucket/f*/[ax]*"] {
        let cuts = [Fault::CutResponseAt as Cut, Fault::ShortenTo];
        assert_nothing_is_lost(&objects, pattern, &cuts, |request| {
            request.query.get("prefix").and_then(|prefix| number(prefix))
        });
    }
}

#[test]
fn pages_that_are_always_truncated_are_errors_at_any_byte() {
    let workspace = Workspace::new();
    let objects = || ["f000/a", "f000/b"].map(|key| (key, events(1)));
    let length = {
        let server = Server::new(objects());
        let target = "/bucket?list-type=2&prefix=f000%2F";
        send(server.socket(), &Message::request("GET", target, "")).unwrap().body.len()
    };
    for at in offsets().step_by(5).take_while(|&at| at < length).chain([length - 1]) {
        let server = Server::with(objects(), Duration::ZERO, move |request| {
            request.is_listing().then_some(Fault::ShortenTo(at))
        });
        run(&workspace, &server, &["s3://bucket/f000/", "-oout"])
            .exits(2)
            .says("s3://bucket/f000/: the store's listing is incomplete: ");
        assert!(workspace.list("out").is_empty(), "{at}");
    }
}

#[test]
fn a_page_without_continuation_token_is_an_error() {
    let keys: Vec<String> = (0..250).map(|number| format!("logs/{number:03}")).collect();
    let workspace = Workspace::new();
    for url in ["s3://bucket/logs/", "s3://bucket/logs/*"] {
        let objects = keys.iter().map(|key| (key.as_str(), events(1)));
        let server = Server::with(objects, Duration::ZERO, |request| {
            request.is_listing().then_some(Fault::NoToken)
        });
        run(&workspace, &server, &[url, "-oout"]).exits(2).says(
            "s3://bucket/logs/: the store's listing is incomplete: a page has no continuation token",
        );
        assert!(workspace.list("out").is_empty());
    }
}
