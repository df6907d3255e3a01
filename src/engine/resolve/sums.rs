//! Sums over the leads, once they are scored.

use crate::engine::Engine;
use crate::engine::lead::{Ranked, Ranking, RuleTerms};

/// Sums over the leads.
#[derive(Clone, Copy, Debug, Default)]
pub struct LeadSums {
    /// All.
    pub total: u64,
    /// Those with signals.
    pub with_signals: u64,
    /// The lowest score.
    pub min_score: i64,
    /// The highest score.
    pub max_score: i64,
    /// All scores.
    pub total_score: i64,
}

/// What scores depend on, by rule.
pub fn rule_terms(engine: &Engine) -> Vec<RuleTerms<'_>> {
    let terms = engine.rules.rules.iter().map(|rule| RuleTerms {
        score: rule.score,
        limit: rule.limit,
        signal: rule.signal.as_deref(),
    });
    terms.collect()
}

/// Sums over `ranked`, and for each of so many periods, how many leads have a signal in it.
pub fn sum_leads(ranked: &Ranking<'_>, periods: usize) -> (LeadSums, Vec<u64>) {
    let mut active = vec![0; periods];
    let (mut with_signals, mut total_score) = (0, 0);
    let (mut min_score, mut max_score) = (None, None);
    for Ranked { lead, score, .. } in ranked.iter() {
        with_signals += u64::from(lead.signals > 0);
        total_score += i128::from(score);
        min_score = Some(min_score.map_or(score, |min| score.min(min)));
        max_score = max_score.max(Some(score));
        for &period in lead.periods() {
            if let Some(count) = active.get_mut(period as usize) {
                *count += 1;
            }
        }
    }
    let sums = LeadSums {
        total: ranked.len() as u64,
        with_signals,
        min_score: min_score.unwrap_or(0),
        max_score: max_score.unwrap_or(0),
        total_score: clamp(total_score),
    };
    (sums, active)
}

/// The nearest that 64 bits hold.
fn clamp(sum: i128) -> i64 {
    i64::try_from(sum).unwrap_or(if sum < 0 { i64::MIN } else { i64::MAX })
}
