//! Inputs in object stores: what is found and read, and the handling of faults.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::support::store::{CANARIES, Fault, Request, Server, finish_without, isolated};
use crate::support::{Finished, Workspace, gzip, track};

/// Returns `count` events, whose message ids begin with `name`.
fn events(name: &str, count: usize) -> Vec<u8> {
    (0..count).map(|number| track(&format!("{name}-{number}"))).collect::<String>().into_bytes()
}

/// Runs the program with `server`, and asserts that its output contains no credentials.
#[track_caller]
fn run_in(workspace: &Workspace, server: &Server, arguments: &[&str]) -> Finished {
    run_with(workspace, server, arguments, |_| {})
}

#[track_caller]
fn run_with(
    workspace: &Workspace,
    server: &Server,
    arguments: &[&str],
    change: impl FnOnce(&mut Command),
) -> Finished {
    let mut command = server.found_by(workspace.command(arguments));
    change(&mut command);
    finish_without(&[&CANARIES[..], &["X-Amz-", "Signature="]].concat(), command, workspace)
}

/// Returns the names of the inputs in the report, and their records.
fn inputs(workspace: &Workspace) -> Vec<(String, u64)> {
    let report = workspace.report("out");
    let inputs = report["inputs"].as_array().unwrap().iter();
    let pair = |input: &Value| {
        (input["path"].as_str().unwrap().to_owned(), input["records"].as_u64().unwrap())
    };
    inputs.map(pair).collect()
}

/// Returns the number of events in the report.
fn total(workspace: &Workspace) -> u64 {
    workspace.report("out")["events"]["total"].as_u64().unwrap()
}

fn reads(server: &Server) -> Vec<Request> {
    server.requests().into_iter().filter(Request::is_read).collect()
}

#[test]
fn objects_below_a_prefix_are_read_like_files_in_a_folder() {
    let objects = [
        ("logs/b.json", events("b", 2)),
        ("logs/a/1.gz", gzip(&events("a", 3))),
        ("logs/a.json", events("c", 1)),
        ("logs/.hidden", events("h", 1)),
        ("logs/x/.git/y", events("h", 1)),
        ("logs/empty/", Vec::new()),
        ("logs/with blank & ü%20.json", events("d", 1)),
        ("other/z.json", events("z", 1)),
    ];
    let server = Server::new(objects.clone());
    let workspace = Workspace::new();
    run_in(&workspace, &server, &["s3://bucket/logs/", "-oout"]).exits(0);
    let expected = [
        ("s3://bucket/logs/a.json", 1),
        ("s3://bucket/logs/a/1.gz", 3),
        ("s3://bucket/logs/b.json", 2),
        ("s3://bucket/logs/with blank & ü%20.json", 1),
    ];
    assert_eq!(inputs(&workspace), expected.map(|(name, count)| (name.to_owned(), count)));
    let of_store = workspace.read("out/signals.csv");
    for (key, bytes) in objects {
        if !key.ends_with('/') {
            workspace.write(key, bytes);
        }
    }
    workspace.run(["logs", "-oout", "--overwrite"]).exits(0);
    let of_files = String::from_utf8(workspace.read("out/signals.csv")).unwrap();
    assert_eq!(
        String::from_utf8(of_store).unwrap().replace("s3://bucket/logs/", "logs/"),
        of_files
    );
}

#[test]
fn objects_named_twice_are_read_once_and_prefixes_need_no_slash() {
    let server = Server::new([("logs/a.json", events("a", 1)), ("logs/b.json", events("b", 1))]);
    let workspace = Workspace::new();
    let arguments =
        ["s3://bucket/logs/b.json", "s3a://bucket/logs", "s3://bucket/logs/*.json", "-oout"];
    run_in(&workspace, &server, &arguments).exits(0);
    let names: Vec<_> = inputs(&workspace).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["s3://bucket/logs/b.json", "s3://bucket/logs/a.json"]);
    assert_eq!(reads(&server).len(), 2);
}

