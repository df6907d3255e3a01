//! The summary that a command prints at its end.

use std::fmt::Write;

use super::resolve::Display;
use crate::diagnostic::printable;
use crate::error::Error;
use crate::jobs::check;
use crate::jobs::run::Outcome;
use crate::report::Fault;
use crate::report::text::summary;

/// The summary of a run and what was found, for standard error. With `--quiet`, only what makes
/// the exit code other than 0.
pub fn text(outcome: &Outcome, display: Display) -> String {
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

/// What ended a command, for standard error. Errors of a text are on several lines, of which each
/// part is clean already; what else has several is shown line by line.
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

/// What is wrong with arguments, where the text that clap has for it cannot be shown: it repeats
/// the arguments as they are.
pub fn usage(error: &clap::Error, mut args: impl Iterator<Item = String>) -> Option<String> {
    let is_clean = |arg: String| printable(&arg) == arg;
    if !error.use_stderr() || args.all(is_clean) {
        return None;
    }
    let what = error.kind().as_str().unwrap_or("an argument cannot be understood");
    Some(format!("error: {what}\n\nFor more information, try '--help'.\n"))
}

/// What was wrong with inputs.
pub fn faults(faults: &[Fault]) -> String {
    faults.iter().fold(String::new(), |mut out, fault| {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "backtrail: error: {fault}");
        out
    })
}

/// What was wrong with reading the fixtures, and, unless with `--quiet`, what is doubtful about the
/// files that the user wrote, for standard error.
pub fn of_check(outcome: &check::Outcome, warnings: &[String], quiet: bool) -> String {
    let mut out = String::new();
    for warning in warnings.iter().chain(&outcome.passed_over).filter(|_| !quiet) {
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
            text(&outcome, display),
            "backtrail: error: a.gz: byte 12: unexpected end\nbacktrail: 3 rejects, over 2\n"
        );
        let said = text(&outcome, Display { quiet: false, ..display });
        assert!(said.starts_with("read ") && said.ends_with("over 2\n"), "{said}");
    }
}
