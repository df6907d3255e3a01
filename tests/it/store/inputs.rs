//! Inputs in a bucket behind a proxy that injects faults: the same tables, or an error that names
//! the object and the cause.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Mutex;

use super::azurite::{self, Container};
use super::moto::{Bucket, KEY_ID, SECRET, TOKEN};
use super::proxy::{Fault, Proxy, Request};
use crate::support::{Finished, Workspace, gzip, track};

/// The objects, and how many events each has.
const OBJECTS: [(&str, usize); 4] =
    [("logs/a.json", 5), ("logs/b.json", 6000), ("logs/c.gz", 3000), ("logs/d.json", 7)];

/// A budget in which `logs/b.json` is read in several parts.
const SMALL: [&str; 2] = ["--memory", "16MiB"];

/// So many events, each with its own message id that begins with `name`.
fn events(name: &str, count: usize) -> Vec<u8> {
    (0..count).map(|number| track(&format!("{name}-{number}"))).collect::<String>().into_bytes()
}

fn content(key: &str, count: usize) -> Vec<u8> {
    let bytes = events(key, count);
    if key.contains(".gz") { gzip(&bytes) } else { bytes }
}

/// A new bucket with the objects, and a folder in which `expected` has the tables of a run that
/// nothing disturbed. `None` where there is no server.
fn prepared(name: &str) -> Option<(Bucket, Workspace)> {
    let bucket = Bucket::new(name)?;
    for (key, count) in OBJECTS {
        bucket.put(key, content(key, count));
    }
    let workspace = Workspace::new();
    let proxy = Proxy::new(bucket.address, |_| Fault::None);
    run(&workspace, &bucket, (&proxy, false), "expected").exits(0);
    let parts = proxy.log().into_iter().filter(|request| is_read(request, "logs/b.json"));
    assert!(parts.count() > 2, "it is to be read in several parts");
    assert_eq!(total(&workspace, "expected"), 9012);
    Some((bucket, workspace))
}

/// A run of all objects through `proxy`, which may have stalled answers, into the folder `out`.
fn run(
    workspace: &Workspace,
    bucket: &Bucket,
    (proxy, stalls): (&Proxy, bool),
    out: &str,
) -> Finished {
    let url = format!("s3://{}/logs/", bucket.name);
    let mut command = workspace.command([&url, "-o", out, "--overwrite"].iter().chain(&SMALL));
    Bucket::configure(&mut command, proxy.address());
    // Tests are not to wait, and a machine with much to do is not to be taken for a broken one.
    let patience = if stalls { "2s" } else { "30s" };
    command.env("AWS_READ_TIMEOUT", patience).env("AWS_MAX_ATTEMPTS", "3");
    finish(command)
}