#[test]
fn wildcards_match_like_those_of_paths_and_list_only_folders_that_can_match() {
    let keys = ["l/1/a.gz", "l/1/x/b.gz", "l/2/a.gz", "l/2/n.txt", "l/3/.a.gz", "m/1/a.gz"];
    let server = Server::new(keys.map(|key| (key, gzip(&events(key, 1)))));
    let workspace = Workspace::new();
    let found = |pattern: &str| {
        let url = format!("s3://bucket/{pattern}");
        run_in(&workspace, &server, &[&url, "-oout", "--overwrite"]).exits(0);
        let names = inputs(&workspace).into_iter();
        names.map(|(name, _)| name["s3://bucket/".len()..].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(found("l/*/*.gz"), ["l/1/a.gz", "l/2/a.gz"]);
    assert_eq!(found("l/**/*.gz"), ["l/1/a.gz", "l/1/x/b.gz", "l/2/a.gz"]);
    assert_eq!(found("l/[12]"), ["l/1/a.gz", "l/1/x/b.gz", "l/2/a.gz", "l/2/n.txt"]);
    assert_eq!(found("?/1/a.gz"), ["l/1/a.gz", "m/1/a.gz"]);
    let listed: Vec<_> = server.requests().into_iter().filter(Request::is_listing).collect();
    assert!(!listed.iter().any(|request| request.query.get("prefix").is_none_or(String::is_empty)
        && !request.query.contains_key("delimiter")));
    run_in(&workspace, &server, &["s3://bucket/l/*.zst", "-oout2"])
        .exits(2)
        .says("s3://bucket/l/*.zst: no file matches this pattern");
}

#[test]
fn only_the_days_of_the_window_are_listed_in_an_archive() {
    let day = |number: i64| (1_746_057_600_000 + number * 86_400_000).to_string(); // 2025-05-01
    let keys: Vec<String> = (0..30)
        .flat_map(|number| {
            ["one", "two"].map(|source| format!("segment-logs/{source}/{}/a.gz", day(number)))
        })
        .collect();
    let server = Server::new(keys.iter().map(|key| (key.as_str(), gzip(&events(key, 1)))));
    let workspace = Workspace::new();
    let window = ["--since", "2025-05-10", "--until", "2025-05-12", "--allow-empty", "-oout"];
    let expected: Vec<String> = ["one", "two"]
        .iter()
        .flat_map(|source| {
            (8..=11).map(move |number| {
                format!("s3://bucket/segment-logs/{source}/{}/a.gz", day(number))
            })
        })
        .collect();
    for url in ["s3://bucket/segment-logs/", "s3://bucket", "s3://bucket/segment-logs"] {
        let from = server.requests().len();
        let arguments: Vec<&str> = [url].into_iter().chain(window).chain(["--overwrite"]).collect();
        run_in(&workspace, &server, &arguments)
            .exits(0)
            .says("26 of 30 folders of days are outside --since and --until and were not listed");
        let names: Vec<_> = inputs(&workspace).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, expected, "{url}");
        let whole = server.requests().split_off(from).into_iter().filter(|request| {
            let prefix = request.query.get("prefix").map_or("", String::as_str);
            let is_wanted = (8..=11).any(|number| prefix.ends_with(&format!("/{}/", day(number))));
            request.is_listing() && !request.query.contains_key("delimiter") && !is_wanted
        });
        assert_eq!(whole.count(), 0, "all days were listed");
    }
    run_in(
        &workspace,
        &server,
        &[
            "s3://bucket/segment-logs/**",
            window[0],
            window[1],
            "-oout",
            "--overwrite",
            "--allow-empty",
        ],
    )
    .exits(0);
    assert_eq!(inputs(&workspace).len(), 60);
}

#[test]
fn outputs_of_an_earlier_run_are_skipped() {
    let server = Server::new([("logs/a.json", events("a", 2))]);
    let workspace = Workspace::new();
    run_in(&workspace, &server, &["s3://bucket/logs/", "-oout", "--format", "csv,parquet"])
        .exits(0);
    for name in workspace.list("out") {
        server.put(&format!("logs/out/{name}"), workspace.read(&format!("out/{name}")));
    }
    run_in(&workspace, &server, &["s3://bucket/logs/", "-oout", "--overwrite"])
        .exits(0)
        .says("s3://bucket/logs/out/signals.parquet: skipped")
        .says("s3://bucket/logs/out/leads.csv: skipped");
    assert_eq!(total(&workspace), 2);
}

#[test]
fn long_listings_are_read_page_by_page() {
    let keys: Vec<String> = (0..450).map(|number| format!("logs/{number:04}.json")).collect();
    let server = Server::new(keys.iter().map(|key| (key.as_str(), events(key, 1))));
    let workspace = Workspace::new();
    run_in(&workspace, &server, &["s3://bucket/logs/", "-oout"]).exits(0);
    let names: Vec<_> = inputs(&workspace).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, keys.iter().map(|key| format!("s3://bucket/{key}")).collect::<Vec<_>>());
}

