//! Counts by key that may not fit into memory.

use std::io;
use std::sync::Arc;

use super::bytes::{take, take_u64};
use super::runs::{MergedRuns, Record, write_run};
use super::sequence::{Sequence, piece_bytes};
use super::spill::Spill;
use crate::engine::counts::sum_up;

/// The size of a count in memory.
const ENTRY_BYTES: usize = size_of::<(u128, u64)>();
/// The number of counts up to which they are not sorted.
const FEW: usize = 1 << 10;
/// The number of runs that can be merged within the budget; more are not expected.
const RUNS: usize = 64;

/// Counts by key: some in memory, the others in sorted runs on disk.
#[derive(Debug)]
pub struct KeyCounts {
    spill: Arc<Spill>,
    budget_bytes: usize,
    counts: Vec<(u128, u64)>,
    /// The length of `counts` at which they are sorted.
    next: usize,
    runs: Vec<Sequence>,
}

impl KeyCounts {
    /// Creates empty counts. They take about `budget_bytes` of memory; the others are in `spill`.
    pub fn new(spill: Arc<Spill>, budget_bytes: usize) -> Self {
        Self { spill, budget_bytes, counts: Vec::new(), next: FEW, runs: Vec::new() }
    }

    /// Returns `true` if nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty() && self.runs.is_empty()
    }

    /// Adds `count` to the count of `key`.
    ///
    /// # Errors
    /// Returns an error if counts cannot be written to disk.
    #[inline]
    pub fn add(&mut self, key: u128, count: u64) -> io::Result<()> {
        self.counts.push((key, count));
        if self.counts.len() >= self.next { self.compact() } else { Ok(()) }
    }

    /// Adds the counts of `other`, which has the same spill.
    ///
    /// # Errors
    /// Returns an error if counts cannot be written to disk.
    pub fn absorb(&mut self, other: Self) -> io::Result<()> {
        self.runs.extend(other.runs);
        other.counts.into_iter().try_for_each(|(key, count)| self.add(key, count))
    }

    /// Sorts the counts in memory and adds up those of each key; writes them if they are still many.
    fn compact(&mut self) -> io::Result<()> {
        sum_up(&mut self.counts);
        let most = (self.budget_bytes / ENTRY_BYTES).max(FEW);
        if self.counts.len() > most / 2 {
            let piece_bytes = piece_bytes(self.budget_bytes, RUNS);
            self.runs.push(write_run(&self.counts, &self.spill, piece_bytes)?);
            self.counts.clear();
        }
        self.next = (self.counts.len() * 2).clamp(FEW, most);
        self.counts.reserve_exact(self.next - self.counts.len());
        Ok(())
    }

    /// Calls `see` with each key, in order, and its count.
    ///
    /// # Errors
    /// Returns an error if counts cannot be read back.
    pub fn each(&self, mut see: impl FnMut(u128, u64)) -> io::Result<()> {
        let mut rest = self.counts.clone();
        sum_up(&mut rest);
        let mut merged = MergedRuns::new(&self.runs, &self.spill, &rest)?;
        let mut open: Option<(u128, u64)> = None;
        while let Some(&(key, count)) = merged.first() {
            match &mut open {
                Some((same, sum)) if *same == key => *sum += count,
                _ => {
                    if let Some((key, sum)) = open.replace((key, count)) {
                        see(key, sum);
                    }
                }
            }
            merged.advance()?;
        }
        if let Some((key, sum)) = open {
            see(key, sum);
        }
        Ok(())
    }
}

impl Record for (u128, u64) {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0.to_le_bytes());
        out.extend_from_slice(&self.1.to_le_bytes());
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        Some((take(bytes).map(u128::from_le_bytes)?, take_u64(bytes)?))
    }

    fn is_before(&self, other: &Self) -> bool {
        self.0 < other.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn keys_are_counted_as_by_a_map_whether_or_not_they_fit() {
        let dir = tempfile::tempdir().unwrap();
        for (budget_bytes, keys) in [(0, 5000), (0, 300), (1 << 20, 5000), (100_000, 100_000)] {
            let spill = Arc::new(Spill::new(dir.path().to_owned(), 0));
            let counts = || KeyCounts::new(Arc::clone(&spill), budget_bytes);
            let (mut one, mut other, mut expected) = (counts(), counts(), BTreeMap::new());
            for number in 0..20_000_u64 {
                let key = u128::from(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) % keys) << 64;
                let some = if number % 3 == 0 { &mut one } else { &mut other };
                some.add(key, number % 5).unwrap();
                *expected.entry(key).or_insert(0) += number % 5;
                let most = (budget_bytes / ENTRY_BYTES).max(FEW);
                assert!(some.counts.capacity() <= most, "{}", some.counts.capacity());
            }
            one.absorb(other).unwrap();
            assert_eq!(one.runs.is_empty(), keys == 300 || budget_bytes == 1 << 20);
            let mut seen = Vec::new();
            one.each(|key, count| seen.push((key, count))).unwrap();
            assert_eq!(seen, expected.into_iter().collect::<Vec<_>>());
        }
    }
}
