//! Inputs in a bucket behind a proxy that injects faults. A run writes the same tables, or an error
//! that names the object and the cause.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Mutex;

use super::azurite::{self, Container};
use super::moto::{Bucket, KEY_ID, SECRET, TOKEN};
use super::proxy::{Fault, Proxy, Request};
use crate::support::{Finished, Workspace, gzip, track};

/// The objects and the number of their events.
const OBJECTS: [(&str, usize); 4] =
    [("logs/a.json", 5), ("logs/b.json", 6000), ("logs/c.gz", 3000), ("logs/d.json", 7)];

/// A memory limit with which `logs/b.json` is downloaded in several ranges.
const LOW_MEMORY: [&str; 2] = ["--memory", "16MiB"];

/// Returns `count` events with unique message ids that begin with `name`.
fn events(name: &str, count: usize) -> Vec<u8> {
    (0..count).map(|number| track(&format!("{name}-{number}"))).collect::<String>().into_bytes()
}

fn content(key: &str, count: usize) -> Vec<u8> {
    let bytes = events(key, count);
    if key.contains(".gz") { gzip(&bytes) } else { bytes }
}

/// Creates a bucket with the objects, and a workspace whose folder `expected` contains the tables
/// of an undisturbed run. Returns `None` without a server.
fn prepared(name: &str) -> Option<(Bucket, Workspace)> {
    let bucket = Bucket::new(name)?;
    for (key, count) in OBJECTS {
        bucket.put(key, content(key, count));
    }
    let workspace = Workspace::new();
    let proxy = Proxy::new(bucket.address, |_| Fault::None);
    run(&workspace, &bucket, (&proxy, false), "expected").exits(0);
    let parts = proxy.log().into_iter().filter(|request| is_read(request, "logs/b.json"));
    assert!(parts.count() > 2, "it must be read in several ranges");
    assert_eq!(total(&workspace, "expected"), 9012);
    Some((bucket, workspace))
}

/// Runs the program over all objects through `proxy`, with outputs in the folder `out`.
fn run(
    workspace: &Workspace,
    bucket: &Bucket,
    (proxy, stalls): (&Proxy, bool),
    out: &str,
) -> Finished {
    let url = format!("s3://{}/logs/", bucket.name);
    let mut command = workspace.command([&url, "-o", out, "--overwrite"].iter().chain(&LOW_MEMORY));
    Bucket::configure(&mut command, proxy.address());
    // Short, so that tests with stalls do not wait; else long enough for a busy machine.
    let timeout = if stalls { "2s" } else { "30s" };
    command.env("AWS_READ_TIMEOUT", timeout).env("AWS_MAX_ATTEMPTS", "3");
    finish(command)
}

/// Runs `command`, and asserts that its messages contain no credential.
fn finish(mut command: Command) -> Finished {
    let output = command.output().unwrap();
    let finished = Finished::of(&command, output);
    let said = format!("{}{}", finished.stderr, String::from_utf8_lossy(&finished.stdout));
    for canary in [KEY_ID, SECRET, TOKEN, azurite::KEY, "Signature="] {
        assert!(!said.contains(canary), "a message contains a secret:  {canary}");
    }
    finished
}

fn is_listing(request: &Request) -> bool {
    request.has("list-type=2")
}

fn is_read(request: &Request, key: &str) -> bool {
    request.method == "GET" && request.target.split('?').next().is_some_and(|it| it.ends_with(key))
}

fn total(workspace: &Workspace, out: &str) -> u64 {
    workspace.report(out)["events"]["total"].as_u64().unwrap()
}

#[track_caller]
fn assert_tables(workspace: &Workspace, what: &str) {
    for table in ["signals.csv", "leads.csv"] {
        let [found, expected] =
            ["out", "expected"].map(|out| workspace.read(&format!("{out}/{table}")));
        assert!(found == expected, "{what}: {table}");
    }
}

/// Identifies a request and its retries by the end of its range.
fn range_name(request: &Request) -> String {
    let range = request.header("Range").or(request.header("x-ms-range")).unwrap_or_default();
    let end = range.rsplit('-').next().unwrap_or_default();
    format!("{} {} {end}", request.method, request.target)
}

fn stalls(fault: &Fault) -> bool {
    matches!(fault, Fault::Stall(_))
}

