//! Connections that end at bytes all over the requests that store parts and join them, and over
//! their answers.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use super::moto::Bucket;
use super::outputs::{expected, many, run};
use super::proxy::{Fault, Proxy, Request};
use crate::support::Workspace;

/// Formats that come to three objects in parts.
const FORMATS: [&str; 2] = ["--format", "csv,ndjson,json"];
const LARGE: [&str; 3] = ["signals.csv", "signals.json", "signals.ndjson"];
/// How often one request is cut off: the program tries it more often.
const CUTS_OF_A_REQUEST: usize = 3;
/// The largest part, and more bytes than a completion or an answer here has.
const PART_BYTES: usize = 8 << 20;
const LONGEST: usize = 600;

/// Bytes from the first to about `length`, one after the other or `few` of them, evenly.
fn bytes(length: usize, few: usize) -> Vec<usize> {
    let is_all = std::env::var_os(super::ALL_FAULTS).is_some();
    let count = if is_all { length.min(LONGEST) } else { few };
    (0..count).map(|number| number * length / count).collect()
}

/// What cuts off the requests that store parts.
fn of_parts() -> VecDeque<Fault> {
    let requests = bytes(PART_BYTES, 5).into_iter().map(Fault::CutRequest);
    requests.chain(bytes(LONGEST, 5).into_iter().map(Fault::CutAnswer)).collect()
}

/// What cuts off the requests that join them.
fn of_completions() -> VecDeque<Fault> {
    let requests = bytes(LONGEST, 4).into_iter().map(Fault::CutRequest);
    requests.chain(bytes(LONGEST, 5).into_iter().map(Fault::CutAnswer)).collect()
}

/// A request without the id of its upload, which is another one in each run.
fn name(request: &Request) -> String {
    let target = request.target.split("uploadId=").next().unwrap_or_default();
    format!("{} {target}", request.method)
}

#[test]
fn a_part_or_a_completion_that_is_cut_off_anywhere_is_sent_again() {
    let Some(bucket) = Bucket::new("out-cuts") else { return };
    let workspace = many();
    workspace.run(["in.ndjson", "-o", "files"].iter().chain(&FORMATS)).exits(0);
    let left = Arc::new(Mutex::new((of_parts(), of_completions())));
    let is_left =
        |left: &(VecDeque<Fault>, VecDeque<Fault>)| !left.0.is_empty() || !left.1.is_empty();
    while is_left(&left.lock().unwrap()) {
        bucket.clear();
        let (left, met) = (Arc::clone(&left), Mutex::new(BTreeMap::<String, usize>::new()));
        let proxy = Proxy::new(bucket.address, move |request| {
            let (parts, completions) = &mut *left.lock().unwrap();
            let faults = match () {
                () if request.is_part() => parts,
                () if request.is_completion() => completions,
                () => return Fault::None,
            };
            let mut met = met.lock().unwrap();
            let count = met.entry(name(request)).or_default();
            *count += 1;
            let is_due = *count <= CUTS_OF_A_REQUEST;
            is_due.then(|| faults.pop_front()).flatten().unwrap_or(Fault::None)
        });
        let arguments = ["s3://out-cuts/x/", FORMATS[0], FORMATS[1]];
        run(&workspace, proxy.address(), &arguments).exits(0);
        for name in LARGE {
            let is_same =
                bucket.get(&format!("x/{name}")) == workspace.read(&format!("files/{name}"));
            assert!(is_same, "{name}");
        }
        assert_eq!(bucket.uploads(), [""; 0]);
    }
}

/// Runs over objects that are there, with a fault that the requests `meets` meet at every try, and
/// asserts that each object is the one of before or the new one and that no part is left.
fn assert_whole(
    bucket: &Bucket,
    workspace: &Workspace,
    fault: &Fault,
    meets: impl Fn(&Request) -> bool + Send + Sync + 'static,
) {
    let objects = ["leads.csv", "report.json", "signals.csv"];
    let new = expected(workspace);
    for name in objects {
        bucket.put(&format!("x/{name}"), "of before");
    }
    let met = fault.clone();
    let proxy = Proxy::new(
        bucket.address,
        move |request| {
            if meets(request) { met.clone() } else { Fault::None }
        },
    );
    let url = format!("s3://{}/x/", bucket.name);
    let mut command = workspace.command(["in.ndjson", "-o", &url, "--overwrite"]);
    Bucket::configure(&mut command, proxy.address());
    command.env("AWS_MAX_ATTEMPTS", "2");
    let finished = super::outputs::finish(command);
    let is_done = finished.status.success();
    assert!(is_done || finished.status.code() == Some(2), "{fault:?}\n{finished}");
    if !is_done {
        let _ = finished.says(&format!("s3://{}/x/signals.csv: ", bucket.name));
    }
    for name in objects {
        let found = bucket.get(&format!("x/{name}"));
        let is_new = match name {
            // It tells the time that the run took.
            "report.json" => found.ends_with(b"}\n"),
            _ => found == new[name],
        };
        assert!(if is_done { is_new } else { found == b"of before" }, "{fault:?}: {name}");
    }
    assert_eq!(bucket.uploads(), [""; 0], "{fault:?}");
}

#[test]
fn a_part_that_is_always_cut_off_leaves_the_objects_of_before_and_no_parts() {
    let Some(bucket) = Bucket::new("out-cut-parts") else { return };
    let workspace = many();
    let requests = bytes(PART_BYTES, 3).into_iter().map(Fault::CutRequest);
    for fault in requests.chain(bytes(LONGEST, 3).into_iter().map(Fault::CutAnswer)) {
        assert_whole(&bucket, &workspace, &fault, Request::is_part);
    }
}

#[test]
fn a_completion_that_is_always_cut_off_leaves_the_objects_of_before_or_the_new_ones() {
    let Some(bucket) = Bucket::new("out-cut-ends") else { return };
    let workspace = many();
    let requests = bytes(LONGEST, 3).into_iter().map(Fault::CutRequest);
    for fault in requests.chain(bytes(LONGEST, 4).into_iter().map(Fault::CutAnswer)) {
        assert_whole(&bucket, &workspace, &fault, Request::is_completion);
    }
}