#[test]
fn ranges_of_a_large_object_are_read_concurrently_and_in_order() {
    let large = events("large", 200_000);
    assert!(large.len() > 16 << 20);
    let packed = zstd::encode_all(large.as_slice(), 1).unwrap();
    let server = Server::new([("plain", large.clone()), ("packed.zst", packed)]);
    let workspace = Workspace::new();
    let small = ["--memory", "16MiB"];
    for arguments in [&["s3://bucket/plain", "-oout"][..], &["s3://bucket/packed.zst", "-oout"]] {
        let arguments = [arguments, &small, &["--overwrite"]].concat();
        run_in(&workspace, &server, &arguments).exits(0);
        assert_eq!(total(&workspace), 200_000);
    }
    let of_store = workspace.read("out/leads.csv");
    workspace.write("plain", large);
    let arguments = ["plain", "-oout", "--overwrite"];
    workspace.run(arguments).exits(0);
    assert_eq!(workspace.read("out/leads.csv"), of_store);
    let ranges = reads(&server).into_iter().filter(|read| read.headers.contains_key("range"));
    assert!(ranges.count() > 4);
}

#[test]
fn an_interrupted_download_resumes_at_the_next_byte() {
    let bytes = events("a", 3000);
    let length = bytes.len();
    let server = Server::with([("a", bytes)], Duration::ZERO, move |request| {
        (request.is_read() && request.earlier == 0 && !request.headers.contains_key("range"))
            .then_some(Fault::CutAt(length / 3))
    });
    let workspace = Workspace::new();
    run_in(&workspace, &server, &["s3://bucket/a", "-oout"]).exits(0);
    assert_eq!(total(&workspace), 3000);
    let again = reads(&server).into_iter().find_map(|read| read.headers.get("range").cloned());
    assert_eq!(again.unwrap(), format!("bytes={}-{}", length / 3, length - 1));
}

#[test]
fn reads_require_the_etag_of_the_listing() {
    let server = Server::new([("logs/a", events("a", 1))]);
    let workspace = Workspace::new();
    run_in(&workspace, &server, &["s3://bucket/logs/", "-oout"]).exits(0);
    for read in reads(&server) {
        assert!(read.headers["if-match"].starts_with('"'), "{read:?}");
    }
}

#[test]
fn an_object_replaced_while_it_is_read_is_an_error() {
    let old = events("old", 3000);
    let length = old.len();
    // The connection is closed, and the object is replaced by one of the same size.
    let server = Server::with([("a", old)], Duration::ZERO, move |request| {
        if !request.is_read() {
            return None;
        }
        if request.headers.contains_key("range") {
            return Some(Fault::Refuse(412, "PreconditionFailed", Vec::new()));
        }
        Some(Fault::CutAt(length / 2))
    });
    let workspace = Workspace::new();
    run_in(&workspace, &server, &["s3://bucket/a", "-oout"])
        .exits(2)
        .says("s3://bucket/a: byte ")
        .says("it was replaced while it was read");
}

