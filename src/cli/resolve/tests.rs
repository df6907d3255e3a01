use std::fs::write;
use std::path::PathBuf;

use clap::Parser;

use super::*;
use crate::cli::args::Show;
use crate::cli::args::{Cli, Command};
use crate::cli::progress::Style;
use crate::jobs::run::MaxRejects;
use crate::parse::Detection;
use crate::report::colour::Colour;

const PIPED: Surroundings = Surroundings {
    terminal_in: false,
    terminal_out: false,
    terminal_err: false,
    no_color: false,
    now: Time::MISSING,
    variable: |_| None,
    variables: Vec::new,
    home: || None,
};
const TERMINAL: Surroundings =
    Surroundings { terminal_in: true, terminal_out: true, terminal_err: true, ..PIPED };

fn parsed(args: &[&str]) -> (RunArgs, Show) {
    let cli = Cli::try_parse_from(["backtrail", "run"].iter().chain(args)).unwrap();
    match cli.command {
        Command::Run(run) => (run, cli.show),
        other => panic!("{other:?}"),
    }
}

fn resolved(args: &[&str], around: Surroundings) -> Result<Job, Error> {
    run(&parsed(args).0, around)
}

fn refusal(args: &[&str], around: Surroundings) -> String {
    match resolved(args, around) {
        Err(error) => error.to_string(),
        Ok(_) => panic!("{args:?} was taken"),
    }
}

fn shown(args: &[&str], around: Surroundings) -> Display {
    let (run, show) = parsed(args);
    run_display(show, &run, around)
}

/// Creates a folder with one file.
fn folder(name: &str, text: &str) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    write(&path, text).unwrap();
    (dir, path)
}

#[test]
fn a_job_without_options_has_the_documented_defaults() {
    let job = resolved(&["-o", "out"], PIPED).unwrap();
    assert_eq!(job.inputs.inputs.len(), 1);
    assert_eq!(job.formats, [Format::Csv]);
    assert_eq!(job.guard, FormulaGuard::On);
    assert_eq!(job.on_fault, OnFault::Continue);
    assert_eq!(job.engine.detection, Detection::EitherId);
    assert_eq!(job.engine.max_record_bytes, 8 << 20);
    assert_eq!(job.memory_bytes, 1 << 30);
    assert!(job.threads > 0 && job.max_rejects.is_none() && job.engine.allow.is_none());
    assert!(!job.allow_empty && !job.fail_over_plan && !job.engine.profile_duplicates);
    assert!(matches!(job.destination, Destination::Directory(_, Overwrite::No)));
}

#[test]
fn every_option_arrives_in_the_job() {
    let args = "-o out --format parquet,csv --format csv --overwrite --csv-raw --strict-detect \
                --strict --max-rejects 2% --allow-empty --fail-over-plan --profile-duplicates \
                --threads 3 --memory 2GiB --max-record-bytes 64kB";
    let args: Vec<&str> = args.split_whitespace().collect();
    let job = resolved(&args, PIPED).unwrap();
    assert_eq!(job.formats, [Format::Csv, Format::Parquet]);
    assert_eq!(job.guard, FormulaGuard::Off);
    assert_eq!(job.on_fault, OnFault::Stop);
    assert_eq!(job.engine.detection, Detection::AnonymousId);
    assert_eq!(job.engine.max_record_bytes, 64_000);
    assert_eq!(job.memory_bytes, 2 << 30);
    assert_eq!((job.threads, job.max_rejects), (3, Some(MaxRejects::Percent(2.0))));
    assert!(job.allow_empty && job.fail_over_plan && job.engine.profile_duplicates);
    assert!(matches!(job.destination, Destination::Directory(_, Overwrite::Yes)));
}

