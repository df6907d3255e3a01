//! What signals are counted by as time goes on.

use super::{Ledger, Spans, Terms, Volume};

/// The periods of a plan and the spans of a history.
#[derive(Clone, Debug)]
pub struct Timeframe {
    /// The periods of the plan, settled.
    pub ledger: Ledger,
    /// The spans of the history.
    pub spans: Spans,
}

impl Timeframe {
    /// The time that `volume` takes under `terms`.
    pub fn new(volume: &Volume, terms: &Terms) -> Self {
        let ledger = Ledger::new(volume, terms);
        Self { ledger, spans: Spans::new(&[volume], &terms.calendar) }
    }
}
