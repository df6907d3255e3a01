//! `--leads-for`: the files for the importers of CRMs.

use std::path::Path;

use crate::support::{Row, Workspace, python, testdata};
use serde_json::{Value, json};

fn trailco(workspace: &Workspace, more: &[&str]) -> crate::support::Finished {
    let path = |name: &str| testdata(name).to_str().unwrap().to_owned();
    let (events, rules) = (path("trailco/events"), path("trailco/rules.toml"));
    workspace.run([&[&*events, "--rules", &rules, "-o", "out"], more].concat())
}

/// Reads the rows of a file with Python's `csv`.
fn read_by_python(path: &Path) -> Option<(Vec<String>, Vec<Row>)> {
    let mut python = python::with(&["csv", "json"])?;
    let script = "import csv, json, sys\n\
        with open(sys.argv[1], newline='', encoding='utf-8') as f:\n \
        r = csv.DictReader(f, strict=True)\n print(json.dumps([r.fieldnames, list(r)]))";
    python.arg("-c").arg(script).arg(path);
    Some(serde_json::from_str(&python::output(python)).unwrap())
}

#[test]
fn importers_get_every_lead_under_the_names_that_they_know() {
    let workspace = Workspace::new();
    trailco(&workspace, &["--leads-for", "hubspot,salesforce"]).exits(0);
    let leads = workspace.rows("out/leads.csv");
    for (name, names, company) in [
        (
            "leads-hubspot.csv",
            "Email,First Name,Last Name,Company Name,Job Title,Phone Number,Lifecycle Stage,Backtrail Score",
            "Company Name",
        ),
        (
            "leads-salesforce.csv",
            "Email,First Name,Last Name,Company,Title,Phone,Lead Source,Description,Backtrail Score",
            "Company",
        ),
    ] {
        let Some((header, rows)) = read_by_python(&workspace.path(&format!("out/{name}"))) else {
            return;
        };
        assert!(header.join(",").starts_with(names), "{header:?}");
        assert_eq!(rows.len(), leads.len());
        for (row, lead) in rows.iter().zip(&leads) {
            assert_eq!(row["Email"], lead["email"]);
            assert_eq!(row["Backtrail Score"], lead["score"]);
            assert_eq!(row["Backtrail Signals"], lead["signals"]);
            assert_eq!(
                row["Backtrail Last Seen"],
                lead["last_seen"][..lead["last_seen"].len().min(10)]
            );
            assert!(lead["company"].is_empty() || row[company] == lead["company"]);
            let last = row["Last Name"].replace("[not provided]", "");
            let whole = format!("{} {last}", row["First Name"]);
            assert!(lead["name"].is_empty() || whole.trim() == lead["name"], "{whole} {lead:?}");
        }
    }
    let ana = &workspace.rows("out/leads-salesforce.csv")[0];
    assert_eq!((&*ana["First Name"], &*ana["Last Name"]), ("Ana", "Ruiz"));
    assert!(
        ana["Description"].starts_with("Score 187 from 15 signals; top: demo_requested; last: ")
    );
}

/// One identify call with `traits`.
fn identified(traits: &Value) -> Workspace {
    let workspace = Workspace::new();
    let event = json!({
        "type": "identify", "messageId": "m", "anonymousId": "a", "traits": traits,
        "timestamp": "2025-05-01T00:00:00Z",
    });
    workspace.write("in.ndjson", event.to_string());
    workspace
        .run(["in.ndjson", "-o", "out", "--leads-for", "salesforce", "--leads-for", "hubspot"])
        .exits(0);
    workspace
}

#[test]
fn what_salesforce_requires_is_never_empty() {
    let workspace = identified(&json!({"email": "ana@acme.example"}));
    let row = &workspace.rows("out/leads-salesforce.csv")[0];
    assert_eq!((&*row["Last Name"], &*row["Company"]), ("[not provided]", "[not provided]"));
    let row = &workspace.rows("out/leads-hubspot.csv")[0];
    assert_eq!(
        (&*row["Last Name"], &*row["Company Name"], &*row["Lifecycle Stage"]),
        ("", "", "Lead")
    );
}

#[test]
fn cells_are_guarded_and_cut() {
    let long = "x".repeat(300);
    let workspace = identified(&json!({
        "email": "ana@acme.example", "firstName": "=HYPERLINK(1)", "lastName": long, "company": long,
        "phone": "+49 30 1234567", "title": "CEO, \"boss\"\nof all",
    }));
    let row = &workspace.rows("out/leads-salesforce.csv")[0];
    assert_eq!(row["First Name"], "'=HYPERLINK(1)");
    assert_eq!((row["Last Name"].chars().count(), row["Company"].chars().count()), (80, 255));
    assert!(row["Last Name"].ends_with("x…"));
    let row = &workspace.rows("out/leads-hubspot.csv")[0];
    assert_eq!((row["Last Name"].len(), &*row["Phone Number"]), (300, "+49 30 1234567"));
    assert_eq!(row["Job Title"], "CEO, \"boss\"\nof all");
    assert!(workspace.report("out")["guarded_cells"].as_u64().unwrap() >= 3);
}

#[test]
fn files_for_crms_are_outputs_like_the_others() {
    let workspace = Workspace::new();
    trailco(&workspace, &["--leads-for", "hubspot"]).exits(0);
    assert!(workspace.list("out").contains(&"leads-hubspot.csv".to_owned()));
    trailco(&workspace, &["--leads-for", "hubspot"]).exits(2).says("--overwrite");
    trailco(&workspace, &["--overwrite"]).exits(0).says("leads-hubspot.csv");
    trailco(&workspace, &["--leads-for", "hubspot", "--redact", "--overwrite"])
        .exits(2)
        .says("--redact");
    trailco(&workspace, &["--leads-for", "pipedrive", "--overwrite"]).exits(2).says("salesforce");
    let stream = ["in", "-o", "-", "--leads-for", "hubspot"];
    workspace.write("in", crate::support::track("t"));
    workspace.run(stream).exits(2).says("name a folder with -o");
}

/// The names that `docs/crm.md` gives are those of the files.
#[test]
fn the_docs_name_every_column() {
    let docs =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/crm.md")).unwrap();
    let workspace = identified(&json!({"email": "ana@acme.example"}));
    for name in ["leads-hubspot.csv", "leads-salesforce.csv"] {
        for column in workspace.rows(&format!("out/{name}"))[0].keys() {
            let is_series = column.starts_with("Backtrail UTM");
            assert!(is_series || docs.contains(&format!("`{column}`")), "{column} of {name}");
        }
    }
}
