//! What a plan allows.

use super::Calendar;
use crate::rules::Plan;

/// The limits of a plan and the calendar they count by.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The plan's name.
    pub name: Option<String>,
    /// Raw signals in a period; `None` is unlimited.
    pub raw_signals: Option<u64>,
    /// Leads with a signal in a period; `None` is unlimited.
    pub active_leads: Option<u64>,
    /// Where periods begin.
    pub calendar: Calendar,
}

impl From<&Plan> for Terms {
    /// The plan of a rules file, where 0 is unlimited.
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
    /// No limits, by months in UTC.
    fn default() -> Self {
        Self::from(&Plan::default())
    }
}

#[cfg(test)]
impl Terms {
    /// So many raw signals, 0 for any number, in each period of the time zone `timezone`.
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
