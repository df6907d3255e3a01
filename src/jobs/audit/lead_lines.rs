//! The leads of a scenario as an audit compares them: by e-mail, on disk if they are many.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::path::PathBuf;

use super::summary::LISTED;
use crate::engine::exchange::bytes::{put_text, take, take_text, take_u64};
use crate::engine::exchange::runs::{MergedRuns, Record, write_run};
use crate::engine::exchange::sequence::{Sequence, piece_bytes};
use crate::engine::exchange::spill::Spill;

/// The number of runs that can be read at once in a part of the budget; more are not expected.
const RUNS: usize = 64;
/// The minimum memory for a list; with less, there would be many runs.
const LEAST_BYTES: usize = 64 << 10;

/// The values of a lead that an audit compares.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeadLine {
    /// The e-mail of the lead.
    pub email: Box<str>,
    /// The score of the lead.
    pub score: i64,
    /// The number of signals of the lead.
    pub signals: u64,
}

/// Leads with different e-mails.
#[derive(Debug)]
pub struct LeadLines {
    spill: Spill,
    budget_bytes: usize,
    /// Those in memory, sorted at the end.
    lines: Vec<LeadLine>,
    /// What they take.
    bytes: usize,
    /// The others, sorted.
    runs: Vec<Sequence>,
}

impl LeadLines {
    /// Creates an empty list. Up to about `budget_bytes` of it are kept in memory, more in a file in
    /// `dir`.
    pub fn new(dir: PathBuf, budget_bytes: usize) -> Self {
        let (spill, budget_bytes) = (Spill::new(dir, 0), budget_bytes.max(LEAST_BYTES));
        Self { spill, budget_bytes, lines: Vec::new(), bytes: 0, runs: Vec::new() }
    }

    /// Adds a lead.
    ///
    /// # Errors
    /// Returns an error if leads cannot be written to disk.
    pub fn put(&mut self, line: LeadLine) -> io::Result<()> {
        // A list that grows takes up to twice as much as its items.
        self.bytes += line.email.len() + 2 * size_of::<LeadLine>();
        self.lines.push(line);
        if self.bytes > self.budget_bytes { self.spill() } else { Ok(()) }
    }

    fn spill(&mut self) -> io::Result<()> {
        self.lines.sort_unstable();
        let piece_bytes = piece_bytes(self.budget_bytes, RUNS);
        self.runs.push(write_run(&self.lines, &self.spill, piece_bytes)?);
        (self.lines, self.bytes) = (Vec::new(), 0);
        Ok(())
    }

    /// Puts the leads in order after the last one.
    pub fn finish(&mut self) {
        self.lines.sort_unstable();
    }

    /// Calls `see` with each lead in the order of their e-mails.
    ///
    /// # Errors
    /// Returns an error if leads cannot be read back.
    pub fn each(&self, mut see: impl FnMut(&LeadLine)) -> io::Result<()> {
        let mut lines = self.merge()?;
        while let Some(line) = lines.first() {
            see(line);
            lines.advance()?;
        }
        Ok(())
    }

    fn merge(&self) -> io::Result<MergedRuns<'_, LeadLine>> {
        MergedRuns::new(&self.runs, &self.spill, &self.lines)
    }
}

impl Record for LeadLine {
    fn write(&self, out: &mut Vec<u8>) {
        put_text(&self.email, out);
        out.extend_from_slice(&self.score.to_le_bytes());
        out.extend_from_slice(&self.signals.to_le_bytes());
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let email = take_text(bytes)?.into();
        let score = take(bytes).map(i64::from_le_bytes)?;
        Some(Self { email, score, signals: take_u64(bytes)? })
    }

    fn is_before(&self, other: &Self) -> bool {
        self.email < other.email
    }
}

/// The difference between the leads of two scenarios.
#[derive(Debug, Default)]
pub struct Comparison {
    /// The number of leads that only the first scenario contains.
    pub lost: u64,
    /// The number of leads that only the second scenario contains.
    pub gained: u64,
    /// The number of leads with a lower score in the second scenario.
    pub lowered: u64,
    lost_leads: BinaryHeap<(Reverse<i64>, LeadLine)>,
    lowered_leads: BinaryHeap<(i64, LeadLine, i64)>,
}