/// Returns faults that affect one attempt of a request.
fn transient_faults() -> Vec<Fault> {
    let mut faults = vec![
        Fault::CutRequest(usize::MAX),
        Fault::slow_down(1),
        Fault::s3_error(500, "InternalError"),
    ];
    // In the head of a response, at its end, and in the body.
    for bytes in [0, 100, 600, 70_000] {
        faults.push(Fault::CutResponse(bytes));
    }
    faults.extend([Fault::Stall(0), Fault::Stall(900)]);
    faults.extend([Fault::Shorten(300), Fault::Shorten(60_000)]);
    faults
}

#[test]
fn transient_faults_do_not_change_the_tables() {
    let Some((bucket, workspace)) = prepared("in-passing") else { return };
    for fault in transient_faults() {
        // Only the first attempt of each request fails.
        let (seen, met) = (Mutex::new(BTreeSet::new()), fault.clone());
        let proxy = Proxy::new(bucket.address, move |request| {
            if seen.lock().unwrap().insert(range_name(request)) { met.clone() } else { Fault::None }
        });
        run(&workspace, &bucket, (&proxy, stalls(&fault)), "out").exits(0);
        assert_tables(&workspace, &format!("{fault:?}"));
    }
}

#[test]
fn permanent_faults_name_the_object_and_the_cause_and_spare_other_objects() {
    let Some((bucket, workspace)) = prepared("in-staying") else { return };
    let failed = "the connection to the store failed at every attempt";
    for (fault, cause) in [
        (Fault::CutRequest(usize::MAX), failed),
        (Fault::CutResponse(100), failed),
        (Fault::Stall(0), "the store timed out at every attempt"),
        (
            Fault::Shorten(100),
            "the store ended its response before all bytes were sent, at every attempt",
        ),
        (Fault::slow_down(0), "try again later (503 SlowDown)"),
        (Fault::s3_error(403, "RequestTimeTooSkewed"), "set the clock"),
        (Fault::s3_error(400, "ExpiredToken"), "the credentials have expired"),
    ] {
        let met = fault.clone();
        let proxy = Proxy::new(bucket.address, move |request| {
            if is_read(request, "logs/d.json") { met.clone() } else { Fault::None }
        });
        let url = format!("s3://{}/logs/d.json: ", bucket.name);
        run(&workspace, &bucket, (&proxy, stalls(&fault)), "out").exits(2).says(&url).says(cause);
        // Some of its events may have been read before the fault.
        let rest = total(&workspace, "out").checked_sub(9012 - 7);
        assert!(rest.is_some_and(|rest| rest < 7), "{fault:?}: {rest:?} events");
    }
}

#[test]
fn permanent_faults_of_a_listing_stop_the_run() {
    let Some((bucket, workspace)) = prepared("in-listing") else { return };
    let no_token = |response: &mut super::http::Message| {
        let text = response.text().replace("<IsTruncated>false", "<IsTruncated>true");
        assert!(text.contains("<IsTruncated>true"), "{text}");
        response.body = text.into_bytes();
    };
    let other_format = |response: &mut super::http::Message| {
        response.body = b"<html><body>Sign in to the network</body></html>".into();
    };
    for (fault, cause) in [
        (Fault::Change(no_token), "a page has no continuation token"),
        (Fault::Change(other_format), "the response has another format"),
        (Fault::Shorten(400), "a page is cut off"),
        (Fault::CutResponse(600), "the connection to the store failed at every attempt"),
        (Fault::Stall(600), "the store timed out at every attempt"),
        (Fault::s3_error(403, "RequestTimeTooSkewed"), "set the clock"),
    ] {
        let met = fault.clone();
        let proxy =
            Proxy::new(
                bucket.address,
                move |request| {
                    if is_listing(request) { met.clone() } else { Fault::None }
                },
            );
        let url = format!("s3://{}/logs/: ", bucket.name);
        run(&workspace, &bucket, (&proxy, stalls(&fault)), "out").exits(2).says(&url).says(cause);
        assert!(workspace.list("out").is_empty(), "{fault:?}");
    }
}

