//! The raw signals of a period by kind.

use std::ops::AddAssign;

use schemars::JsonSchema;
use serde::Serialize;

/// Raw signals by what became of them; each counts in exactly one member, the first that fits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct PeriodMix {
    /// Copies of an event that had arrived before, of any call type.
    pub duplicates: u64,
    /// Identify calls.
    pub identifies: u64,
    /// Signals that a rule maps.
    pub mapped: u64,
    /// Signals that no rule maps.
    pub unmapped: u64,
    /// Group and alias calls.
    pub other: u64,
}

impl PeriodMix {
    /// All raw signals of the mix.
    pub fn total(&self) -> u64 {
        self.duplicates + self.identifies + self.mapped + self.unmapped + self.other
    }
}

impl AddAssign for PeriodMix {
    fn add_assign(&mut self, other: Self) {
        self.duplicates += other.duplicates;
        self.identifies += other.identifies;
        self.mapped += other.mapped;
        self.unmapped += other.unmapped;
        self.other += other.other;
    }
}
