//! Inputs that can be read only once, kept in temporary files for jobs that read them twice.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::atomic::AtomicBool;

use tempfile::{NamedTempFile, TempPath};

use super::abandonable::Abandonable;
use super::discover::{Discovery, Input};
use crate::diagnostic::printable;

/// How much is copied at a time, in bytes.
const CHUNK: usize = 256 << 10;

/// Why an input could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// It is larger than what may be kept of all inputs.
    #[error(
        "{}: this job reads its input twice, so what can be read only once is kept in a temporary \
         file, and there is more of it than {most} bytes; raise --max-spool, or name a file",
        printable(.display)
    )]
    TooLarge {
        /// The input.
        display: String,
        /// How many bytes may be kept.
        most: u64,
    },
    /// It cannot be read, or not be written to a file.
    #[error("{}: cannot keep it in a temporary file in {dir}: {source}", printable(.display))]
    Io {
        /// The input.
        display: String,
        /// The folder of the file.
        dir: String,
        /// What the system said.
        source: io::Error,
    },
}

/// The temporary files that stand for inputs; they go away with it.
#[derive(Debug, Default)]
pub struct Spooled {
    files: Vec<TempPath>,
}

impl Spooled {
    /// Whether every input could be read twice as it was.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}

/// Copies standard input and pipes among `discovery` to files in `dir`, at most `most` bytes of all,
/// and puts these files in their place. Copying ends once `stop` is set.
///
/// # Errors
/// When there is more to copy, or when it cannot be read or written.
pub fn spool(
    discovery: &mut Discovery,
    dir: &Path,
    most: u64,
    stop: Option<&'static AtomicBool>,
) -> Result<Spooled, SpoolError> {
    let (mut spooled, mut left) = (Spooled::default(), most);
    let copied = |mut input: Input| {
        if !is_read_once(&input) {
            return Ok(input);
        }
        let failed = |source| SpoolError::Io {
            display: input.display.clone(),
            dir: dir.display().to_string(),
            source,
        };
        let mut file = NamedTempFile::new_in(dir).map_err(failed)?;
        let source = open(&input, stop).map_err(failed)?;
        let copied = copy(source, file.as_file_mut(), left).map_err(failed)?;
        let Some(rest) = left.checked_sub(copied) else {
            return Err(SpoolError::TooLarge { display: input.display, most });
        };
        left = rest;
        let path = file.into_temp_path();
        input.path = Some(path.to_path_buf());
        input.size = Some(copied);
        spooled.files.push(path);
        Ok(input)
    };
    discovery.inputs = discovery.inputs.iter().map(copied).collect::<Result<_, _>>()?;
    Ok(spooled)
}

/// Whether nothing can be read of it a second time. Objects of stores are read again, if they are
/// the same.
fn is_read_once(input: &Input) -> bool {
    input.size.is_none() && input.object.is_none()
}

fn open(input: &Input, stop: Option<&'static AtomicBool>) -> io::Result<Box<dyn Read>> {
    Ok(match (input.path.clone(), stop) {
        (Some(path), Some(stop)) => Box::new(Abandonable::new(move || File::open(path), stop)?),
        (Some(path), None) => Box::new(File::open(path)?),
        (None, Some(stop)) => Box::new(Abandonable::new(|| Ok(io::stdin()), stop)?),
        (None, None) => Box::new(io::stdin()),
    })
}

/// Copies up to `most` bytes, and one chunk past them where there are more; gives how many there
/// were.
fn copy(mut from: impl Read, to: &mut impl Write, most: u64) -> io::Result<u64> {
    let (mut chunk, mut copied) = (vec![0; CHUNK], 0);
    while copied <= most {
        match from.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => {
                to.write_all(&chunk[..count])?;
                copied += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(copied)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copying_stops_past_the_limit() {
        let source = vec![7; CHUNK * 3];
        for (most, expected) in [(u64::MAX, CHUNK * 3), (0, CHUNK), (CHUNK as u64, CHUNK * 2)] {
            let mut kept = Vec::new();
            let copied = copy(source.as_slice(), &mut kept, most).unwrap();
            assert_eq!((copied, kept.len()), (expected as u64, expected), "{most}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn files_are_left_where_they_are() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a");
        std::fs::write(&file, "a").unwrap();
        let mut found = super::super::discover(&[file.into_os_string()], true).unwrap();
        let before = found.clone();
        assert!(spool(&mut found, dir.path(), 0, None).unwrap().is_empty());
        assert_eq!(found, before);
    }
}