#[test]
fn versions_of_an_object_that_changes_after_the_listing_are_never_mixed() {
    let Some((bucket, workspace)) = prepared("in-changing") else { return };
    let others = 9012 - 6000;
    // How many ranges of the object are read before it changes, and its new content.
    let same_size = content("logs/B.json", 6000);
    for (parts, now, cause) in [
        (0, Some(events("new", 1)), "it was replaced while it was read"),
        (0, Some(same_size.clone()), "it was replaced while it was read"),
        (1, Some(same_size), "it was replaced while it was read"),
        (0, None, "no such object (404 NoSuchKey)"),
        (1, None, "no such object (404 NoSuchKey)"),
    ] {
        bucket.put("logs/b.json", content("logs/b.json", 6000));
        let other = Bucket { address: bucket.address, name: bucket.name.clone() };
        let reads = Mutex::new(0);
        let proxy = Proxy::new(bucket.address, move |request| {
            if is_read(request, "logs/b.json") {
                let mut reads = reads.lock().unwrap();
                if *reads == parts {
                    match &now {
                        Some(now) => other.put("logs/b.json", now.clone()),
                        None => _ = other.send("DELETE", "/logs/b.json", ""),
                    }
                }
                *reads += 1;
            }
            Fault::None
        });
        let url = format!("s3://{}/logs/b.json: ", bucket.name);
        run(&workspace, &bucket, (&proxy, false), "out").exits(2).says(&url).says(cause);
        let found = total(&workspace, "out") - others;
        assert!(if parts == 0 { found == 0 } else { found < 6000 }, "{found} events");
        let signals = String::from_utf8(workspace.read("out/signals.csv")).unwrap();
        assert!(
            !signals.contains("new-") && !signals.contains("logs/B.json"),
            "versions are mixed"
        );
    }
}

#[test]
fn wrong_keys_are_errors_of_a_store_that_verifies_signatures() {
    let Some(container) = Container::new("in-keys") else { return };
    let workspace = Workspace::new();
    let run = |key: &str| {
        let mut command = workspace.command(["az://in-keys/logs/", "-oout"]);
        Container::configure(&mut command, container.address);
        command.env("AZURE_STORAGE_ACCOUNT_KEY", key);
        finish(command)
    };
    run(azurite::KEY).exits(2).says("az://in-keys/logs/: no such object");
    run("d3Jvbmc=")
        .exits(2)
        .says("az://in-keys/logs/: access denied; the account needs the role")
        .says("(403 AuthorizationFailure)");
}

#[test]
fn transient_faults_of_azure_do_not_change_the_tables() {
    let Some(container) = Container::new("in-azure") else { return };
    let workspace = Workspace::new();
    for (key, count) in OBJECTS {
        container.put(key, content(key, count));
        workspace.write(key, content(key, count));
    }
    workspace.run(["logs", "-oexpected"]).exits(0);
    let run = |proxy: &Proxy, timeout: &str| {
        let arguments = ["az://in-azure/logs/", "-oout", "--overwrite"];
        let mut command = workspace.command(arguments.iter().chain(&LOW_MEMORY));
        Container::configure(&mut command, proxy.address());
        command.env("AZURE_READ_TIMEOUT", timeout).env("AWS_MAX_ATTEMPTS", "3");
        finish(command)
    };
    for fault in [
        Fault::CutResponse(100),
        Fault::CutResponse(900),
        Fault::Stall(700),
        Fault::slow_down(0),
        Fault::Shorten(500),
    ] {
        let (seen, met) = (Mutex::new(BTreeSet::new()), fault.clone());
        let proxy = Proxy::new(container.address, move |request| {
            if seen.lock().unwrap().insert(range_name(request)) { met.clone() } else { Fault::None }
        });
        run(&proxy, if stalls(&fault) { "2s" } else { "30s" }).exits(0);
        let leads = ["out", "expected"].map(|out| workspace.read(&format!("{out}/leads.csv")));
        assert!(leads[0] == leads[1], "{fault:?}");
        assert_eq!(total(&workspace, "out"), 9012, "{fault:?}");
    }
    let proxy = Proxy::new(container.address, |request| {
        let change = |response: &mut super::http::Message| {
            response.body = response.text().replace("<NextMarker/>", "").into_bytes();
        };
        if request.has("comp=list") { Fault::Change(change) } else { Fault::None }
    });
    run(&proxy, "30s").exits(2).says("az://in-azure/logs/: the store's listing is incomplete");
}
