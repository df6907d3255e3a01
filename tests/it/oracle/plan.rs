//! Raw signals against the plan, one delivery after another.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::event::Event;
use super::settings::{Every, Settings};

const RETRY_MINUTES: i64 = 4 * 60;

/// One period of the plan.
#[derive(Clone, Debug)]
pub struct Period {
    pub label: String,
    /// In minutes since 1970, like `end`.
    pub start: i64,
    pub end: i64,
    pub raw_signals: u64,
    pub carried: u64,
    pub over: u64,
    pub lost: u64,
    pub reached: Option<i64>,
}

/// The outcome of all deliveries.
#[derive(Debug)]
pub struct Plan {
    pub periods: Vec<Period>,
    /// For each delivery, whether the service accepted it, at once or later.
    pub accepted: Vec<bool>,
    pub undated: u64,
}

impl Plan {
    /// Delivers `events`, which are all that are sent.
    pub fn new(events: &[Event], settings: &Settings) -> Self {
        let mut order: Vec<(i64, usize)> = events
            .iter()
            .enumerate()
            .filter_map(|(at, event)| Some((event.minute()?, at)))
            .collect();
        order.sort_by_key(|&(minute, at)| {
            let (time, received, signal_id) = events[at].key();
            (minute, received, time, signal_id)
        });
        let mut plan = Self {
            periods: periods(&order, settings),
            accepted: events.iter().map(|event| event.minute().is_none()).collect(),
            undated: events.iter().filter(|event| event.minute().is_none()).count() as u64,
        };
        plan.deliver(
            &order,
            if settings.raw_signals == 0 { u64::MAX } else { settings.raw_signals },
        );
        plan
    }

    fn deliver(&mut self, order: &[(i64, usize)], limit: u64) {
        // The deliveries refused in the previous period, with their minutes.
        let mut refused: Vec<(i64, usize)> = Vec::new();
        for period in &mut self.periods {
            let mut used = 0;
            for &(minute, at) in &refused {
                if used < limit && minute + RETRY_MINUTES >= period.start {
                    used += 1;
                    self.accepted[at] = true;
                }
            }
            period.carried = used;
            period.reached = (used == limit).then_some(period.start);
            refused.clear();
            let range = period.start..period.end;
            for &(minute, at) in order.iter().filter(|(minute, _)| range.contains(minute)) {
                period.raw_signals += 1;
                if used < limit {
                    used += 1;
                    self.accepted[at] = true;
                    if used == limit {
                        period.reached = Some(minute);
                    }
                } else {
                    period.over += 1;
                    refused.push((minute, at));
                }
            }
        }
        // Segment also retries after the end of the last period, when the limit is reset.
        if let Some(period) = self.periods.last() {
            let in_time = refused.iter().filter(|(minute, _)| minute + RETRY_MINUTES >= period.end);
            for &(_, at) in in_time.take(usize::try_from(limit).unwrap_or(usize::MAX)) {
                self.accepted[at] = true;
            }
        }
        for &(minute, _) in order.iter().filter(|&&(_, at)| !self.accepted[at]) {
            let period = self.periods.iter_mut().find(|period| period.contains(minute));
            period.unwrap().lost += 1;
        }
    }

    /// Returns the index of the period in which `event` counts.
    pub fn period_of(&self, event: &Event) -> Option<usize> {
        let minute = event.minute()?;
        self.periods.iter().position(|period| period.contains(minute))
    }
}

impl Period {
    fn contains(&self, minute: i64) -> bool {
        (self.start..self.end).contains(&minute)
    }
}

/// Returns the periods from the first delivery to the last.
fn periods(order: &[(i64, usize)], settings: &Settings) -> Vec<Period> {
    let zone = TimeZone::get(settings.timezone).unwrap();
    let date_of = |minute: i64| {
        let date = zone.to_datetime(Timestamp::from_second(minute * 60).unwrap()).date();
        match settings.period {
            Every::Month => date.first_of_month(),
            Every::Day => date,
        }
    };
    let start_of =
        |date: Date| zone.to_timestamp(date.at(0, 0, 0, 0)).unwrap().as_second().div_euclid(60);
    let (Some(first), Some(last)) = (order.first(), order.last()) else { return Vec::new() };
    let (mut date, last) = (date_of(first.0), date_of(last.0));
    let mut periods = Vec::new();
    while date <= last {
        let (next, label) = match settings.period {
            Every::Month => (date + 1.month(), date.strftime("%Y-%m").to_string()),
            Every::Day => (date + 1.day(), date.strftime("%Y-%m-%d").to_string()),
        };
        periods.push(Period {
            label,
            start: start_of(date),
            end: start_of(next),
            raw_signals: 0,
            carried: 0,
            over: 0,
            lost: 0,
            reached: None,
        });
        date = next;
    }
    periods
}

/// Returns the light of `count` against `limit`, where 0 is unlimited.
pub fn light(count: u64, limit: u64) -> &'static str {
    match count * 100 / limit.max(1) {
        _ if limit == 0 => "green",
        0..80 => "green",
        80..100 => "amber",
        _ => "red",
    }
}

/// Returns the number of users that Segment would bill for events with these anonymous and user
/// ids: the distinct user ids, and the anonymous ids that never came with a user id.
pub fn tracked_users(events: &[(Option<String>, Option<String>)]) -> usize {
    let users = events.iter().filter_map(|(_, user)| user.as_ref()).collect::<BTreeSet<_>>();
    let known = |id: &String| {
        events.iter().any(|(other, user)| other.as_ref() == Some(id) && user.is_some())
    };
    let anonymous = events.iter().filter_map(|(id, _)| id.as_ref());
    let unknown = anonymous.filter(|id| !known(id)).collect::<BTreeSet<_>>();
    users.len() + unknown.len()
}
