//! Epochs: the ids and facts of a part of the input, written to disk if there are more than fit
//! into memory.
//!
//! The ids of an epoch are written in order, and its facts refer to ids by their rank in that
//! order, and are sorted. Epochs can therefore be merged: first the ids into a
//! [dictionary](super::dictionary), which numbers them, and then the facts by these numbers.

use std::io;

use super::dictionary::{Dictionary, DictionaryWriter};
use super::fact::{FACT_BYTES, Fact};
use super::ids::{Ids, NodeId, Space, prefix};
use crate::engine::exchange::bytes::{put_text, take_length};
use crate::engine::exchange::merge::{Cursor, Merge};
use crate::engine::exchange::sequence::{Sequence, SequenceReader, SequenceWriter, broken};
use crate::engine::exchange::spill::{Piece, Spill};

/// The ids and facts of a part of the input, on disk.
#[derive(Debug)]
pub struct Epoch {
    /// The number of ids of each space.
    counts: [u32; Space::ALL.len()],
    /// The texts of the ids, in order.
    texts: Sequence,
    /// For each id, in order of insertion, its rank.
    ranks: Sequence,
    /// The facts, sorted by source, key and target.
    facts: Sequence,
}

impl Epoch {
    /// Writes `ids`, and `facts` about them, to `spill` in pieces of about `piece_bytes`. The ids
    /// of `facts` are overwritten.
    ///
    /// # Errors
    /// Returns an error if something cannot be written.
    pub fn write(
        ids: &Ids,
        facts: &mut [Fact],
        spill: &Spill,
        piece_bytes: usize,
    ) -> io::Result<Self> {
        let mut texts = SequenceWriter::new(spill, piece_bytes);
        let mut counts = [0; Space::ALL.len()];
        let mut rank_of = vec![0_u32; ids.len()];
        for (rank, (id, space, text)) in (0..).zip(ids.in_order()) {
            rank_of[id.index()] = rank;
            counts[space as usize] += 1;
            texts.put(|out| put_text(text, out))?;
        }
        let mut ranks = SequenceWriter::new(spill, piece_bytes);
        for rank in &rank_of {
            ranks.put(|out| out.extend_from_slice(&rank.to_le_bytes()))?;
        }
        let by_rank = |id: NodeId| NodeId::from_raw(rank_of[id.index()]);
        for fact in &mut *facts {
            (fact.source, fact.target) = (by_rank(fact.source), by_rank(fact.target));
        }
        drop(rank_of);
        facts.sort_unstable_by_key(Fact::order);
        let mut sorted = SequenceWriter::new(spill, piece_bytes);
        for fact in &*facts {
            sorted.put(|out| fact.write(out))?;
        }
        Ok(Self { counts, texts: texts.finish()?, ranks: ranks.finish()?, facts: sorted.finish()? })
    }

    /// Returns the facts.
    pub fn facts(&self) -> &Sequence {
        &self.facts
    }

    /// Reads the numbers of the ids, where `numbers` has them by rank, from `spill`.
    ///
    /// # Errors
    /// Returns an error if they cannot be read.
    pub fn numbers(&self, numbers: &Sequence, spill: &Spill) -> io::Result<Numbers> {
        let by_rank = read_numbers(numbers, spill)?;
        let mut as_they_came = read_numbers(&self.ranks, spill)?;
        for number in &mut as_they_came {
            *number = *by_rank.get(*number as usize).ok_or_else(broken)?;
        }
        Ok(Numbers { by_rank, as_they_came })
    }
}

fn read_numbers(sequence: &Sequence, spill: &Spill) -> io::Result<Vec<u32>> {
    let bytes: usize = sequence.pieces().iter().map(Piece::len).sum();
    let (mut numbers, mut buffer) = (Vec::with_capacity(bytes / 4), Vec::new());
    for piece in sequence.pieces() {
        let (some, _) = spill.read(piece, &mut buffer)?.as_chunks();
        numbers.extend(some.iter().copied().map(u32::from_le_bytes));
    }
    Ok(numbers)
}

/// The numbers in the run of the ids of an epoch.
#[derive(Debug)]
pub struct Numbers {
    by_rank: Vec<u32>,
    as_they_came: Vec<u32>,
}

impl Numbers {
    /// Replaces the numbers in the epoch, in four bytes each, by the numbers in the run.
    ///
    /// # Errors
    /// Returns an error if a number is not of the epoch.
    pub fn translate(&self, ids: &mut [u8]) -> io::Result<()> {
        for bytes in ids.as_chunks_mut::<4>().0 {
            let number = self.as_they_came.get(u32::from_le_bytes(*bytes) as usize);
            *bytes = number.ok_or_else(broken)?.to_le_bytes();
        }
        Ok(())
    }