#[test]
fn an_object_deleted_after_the_listing_is_an_error_and_the_others_are_read() {
    let objects = ["logs/a", "logs/b", "logs/c"].map(|key| (key, events(key, 2)));
    let server = Server::with(objects, Duration::ZERO, |request| {
        (request.is_read() && request.key == "logs/b")
            .then(|| Fault::Refuse(404, "NoSuchKey", Vec::new()))
    });
    let workspace = Workspace::new();
    run_in(&workspace, &server, &["s3://bucket/logs/", "-oout"])
        .exits(2)
        .says("s3://bucket/logs/b: byte 0: no such object (404 NoSuchKey)");
    assert_eq!(total(&workspace), 4);
    run_in(&workspace, &server, &["s3://bucket/logs/", "-oout3", "--strict"])
        .exits(2)
        .says("(--strict stops here)");
    assert!(workspace.list("out3").is_empty());
}

#[test]
fn requests_to_an_overloaded_store_are_retried_after_the_requested_delay() {
    let server = Server::with([("logs/a", events("a", 2))], Duration::ZERO, |request| {
        let pause = vec![("Retry-After", "1".to_owned())];
        (request.earlier == 0).then_some(Fault::Refuse(503, "SlowDown", pause))
    });
    let workspace = Workspace::new();
    run_in(&workspace, &server, &["s3://bucket/logs/", "-oout"]).exits(0);
    assert_eq!(total(&workspace), 2);
}

#[test]
fn a_permanently_overloaded_store_is_an_error_with_its_cause() {
    let server = Server::with([("logs/a", events("a", 2))], Duration::ZERO, |request| {
        request.is_read().then(|| Fault::Refuse(503, "SlowDown", Vec::new()))
    });
    let workspace = Workspace::new();
    run_in(&workspace, &server, &["s3://bucket/logs/", "-oout"])
        .exits(2)
        .says("s3://bucket/logs/a: at byte 0: the store was overloaded or failing at every attempt; try again later (503 SlowDown)");
}

#[test]
fn a_store_that_sends_nothing_times_out() {
    let bytes = events("a", 3000);
    let server = Server::with([("a", bytes)], Duration::ZERO, |request| {
        (request.is_read() && !request.headers.contains_key("range"))
            .then_some(Fault::StallAt(1000))
    });
    let workspace = Workspace::new();
    run_in(&workspace, &server, &["s3://bucket/a", "-oout"]).exits(0);
    assert_eq!(total(&workspace), 3000);
}

#[test]
fn listings_that_are_cut_off_are_retried_and_then_an_error() {
    let keys: Vec<String> = (0..250).map(|number| format!("logs/{number:04}")).collect();
    let objects = || keys.iter().map(|key| (key.as_str(), events(key, 1)));
    let workspace = Workspace::new();
    for at in [0, 100, 5000, 20_000] {
        let server = Server::with(objects(), Duration::ZERO, move |request| {
            (request.is_listing()
                && request.query.contains_key("continuation-token")
                && request.earlier == 0)
                .then_some(Fault::EndAt(at))
        });
        run_in(&workspace, &server, &["s3://bucket/logs/", "-oout", "--overwrite"]).exits(0);
        assert_eq!(total(&workspace), 250, "{at}");
    }
    let server = Server::with(objects(), Duration::ZERO, |request| {
        request.is_listing().then_some(Fault::EndAt(3000))
    });
    run_in(&workspace, &server, &["s3://bucket/logs/", "-oout2"])
        .exits(2)
        .says("s3://bucket/logs/: ");
    assert!(workspace.list("out2").is_empty());
}

