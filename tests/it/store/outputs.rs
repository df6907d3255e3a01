//! Outputs in a bucket: there whole or not at all, and nothing left where a run fails.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::azurite::Container;
use super::moto::{Bucket, KEY_ID, SECRET, TOKEN};
use super::proxy::{Fault, Proxy, Request};
use crate::support::{Finished, Workspace};

/// What a run writes.
const OUTPUTS: [&str; 4] = ["leads.csv", "report.html", "report.json", "signals.csv"];

/// Parts are of this size.
const PART_BYTES: usize = 8 << 20;

/// A folder with events, of which there are few.
fn few() -> Workspace {
    let workspace = Workspace::new();
    workspace.write("in.ndjson", events(0..20, 10));
    workspace
}

/// A folder with events, whose signals come to two parts.
pub fn many() -> Workspace {
    let workspace = Workspace::new();
    workspace.write("in.ndjson", events(0..5_000, 2_000));
    workspace
}

/// Events with a page of so many characters, and one that tells who it was.
fn events(numbers: std::ops::Range<usize>, length: usize) -> String {
    let identify = r#"{"type":"identify","messageId":"i","anonymousId":"a1","traits":{"email":"jo@acme.test"},"timestamp":"2025-05-01T00:00:00Z"}"#;
    let track = |number| {
        let page = format!("https://acme.test/{number}/{}", "p".repeat(length));
        format!(
            r#"{{"type":"track","event":"Ping","messageId":"m{number}","anonymousId":"a1","timestamp":"2025-05-01T00:00:00Z","properties":{{"url":"{page}"}}}}"#
        ) + "\n"
    };
    format!("{identify}\n{}", numbers.map(track).collect::<String>())
}

/// The outputs of a run into a folder, without the time that it took.
pub fn expected(workspace: &Workspace) -> BTreeMap<String, Vec<u8>> {
    workspace.run(["in.ndjson", "-o", "expected", "--overwrite"]).exits(0);
    let files = workspace.list("expected").into_iter();
    files.map(|name| (name.clone(), workspace.read(&format!("expected/{name}")))).collect()
}

/// Asserts that the bucket has in `folder` the outputs that a run into a folder has.
#[track_caller]
fn assert_outputs(workspace: &Workspace, bucket: &Bucket, folder: &str) {
    let expected = expected(workspace);
    let names: Vec<_> = expected.keys().map(|name| format!("{folder}{name}")).collect();
    assert_eq!(bucket.keys(), names);
    for (name, bytes) in expected {
        let found = bucket.get(&format!("{folder}{name}"));
        for canary in [KEY_ID, SECRET, TOKEN] {
            assert!(!String::from_utf8_lossy(&found).contains(canary), "{name} holds a secret");
        }
        if name.starts_with("report.") {
            assert!(!found.is_empty(), "{name}");
        } else {
            assert!(found == bytes, "{name}: {} bytes for {}", found.len(), bytes.len());
        }
    }
    assert_eq!(bucket.uploads(), [""; 0]);
}

/// A run of `in.ndjson` into `url`, through the server at `address`.
pub fn run(workspace: &Workspace, address: SocketAddr, arguments: &[&str]) -> Finished {
    let mut command = workspace.command(["in.ndjson", "-o"].iter().chain(arguments));
    Bucket::configure(&mut command, address);
    finish(command)
}

/// Runs `command`, whose messages hold no credential.
pub fn finish(mut command: Command) -> Finished {
    let output = command.output().unwrap();
    let finished = Finished::of(&command, output);
    for canary in [KEY_ID, SECRET, TOKEN, super::azurite::KEY, "Signature"] {
        let said = format!("{}{}", finished.stderr, String::from_utf8_lossy(&finished.stdout));
        assert!(!said.contains(canary), "a secret is told: {canary}");
    }
    finished
}

#[test]
fn outputs_in_a_bucket_are_those_of_a_folder() {
    let Some(bucket) = Bucket::new("out-small") else { return };
    let workspace = few();
    for (url, folder) in [("s3://out-small/a b/2025/", "a b/2025/"), ("s3://out-small", "")] {
        bucket.clear();
        run(&workspace, bucket.address, &[url]).exits(0);
        let keys: Vec<_> = OUTPUTS.iter().map(|name| format!("{folder}{name}")).collect();
        assert_eq!(bucket.keys(), keys);
    }
    assert_outputs(&workspace, &bucket, "");
    let content = |key| bucket.head(key).header("Content-Type").unwrap().to_owned();
    assert_eq!(content("report.html"), "text/html; charset=utf-8");
    assert_eq!(content("signals.csv"), "text/csv; charset=utf-8");
}

