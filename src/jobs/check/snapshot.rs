//! Compares the output of a run on the fixtures with stored tables.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read as _, Seek as _, Write as _};
use std::path::Path;

use super::finding::{Finding, Place, Violation};
use super::flaw::Flaw;
use super::place::Placer;
use super::verdict::NewCase;
use crate::diagnostic::{masked, printable};
use crate::emit::staging::{Overwrite, Staging};
use crate::error::Error;
use crate::jobs::run::Destination;

/// The tables that are stored.
pub const TABLES: [&str; 2] = ["leads.csv", "signals.csv"];

/// The maximum length of a line in a message, in characters.
const SHOWN_CHARS: usize = 160;

/// The output tables of a run, in unnamed files, so that nothing is left of them however the
/// program ends.
pub struct Given([File; TABLES.len()]);

impl Given {
    /// Creates empty files.
    ///
    /// # Errors
    /// Returns an error if temporary files cannot be created.
    pub fn new() -> io::Result<Self> {
        Ok(Self([tempfile::tempfile()?, tempfile::tempfile()?]))
    }

    /// Returns the destination of the run that fills the tables.
    ///
    /// # Errors
    /// Returns an error if the system has no more file handles.
    pub fn destination(&self) -> io::Result<Destination> {
        let [leads, signals] = &self.0;
        let out = |file: &File| Ok::<_, io::Error>(Box::new(BufWriter::new(file.try_clone()?)));
        let (signals, leads) = (out(signals)?, out(leads)?);
        Ok(Destination::Tables { signals, leads, spill_dir: std::env::temp_dir() })
    }

    /// Reads the tables; returns each with its name.
    fn tables(&self) -> impl Iterator<Item = Result<(&'static str, Vec<u8>), Error>> {
        TABLES.into_iter().zip(&self.0).map(|(name, mut file)| {
            let mut bytes = Vec::new();
            let read = file.rewind().and_then(|()| file.read_to_end(&mut bytes));
            read.map(|_| (name, bytes)).map_err(Error::Spill)
        })
    }
}

/// Replaces the stored tables with those in `given`.
///
/// # Errors
/// Returns an error if a table cannot be read or written; then none has changed.
pub fn bless(kept: &Path, given: &Given) -> Result<(), Error> {
    let staging = Staging::new(kept, Overwrite::Yes, &TABLES)?;
    let mut files = Vec::new();
    for table in given.tables() {
        let (table, bytes) = table?;
        let mut file = staging.create(table)?;
        file.write_all(&bytes).map_err(Error::Write)?;
        files.push(file);
    }
    staging.commit(files)?;
    Ok(())
}

/// Returns a case for each stored table: whether `given` contains the same.
///
/// # Errors
/// Returns an error if a file exists but cannot be read.
pub fn compare(kept: &Path, given: &Given) -> Result<Vec<(String, NewCase)>, Error> {
    let mut suites = Vec::new();
    for table in given.tables() {
        let (table, found) = table?;
        let name = kept.join(table).display().to_string().replace('\\', "/");
        let finding = match fs::read(kept.join(table)) {
            Ok(expected) => difference(&name, &expected, &found),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let message = "there is no such file to compare with; --bless writes it";
                Some(Flaw::new(Violation::UnexpectedOutput, message).of_file(&name))
            }
            Err(source) => return Err(Error::unreadable(&kept.join(table), source)),
        };
        let findings = finding.into_iter().collect();
        suites.push((name, NewCase { name: table.to_owned(), rule: String::new(), findings }));
    }
    Ok(suites)
}

/// Returns a finding at the first line that differs, if any.
fn difference(name: &str, expected: &[u8], found: &[u8]) -> Option<Finding> {
    if expected == found {
        return None;
    }
    let (expected, found) = (String::from_utf8_lossy(expected), String::from_utf8_lossy(found));
    let (mut kept, mut given) = (expected.split('\n'), found.split('\n'));
    let (mut number, mut start) = (1, 0);
    let (line, other) = loop {
        match (kept.next(), given.next()) {
            (Some(line), Some(other)) if line == other => {
                number += 1;
                start += line.len() + 1;
            }
            (line, other) => break (line, other),
        }
    };
    let show = |line: Option<&str>| match line {
        None | Some("") => "nothing".to_owned(),
        Some(line) => format!("\"{}\"", printable(&cut(&masked(line)))),
    };
    let message = format!(
        "line {number} differs: expected {}, found {}; --bless keeps what was found",
        show(line),
        show(other)
    );
    let flaw = Flaw::new(Violation::UnexpectedOutput, message);
    let Some(line) = line else {
        let place = Place { file: name.to_owned(), line: number, ..Place::default() };
        return Some(flaw.placed(place, None, None));
    };
    let same = line.char_indices().zip(other.unwrap_or_default().chars());
    let at =
        same.take_while(|((_, a), b)| a == b).last().map_or(0, |((at, a), _)| at + a.len_utf8());
    let mut placer = Placer::new(name, &expected, 1);
    Some(flaw.found(&mut placer, &(start + at..start + line.len()), None))
}

fn cut(line: &str) -> String {
    match line.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_shown_where_it_begins() {
        let found = difference("k.csv", b"a,b\n1,22\n3,4\n", b"a,b\n1,23\n9,9\n").unwrap();
        assert_eq!((found.place.line, found.place.column, found.place.width), (2, 4, 1));
        assert!(found.message.contains("expected \"1,22\", found \"1,23\""), "{}", found.message);
        assert_eq!(difference("k.csv", b"a\n", b"a\n"), None);
        let longer = difference("k.csv", b"a\n", b"a\nb\n").unwrap();
        assert!(longer.message.contains("expected nothing, found \"b\""), "{}", longer.message);
        let shorter = difference("k.csv", b"a\nb\n", b"a\n").unwrap();
        assert!(shorter.message.contains("expected \"b\", found nothing"), "{}", shorter.message);
    }
}
