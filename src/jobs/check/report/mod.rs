//! The reports of a check, for people and for other programs; each format has a file.

mod choice;
mod github;
mod json;
mod junit;
mod markdown;
#[cfg(test)]
pub(crate) mod sample;
mod sarif;
mod shown;
mod text;

use std::io::{self, Write};
use std::path::Path;

pub use choice::{Actions, Destination, Format, Report, UnusableReport, chosen};
pub use github::append_summary;

use super::finding::Checked;
use super::repository::Repository;
use crate::emit::staging::{self, Readers};
use crate::error::Error;
use crate::report::layout::Layout;

/// Returns the schema of the JSON report.
pub(in crate::jobs) fn json_schema() -> schemars::Schema {
    crate::jobs::json_schema::of::<json::Document<'static>>()
}

/// What reports need in addition to the findings.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The repository of the files.
    pub repository: Repository,
    /// The layout of text on standard output.
    pub layout: Layout,
    /// The file for the summary of the step, if this is a step of GitHub Actions.
    pub step_summary: Option<std::path::PathBuf>,
}

/// Writes the report on `checked` to `out`.
///
/// # Errors
/// Returns an error if writing to `out` fails.
pub fn write(
    format: Format,
    checked: &Checked,
    setting: &Setting,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Text => text::write(checked, setting.layout, out),
        Format::Json => json::write(checked, &setting.repository, out),
        Format::Junit => junit::write(checked, out),
        Format::Sarif => sarif::write(checked, &setting.repository, out),
        Format::Github => github::write(checked, &setting.repository, out),
        Format::Markdown => markdown::write(checked, out),
    }
}

/// Writes each of `reports` to its destination, where `stdout` is standard output, and the summary
/// of the step if one of them is for GitHub.
///
/// # Errors
/// Returns an error if a report cannot be written; earlier reports have been written then.
pub fn deliver(
    reports: &[Report],
    checked: &Checked,
    setting: &Setting,
    stdout: &mut dyn Write,
) -> Result<(), Error> {
    for report in reports {
        match &report.destination {
            Destination::Stdout => {
                let written = write(report.format, checked, setting, stdout);
                written.and_then(|()| stdout.flush()).map_err(Error::from_output)?;
            }
            Destination::File(path) => {
                // A file contains no colour escapes.
                let setting = Setting { layout: Layout::plain(), ..setting.clone() };
                put(path, |out| write(report.format, checked, &setting, out))?;
            }
        }
    }
    let is_github = |report: &Report| report.format == Format::Github;
    match &setting.step_summary {
        Some(path) if reports.iter().any(is_github) => {
            append_summary(path, checked).map_err(|error| unwritable(path, &error))
        }
        _ => Ok(()),
    }
}

/// Writes the file `path` with `write`, with the permissions of the umask: it contains no address,
/// and other programs upload it.
///
/// # Errors
/// Returns an error with the path if the file cannot be written.
pub fn put(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Error> {
    Ok(staging::put(path, Readers::Umask, write)?)
}

fn unwritable(path: &Path, error: &io::Error) -> Error {
    // The kind of the error is dropped, so that it is not taken for a closed pipe: the file must be
    // complete.
    Error::Write(io::Error::other(format!("{}: {error}", path.display())))
}

#[cfg(test)]
mod tests;