#[test]
fn a_secret_is_a_value_a_file_or_a_variable() {
    let (_dir, path) = folder("secret", "from file\r\n");
    let at_file = format!("@{}", path.display());
    let variables = Surroundings {
        variable: |name| match name.to_str() {
            Some("BACKTRAIL_API_SECRET") => Some("@from variable".into()),
            Some("BACKTRAIL_API_KEY") => Some("".into()),
            _ => None,
        },
        ..PIPED
    };
    let auth = |args: &[&str], around| resolved(args, around).unwrap().engine.auth;
    let none = auth(&["-oo"], PIPED);
    assert_eq!(none.secrets().count(), 0);
    let found = auth(&["-oo", "--signing-secret", &at_file], variables);
    assert!(found.api_secret.unwrap().is(b"@from variable"));
    assert!(found.api_key.is_none(), "an empty variable is none");
    assert!(found.signing_secret.unwrap().is(b"from file"));
    let found = auth(&["-oo", "--api-secret=from flag", "--api-key", "k"], variables);
    assert!(found.api_secret.unwrap().is(b"from flag"), "the flag goes first");
    assert!(found.api_key.unwrap().is(b"k"));
}

#[test]
fn a_secret_that_is_none_is_refused_without_being_told() {
    for (args, expected) in [
        (&["-oo", "--api-secret", ""][..], "--api-secret: expected a secret"),
        (&["-oo", "--api-key=@hunter2"], "--api-key: cannot read the file that it names"),
        (&["-oo", "--signing-secret", "@/dev/null"], "--signing-secret: expected a secret"),
        (&["-oo", "--signing-secret", "@"], "--signing-secret: cannot read the file"),
    ] {
        let said = refusal(args, PIPED);
        assert!(said.starts_with(expected) && !said.contains("hunter2"), "{said}");
    }
    let (args, _) = parsed(&["-oo", "--api-secret=hunter2", "--api-key=hunter2"]);
    assert!(!format!("{args:?}").contains("hunter2"), "{args:?}");
}

#[test]
fn a_stream_carries_one_table_in_one_format() {
    let stream = |args: &[&str]| match resolved(args, PIPED).unwrap().destination {
        Destination::Stream { stream, .. } => stream,
        Destination::Directory(..)
        | Destination::Store { .. }
        | Destination::Tables { .. }
        | Destination::Nowhere { .. } => {
            panic!("{args:?}")
        }
    };
    assert_eq!(stream(&["-o", "-"]), Stream::Signals);
    assert_eq!(stream(&["-o-", "--emit", "leads"]), Stream::Leads);
    assert!(refusal(&["-o-", "--format", "csv,json"], PIPED).contains("one format"));
    assert!(refusal(&["-o", "out", "--emit", "leads"], PIPED).contains("--emit"));
    assert!(refusal(&["-", "-o-", "--format", "parquet"], TERMINAL).contains("terminals"));
}

#[test]
fn no_input_on_a_terminal_is_refused() {
    assert!(refusal(&["-o", "out"], TERMINAL).contains("no input"));
}

#[test]
fn faulty_texts_are_told_with_their_places() {
    let (_dir, path) = folder("rules.toml", "\u{feff}version = 1\n[plann]\n");
    let name = path.display().to_string();
    let said = refusal(&["-o", "out", "--rules", &name], PIPED);
    assert!(said.starts_with(&format!("1 error in {name}\n{name}:2:2: error: ")), "{said}");

    let said = refusal(&["-o", "out", "--where", "event = and type ="], PIPED);
    assert!(said.contains("in --where\n--where:1:9: error: "), "{said}");

    let (_dir, path) = folder("allow.txt", "identify\nfql: event =\n");
    let name = path.display().to_string();
    let said = refusal(&["-o", "out", "--allow", &name], PIPED);
    assert!(said.contains(&format!("\n{name}:2:")), "{said}");
}

#[test]
fn faulty_texts_are_told_without_the_addresses_in_them() {
    let text = "version = 1\n[identity]\nblock = [\"ana@acme.example\", 3]\n";
    let (_dir, path) = folder("r.toml", text);
    let said = refusal(&["-o", "out", "--rules", &path.display().to_string()], PIPED);
    assert!(said.contains(":3:30: error: "), "{said}");
    assert!(said.contains("***@acme.example") && !said.contains("ana@"), "{said}");
}

