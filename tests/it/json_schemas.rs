//! The JSON Schemas of the reports: the committed ones are up to date, and reports validate against
//! them.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Workspace, testdata};

/// Where the schema of the report of `command` is.
fn file(command: &str) -> PathBuf {
    let name = format!("docs/schemas/{command}.schema.json");
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Panics if `report` does not validate against the committed schema of `command`.
#[track_caller]
fn validates(command: &str, report: &Value) {
    let schema: Value = serde_json::from_slice(&fs::read(file(command)).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let faults: Vec<String> = validator
        .iter_errors(report)
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{command}: {faults:#?}");
}

#[test]
fn the_committed_schemas_are_those_of_the_program() {
    let write = std::env::var_os("BACKTRAIL_TEST_BLESS").is_some();
    for (command, schema) in backtrail::jobs::json_schema::all() {
        let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        if write {
            fs::create_dir_all(file(command).parent().unwrap()).unwrap();
            fs::write(file(command), &text).unwrap();
        }
        let committed = fs::read_to_string(file(command)).unwrap_or_default();
        let hint = "renew it with: BACKTRAIL_TEST_BLESS=1 cargo test --test it json_schemas";
        assert!(committed == text, "{} is out of date; {hint}", file(command).display());
    }
}

#[test]
fn reports_validate_against_their_schemas() {
    let workspace = Workspace::new();
    let (events, rules) = (testdata("trailco/events"), testdata("trailco/rules.toml"));
    let (events, rules) = (events.to_str().unwrap(), rules.to_str().unwrap());
    let filters = testdata("trailco/filters.json");
    let allow = testdata("trailco/allow.txt");
    let run = ["--rules", rules, "--filters", filters.to_str().unwrap(), "-o", "out"];
    workspace.run([&[events], &run[..]].concat()).exits(0);
    validates("run", &workspace.report("out"));
    let reports: [(&str, Vec<&str>); 5] = [
        ("audit", vec![events, "--rules", rules, "--allow", allow.to_str().unwrap()]),
        ("audit", vec![events, "--rules", rules, "--redact", "--allow", allow.to_str().unwrap()]),
        ("queue", vec![events, "--rules", rules]),
        ("queue", vec![events, "--event", "Demo Requested"]),
        ("explain", vec![events, "--rules", rules, "--anonymous-id", "ana-laptop"]),
    ];
    for (command, arguments) in reports {
        let arguments = [arguments, vec!["--format", "json"]].concat();
        let finished = workspace.does(command, &arguments);
        validates(command, &serde_json::from_slice(&finished.stdout).unwrap());
    }
    let (bad, plan) = (testdata("check/bad"), testdata("check/plan.json"));
    let (bad, plan) = (bad.to_str().unwrap(), plan.to_str().unwrap());
    let check = workspace.does("check", &[bad, "--tracking-plan", plan, "--report", "json"]);
    validates("check", &serde_json::from_slice(&check.stdout).unwrap());
}
