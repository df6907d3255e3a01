//! Links between ids, stored as pairs of hashes in memory or on disk.

use std::io;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::engine::exchange::spill::{Piece, Spill};
use crate::engine::identity::ids::{Ids, NodeId, Space};

/// The size of a link, in bytes.
const LINK_BYTES: usize = 16;
/// The number of recent links that a worker remembers, because most links repeat an earlier one.
const REMEMBERED: usize = 1 << 13;
/// The number of bits of a node that store its kind.
const KIND_BITS: u32 = 3;

/// The kind of a [`Node`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// An anonymous id.
    Anonymous,
    /// A user id.
    User,
    /// An e-mail.
    Email,
    /// A group.
    Group,
    /// The copies of an event.
    Copies,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Anonymous, Self::User, Self::Email, Self::Group, Self::Copies];
}

/// The hash of an id. A collision of hashes only makes the closure larger than necessary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Node(u64);

impl Node {
    /// Creates the node of the id `text` of `kind`.
    pub fn new(kind: Kind, text: &str) -> Self {
        Self::of_hash(kind, xxh3_64_with_seed(text.as_bytes(), kind as u64))
    }

    /// Creates the node of the id with the number `id` in `ids`.
    pub fn of(ids: &Ids, id: NodeId) -> Self {
        let kind = match ids.space(id) {
            Space::Anonymous => Kind::Anonymous,
            Space::User => Kind::User,
            Space::Email => Kind::Email,
            Space::Group => Kind::Group,
        };
        Self::new(kind, ids.text(id))
    }

    /// Creates the node of the copies with `key`.
    pub fn copies(key: u128) -> Self {
        #[allow(clippy::cast_possible_truncation)] // a part of a hash
        Self::of_hash(Kind::Copies, key as u64)
    }

    fn of_hash(kind: Kind, hash: u64) -> Self {
        Self(hash << KIND_BITS | kind as u64)
    }

    /// Returns the kind.
    pub fn kind(self) -> Kind {
        let kind = self.0 & ((1 << KIND_BITS) - 1);
        Kind::ALL.get(usize::try_from(kind).unwrap_or(0)).copied().unwrap_or(Kind::Copies)
    }
}

/// A link: an event ties `source` to `target`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// An id, or an e-mail if the target is copies.
    pub source: Node,
    /// A user id, an e-mail, a group that `source` joined, or the copies of an event of `source`.
    pub target: Node,
}

impl Link {
    fn to_bytes(self) -> [u8; LINK_BYTES] {
        let mut bytes = [0; LINK_BYTES];
        bytes[..8].copy_from_slice(&self.source.0.to_le_bytes());
        bytes[8..].copy_from_slice(&self.target.0.to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: [u8; LINK_BYTES]) -> Self {
        let word = |at: usize| {
            let mut word = [0; 8];
            word.copy_from_slice(&bytes[at..at + 8]);
            Node(u64::from_le_bytes(word))
        };
        Self { source: word(0), target: word(8) }
    }
}

/// Buffers the links of one worker.
#[derive(Debug)]
pub struct LinkWriter {
    bytes: Vec<u8>,
    remembered: Vec<Option<Link>>,
}

impl Default for LinkWriter {
    fn default() -> Self {
        Self { bytes: Vec::new(), remembered: vec![None; REMEMBERED] }
    }
}

impl LinkWriter {
    /// Adds `link`, unless it is among the remembered ones.
    pub fn add(&mut self, link: Link) {
        #[allow(clippy::cast_possible_truncation)] // the lower bits are what is wanted
        let place = (link.source.0.rotate_left(32) ^ link.target.0) as usize >> KIND_BITS;
        let known = &mut self.remembered[place % REMEMBERED];
        if known.replace(link) != Some(link) {
            self.bytes.extend_from_slice(&link.to_bytes());
        }
    }

    /// Stores the links that were added since the last call, if any.
    ///
    /// # Errors
    /// Returns an error if the links cannot be written.
    pub fn flush(&mut self, spill: &Spill) -> io::Result<Option<Piece>> {
        if self.bytes.is_empty() {
            return Ok(None);
        }
        let piece = spill.keep(&[&self.bytes])?;
        self.bytes.clear();
        Ok(Some(piece))
    }
}

/// All links of an input.
#[derive(Debug)]
pub struct Links {
    spill: Arc<Spill>,
    pieces: Vec<Piece>,
}

impl Links {
    /// Creates the collection of the `pieces` in `spill`.
    pub fn new(spill: Arc<Spill>, pieces: Vec<Piece>) -> Self {
        Self { spill, pieces }
    }

    /// Calls `see` for every link.
    ///
    /// # Errors
    /// Returns an error if the links cannot be read.
    pub fn each(&self, mut see: impl FnMut(Link)) -> io::Result<()> {
        let mut buffer = Vec::new();
        for piece in &self.pieces {
            let (links, _) = self.spill.read(piece, &mut buffer)?.as_chunks();
            for &bytes in links {
                see(Link::from_bytes(bytes));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_come_back_from_memory_and_from_disk() {
        let node = |kind, number: u32| Node::new(kind, &number.to_string());
        let link = |number| Link {
            source: node(Kind::Anonymous, number),
            target: node(Kind::ALL[number as usize % 5], number + 1),
        };
        for budget in [0, 64, 1 << 20] {
            let dir = tempfile::tempdir().unwrap();
            let spill = Arc::new(Spill::new(dir.path().to_owned(), budget));
            let (mut writer, mut pieces) = (LinkWriter::default(), Vec::new());
            for number in 0..10 {
                writer.add(link(number));
                writer.add(link(number));
                pieces.extend(writer.flush(&spill).unwrap());
            }
            assert!(writer.flush(&spill).unwrap().is_none());
            let mut read = Vec::new();
            Links::new(spill, pieces).each(|link| read.push(link)).unwrap();
            assert_eq!(read, (0..10).map(link).collect::<Vec<_>>());
            assert!(
                read.iter().enumerate().all(|(at, link)| link.target.kind() == Kind::ALL[at % 5])
            );
        }
    }
}