#[test]
fn a_faulty_allow_list_is_found_in_the_rules_file() {
    let (_dir, path) = folder("r.toml", "version = 1\n[filter]\nallow = [\"fql: event =\"]\n");
    let name = path.display().to_string();
    let said = refusal(&["-o", "out", "--rules", &name], PIPED);
    assert!(said.contains(&format!("{name}:3:")), "{said}");
}

#[test]
fn an_allow_list_of_its_own_replaces_that_of_the_rules_file() {
    let (_dir, rules) = folder("r.toml", "version = 1\n[filter]\nallow = [\"a\", \"b\"]\n");
    let rules = rules.display().to_string();
    let lines = |args: &[&str]| {
        resolved(args, PIPED).unwrap().engine.allow.map(|allow| allow.lines().len())
    };
    assert_eq!(lines(&["-o", "out", "--rules", &rules]), Some(2));
    let (_dir, own) = folder("own.txt", "identify\n");
    let own = own.display().to_string();
    assert_eq!(lines(&["-o", "out", "--rules", &rules, "--allow", &own]), Some(1));
    assert_eq!(lines(&["-o", "out"]), None);
}

#[test]
fn doubts_become_warnings() {
    let job = resolved(&["-o", "out", "--where", "received_at >= '2023-04-21'"], PIPED).unwrap();
    assert!(!job.warnings.is_empty());
    assert!(job.warnings.iter().all(|text| text.starts_with("--where:1:")), "{:?}", job.warnings);
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let said = refusal(&["-o", "out", "--rules", "/nowhere/r.toml"], PIPED);
    assert!(said.starts_with("/nowhere/r.toml: cannot read: "), "{said}");
    let (_dir, path) = folder("r.toml", "");
    write(&path, b"version = 1\n# caf\xe9\n").unwrap();
    let said = refusal(&["-o", "out", "--rules", &path.display().to_string()], PIPED);
    assert!(said.ends_with("r.toml:2:6: not UTF-8; save the file as UTF-8"), "{said}");
}

#[test]
fn colours_follow_the_flag_then_no_color_then_the_terminal() {
    let colour = |args: &[&str], around: Surroundings| shown(args, around).layout.colour();
    let no_color = Surroundings { no_color: true, ..TERMINAL };
    assert_eq!(colour(&["-oo"], TERMINAL), Colour::On);
    assert_eq!(colour(&["-oo"], no_color), Colour::Off);
    assert_eq!(colour(&["-oo"], PIPED), Colour::Off);
    assert_eq!(colour(&["-oo", "--color=always"], no_color), Colour::On);
    assert_eq!(colour(&["-oo", "--color=never"], TERMINAL), Colour::Off);
}

#[test]
fn the_bar_needs_a_terminal_that_shows_no_rows_and_lines_are_asked_for() {
    let progress = |args: &[&str], around: Surroundings| shown(args, around).progress;
    let is_bar = |style: Style| matches!(style, Style::Bar(_));
    assert!(is_bar(progress(&["-oo"], TERMINAL)));
    assert_eq!(progress(&["-oo"], PIPED), Style::Hidden);
    assert_eq!(progress(&["-oo", "-q"], TERMINAL), Style::Hidden);
    assert_eq!(progress(&["-oo", "--progress", "off"], TERMINAL), Style::Hidden);
    assert_eq!(progress(&["-oo", "--no-progress"], TERMINAL), Style::Hidden);
    assert_eq!(progress(&["-o-"], TERMINAL), Style::Hidden);
    assert!(is_bar(progress(&["-o-"], Surroundings { terminal_out: false, ..TERMINAL })));
    assert_eq!(progress(&["-oo", "--progress=plain"], PIPED), Style::Lines);
    assert_eq!(progress(&["-oo", "--progress=plain", "-q"], PIPED), Style::Hidden);
}
