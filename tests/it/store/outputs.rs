//! Outputs in a bucket: a run publishes all or none, and leaves no parts if it fails.

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

/// The outputs of a run.
const OUTPUTS: [&str; 4] = ["leads.csv", "report.html", "report.json", "signals.csv"];

/// The length of a part, in bytes.
const PART_BYTES: usize = 8 << 20;

/// Creates a workspace with few events.
fn few() -> Workspace {
    let workspace = Workspace::new();
    workspace.write("in.ndjson", events(0..20, 10));
    workspace
}

/// Creates a workspace with enough events for signals in two parts.
pub fn many() -> Workspace {
    let workspace = Workspace::new();
    workspace.write("in.ndjson", events(0..5_000, 2_000));
    workspace
}

/// Returns events whose pages have `length` characters, and one that identifies the visitor.
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

/// Returns the outputs of a run that writes files.
pub fn expected(workspace: &Workspace) -> BTreeMap<String, Vec<u8>> {
    workspace.run(["in.ndjson", "-o", "expected", "--overwrite"]).exits(0);
    let files = workspace.list("expected").into_iter();
    files.map(|name| (name.clone(), workspace.read(&format!("expected/{name}")))).collect()
}

/// Asserts that `folder` in the bucket contains the outputs of a run that writes files.
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

/// Runs the program over `in.ndjson` with the server at `address`. The first of `arguments` is the
/// output URL.
pub fn run(workspace: &Workspace, address: SocketAddr, arguments: &[&str]) -> Finished {
    let mut command = workspace.command(["in.ndjson", "-o"].iter().chain(arguments));
    Bucket::configure(&mut command, address);
    finish(command)
}

/// Runs `command`, and asserts that its messages contain no credential.
pub fn finish(mut command: Command) -> Finished {
    let output = command.output().unwrap();
    let finished = Finished::of(&command, output);
    for canary in [KEY_ID, SECRET, TOKEN, super::azurite::KEY, "Signature"] {
        let said = format!("{}{}", finished.stderr, String::from_utf8_lossy(&finished.stdout));
        assert!(!said.contains(canary), "a message contains a secret:  {canary}");
    }
    finished
}

#[test]
fn outputs_in_a_bucket_equal_those_in_a_folder() {
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
fn large_outputs_are_uploaded_in_parts_while_they_are_written() {
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
    // With --overwrite, outputs without a successor are removed.
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
fn an_object_created_during_the_run_is_not_replaced() {
    let Some(bucket) = Bucket::new("out-appears") else { return };
    for (workspace, name) in [(few(), "leads.csv"), (many(), "signals.csv")] {
        let (address, key) = (bucket.address, format!("x/{name}"));
        let inner = Bucket { address, name: bucket.name.clone() };
        let appearing = key.clone();
        // Creates the object just before it would be published.
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
fn an_error_during_publication_names_the_published_objects() {
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
    // The token expires after the first part.
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

    // Ctrl-C during the upload of a part that is never responded to.
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
fn parts_that_cannot_be_deleted_are_reported() {
    let Some(bucket) = Bucket::new("out-left") else { return };
    let workspace = many();
    let removals = AtomicUsize::new(0);
    let proxy = Proxy::new(bucket.address, move |request| match request.method.as_str() {
        // The first one belongs to the probe.
        "DELETE" if removals.fetch_add(1, Ordering::Relaxed) > 0 => {
            Fault::s3_error(403, "AccessDenied")
        }
        _ if request.is_completion() => Fault::s3_error(403, "AccessDenied"),
        _ => Fault::None,
    });
    run(&workspace, proxy.address(), &["s3://out-left/x/"])
        .exits(2)
        .says("s3://out-left/x/signals.csv: access denied")
        .says("uploaded parts are still stored, and are charged for:  s3://out-left/x/signals.csv")
        .says("abort-multipart-upload");
    assert_eq!(bucket.uploads(), ["x/signals.csv"]);
    assert_eq!(bucket.keys(), [""; 0]);
}

#[test]
fn transient_faults_do_not_change_the_outputs() {
    let (small, large) = (few(), many());
    let faults = [
        ("lost request", Fault::CutRequest(usize::MAX), &small),
        ("lost request", Fault::CutRequest(usize::MAX), &large),
        ("lost response", Fault::CutResponse(0), &small),
        ("lost response", Fault::CutResponse(0), &large),
        ("cut response", Fault::CutResponse(250), &large),
        ("slow down", Fault::slow_down(0), &small),
        ("internal error", Fault::s3_error(500, "InternalError"), &large),
    ];
    for (number, (name, fault, workspace)) in faults.into_iter().enumerate() {
        let Some(bucket) = Bucket::new(&format!("out-faults-{number}")) else { return };
        // Only the first attempt of each request fails.
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
        // If the response that starts an upload is lost, the upload cannot be aborted.
        if !matches!(name, "lost response" | "cut response") {
            assert_eq!(bucket.uploads(), [""; 0], "{name}");
        }
    }
}

/// Returns a target without the id of its upload, which differs between attempts.
fn without_upload(target: &str) -> String {
    target.split("uploadId=").next().unwrap_or_default().to_owned()
}

#[test]
fn an_output_that_is_also_an_input_is_an_error() {
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
fn outputs_in_google_and_azure_equal_those_in_a_folder() {
    for workspace in [few(), many()] {
        let expected = expected(&workspace);
        // The name has only letters, as the client encodes other characters in a way that moto does
        // not decode.
        if let Some(bucket) = Bucket::new("outgoogle") {
            let mut command =
                workspace.command(["in.ndjson", "-o", "gs://outgoogle/x", "--overwrite"]);
            super::moto::clear_environment(&mut command);
            // The proxy adds a signature.
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
fn other_outputs_than_those_of_run_must_be_files() {
    let workspace = few();
    workspace.write("allow.txt", "Ping\n");
    let said = "s3://b/x.html: only the outputs of `run -o` are written to object storage";
    let audit = ["in.ndjson", "--allow", "allow.txt", "--html", "s3://b/x.html"];
    workspace.does("audit", &audit).exits(2).says(said);
    let check = ["in.ndjson", "--report", "junit=s3://b/x.html"];
    workspace.does("check", &check).exits(2).says(said);
    assert_eq!(workspace.list(""), ["allow.txt", "in.ndjson"]);
}
