//! What the limit of the plan does to events: which of them the service would have lost.

use std::collections::BTreeMap;

use crate::engine::Engine;
use crate::engine::identity::fact::OrderKey;
use crate::engine::plan::{Ledger, Terms, Verdict, Volume};
use crate::time::Time;

/// The order in which events of one minute are taken: by received time, then event time, then
/// content hash.
type Order = (Time, Time, u128);

/// The plan, settled over the raw signals of the whole input.
#[derive(Debug)]
pub struct Limit {
    ledger: Ledger,
    is_limited: bool,
}

/// Events in minutes of which the service takes only the first few.
#[derive(Debug, Default)]
pub struct Contenders(Vec<(i64, Order)>);

/// Of each such minute the last event that is taken.
#[derive(Debug, Default)]
pub struct LastTaken(BTreeMap<i64, Order>);

impl Limit {
    /// What `terms` make of `volume`.
    pub fn new(volume: &Volume, terms: &Terms) -> Self {
        Self { ledger: Ledger::new(volume, terms), is_limited: terms.raw_signals.is_some() }
    }

    /// The plan.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Whether the service would have lost the event of `key`; `None` of one that does not count,
    /// and where nothing is limited.
    pub fn loses(&self, key: OrderKey, engine: &Engine, last_taken: &LastTaken) -> Option<bool> {
        let minute = minute_of(key, engine)?;
        let is_lost = match self.ledger.verdict(minute) {
            Verdict::Accepted => false,
            Verdict::Lost => true,
            Verdict::Partial { .. } => {
                last_taken.0.get(&minute).is_some_and(|last| order(key) > *last)
            }
        };
        self.is_limited.then_some(is_lost)
    }
}

impl Contenders {
    /// Notes the event of `key` if it is in such a minute.
    #[inline]
    pub fn see(&mut self, key: OrderKey, limit: &Limit, engine: &Engine) {
        if let Some(minute) = minute_of(key, engine)
            && matches!(limit.ledger.verdict(minute), Verdict::Partial { .. })
        {
            self.0.push((minute, order(key)));
        }
    }

    /// Adds those that another worker noted.
    pub fn absorb(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    /// Decides about them.
    pub fn settle(mut self, limit: &Limit) -> LastTaken {
        self.0.sort_unstable();
        let minutes = self.0.chunk_by(|a, b| a.0 == b.0);
        let last = minutes.filter_map(|events| {
            let minute = events[0].0;
            let Verdict::Partial { accepted } = limit.ledger.verdict(minute) else { return None };
            let last = usize::try_from(accepted).unwrap_or(usize::MAX).checked_sub(1)?;
            Some((minute, events.get(last).or(events.last())?.1))
        });
        LastTaken(last.collect())
    }
}

/// The minute in which an event counts.
fn minute_of(key: OrderKey, engine: &Engine) -> Option<i64> {
    let arrived = key.received.or(key.time);
    if engine.counts(arrived) { Volume::minute_of(arrived) } else { None }
}

fn order(key: OrderKey) -> Order {
    (key.received, key.time, key.signal_id)
}
