//! Bytes that wait for the second phase: in memory up to a budget, then in a file without a name.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::Mutex;

/// Where one piece waits.
#[derive(Debug)]
pub enum Piece {
    /// Among the bytes in memory.
    Memory {
        /// Where among them.
        offset: usize,
        /// How many bytes.
        len: usize,
    },
    /// In the file.
    Disk {
        /// Where in the file.
        offset: u64,
        /// How many bytes.
        len: usize,
    },
}

/// Keeps pieces in the order in which they are given.
#[derive(Debug)]
pub struct Spill {
    dir: PathBuf,
    budget_bytes: usize,
    held: Vec<u8>,
    file: Mutex<Option<File>>,
    end: u64,
}

impl Spill {
    /// Keeps up to `budget_bytes` in memory and the rest in a file in `dir` that goes away by
    /// itself.
    pub fn new(dir: PathBuf, budget_bytes: usize) -> Self {
        Self { dir, budget_bytes, held: Vec::new(), file: Mutex::new(None), end: 0 }
    }

    /// Keeps `parts`, one behind the other.
    ///
    /// # Errors
    /// When the file cannot be made or written.
    pub fn keep(&mut self, parts: &[&[u8]]) -> io::Result<Piece> {
        let len = parts.iter().map(|part| part.len()).sum();
        if self.held.len() + len <= self.budget_bytes {
            // All at once: growing would copy what is there and touch twice the memory.
            self.held.reserve_exact(self.budget_bytes - self.held.len());
            let offset = self.held.len();
            for part in parts {
                self.held.extend_from_slice(part);
            }
            return Ok(Piece::Memory { offset, len });
        }
        let slot = self.file.get_mut().map_err(|_| io::Error::other("a worker panicked"))?;
        let file = match slot {
            Some(file) => file,
            None => slot.insert(tempfile::tempfile_in(&self.dir)?),
        };
        let offset = self.end;
        for part in parts {
            file.write_all(part)?;
        }
        self.end += len as u64;
        Ok(Piece::Disk { offset, len })
    }

    /// The bytes of `piece`; `buffer` holds them where they come from the file.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read<'a>(&'a self, piece: &Piece, buffer: &'a mut Vec<u8>) -> io::Result<&'a [u8]> {
        match piece {
            Piece::Memory { offset, len } => Ok(&self.held[*offset..offset + len]),
            Piece::Disk { offset, len } => {
                buffer.resize(*len, 0);
                let slot = self.file.lock().map_err(|_| io::Error::other("a worker panicked"))?;
                let mut file = slot.as_ref().ok_or_else(|| io::Error::other("nothing spilled"))?;
                file.seek(SeekFrom::Start(*offset))?;
                file.read_exact(buffer)?;
                Ok(buffer)
            }
        }
    }

    /// How many bytes went to the file.
    pub fn spilled_bytes(&self) -> u64 {
        self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_into_memory_comes_back_from_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let mut spill = Spill::new(dir.path().to_owned(), 5);
        let pieces: Vec<Piece> = [&b"abc"[..], b"defg", b"h", b"ijk"]
            .iter()
            .map(|part| spill.keep(&[part, b"."]).unwrap())
            .collect();
        assert_eq!(spill.spilled_bytes(), 11);
        let mut buffer = Vec::new();
        let read: Vec<Vec<u8>> =
            pieces.iter().map(|p| spill.read(p, &mut buffer).unwrap().to_vec()).collect();
        assert_eq!(read, [&b"abc."[..], b"defg.", b"h.", b"ijk."]);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