#[test]
fn error_responses_are_reported_with_a_remedy() {
    let workspace = Workspace::new();
    for (status, code, text) in [
        (403, "InvalidAccessKeyId", "does not accept the credentials"),
        (403, "SignatureDoesNotMatch", "does not accept the credentials"),
        (403, "RequestTimeTooSkewed", "set the clock"),
        (400, "ExpiredToken", "the credentials have expired"),
        (403, "AccessDenied", "access denied; the credentials need s3:ListBucket"),
        (404, "NoSuchBucket", "no such bucket"),
    ] {
        let server = Server::with([("logs/a", events("a", 1))], Duration::ZERO, move |_| {
            Some(Fault::Refuse(status, code, Vec::new()))
        });
        for url in ["s3://bucket/logs/", "s3://bucket/logs/a"] {
            let said = run_in(&workspace, &server, &[url, "-oout"]).exits(2).says(url).says(text);
            assert!(said.stderr.contains(code), "{said}");
        }
    }
    let server = Server::with([("a", events("a", 1))], Duration::ZERO, |_| {
        Some(Fault::Refuse(
            301,
            "PermanentRedirect",
            vec![("x-amz-bucket-region", "eu-west-1".into())],
        ))
    });
    run_in(&workspace, &server, &["s3://bucket/", "-oout"])
        .exits(2)
        .says("set AWS_REGION=eu-west-1");
}

#[test]
fn a_token_that_expires_during_a_run_is_an_error_that_names_the_object() {
    let objects: Vec<_> = (0..20).map(|number| format!("logs/{number:02}")).collect();
    let objects = objects.iter().map(|key| (key.as_str(), events(key, 1)));
    let server = Server::with(objects, Duration::ZERO, |request| {
        (request.is_read() && request.key.as_str() >= "logs/10")
            .then(|| Fault::Refuse(400, "ExpiredToken", Vec::new()))
    });
    let workspace = Workspace::new();
    run_in(&workspace, &server, &["s3://bucket/logs/", "-oout"])
        .exits(2)
        .says("s3://bucket/logs/10: byte 0: the credentials have expired");
    assert_eq!(total(&workspace), 10);
}

#[test]
fn missing_objects_are_errors_and_nothing_is_written() {
    let server = Server::new([("logs/a", events("a", 1))]);
    let workspace = Workspace::new();
    for url in ["s3://bucket/lgos/", "s3://bucket/lgos", "s3://bucket/logs/b"] {
        run_in(&workspace, &server, &[url, "-oout"])
            .exits(2)
            .says(&format!("{url}: no such object"));
    }
    run_in(&workspace, &server, &["ftp://host/a", "-oout"])
        .exits(2)
        .says("ftp:// is not supported");
    assert!(workspace.list("out").is_empty());
}

#[test]
fn requests_are_unsigned_on_request() {
    let server = Server::new([("a", events("a", 1))]);
    let workspace = Workspace::new();
    run_in(&workspace, &server, &["s3://bucket/a", "-oout"]).exits(0);
    assert!(server.requests().iter().all(|request| request.headers.contains_key("authorization")));
    let from = server.requests().len();
    run_with(
        &workspace,
        &server,
        &["s3://bucket/a", "-oout", "--overwrite", "--no-sign-request"],
        |command| {
            command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
        },
    )
    .exits(0);
    let mut unsigned = server.requests().split_off(from).into_iter();
    assert!(unsigned.all(|request| !request.headers.contains_key("authorization")));
}

