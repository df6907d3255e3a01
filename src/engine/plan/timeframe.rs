//! The divisions of time that signals are counted by.

use super::{Ledger, Spans, Terms, Volume};

/// The periods of a plan, and the spans of a history.
#[derive(Clone, Debug)]
pub struct Timeframe {
    /// The usage of the periods of the plan.
    pub ledger: Ledger,
    /// The spans of the history.
    pub spans: Spans,
}

impl Timeframe {
    /// Divides the time of `volume` under `terms`.
    pub fn new(volume: &Volume, terms: &Terms) -> Self {
        let ledger = Ledger::new(volume, terms);
        Self { ledger, spans: Spans::new(&[volume], &terms.calendar) }
    }
}
