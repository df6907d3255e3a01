//! Writes an invented event history as NDJSON, or a rules file that goes with it:
//! `cargo run --release --example generate -- --events 1000000 --out /tmp/events.ndjson`.

#[path = "support/history.rs"]
mod history;
#[path = "support/rules.rs"]
mod rules;

use std::fs::File;
use std::io::{self, Write};
use std::process::ExitCode;

use history::{History, Plan};

const USAGE: &str = "\
usage: generate [--events N] [--seed S] [--visitors N] [--names N] [--bytes AVERAGE]
                [--part I/K] [--out FILE]
       generate --rules N [--out FILE]

  --events N     events, redeliveries included (default 1000000)
  --seed S       another seed, another history (default 1)
  --visitors N   about so many visitors (default: one for eight events)
  --names N      distinct names of track events (default 40)
  --bytes N      average bytes of an event (default 1100)
  --part I/K     the I-th, from 1, of K slices of the time, each with its own visitors
  --rules N      a rules file with N rules instead of events
  --out FILE     where to (default: standard output)
";

/// The size of the output buffer, in bytes.
const CHUNK: usize = 1 << 20;

struct Job {
    plan: Plan,
    rules: Option<usize>,
    out: Option<String>,
}

fn main() -> ExitCode {
    let job = match job(std::env::args().skip(1)) {
        Ok(job) => job,
        Err(problem) => return complain(&format!("{problem}\n{USAGE}")),
    };
    match run(&job) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => complain(&format!("{error}\n")),
        _ => ExitCode::SUCCESS,
    }
}

fn complain(message: &str) -> ExitCode {
    // If this write fails, there is no other way to report the error.
    let _ = write!(io::stderr(), "generate: {message}");
    ExitCode::from(2)
}

fn job(mut args: impl Iterator<Item = String>) -> Result<Job, String> {
    let mut job = Job { plan: Plan::of(1_000_000), rules: None, out: None };
    let mut visitors = None;
    while let Some(flag) = args.next() {
        let value = args.next().ok_or(format!("{flag} needs a value"))?;
        match flag.as_str() {
            "--events" => job.plan.events = number(&value)?,
            "--seed" => job.plan.seed = number(&value)?,
            "--visitors" => visitors = Some(number(&value)?),
            "--names" => job.plan.names = number(&value)?,
            "--bytes" => job.plan.bytes = number(&value)?,
            "--part" => job.plan.part = part(&value)?,
            "--rules" => job.rules = Some(number(&value)?),
            "--out" => job.out = Some(value),
            _ => return Err(format!("unknown option {flag}")),
        }
    }
    job.plan.visitors = visitors.unwrap_or(job.plan.events / 8);
    Ok(job)
}

/// Parses a number that may contain `_` between digits.
fn number<N: std::str::FromStr>(text: &str) -> Result<N, String> {
    text.replace('_', "").parse().map_err(|_| format!("{text} is not a number that fits"))
}

/// Parses a part such as `2/4`, the second of four.
fn part(text: &str) -> Result<(u64, u64), String> {
    let (part, parts) = text.split_once('/').ok_or(format!("{text} is not like 2/4"))?;
    let (part, parts): (u64, u64) = (number(part)?, number(parts)?);
    if part == 0 || part > parts {
        return Err(format!("there is no part {text}"));
    }
    Ok((part - 1, parts))
}

fn run(job: &Job) -> io::Result<()> {
    let mut out: Box<dyn Write> = match &job.out {
        Some(path) => Box::new(File::create(path)?),
        None => Box::new(io::stdout().lock()),
    };
    if let Some(count) = job.rules {
        out.write_all(rules::rules_file(count).as_bytes())?;
        return out.flush();
    }
    let mut history = History::new(&job.plan);
    let mut chunk = Vec::with_capacity(CHUNK + CHUNK / 8);
    while history.write_next(&mut chunk) {
        if chunk.len() >= CHUNK {
            out.write_all(&chunk)?;
            chunk.clear();
        }
    }
    out.write_all(&chunk)?;
    out.flush()
}
