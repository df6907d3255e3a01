//! Connections that are closed at every byte of the requests of multipart uploads, and of their
//! responses.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use super::moto::Bucket;
use super::outputs::{expected, finish, many, run};
use super::proxy::{Fault, Proxy, Request};

/// Formats for which a run writes three multipart uploads.
const FORMATS: [&str; 2] = ["--format", "csv,ndjson,json"];
const LARGE: [&str; 3] = ["signals.csv", "signals.json", "signals.ndjson"];
/// How often one request is cut off, which is less than the number of attempts.
const CUTS_PER_REQUEST: usize = 3;
/// The length of the largest part, in bytes.
const PART_BYTES: usize = 8 << 20;
/// More than the length of a completion or of a response, in bytes.
const MAX_MESSAGE_BYTES: usize = 600;

/// Returns `few` offsets, evenly from 0 to `length`; all of them, up to a limit, if all faults are
/// requested.
fn offsets(length: usize, few: usize) -> Vec<usize> {
    let is_all = std::env::var_os(super::ALL_FAULTS).is_some();
    let count = if is_all { length.min(MAX_MESSAGE_BYTES) } else { few };
    (0..count).map(|number| number * length / count).collect()
}

/// Returns faults that cut requests of `request_bytes` at `requests` offsets, and responses at
/// `responses` offsets.
fn cuts(request_bytes: usize, requests: usize, responses: usize) -> VecDeque<Fault> {
    let requests = offsets(request_bytes, requests).into_iter().map(Fault::CutRequest);
    let responses = offsets(MAX_MESSAGE_BYTES, responses).into_iter().map(Fault::CutResponse);
    requests.chain(responses).collect()
}

/// Identifies a request without the id of its upload, which differs between runs.
fn name(request: &Request) -> String {
    let target = request.target.split("uploadId=").next().unwrap_or_default();
    format!("{} {target}", request.method)
}

#[test]
fn parts_and_completions_that_are_cut_off_are_retried() {
    let Some(bucket) = Bucket::new("out-cuts") else { return };
    let workspace = many();
    workspace.run(["in.ndjson", "-o", "files"].iter().chain(&FORMATS)).exits(0);
    let part_cuts = cuts(PART_BYTES, 5, 5);
    let completion_cuts = cuts(MAX_MESSAGE_BYTES, 4, 5);
    let remaining = Arc::new(Mutex::new((part_cuts, completion_cuts)));
    let is_done = |(parts, completions): &(VecDeque<Fault>, VecDeque<Fault>)| {
        parts.is_empty() && completions.is_empty()
    };
    while !is_done(&remaining.lock().unwrap()) {
        bucket.clear();
        let remaining = Arc::clone(&remaining);
        let counts = Mutex::new(BTreeMap::<String, usize>::new());
        let proxy = Proxy::new(bucket.address, move |request| {
            let (parts, completions) = &mut *remaining.lock().unwrap();
            let faults = match () {
                () if request.is_part() => parts,
                () if request.is_completion() => completions,
                () => return Fault::None,
            };
            let mut counts = counts.lock().unwrap();
            let count = counts.entry(name(request)).or_default();
            *count += 1;
            let is_cut = *count <= CUTS_PER_REQUEST;
            is_cut.then(|| faults.pop_front()).flatten().unwrap_or(Fault::None)
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

/// Asserts that a run whose requests `is_cut` are cut off at every attempt either succeeds and
/// replaces all objects in `bucket`, or fails and replaces none, and that no part is left.
fn assert_all_or_nothing(
    bucket: &str,
    faults: impl IntoIterator<Item = Fault>,
    is_cut: fn(&Request) -> bool,
) {
    let Some(bucket) = Bucket::new(bucket) else { return };
    let workspace = many();
    let objects = ["leads.csv", "report.json", "signals.csv"];
    let new = expected(&workspace);
    let url = format!("s3://{}/x/", bucket.name);
    for fault in faults {
        for name in objects {
            bucket.put(&format!("x/{name}"), "old");
        }
        let injected = fault.clone();
        let proxy = Proxy::new(bucket.address, move |request| {
            if is_cut(request) { injected.clone() } else { Fault::None }
        });
        let mut command = workspace.command(["in.ndjson", "-o", &url, "--overwrite"]);
        Bucket::configure(&mut command, proxy.address());
        command.env("AWS_MAX_ATTEMPTS", "2");
        let finished = finish(command);
        let is_success = finished.status.success();
        assert!(is_success || finished.status.code() == Some(2), "{fault:?}\n{finished}");
        if !is_success {
            let _ = finished.says(&format!("{url}signals.csv: "));
        }
        for name in objects {
            let found = bucket.get(&format!("x/{name}"));
            let is_new = match name {
                // It contains the duration of the run.
                "report.json" => found.ends_with(b"}\n"),
                _ => found == new[name],
            };
            assert!(if is_success { is_new } else { found == b"old" }, "{fault:?}: {name}");
        }
        assert_eq!(bucket.uploads(), [""; 0], "{fault:?}");
    }
}

#[test]
fn parts_that_are_always_cut_off_leave_the_old_objects_and_no_parts() {
    assert_all_or_nothing("out-cut-parts", cuts(PART_BYTES, 3, 3), Request::is_part);
}

#[test]
fn completions_that_are_always_cut_off_leave_the_old_objects_or_the_new_ones() {
    assert_all_or_nothing("out-cut-ends", cuts(MAX_MESSAGE_BYTES, 3, 4), Request::is_completion);
}