#[test]
fn large_outputs_are_sent_in_parts_while_they_are_made() {
    let Some(bucket) = Bucket::new("out-large") else { return };
    let workspace = Workspace::new();
    workspace.write("in.ndjson", events(0..9_000, 2_000));
    let proxy = Proxy::new(bucket.address, |_| Fault::None);
    let formats = ["s3://out-large/x/", "--format", "csv,ndjson,json,parquet"];
    run(&workspace, proxy.address(), &formats).exits(0);
    let log = proxy.log();
    let parts: Vec<&Request> =
        log.iter().filter(|request| request.is_part() && request.has("/x/signals.csv")).collect();
    assert!(parts.len() > 2, "{} parts", parts.len());
    assert!(parts.iter().all(|part| part.body_bytes <= PART_BYTES));
    workspace.run(["in.ndjson", "-o", "out", formats[1], formats[2]]).exits(0);
    for name in
        ["signals.csv", "signals.ndjson", "signals.json", "signals.parquet", "leads.parquet"]
    {
        let (found, file) =
            (bucket.get(&format!("x/{name}")), workspace.read(&format!("out/{name}")));
        assert!(found == file, "{name}: {} bytes for {}", found.len(), file.len());
    }
    let completions: Vec<_> = log.iter().filter(|request| request.is_completion()).collect();
    assert!(completions.iter().all(|request| request.header("If-None-Match") == Some("*")));
    let before = completions.iter().map(|request| request.number).min().unwrap();
    assert!(parts.iter().all(|part| part.number < before), "a part was sent after a completion");
    let last = log.iter().rfind(|request| request.method == "PUT").unwrap();
    assert!(last.has("/x/report.json"), "{}", last.target);
    assert_eq!(bucket.uploads(), [""; 0]);
}

#[test]
fn existing_objects_are_replaced_only_on_request() {
    let Some(bucket) = Bucket::new("out-overwrite") else { return };
    let workspace = few();
    bucket.put("x/leads.csv", "old");
    bucket.put("x/rejects.ndjson", "old");
    bucket.put("x/leads.json", "old");
    bucket.put("x/other.txt", "old");
    let before = bucket.keys();
    let at = bucket.address;
    run(&workspace, at, &["s3://out-overwrite/x"])
        .exits(2)
        .says("s3://out-overwrite/x/leads.csv: exists already; use --overwrite to replace it");
    assert_eq!((bucket.keys(), bucket.get("x/leads.csv")), (before, b"old".to_vec()));
    // Another run may replace them, and what it has no counterpart of goes.
    run(&workspace, at, &["s3://out-overwrite/x", "--overwrite"])
        .exits(0)
        .says("left as an earlier run wrote them")
        .says("s3://out-overwrite/x/leads.json");
    let mut keys = OUTPUTS.map(|name| format!("x/{name}")).to_vec();
    keys.extend(["x/leads.json".into(), "x/other.txt".into()]);
    keys.sort();
    assert_eq!(bucket.keys(), keys);
    assert_ne!(bucket.get("x/leads.csv"), b"old");
    assert_eq!(bucket.uploads(), [""; 0]);
}

#[test]
fn an_object_that_appears_during_the_run_is_not_replaced() {
    let Some(bucket) = Bucket::new("out-appears") else { return };
    for (workspace, name) in [(few(), "leads.csv"), (many(), "signals.csv")] {
        let (address, key) = (bucket.address, format!("x/{name}"));
        let inner = Bucket { address, name: bucket.name.clone() };
        let appearing = key.clone();
        // Before the first object that would come to its place.
        let proxy = Proxy::new(address, move |request| {
            if (request.is_whole() || request.is_completion()) && request.has(&appearing) {
                inner.put(&appearing, "theirs");
            }
            Fault::None
        });
        run(&workspace, proxy.address(), &["s3://out-appears/x/"])
            .exits(2)
            .says(&format!("s3://out-appears/{key}: exists already"));
        assert_eq!(bucket.get(&key), b"theirs");
        assert_eq!(bucket.uploads(), [""; 0]);
        bucket.clear();
    }
}

