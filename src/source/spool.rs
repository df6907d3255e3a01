//! Copies of inputs that can be read only once, for jobs that read their inputs twice.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::atomic::AtomicBool;

use tempfile::{NamedTempFile, TempPath};

use super::discover::{Discovery, Input};
use super::interruptible::Interruptible;
use crate::diagnostic::printable;

/// The length of a chunk, in bytes.
const CHUNK_BYTES: usize = 256 << 10;

/// The error of an input that could not be copied.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The inputs exceed the limit.
    #[error(
        "{}: this job reads its input twice, so what can be read only once is kept in a temporary \
         file, and there is more of it than {max_bytes} bytes; raise --max-spool, or name a file",
        printable(.display)
    )]
    TooLarge {
        /// The name of the input.
        display: String,
        /// The limit for all inputs together, in bytes.
        max_bytes: u64,
    },
    /// The input cannot be read, or its copy cannot be written.
    #[error("{}: cannot keep it in a temporary file in {dir}: {source}", printable(.display))]
    Io {
        /// The name of the input.
        display: String,
        /// The folder of the temporary file.
        dir: String,
        /// The error of the system.
        source: io::Error,
    },
}

/// Temporary copies of inputs, which are deleted when this is dropped.
#[derive(Debug, Default)]
pub struct Spooled {
    files: Vec<TempPath>,
}

impl Spooled {
    /// Returns `true` if no input had to be copied.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}

/// Copies standard input and pipes in `discovery` to files in `dir`, at most `max_bytes` in total,
/// and replaces the inputs by these files. The copies end once `stop` is set.
///
/// # Errors
/// Returns an error if the inputs exceed the limit, or if reading or writing fails.
pub fn spool(
    discovery: &mut Discovery,
    dir: &Path,
    max_bytes: u64,
    stop: Option<&'static AtomicBool>,
) -> Result<Spooled, SpoolError> {
    let (mut spooled, mut left) = (Spooled::default(), max_bytes);
    let copied = |mut input: Input| {
        if !is_read_once(&input) {
            return Ok(input);
        }
        let io_error = |source| SpoolError::Io {
            display: input.display.clone(),
            dir: dir.display().to_string(),
            source,
        };
        let mut file = NamedTempFile::new_in(dir).map_err(io_error)?;
        let source = open(&input, stop).map_err(io_error)?;
        let copied = copy(source, file.as_file_mut(), left).map_err(io_error)?;
        let Some(rest) = left.checked_sub(copied) else {
            return Err(SpoolError::TooLarge { display: input.display, max_bytes });
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

/// Returns `true` if an input can be read only once. Objects of stores are requested again, with
/// the same ETag.
fn is_read_once(input: &Input) -> bool {
    input.size.is_none() && input.object.is_none()
}

fn open(input: &Input, stop: Option<&'static AtomicBool>) -> io::Result<Box<dyn Read>> {
    Ok(match (input.path.clone(), stop) {
        (Some(path), Some(stop)) => Box::new(Interruptible::new(move || File::open(path), stop)?),
        (Some(path), None) => Box::new(File::open(path)?),
        (None, Some(stop)) => Box::new(Interruptible::new(|| Ok(io::stdin()), stop)?),
        (None, None) => Box::new(io::stdin()),
    })
}

/// Copies up to `max_bytes`, and one more chunk if there are more. Returns the number of bytes that
/// were copied.
fn copy(mut from: impl Read, to: &mut impl Write, max_bytes: u64) -> io::Result<u64> {
    let (mut chunk, mut copied) = (vec![0; CHUNK_BYTES], 0);
    while copied <= max_bytes {
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
    fn copying_stops_after_the_limit() {
        let source = vec![7; CHUNK_BYTES * 3];
        for (max_bytes, expected) in
            [(u64::MAX, CHUNK_BYTES * 3), (0, CHUNK_BYTES), (CHUNK_BYTES as u64, CHUNK_BYTES * 2)]
        {
            let mut kept = Vec::new();
            let copied = copy(source.as_slice(), &mut kept, max_bytes).unwrap();
            assert_eq!((copied, kept.len()), (expected as u64, expected), "{max_bytes}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn files_are_not_copied() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a");
        std::fs::write(&file, "a").unwrap();
        let mut found = super::super::discover(&[file.into_os_string()], true).unwrap();
        let before = found.clone();
        assert!(spool(&mut found, dir.path(), 0, None).unwrap().is_empty());
        assert_eq!(found, before);
    }
}
