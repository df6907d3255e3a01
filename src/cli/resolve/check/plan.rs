//! Reads the file or folder of `--tracking-plan`.

use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::super::{Text, Texts};
use super::written;
use crate::diagnostic::Diagnostic;
use crate::error::Error;
use crate::jobs::check::planned::PlanFiles;
use crate::schema::{Layout, Plan, Reading, Source};

/// The extensions of plan files in a folder.
const ENDINGS: [&str; 6] = ["json", "yaml", "yml", "tf", "hcl", "csv"];

/// Reads the plan in the file or folder `path`.
pub(super) fn read(path: &Path, texts: &mut Texts) -> Result<PlanFiles, Error> {
    let is_folder = path.is_dir();
    let paths = files(path);
    if paths.is_empty() {
        let name = path.display();
        let endings = ENDINGS.join(", ");
        return Err(Error::Usage(format!(
            "--tracking-plan: {name} holds no file of a plan: expected files that end in one of \
             {endings}"
        )));
    }
    let read = paths.iter().map(|path| Text::read(path)).collect::<Result<Vec<_>, _>>()?;
    let sources: Vec<Source<'_>> = read.iter().zip(&paths).map(source).collect();
    let layout = if is_folder { Layout::Folder } else { Layout::File };
    let reading = Plan::read(&sources, layout);
    let Reading { plan, broken, trees, skipped } = reading.map_err(|error| {
        let faults = [error.fault];
        read.get(error.file).map_or(Error::empty("", &[]), |text| text.refused(&faults))
    })?;
    for text in skipped.iter().filter_map(|&file| read.get(file)) {
        let message = "this file has no part of a tracking plan, and is skipped";
        texts.warn(text, &[Diagnostic::warning(0..0, message)]);
    }
    if plan.rules.is_empty() && broken.is_empty() {
        let message = "this plan has no rules, so nothing is checked against it";
        read.first().into_iter().for_each(|text| {
            texts.warn(text, &[Diagnostic::warning(0..0, message)]);
        });
    }
    Ok(PlanFiles { files: read.into_iter().map(written).collect(), trees, plan, broken })
}

fn source<'t>((text, path): (&'t Text, &'t PathBuf)) -> Source<'t> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    Source { name, text: &text.text }
}

/// Returns the file `path`, or the files of a plan in the folder `path`, sorted by name.
pub(super) fn files(path: &Path) -> Vec<PathBuf> {
    if !path.is_dir() {
        return vec![path.to_owned()];
    }
    let is_hidden = |name: &std::ffi::OsStr| name.as_encoded_bytes().starts_with(b".");
    let walk = WalkDir::new(path).min_depth(1).sort_by_file_name().into_iter();
    let walk = walk.filter_entry(|entry| !is_hidden(entry.file_name())).filter_map(Result::ok);
    let paths = walk.filter(|entry| entry.path().is_file()).map(walkdir::DirEntry::into_path);
    let is_plan = |path: &PathBuf| {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        ENDINGS.contains(&ending.to_ascii_lowercase().as_str())
    };
    paths.filter(is_plan).collect()
}