#[test]
fn what_half_a_publication_leaves_is_told() {
    let Some(bucket) = Bucket::new("out-half") else { return };
    let workspace = few();
    let proxy = Proxy::new(bucket.address, |request| {
        let is_last = request.method == "PUT" && request.has("report.json");
        if is_last { Fault::s3_error(403, "AccessDenied") } else { Fault::None }
    });
    run(&workspace, proxy.address(), &["s3://out-half/x/"])
        .exits(2)
        .says("s3://out-half/x/report.json: access denied")
        .says("(403 AccessDenied)")
        .says("s3://out-half/x/signals.csv, s3://out-half/x/leads.csv, s3://out-half/x/report.html are new")
        .says("s3://out-half/x/report.json not; run again with --overwrite");
    assert_eq!(bucket.keys(), ["x/leads.csv", "x/report.html", "x/signals.csv"]);
}

#[test]
fn a_run_that_cannot_write_to_the_bucket_fails_before_it_reads() {
    let Some(bucket) = Bucket::new("out-denied") else { return };
    let workspace = few();
    run(&workspace, bucket.address, &["s3://no-such-bucket/x/"])
        .exits(2)
        .says("s3://no-such-bucket/x/report.json: no such bucket (404 NoSuchBucket)");
    let proxy = Proxy::new(bucket.address, |request| match request.method.as_str() {
        "POST" | "PUT" => Fault::s3_error(403, "AccessDenied"),
        _ => Fault::None,
    });
    run(&workspace, proxy.address(), &["s3://out-denied/x/"])
        .exits(2)
        .says("s3://out-denied/x/report.json: access denied")
        .says("s3:PutObject");
    assert!(proxy.log().iter().all(|request| !request.is_part() && !request.is_whole()));
    assert_eq!(bucket.keys(), [""; 0]);
}

#[test]
fn a_run_that_fails_or_is_interrupted_leaves_no_parts() {
    let Some(bucket) = Bucket::new("out-aborted") else { return };
    let workspace = many();
    // The token expires after some parts.
    let parts = AtomicUsize::new(0);
    let proxy = Proxy::new(bucket.address, move |request| {
        let is_late = request.is_part() && parts.fetch_add(1, Ordering::Relaxed) >= 1;
        if is_late { Fault::s3_error(400, "ExpiredToken") } else { Fault::None }
    });
    run(&workspace, proxy.address(), &["s3://out-aborted/x/"])
        .exits(2)
        .says("s3://out-aborted/x/signals.csv: the credentials have expired");
    assert!(proxy.log().iter().any(Request::is_part));
    assert_eq!((bucket.keys(), bucket.uploads()), (Vec::new(), Vec::new()));

    // Ctrl-C while a part is on its way, which nobody answers.
    let proxy =
        Proxy::new(
            bucket.address,
            |request| {
                if request.is_part() { Fault::Stall(0) } else { Fault::None }
            },
        );
    let mut command = workspace.command(["in.ndjson", "-o", "s3://out-aborted/x/"]);
    Bucket::configure(&mut command, proxy.address());
    let running = Workspace::start(command);
    while !proxy.log().iter().any(Request::is_part) {
        std::thread::sleep(Duration::from_millis(10));
    }
    running.interrupt();
    running.finish().exits(130).says("interrupted; nothing was written");
    assert_eq!((bucket.keys(), bucket.uploads()), (Vec::new(), Vec::new()));
}

#[test]
fn parts_that_cannot_be_removed_are_told() {
    let Some(bucket) = Bucket::new("out-left") else { return };
    let workspace = many();
    let removals = AtomicUsize::new(0);
    let proxy = Proxy::new(bucket.address, move |request| match request.method.as_str() {
        // The first one is that of the probe.
        "DELETE" if removals.fetch_add(1, Ordering::Relaxed) > 0 => {
            Fault::s3_error(403, "AccessDenied")
        }
        _ if request.is_completion() => Fault::s3_error(403, "AccessDenied"),
        _ => Fault::None,
    });
    run(&workspace, proxy.address(), &["s3://out-left/x/"])
        .exits(2)
        .says("s3://out-left/x/signals.csv: access denied")
        .says("parts that were uploaded are still stored, and cost money: s3://out-left/x/signals.csv")
        .says("abort-multipart-upload");
    assert_eq!(bucket.uploads(), ["x/signals.csv"]);
    assert_eq!(bucket.keys(), [""; 0]);
}