/// Runs `command`, whose messages hold no credential.
fn finish(mut command: Command) -> Finished {
    let output = command.output().unwrap();
    let finished = Finished::of(&command, output);
    let said = format!("{}{}", finished.stderr, String::from_utf8_lossy(&finished.stdout));
    for canary in [KEY_ID, SECRET, TOKEN, azurite::KEY, "Signature="] {
        assert!(!said.contains(canary), "a secret is told: {canary}");
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

/// What a request is for, whatever of it has come already: a part is told by its end.
fn part(request: &Request) -> String {
    let range = request.header("Range").or(request.header("x-ms-range")).unwrap_or_default();
    let end = range.rsplit('-').next().unwrap_or_default();
    format!("{} {} {end}", request.method, request.target)
}

fn stalls(fault: &Fault) -> bool {
    matches!(fault, Fault::Stall(_))
}

/// Faults of one request that pass.
fn passing() -> Vec<Fault> {
    let mut faults = vec![
        Fault::CutRequest(usize::MAX),
        Fault::slow_down(1),
        Fault::s3_error(500, "InternalError"),
    ];
    // In the head of an answer, at its end, in the body.
    for bytes in [0, 100, 600, 70_000] {
        faults.push(Fault::CutAnswer(bytes));
    }
    faults.extend([Fault::Stall(0), Fault::Stall(900)]);
    faults.extend([Fault::Shorten(300), Fault::Shorten(60_000)]);
    faults
}

#[test]
fn faults_that_pass_change_nothing() {
    let Some((bucket, workspace)) = prepared("in-passing") else { return };
    for fault in passing() {
        // Each request that is not another one once more meets it.
        let (seen, met) = (Mutex::new(BTreeSet::new()), fault.clone());
        let proxy = Proxy::new(bucket.address, move |request| {
            if seen.lock().unwrap().insert(part(request)) { met.clone() } else { Fault::None }
        });
        run(&workspace, &bucket, (&proxy, stalls(&fault)), "out").exits(0);
        assert_tables(&workspace, &format!("{fault:?}"));
    }
}

#[test]
fn faults_that_stay_name_the_object_and_the_cause_and_the_other_objects_count() {
    let Some((bucket, workspace)) = prepared("in-staying") else { return };
    let broken = "the connection to the store failed at every attempt";
    for (fault, cause) in [
        (Fault::CutRequest(usize::MAX), broken),
        (Fault::CutAnswer(100), broken),
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
        // Some of its events may have come before it broke.
        let rest = total(&workspace, "out").checked_sub(9012 - 7);
        assert!(rest.is_some_and(|rest| rest < 7), "{fault:?}: {rest:?} events");
    }
}

#[test]
fn a_listing_that_stays_broken_is_named_and_nothing_is_read() {
    let Some((bucket, workspace)) = prepared("in-listing") else { return };
    let no_token = |answer: &mut super::http::Message| {
        let text = answer.text().replace("<IsTruncated>false", "<IsTruncated>true");
        assert!(text.contains("<IsTruncated>true"), "{text}");
        answer.body = text.into_bytes();
    };
    let something_else = |answer: &mut super::http::Message| {
        answer.body = b"<html><body>Sign in to the network</body></html>".into();
    };
    for (fault, cause) in [
        (Fault::Change(no_token), "a page has no continuation token"),
        (Fault::Change(something_else), "the response has another format"),
        (Fault::Shorten(400), "a page is cut off"),
        (Fault::CutAnswer(600), "the connection to the store failed at every attempt"),
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
fn an_object_that_changes_after_the_listing_is_named_and_never_mixed() {
    let Some((bucket, workspace)) = prepared("in-changing") else { return };
    let others = 9012 - 6000;
    // How many parts of the object are read before it changes, and what it becomes.
    let as_long = content("logs/B.json", 6000);
    for (parts, now, cause) in [
        (0, Some(events("new", 1)), "it was replaced while it was read"),
        (0, Some(as_long.clone()), "it was replaced while it was read"),
        (1, Some(as_long), "it was replaced while it was read"),
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
        assert!(!signals.contains("new-") && !signals.contains("logs/B.json"), "a mixture");
    }
}

#[test]
fn a_store_that_checks_signatures_refuses_wrong_keys() {
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
fn objects_of_azure_survive_what_those_of_s3_do() {
    let Some(container) = Container::new("in-azure") else { return };
    let workspace = Workspace::new();
    for (key, count) in OBJECTS {
        container.put(key, content(key, count));
        workspace.write(key, content(key, count));
    }
    workspace.run(["logs", "-oexpected"]).exits(0);
    let run = |proxy: &Proxy, patience: &str| {
        let arguments = ["az://in-azure/logs/", "-oout", "--overwrite"];
        let mut command = workspace.command(arguments.iter().chain(&SMALL));
        Container::configure(&mut command, proxy.address());
        command.env("AZURE_READ_TIMEOUT", patience).env("AWS_MAX_ATTEMPTS", "3");
        finish(command)
    };
    for fault in [
        Fault::CutAnswer(100),
        Fault::CutAnswer(900),
        Fault::Stall(700),
        Fault::slow_down(0),
        Fault::Shorten(500),
    ] {
        let (seen, met) = (Mutex::new(BTreeSet::new()), fault.clone());
        let proxy = Proxy::new(container.address, move |request| {
            if seen.lock().unwrap().insert(part(request)) { met.clone() } else { Fault::None }
        });
        run(&proxy, if stalls(&fault) { "2s" } else { "30s" }).exits(0);
        let leads = ["out", "expected"].map(|out| workspace.read(&format!("{out}/leads.csv")));
        assert!(leads[0] == leads[1], "{fault:?}");
        assert_eq!(total(&workspace, "out"), 9012, "{fault:?}");
    }
    let proxy = Proxy::new(container.address, |request| {
        let change = |answer: &mut super::http::Message| {
            answer.body = answer.text().replace("<NextMarker/>", "").into_bytes();
        };
        if request.has("comp=list") { Fault::Change(change) } else { Fault::None }
    });
    run(&proxy, "30s").exits(2).says("az://in-azure/logs/: the store's listing is incomplete");
}