#[test]
fn credentials_are_read_from_profiles_and_programs_and_missing_ones_are_errors_with_a_remedy() {
    let server = Server::new([("a", events("a", 1))]);
    let workspace = Workspace::new();
    workspace.write(
        "home/.aws/config",
        "[profile keys]\nregion = eu-west-1\n\
         [profile program]\ncredential_process = cat credentials.json\n",
    );
    let [id, secret, token] = CANARIES;
    workspace.write(
        "home/.aws/credentials",
        format!("[keys]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n"),
    );
    workspace.write(
        "credentials.json",
        format!(
            r#"{{"Version":1,"AccessKeyId":"{id}2","SecretAccessKey":"{secret}","SessionToken":"{token}"}}"#
        ),
    );
    let run = |profile: Option<&str>| {
        let home = workspace.path("home");
        run_with(&workspace, &server, &["s3://bucket/a", "-oout", "--overwrite"], move |command| {
            for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] {
                command.env_remove(name);
            }
            command.env_remove("AWS_REGION").env("HOME", home);
            if let Some(profile) = profile {
                command.env("AWS_PROFILE", profile);
            }
        })
    };
    let authorization = || server.requests().pop().unwrap().headers["authorization"].clone();
    run(Some("keys")).exits(0);
    assert!(authorization().contains(&format!("Credential={id}/")));
    assert!(authorization().contains("/eu-west-1/s3/"));
    run(Some("program")).exits(0);
    assert!(authorization().contains(&format!("Credential={id}2/")));
    run(Some("nobody")).exits(2).says("there is no AWS profile nobody");
    run(None).exits(2).says("no AWS credentials from").says("--no-sign-request");
}

#[test]
fn web_objects_are_read_without_revealing_the_signature_of_their_address() {
    let server = Server::new([("a.gz", gzip(&events("a", 2)))]);
    let workspace = Workspace::new();
    let address = server.address("a.gz");
    let signed = format!("{address}?X-Amz-Signature={}", CANARIES[1]);
    run_in(&workspace, &server, &[&signed, "-oout"]).exits(0);
    assert_eq!(inputs(&workspace), [(address, 2)]);
    assert!(server.requests().iter().all(|it| it.query["X-Amz-Signature"] == CANARIES[1]));
    let missing = format!("{}?X-Amz-Signature={}", server.address("b.gz"), CANARIES[1]);
    run_in(&workspace, &server, &[&missing, "-oout2"])
        .exits(2)
        .says("/bucket/b.gz: no such object");
}

#[test]
fn every_command_reads_objects() {
    let server = Server::new([("logs/a.json", events("a", 3))]);
    let workspace = Workspace::new();
    workspace.write("allow.txt", "identify\n");
    workspace.write("rules.toml", "version = 1\n");
    for arguments in [
        &["audit", "s3://bucket/logs/", "--allow", "allow.txt"][..],
        &["queue", "s3://bucket/logs/"],
        &["check", "s3://bucket/logs/", "--rules", "rules.toml"],
        &["explain", "s3://bucket/logs/", "--anonymous-id", "a1"],
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_backtrail"));
        command.args(arguments).current_dir(workspace.path("."));
        let mut command = server.found_by(command);
        let output = command.output().unwrap();
        let finished = Finished::of(&command, output);
        assert!(matches!(finished.status.code(), Some(0 | 1)), "{finished}");
        let said = String::from_utf8_lossy(&finished.stdout).into_owned() + &finished.stderr;
        assert!(said.contains("Ping") || said.contains('3'), "{finished}");
    }
}

#[test]
fn results_do_not_depend_on_threads_and_memory() {
    let objects: Vec<(String, Vec<u8>)> = (0..40)
        .map(|number| (format!("logs/{number:02}.gz"), gzip(&events(&number.to_string(), 500))))
        .collect();
    let objects = objects.iter().map(|(key, bytes)| (key.as_str(), bytes.clone()));
    let server = Server::with(objects, Duration::from_millis(2), |_| None);
    let workspace = Workspace::new();
    let run = |threads: &str, memory: &str| {
        let arguments =
            ["s3://bucket/logs/", "-oout", "--overwrite", "--threads", threads, "--memory", memory];
        run_in(&workspace, &server, &arguments).exits(0);
        (workspace.read("out/signals.csv"), workspace.read("out/leads.csv"))
    };
    let first = run("1", "1MiB");
    for (threads, memory) in [("3", "1MiB"), ("2", "1GiB"), ("8", "64MiB")] {
        assert!(run(threads, memory) == first, "{threads} threads, {memory}");
    }
}