#[test]
fn faults_that_pass_change_nothing() {
    let (small, large) = (few(), many());
    let faults = [
        ("lost request", Fault::CutRequest(usize::MAX), &small),
        ("lost request", Fault::CutRequest(usize::MAX), &large),
        ("lost answer", Fault::CutAnswer(0), &small),
        ("lost answer", Fault::CutAnswer(0), &large),
        ("cut answer", Fault::CutAnswer(250), &large),
        ("slow down", Fault::slow_down(0), &small),
        ("internal error", Fault::s3_error(500, "InternalError"), &large),
    ];
    for (number, (name, fault, workspace)) in faults.into_iter().enumerate() {
        let Some(bucket) = Bucket::new(&format!("out-faults-{number}")) else { return };
        // Each request that is not another one once more meets the fault.
        let seen = Mutex::new(BTreeSet::new());
        let proxy = Proxy::new(bucket.address, move |request| {
            let key = (request.method.clone(), without_upload(&request.target));
            if seen.lock().unwrap().insert(key) { fault.clone() } else { Fault::None }
        });
        let finished = run(workspace, proxy.address(), &[&format!("s3://{}/x/", bucket.name)]);
        assert!(finished.status.success(), "{name}\n{finished}");
        let expected = expected(workspace);
        for table in ["signals.csv", "leads.csv"] {
            assert!(bucket.get(&format!("x/{table}")) == expected[table], "{name}: {table}");
        }
        // Nobody knows of an upload whose beginning was not answered.
        if !matches!(name, "lost answer" | "cut answer") {
            assert_eq!(bucket.uploads(), [""; 0], "{name}");
        }
    }
}

/// A target without the id of its upload, which is another one at each try.
fn without_upload(target: &str) -> String {
    target.split("uploadId=").next().unwrap_or_default().to_owned()
}

#[test]
fn an_output_that_is_an_input_too_is_refused() {
    let Some(bucket) = Bucket::new("out-inputs") else { return };
    let workspace = few();
    bucket.put("x/rejects.ndjson", events(0..3, 3));
    let mut command = workspace.command(["s3://out-inputs/x/rejects.ndjson", "-o"]);
    command.args(["s3://out-inputs/x", "--overwrite"]);
    Bucket::configure(&mut command, bucket.address);
    finish(command).exits(2).says(
        "s3://out-inputs/x/rejects.ndjson: is also read as an input, and would be overwritten; \
         nothing was written",
    );
    assert_eq!(bucket.keys(), ["x/rejects.ndjson"]);
}

#[test]
fn google_and_azure_get_the_same_outputs() {
    for workspace in [few(), many()] {
        let expected = expected(&workspace);
        // A name of letters alone: the client writes other characters in a way that moto does not
        // read in the name of a bucket.
        if let Some(bucket) = Bucket::new("outgoogle") {
            let mut command =
                workspace.command(["in.ndjson", "-o", "gs://outgoogle/x", "--overwrite"]);
            super::moto::forget_surroundings(&mut command);
            // It signs on the way.
            let proxy = Proxy::new(bucket.address, |_| Fault::None);
            command.env("STORAGE_EMULATOR_HOST", proxy.address().to_string());
            finish(command).exits(0);
            for name in ["signals.csv", "leads.csv"] {
                assert!(bucket.get(&format!("x/{name}")) == expected[name], "{name}");
            }
            assert_eq!(bucket.uploads(), [""; 0]);
        }
        if let Some(container) =
            Container::new(&format!("out-azure-{}", expected["signals.csv"].len()))
        {
            let url = format!("az://{}/x/", container.name);
            let run = |arguments: &[&str]| {
                let mut command =
                    workspace.command(["in.ndjson", "-o", &url].iter().chain(arguments));
                Container::configure(&mut command, container.address);
                finish(command)
            };
            run(&[]).exits(0);
            let names: Vec<_> = OUTPUTS.iter().map(|name| format!("x/{name}")).collect();
            assert_eq!(container.names(), names);
            for name in ["signals.csv", "leads.csv"] {
                assert!(container.get(&format!("x/{name}")) == expected[name], "{name}");
            }
            let head = container.head("x/signals.csv");
            assert_eq!(head.header("Content-Type"), Some("text/csv; charset=utf-8"));
            run(&[]).exits(2).says("exists already; use --overwrite to replace it");
            run(&["--overwrite"]).exits(0);
        }
    }
}

#[test]
fn other_outputs_are_files() {
    let workspace = few();
    workspace.write("allow.txt", "Ping\n");
    let said = "s3://b/x.html: only the outputs of `run -o` are written to object storage";
    let audit = ["in.ndjson", "--allow", "allow.txt", "--html", "s3://b/x.html"];
    workspace.does("audit", &audit).exits(2).says(said);
    let check = ["in.ndjson", "--report", "junit=s3://b/x.html"];
    workspace.does("check", &check).exits(2).says(said);
    assert_eq!(workspace.list(""), ["allow.txt", "in.ndjson"]);
}
