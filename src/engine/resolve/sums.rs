//! Sums over all scored leads.

use crate::engine::Engine;
use crate::engine::lead::{Ranked, RuleTerms, ScoreCounts};

/// Sums over all leads.
#[derive(Clone, Copy, Debug, Default)]
pub struct LeadSums {
    /// The number of leads.
    pub total: u64,
    /// The number of leads with signals.
    pub with_signals: u64,
    /// The lowest score.
    pub min_score: i64,
    /// The highest score.
    pub max_score: i64,
    /// The sum of the scores.
    pub total_score: i64,
    /// Leads by score.
    pub by_score: ScoreCounts,
}

/// Returns what scores depend on, by rule.
pub fn rule_terms(engine: &Engine) -> Vec<RuleTerms<'_>> {
    let terms = engine.rules.rules.iter().map(|rule| RuleTerms {
        score: rule.score,
        limit: rule.limit,
        signal: rule.signal.as_deref(),
    });
    terms.collect()
}

/// Adds up leads.
#[derive(Debug)]
pub struct LeadCounter {
    total: u64,
    with_signals: u64,
    min_score: Option<i64>,
    max_score: Option<i64>,
    total_score: i128,
    by_score: ScoreCounts,
    active: Vec<u64>,
}

impl LeadCounter {
    /// Creates a counter without leads, for `periods` periods.
    pub fn new(periods: usize) -> Self {
        Self {
            total: 0,
            with_signals: 0,
            min_score: None,
            max_score: None,
            total_score: 0,
            by_score: ScoreCounts::default(),
            active: vec![0; periods],
        }
    }

    /// Adds a lead.
    pub fn see(&mut self, ranked: &Ranked<'_>) {
        let score = ranked.score;
        self.total += 1;
        self.with_signals += u64::from(ranked.lead.signals > 0);
        self.total_score += i128::from(score);
        self.by_score.count(score);
        self.min_score = Some(self.min_score.map_or(score, |min| min.min(score)));
        self.max_score = self.max_score.max(Some(score));
        for &period in ranked.lead.periods() {
            if let Some(count) = self.active.get_mut(period as usize) {
                *count += 1;
            }
        }
    }

    /// Returns the sums, and for each period the number of leads with a signal in it.
    pub fn finish(self) -> (LeadSums, Vec<u64>) {
        let sums = LeadSums {
            total: self.total,
            with_signals: self.with_signals,
            min_score: self.min_score.unwrap_or(0),
            max_score: self.max_score.unwrap_or(0),
            total_score: clamp(self.total_score),
            by_score: self.by_score,
        };
        (sums, self.active)
    }
}

/// Converts `sum` to 64 bits, saturating at the bounds.
fn clamp(sum: i128) -> i64 {
    i64::try_from(sum).unwrap_or(if sum < 0 { i64::MIN } else { i64::MAX })
}