#[test]
fn an_interrupt_ends_the_wait_for_a_store() {
    let server = Server::with([("logs/a", events("a", 3000))], Duration::ZERO, |request| {
        request.is_read().then_some(Fault::StallAt(1000))
    });
    let workspace = Workspace::new();
    let mut command = server.found_by(workspace.command(["s3://bucket/logs/", "-oout"]));
    command.env("AWS_READ_TIMEOUT", "60s");
    let running = Workspace::start(command);
    while reads(&server).is_empty() {
        std::thread::sleep(Duration::from_millis(10));
    }
    running.interrupt();
    running.finish().exits(130).says("interrupted; nothing was written");
    assert!(workspace.list("out").is_empty());
}

#[test]
fn objects_without_range_support_are_read_as_a_whole() {
    // A server without range support, which does not send the length of its response.
    let bytes = events("a", 3000);
    let length = bytes.len();
    let server = Server::with([("a", bytes)], Duration::ZERO, move |_| Some(Fault::Whole(length)));
    let workspace = Workspace::new();
    run_in(&workspace, &server, &[&server.address("a"), "-oout"]).exits(0);
    assert_eq!(total(&workspace), 3000);
}

#[test]
fn an_unreachable_store_is_an_error_that_names_it() {
    let workspace = Workspace::new();
    let mut command = workspace.command(["s3://bucket/a", "-oout"]);
    isolated(&mut command);
    command.env("AWS_ENDPOINT_URL", "http://127.0.0.1:1").env("AWS_ACCESS_KEY_ID", "a");
    command.env("AWS_SECRET_ACCESS_KEY", "b");
    let output = command.output().unwrap();
    Finished::of(&command, output).exits(2).says("s3://bucket/a: cannot connect to the store: ");
}

#[test]
fn an_invalid_setting_of_a_store_is_an_error_and_no_panic() {
    let address = "is not an address; expected one such as https://";
    let sent = "their id or session token has characters that cannot be sent";
    for (url, name, value, why) in [
        ("s3://b/a", "AWS_ENDPOINT_URL", "http://canary b", address),
        ("s3://b/a", "AWS_ENDPOINT_URL_S3", "http://canary:99999", address),
        ("s3://b/a", "AWS_REGION", "canary b", "the region (AWS_REGION) has other characters"),
        ("s3://b/a", "AWS_ACCESS_KEY_ID", "canary\nb", sent),
        ("s3://b/a", "AWS_SESSION_TOKEN", "canary\nb", sent),
        ("gs://b/a", "STORAGE_EMULATOR_HOST", "canary b", address),
        ("gs://b/a", "GOOGLE_BASE_URL", "canary", address),
        ("az://b/a", "AZURE_STORAGE_ACCOUNT", "canary b", "(AZURE_STORAGE_ACCOUNT) has other"),
        ("az://b/a", "AZURE_STORAGE_ENDPOINT", "canary", address),
        ("https://localhost:99999/a", "AWS_REGION", "canary", "not a valid address"),
    ] {
        let workspace = Workspace::new();
        let mut command = workspace.command([url, "--output", "out"]);
        isolated(&mut command);
        command.env("AWS_ACCESS_KEY_ID", "a").env("AWS_SECRET_ACCESS_KEY", "b").env(name, value);
        finish_without(&["canary", "panicked"], command, &workspace).exits(2).says(why);
    }
}

#[test]
fn a_key_from_a_file_with_an_end_of_line_is_sent_without_it() {
    let server = Server::new([("a", events("a", 3))]);
    let workspace = Workspace::new();
    let arguments = ["s3://bucket/a", "-oout"];
    let finished = run_with(&workspace, &server, &arguments, |command| {
        command.env("AWS_ACCESS_KEY_ID", "key\n").env("AWS_SECRET_ACCESS_KEY", "secret\r\n");
    });
    finished.exits(0);
    assert_eq!(total(&workspace), 3);
}