impl Comparison {
    /// Compares the leads of two scenarios.
    ///
    /// # Errors
    /// Returns an error if leads cannot be read back.
    pub fn new(before: &LeadLines, after: &LeadLines) -> io::Result<Self> {
        let mut comparison = Self::default();
        let mut afters = after.merge()?;
        let mut befores = before.merge()?;
        while let Some(lead) = befores.first() {
            while let Some(other) = afters.first()
                && other.is_before(lead)
            {
                comparison.gained += 1;
                afters.advance()?;
            }
            match afters.first() {
                Some(other) if other.email == lead.email => {
                    comparison.both(lead, other.score);
                    afters.advance()?;
                }
                _ => comparison.lose(lead),
            }
            befores.advance()?;
        }
        while afters.first().is_some() {
            comparison.gained += 1;
            afters.advance()?;
        }
        Ok(comparison)
    }

    fn lose(&mut self, lead: &LeadLine) {
        self.lost += 1;
        keep(&mut self.lost_leads, (Reverse(lead.score), lead.clone()));
    }

    fn both(&mut self, before: &LeadLine, score: i64) {
        if score < before.score {
            self.lowered += 1;
            let change = score.saturating_sub(before.score);
            keep(&mut self.lowered_leads, (change, before.clone(), score));
        }
    }

    /// Returns the lost leads with the highest scores, up to `LISTED`.
    pub fn lost_leads(&self) -> Vec<LeadLine> {
        let sorted = self.lost_leads.clone().into_sorted_vec();
        sorted.into_iter().map(|(_, lead)| lead).collect()
    }

    /// Returns the leads with the largest losses of score, up to `LISTED`, each with its new score.
    pub fn lowered_leads(&self) -> Vec<(LeadLine, i64)> {
        let sorted = self.lowered_leads.clone().into_sorted_vec();
        sorted.into_iter().map(|(_, lead, score)| (lead, score)).collect()
    }
}

/// Adds `item` to the smallest ones.
fn keep<T: Ord>(smallest: &mut BinaryHeap<T>, item: T) {
    smallest.push(item);
    if smallest.len() > LISTED {
        smallest.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(dir: &std::path::Path, budget_bytes: usize, leads: &[(u32, i64)]) -> LeadLines {
        let mut lines = LeadLines::new(dir.to_owned(), budget_bytes);
        // By score, as a ranking gives them.
        let mut leads = leads.to_vec();
        leads.sort_by_key(|&(_, score)| Reverse(score));
        for (number, score) in leads {
            let email = format!("{number:05}@acme.example").into();
            lines.put(LeadLine { email, score, signals: u64::from(number) }).unwrap();
        }
        lines.finish();
        lines
    }

    #[test]
    fn leads_are_compared_by_their_emails_in_memory_and_on_disk() {
        let dir = tempfile::tempdir().unwrap();
        let before: Vec<_> = (0..3000_u32).map(|n| (n * 2, i64::from(n % 7))).collect();
        let after: Vec<_> = (0..2000_u32).map(|n| (n * 3, i64::from(n % 5))).collect();
        for budget_bytes in [0, 5000, usize::MAX] {
            let [one, other] = [&before, &after].map(|all| lines(dir.path(), budget_bytes, all));
            assert_eq!(one.runs.is_empty(), budget_bytes == usize::MAX);
            let mut seen = Vec::new();
            one.each(|line| seen.push((line.signals, line.score))).unwrap();
            assert!(
                seen.into_iter()
                    .eq(before.iter().map(|&(number, score)| (u64::from(number), score)))
            );
            let found = Comparison::new(&one, &other).unwrap();
            let score_after =
                |number: u32| number.is_multiple_of(3).then(|| i64::from(number / 3 % 5));
            let lost: Vec<_> = before.iter().filter(|&&(n, _)| score_after(n).is_none()).collect();
            assert_eq!((found.lost, found.gained), (lost.len() as u64, 1000));
            let is_lower = |&&(n, score): &&(u32, i64)| score_after(n).is_some_and(|s| s < score);
            assert_eq!(found.lowered, before.iter().filter(is_lower).count() as u64);
            let mut expected: Vec<_> =
                lost.iter().map(|&&(n, score)| (Reverse(score), u64::from(n))).collect();
            expected.sort_unstable();
            let listed = found.lost_leads();
            assert_eq!(listed.len(), LISTED);
            let listed = listed.iter().map(|lead| (Reverse(lead.score), lead.signals));
            assert!(listed.eq(expected.into_iter().take(LISTED)));
            let lowered = found.lowered_leads();
            assert!(lowered.iter().all(|(lead, score)| *score < lead.score));
            let change = |(lead, score): &(LeadLine, i64)| (score - lead.score, lead.signals);
            assert!(lowered.iter().map(change).is_sorted());
        }
    }
}
