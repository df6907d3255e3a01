//! Sorted runs of leads on disk, and their merge.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;

use super::Lead;
use super::rank::Terms;
use crate::engine::exchange::bytes::take;
use crate::engine::exchange::spill::{Piece, Spill};
use crate::engine::identity::all_ids::{AllIds, TextOrder};
use crate::engine::identity::ids::NodeId;

/// The number of bytes of a run that are written, and read, at once.
const PIECE_BYTES: usize = 64 << 10;

/// The pieces of a run, whose leads are in the order of the table.
#[derive(Debug, Default)]
pub struct Run {
    pieces: Vec<Piece>,
    leads: usize,
}

/// Writes a run: for each lead its score, in eight bytes, and its part.
pub struct RunWriter<'a> {
    spill: &'a Spill,
    bytes: Vec<u8>,
    run: Run,
}

impl<'a> RunWriter<'a> {
    /// Creates an empty run in `spill`.
    pub fn new(spill: &'a Spill) -> Self {
        Self { spill, bytes: Vec::new(), run: Run::default() }
    }

    /// Appends a lead. Leads must be appended in the order of the table.
    ///
    /// # Errors
    /// Returns an error if the run cannot be written.
    pub fn put(&mut self, score: i64, email: NodeId, lead: &Lead) -> io::Result<()> {
        self.bytes.extend_from_slice(&score.to_le_bytes());
        lead.write(email, &mut self.bytes);
        self.run.leads += 1;
        if self.bytes.len() >= PIECE_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.bytes.is_empty() {
            self.run.pieces.push(self.spill.keep(&[&self.bytes])?);
            self.bytes.clear();
        }
        Ok(())
    }

    /// Returns the run.
    ///
    /// # Errors
    /// Returns an error if the last piece cannot be written.
    pub fn finish(mut self) -> io::Result<Run> {
        self.flush()?;
        Ok(self.run)
    }
}

/// All leads, in several runs.
#[derive(Debug)]
pub struct SortedRuns<'a> {
    spill: Spill,
    runs: Vec<Run>,
    ids: &'a AllIds,
    terms: Terms<'a>,
}

/// A lead read from a run.
#[derive(Debug)]
pub struct RunLead {
    /// The score.
    pub score: i64,
    /// The e-mail that names the lead.
    pub email: NodeId,
    /// The lead.
    pub lead: Lead,
}

impl<'a> SortedRuns<'a> {
    /// Creates the collection of `runs` in `spill`.
    pub fn new(spill: Spill, runs: Vec<Run>, terms: Terms<'a>, ids: &'a AllIds) -> Self {
        Self { spill, runs, ids, terms }
    }

    /// Returns the number of leads.
    pub fn len(&self) -> usize {
        self.runs.iter().map(|run| run.leads).sum()
    }

    /// Returns what the leads are scored by.
    pub fn terms(&self) -> &Terms<'a> {
        &self.terms
    }

    /// Returns all leads in the order of the table.
    ///
    /// # Errors
    /// Returns an error if the first lead of a run cannot be read.
    pub fn merge(&self) -> io::Result<Merge<'_>> {
        let cursor = |run| Cursor {
            spill: &self.spill,
            run,
            next: 0,
            buffer: Vec::new(),
            bytes: Vec::new(),
            at: 0,
        };
        let mut merge = Merge {
            ids: self.ids,
            cursors: self.runs.iter().map(cursor).collect(),
            heads: self.runs.iter().map(|_| None).collect(),
            order: BinaryHeap::new(),
        };
        for run in 0..self.runs.len() {
            merge.advance(run)?;
        }
        Ok(merge)
    }
}

/// The position up to which a run was read.
struct Cursor<'r> {
    spill: &'r Spill,
    run: &'r Run,
    /// The index of the piece after the one in `bytes`.
    next: usize,
    buffer: Vec<u8>,
    bytes: Vec<u8>,
    at: usize,
}

impl Cursor<'_> {
    fn next(&mut self) -> io::Result<Option<RunLead>> {
        if self.at == self.bytes.len() {
            let Some(piece) = self.run.pieces.get(self.next) else { return Ok(None) };
            let read = self.spill.read(piece, &mut self.buffer)?;
            self.bytes.clear();
            self.bytes.extend_from_slice(read);
            (self.next, self.at) = (self.next + 1, 0);
        }
        let mut rest = &self.bytes[self.at..];
        let lead = take(&mut rest).zip(Lead::read(&mut rest));
        self.at = self.bytes.len() - rest.len();
        let broken = || io::Error::other("a lead on disk is not as it was written");
        let (score, (email, lead)) = lead.ok_or_else(broken)?;
        Ok(Some(RunLead { score: i64::from_le_bytes(score), email, lead }))
    }
}

/// An iterator over the leads of several runs in the order of the table.
pub struct Merge<'r> {
    ids: &'r AllIds,
    cursors: Vec<Cursor<'r>>,
    /// The next lead of each run.
    heads: Vec<Option<RunLead>>,
    /// The order of the runs by their next leads.
    order: BinaryHeap<Reverse<(Reverse<i64>, TextOrder<'r>, usize)>>,
}

impl Merge<'_> {
    /// Returns the next lead, or `None` after the last.
    ///
    /// # Errors
    /// Returns an error if a lead cannot be read.
    pub fn next(&mut self) -> io::Result<Option<RunLead>> {
        let Some(Reverse((.., run))) = self.order.pop() else { return Ok(None) };
        let lead = self.heads[run].take();
        self.advance(run)?;
        Ok(lead)
    }

    fn advance(&mut self, run: usize) -> io::Result<()> {
        self.heads[run] = self.cursors[run].next()?;
        if let Some(head) = &self.heads[run] {
            self.order.push(Reverse((Reverse(head.score), self.ids.order(head.email), run)));
        }
        Ok(())
    }
}
