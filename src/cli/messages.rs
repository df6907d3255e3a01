//! The messages of commands on standard error: summaries, errors and warnings.

use std::fmt::Write;

use super::resolve::Display;
use crate::diagnostic::printable;
use crate::error::Error;
use crate::jobs::check;
use crate::jobs::run::Outcome;
use crate::report::Fault;
use crate::report::text::summary;

/// Returns the summary of a run with its findings, for standard error. With `--quiet`, returns only
/// what makes the exit code other than 0.
pub fn run_summary(outcome: &Outcome, display: Display) -> String {
    let mut out = String::new();
    if display.quiet {
        out.push_str(&faults(&outcome.report.faults));
    } else {
        out.push_str(&summary(&outcome.report, display.layout));
    }
    for finding in &outcome.findings {
        let _ = writeln!(out, "backtrail: {}", printable(finding));
    }
    out
}

/// Returns the message of the error that ended a command, for standard error. Errors in texts of
/// the user have several lines that are already printable; other messages are made printable, line
/// by line if they have several lines.
pub fn error(error: &Error) -> String {
    let text = error.to_string();
    let text = match error {
        Error::Diagnostics { .. } => text,
        Error::Empty { .. } | Error::Unread(_) => {
            text.split('\n').map(printable).collect::<Vec<_>>().join("\n")
        }
        _ => printable(&text),
    };
    format!("backtrail: error: {text}\n")
}

/// Returns a message about wrong arguments if clap's text cannot be shown safely, because it
/// repeats the arguments unchanged.
pub fn usage(error: &clap::Error, mut args: impl Iterator<Item = String>) -> Option<String> {
    let is_clean = |arg: String| printable(&arg) == arg;
    if !error.use_stderr() || args.all(is_clean) {
        return None;
    }
    let what = error.kind().as_str().unwrap_or("an argument cannot be understood");
    Some(format!("error: {what}\n\nFor more information, try '--help'.\n"))
}

/// Returns messages about the faults of inputs.
pub fn faults(faults: &[Fault]) -> String {
    faults.iter().fold(String::new(), |mut out, fault| {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "backtrail: error: {fault}");
        out
    })
}

/// Returns messages about fixtures that could not be read and, unless `quiet` is set, warnings
/// about the files of the user, for standard error.
pub fn check_summary(outcome: &check::Outcome, warnings: &[String], quiet: bool) -> String {
    let mut out = String::new();
    for warning in warnings.iter().chain(&outcome.skipped).filter(|_| !quiet) {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "backtrail: warning: {}", printable(warning));
    }
    for fault in &outcome.faults {
        let _ = writeln!(out, "backtrail: error: {fault}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::progress::Style;
    use crate::report::Report;
    use crate::report::layout::Layout;

    #[test]
    fn a_quiet_run_says_only_what_makes_it_fail() {
        let fault =
            Fault { path: "a.gz".into(), offset: Some(12), message: "unexpected end".into() };
        let report = Report { faults: vec![fault], ..Report::default() };
        let outcome = Outcome { report, findings: vec!["3 rejects, over 2".into()], tables: None };
        let display = Display { quiet: true, layout: Layout::plain(), progress: Style::Hidden };
        assert_eq!(
            run_summary(&outcome, display),
            "backtrail: error: a.gz: byte 12: unexpected end\nbacktrail: 3 rejects, over 2\n"
        );
        let said = run_summary(&outcome, Display { quiet: false, ..display });
        assert!(said.starts_with("read ") && said.ends_with("over 2\n"), "{said}");
    }
}