    /// Reads the facts in `bytes`, whose ids are ranks, and appends those for which `keep` is true
    /// to `out`, with the numbers in the run.
    ///
    /// # Errors
    /// Returns an error if `bytes` are not facts of the epoch.
    pub fn translate_facts(
        &self,
        bytes: &[u8],
        keep: impl Fn(&Fact) -> bool,
        out: &mut Vec<u8>,
    ) -> io::Result<()> {
        let number = |rank: NodeId| {
            self.by_rank.get(rank.index()).copied().map(NodeId::from_raw).ok_or_else(broken)
        };
        for fact in bytes.as_chunks::<FACT_BYTES>().0 {
            let fact = Fact::read(fact);
            if keep(&fact) {
                let (source, target) = (number(fact.source)?, number(fact.target)?);
                Fact { source, target, ..fact }.write(out);
            }
        }
        Ok(())
    }
}

/// A position in the ids of an epoch, which are in order.
struct IdCursor<'s> {
    reader: SequenceReader<'s>,
    epoch: usize,
    /// The number of remaining ids of each space.
    left: [u32; Space::ALL.len()],
    space: Space,
    len: usize,
    prefix: u64,
}

impl<'s> IdCursor<'s> {
    fn new(number: usize, epoch: &'s Epoch, spill: &'s Spill) -> Self {
        Self {
            reader: epoch.texts.read(spill),
            epoch: number,
            left: epoch.counts,
            space: Space::Anonymous,
            len: 0,
            prefix: 0,
        }
    }

    fn text(&self) -> &[u8] {
        &self.reader.bytes()[..self.len]
    }
}

impl Cursor for IdCursor<'_> {
    fn advance(&mut self) -> io::Result<bool> {
        self.reader.skip(self.len);
        self.len = 0;
        if !self.reader.fill()? {
            return Ok(false);
        }
        let mut bytes = self.reader.bytes();
        let before = bytes.len();
        self.len = take_length(&mut bytes).filter(|&len| len <= bytes.len()).ok_or_else(broken)?;
        let head = before - bytes.len();
        self.reader.skip(head);
        let space = Space::ALL.into_iter().find(|&space| self.left[space as usize] > 0);
        self.space = space.ok_or_else(broken)?;
        self.left[self.space as usize] -= 1;
        self.prefix = prefix(self.space, self.text());
        Ok(true)
    }

    fn is_before(&self, other: &Self) -> bool {
        self.prefix < other.prefix
            || (self.prefix == other.prefix
                && (self.space, self.text()) < (other.space, other.text()))
    }
}

/// The resources for numbering ids.
#[derive(Debug)]
pub struct Numbering<'s> {
    /// The spill of the epochs, and of the numbers of their ids.
    pub spill: &'s Spill,
    /// The number of bytes of each epoch that are read and written at once.
    pub piece_bytes: usize,
    /// The maximum memory for e-mails, in bytes.
    pub email_bytes: usize,
}

impl Numbering<'_> {
    /// Numbers all ids of `epochs` by space and text. Returns a dictionary of them in `spill`, and
    /// for each epoch the numbers of its ids by rank.
    ///
    /// # Errors
    /// Returns an error if something cannot be read or written, or there are too many ids to
    /// number.
    pub fn number(
        &self,
        epochs: &[Epoch],
        spill: Spill,
    ) -> io::Result<(Dictionary, Vec<Sequence>)> {
        let mut dictionary = DictionaryWriter::new(&spill, self.piece_bytes, self.email_bytes);
        let writer = |_: &Epoch| SequenceWriter::new(self.spill, self.piece_bytes);
        let mut numbers: Vec<SequenceWriter<'_>> = epochs.iter().map(writer).collect();
        let cursors = epochs.iter().enumerate();
        let cursors = cursors.map(|(number, epoch)| IdCursor::new(number, epoch, self.spill));
        let mut merge = Merge::new(cursors)?;
        let (mut text, mut latest) = (Vec::new(), None);
        while let Some(first) = merge.first() {
            let id = match latest {
                Some((space, id)) if space == first.space && text == first.text() => id,
                _ => {
                    text.clear();
                    text.extend_from_slice(first.text());
                    let valid = std::str::from_utf8(&text).map_err(|_| broken())?;
                    dictionary.put(first.space, valid)?
                }
            };
            latest = Some((first.space, id));
            let writer = &mut numbers[first.epoch];
            writer.put(|out| out.extend_from_slice(&id.to_raw().to_le_bytes()))?;
            merge.advance()?;
        }
        let numbers: io::Result<Vec<Sequence>> =
            numbers.into_iter().map(SequenceWriter::finish).collect();
        let written = dictionary.finish()?;
        Ok((written.into_dictionary(spill), numbers?))
    }
}
