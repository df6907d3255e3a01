//! Reads destination filters from a file, or from all files of a folder, as Segment's Git Sync
//! writes them.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::ops::Range;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::{Text, Texts};
use crate::diagnostic::{Diagnostic, Lines, MAX_SHOWN, masked};
use crate::error::Error;
use crate::filter::destination::{DestinationFilters, Filter, FilterFile};
use crate::jobs::audit::judge::FilterFault;

/// The extensions of files in a folder that may contain filters.
const ENDINGS: [&str; 4] = ["json", "tf", "hcl", "tfstate"];

/// Parses the text of a file.
type Parse = fn(&str) -> Result<FilterFile, Vec<Diagnostic>>;

/// The destination filters that an argument names.
pub(super) struct NamedFilters {
    /// The file or folder.
    pub name: String,
    /// The filters of all files.
    pub filters: DestinationFilters,
    /// Each file, with the range of its filters.
    files: Vec<(Text, Range<usize>)>,
}

impl NamedFilters {
    /// Reads the file or the folder at `path`.
    ///
    /// # Errors
    /// Returns an error if a file cannot be read or is invalid, or if a folder contains no filter.
    pub(super) fn read(path: &Path, texts: &mut Texts) -> Result<Self, Error> {
        if !path.is_dir() {
            return Self::of_file(Text::read(path)?, texts);
        }
        let name = path.display().to_string();
        let paths = files_in(path)?;
        let files: Vec<Text> =
            paths.iter().map(|path| Text::read(path)).collect::<Result<_, _>>()?;
        let count = files.len();
        let named = Self::of(name, files, FilterFile::parse_any, texts)?;
        if named.filters.filters().is_empty() {
            return Err(Error::Usage(no_filters(&named.name, count)));
        }
        if !named.filters.filters().iter().any(Filter::is_active) {
            let nothing = "no filter in this folder is enabled, so every event is sent as it is";
            texts.warnings.push(format!("{}: {nothing}", named.name));
        }
        Ok(named)
    }

    /// Parses the filters of one file.
    ///
    /// # Errors
    /// Returns an error if the file is invalid.
    pub(super) fn of_file(file: Text, texts: &mut Texts) -> Result<Self, Error> {
        Self::of(file.name.clone(), vec![file], FilterFile::parse, texts)
    }

    fn of(name: String, files: Vec<Text>, parse: Parse, texts: &mut Texts) -> Result<Self, Error> {
        let (mut all, mut parsed, mut destinations) = (Vec::new(), Vec::new(), BTreeSet::new());
        for file in files {
            let found = parse(&file.text).map_err(|faults| file.refused(&faults))?;
            texts.warn(&file, &found.warnings);
            let from = all.len();
            all.extend(found.filters);
            destinations.extend(found.destinations);
            parsed.push((file, from..all.len()));
        }
        if destinations.len() > 1 {
            texts.warnings.push(several(&name, &destinations));
        }
        renumber(&mut all);
        Ok(Self { name, filters: DestinationFilters::new(all), files: parsed })
    }

    /// Returns the faults in the `if` of filters, with file, line and column.
    pub(super) fn faults(&self) -> Vec<FilterFault> {
        let mut faults = Vec::new();
        for (file, own) in &self.files {
            let lines = Lines::new(&file.text);
            for place in own.clone() {
                for fault in self.filters.filters()[place].faults().iter().take(MAX_SHOWN) {
                    let (line, column) = lines.position(fault.span.start);
                    let place_in_file = format!("{}:{line}:{column}", file.name);
                    let message = format!("{place_in_file}: {}", masked(&fault.message));
                    let filter = u32::try_from(place).unwrap_or(u32::MAX);
                    faults.push(FilterFault { filter, message });
                }
            }
        }
        faults
    }
}

/// Numbers the filters across all files.
fn renumber(filters: &mut [Filter]) {
    for (place, filter) in filters.iter_mut().enumerate() {
        filter.number = place + 1;
    }
}

/// Returns the files below `folder` that may contain filters, sorted by path, without hidden ones.
fn files_in(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let is_shown = |entry: &DirEntry| {
        entry.depth() == 0 || !entry.file_name().as_encoded_bytes().starts_with(b".")
    };
    let mut files = Vec::new();
    for entry in WalkDir::new(folder).sort_by_file_name().into_iter().filter_entry(is_shown) {
        let entry = entry.map_err(|error| {
            let path = error.path().unwrap_or(folder).to_owned();
            let source = error.into_io_error().unwrap_or_else(|| std::io::ErrorKind::Other.into());
            Error::unreadable(&path, source)
        })?;
        let ending = entry.path().extension().and_then(OsStr::to_str);
        if entry.path().is_file() && ending.is_some_and(|ending| ENDINGS.contains(&ending)) {
            files.push(entry.into_path());
        }
    }
    Ok(files)
}

fn no_filters(folder: &str, files: usize) -> String {
    let endings = ENDINGS.map(|ending| format!(".{ending}")).join(", ");
    format!(
        "--filters: there is no destination filter in {folder}: none of its {files} files that end \
         in {endings} holds an object with `if` and `actions` or a resource \
         `segment_destination_filter`"
    )
}

fn several(name: &str, destinations: &BTreeSet<String>) -> String {
    const NAMED: usize = 5;
    let mut ids: Vec<&str> = destinations.iter().map(String::as_str).take(NAMED).collect();
    if destinations.len() > NAMED {
        ids.push("…");
    }
    format!(
        "{name}: these are filters of {} destinations ({}), and all are applied (name those of \
         one destination alone)",
        destinations.len(),
        ids.join(", ")
    )
}
