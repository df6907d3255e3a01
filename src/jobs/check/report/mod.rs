//! What a check found, in formats for people and for other programs; a file a format.

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

/// The schema of the JSON report.
pub(in crate::jobs) fn json_schema() -> schemars::Schema {
    crate::jobs::json_schema::of::<json::Document<'static>>()
}

/// What reports need to know beside what was found.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Where the files are.
    pub repository: Repository,
    /// How text for people is laid out on standard output.
    pub layout: Layout,
    /// The file for the summary of the step, if a step of GitHub Actions has one.
    pub step_summary: Option<std::path::PathBuf>,
}

/// Writes what was `checked` to `out`.
///
/// # Errors
/// Those of `out`.
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

/// Writes every one of `reports` to where it belongs, `stdout` being standard output, and the
/// summary of the step where one of them is for GitHub.
///
/// # Errors
/// Where one cannot be written; those before it then are.
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
                // Nobody wants escapes in a file.
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

/// Makes the file `path` of what `write` gives, readable as the umask says: no address stands in
/// it, and other programs upload it.
///
/// # Errors
/// Where that cannot be done; the error names the path.
pub fn put(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Error> {
    Ok(staging::put(path, Readers::Umask, write)?)
}

fn unwritable(path: &Path, error: &io::Error) -> Error {
    // Never a closed pipe: whoever asked for the file wants it whole.
    Error::Write(io::Error::other(format!("{}: {error}", path.display())))
}

#[cfg(test)]
mod tests;
