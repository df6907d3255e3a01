//! The terms of a plan.

use super::Calendar;
use crate::rules::Plan;

/// The limits of a plan, and the calendar of its periods.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The name of the plan.
    pub name: Option<String>,
    /// The limit of raw signals in a period; `None` is unlimited.
    pub raw_signals: Option<u64>,
    /// The limit of leads with a signal in a period; `None` is unlimited.
    pub active_leads: Option<u64>,
    /// The calendar of the periods.
    pub calendar: Calendar,
}

impl From<&Plan> for Terms {
    /// Converts the plan of a rules file, in which 0 is unlimited.
    fn from(plan: &Plan) -> Self {
        let limit = |count: u64| (count > 0).then_some(count);
        Self {
            name: plan.name.clone(),
            raw_signals: limit(plan.raw_signals),
            active_leads: limit(plan.active_leads),
            calendar: Calendar::new(plan.timezone.clone(), plan.period),
        }
    }
}

impl Default for Terms {
    /// No limits, with the months of UTC as periods.
    fn default() -> Self {
        Self::from(&Plan::default())
    }
}

#[cfg(test)]
impl Terms {
    /// Creates terms with a limit of `raw_signals`, 0 for none, in each period of `timezone`.
    pub(super) fn of(raw_signals: u64, period: crate::rules::PeriodLength, timezone: &str) -> Self {
        let timezone = jiff::tz::TimeZone::get(timezone).unwrap();
        Self::from(&Plan { raw_signals, period, timezone, ..Plan::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_unlimited() {
        let terms = Terms::from(&Plan { active_leads: 5, ..Plan::default() });
        assert_eq!((terms.raw_signals, terms.active_leads), (None, Some(5)));
    }
}
