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
use crate::error::Error;
use crate::report::text::Colour;

/// What reports need to know beside what was found.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Where the files are.
    pub repository: Repository,
    /// Whether text for people is coloured.
    pub colour: Colour,
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
        Format::Text => text::write(checked, setting.colour, out),
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
                put(path, |out| write(report.format, checked, setting, out))?;
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

/// Makes the file `path` of what `write` gives, whole or not at all: it replaces what was there
/// only once it is complete. What is no regular file, a pipe or a device, is written to as it is.
///
/// # Errors
/// Where that cannot be done; the error names the path.
pub fn put(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Error> {
    let result = match path.metadata() {
        Ok(found) if found.is_dir() => {
            Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory"))
        }
        Ok(found) if !found.is_file() => {
            let opened = std::fs::OpenOptions::new().write(true).open(path);
            opened.and_then(|file| buffered(&file, write))
        }
        // A link stays, and what it points to is replaced.
        Ok(_) => path.canonicalize().and_then(|path| replace(&path, write)),
        Err(_) => replace(path, write),
    };
    result.map_err(|error| unwritable(path, &error))
}

fn replace(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".backtrail-").suffix(".tmp");
    #[cfg(unix)]
    {
        // Readable as the umask says: no address stands in it, and other programs upload it.
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let file = builder.tempfile_in(folder)?;
    buffered(file.as_file(), write)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

fn buffered(
    file: &std::fs::File,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let mut out = io::BufWriter::new(file);
    write(&mut out)?;
    out.flush()
}

fn unwritable(path: &Path, error: &io::Error) -> Error {
    // Never a closed pipe: whoever asked for the file wants it whole.
    Error::Write(io::Error::other(format!("{}: {error}", path.display())))
}

#[cfg(test)]
mod tests;
