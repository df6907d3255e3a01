//! The time of an event and of its receipt, and problems with these.

use std::ops::AddAssign;

use super::example::{Examples, Position};
use crate::diagnostic::masked;
use crate::engine::Engine;
use crate::engine::map::write_text;
use crate::event::{Event, Member};
use crate::json::Json;
use crate::json::canonical::Canonical;
use crate::parse::auth::Auth;
use crate::parse::excerpt;
use crate::time::{DAY_MS, Stamp, Time, TimeReader, Zone};

/// The number of characters shown of an unreadable time.
const SHOWN_CHARS: usize = 60;

/// How the clocks of clients are treated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clocks {
    /// Times are used as they were sent.
    #[default]
    AsSent,
    /// Times are corrected by the clock of the receiver: `receivedAt - (sentAt -
    /// originalTimestamp)`, as Segment's servers do (Segment Spec, "Timestamps"). Events that
    /// Segment's servers have corrected, which have both an `originalTimestamp` and a `timestamp`,
    /// are left unchanged.
    Corrected,
}

/// Counts of problems with the times of events.
#[derive(Debug, Default)]
pub struct TimeCounts {
    /// Events without a usable time.
    pub missing: Examples<()>,
    /// Values of time members that are not times.
    pub unreadable: Examples<Unreadable>,
    /// Events whose time or receipt time has no offset and is taken as UTC.
    pub naive: u64,
    /// Events with a time that no event can have.
    pub implausible: Examples<Time>,
    /// Events with a time more than a day after their receipt.
    pub clock_skew: u64,
    /// Events whose time was corrected.
    pub corrected: u64,
}

/// A value of a time member that is not a time.
#[derive(Clone, Debug)]
pub struct Unreadable {
    /// The member.
    pub member: Member,
    /// The value, truncated, with addresses and secrets masked.
    pub value: Box<str>,
}

impl AddAssign for TimeCounts {
    fn add_assign(&mut self, other: Self) {
        self.missing += other.missing;
        self.unreadable += other.unreadable;
        self.naive += other.naive;
        self.implausible += other.implausible;
        self.clock_skew += other.clock_skew;
        self.corrected += other.corrected;
    }
}

/// Reads the times of events and counts problems. Each worker has its own.
#[derive(Debug, Default)]
pub struct EventClock {
    reader: TimeReader,
    canonical: Canonical,
    /// The counts so far.
    pub counts: TimeCounts,
}

impl EventClock {
    /// Returns when `event`, at position `at`, happened and when it was received. `captured_at` is
    /// the time of delivery according to its capture. Secrets of `engine` are masked in examples.
    #[inline]
    pub fn read(
        &mut self,
        event: &Event<'_>,
        captured_at: Time,
        at: Position,
        engine: &Engine,
    ) -> (Time, Time) {
        let auth = &engine.auth;
        let mut read = |member| self.stamp(event, member, at, auth);
        let received = read(Member::ReceivedAt);
        let own = read(Member::Timestamp)
            .or_else(|| read(Member::OriginalTimestamp))
            .or_else(|| read(Member::SentAt));
        let is_naive =
            |stamp: Option<Stamp>| stamp.is_some_and(|stamp| stamp.zone == Zone::Assumed);
        self.counts.naive += u64::from(is_naive(received) || is_naive(own));
        let received = received.map_or(captured_at, |stamp| stamp.time);
        let mut own = own.map_or(received, |stamp| stamp.time);
        if engine.clocks == Clocks::Corrected {
            own = self.corrected(event, own, received);
        }
        (self.judge(own, received, at), received)
    }

    /// Returns the time `own` of the client's clock, corrected by the clock of the receiver.
    fn corrected(&mut self, event: &Event<'_>, own: Time, received: Time) -> Time {
        let (timestamp, original) =
            (event.get(Member::Timestamp), event.get(Member::OriginalTimestamp));
        if timestamp.is_some() == original.is_some() {
            return own;
        }
        let sent = event.get(Member::SentAt).and_then(|sent| self.reader.read(sent));
        let corrected = sent.zip(received.millis()).and_then(|(sent, received)| {
            Time::from_millis(received - (sent.time.millis()? - own.millis()?))
        });
        self.counts.corrected += u64::from(corrected.is_some());
        corrected.unwrap_or(own)
    }

    /// Returns the time of the event: `own`, unless it is more than a day after `received`.
    #[inline]
    fn judge(&mut self, own: Time, received: Time, at: Position) -> Time {
        match (own.millis(), received.millis()) {
            (Some(millis), Some(received_millis)) if millis - received_millis > DAY_MS => {
                self.counts.clock_skew += 1;
                return received;
            }
            (None, _) => self.counts.missing.see(at, || ()),
            _ if !own.is_plausible() => self.counts.implausible.see(at, || own),
            _ => {}
        }
        own
    }

    /// Reads the time at `member`, if the event has one.
    #[inline]
    fn stamp(
        &mut self,
        event: &Event<'_>,
        member: Member,
        at: Position,
        auth: &Auth,
    ) -> Option<Stamp> {
        let value = event.get(member)?;
        let stamp = self.reader.read(value);
        if stamp.is_none() {
            self.unreadable(member, value, at, auth);
        }
        stamp
    }

    #[cold]
    fn unreadable(&mut self, member: Member, value: Json<'_>, at: Position, auth: &Auth) {
        if value.as_str().is_some_and(|text| text.trim().is_empty()) {
            return;
        }
        let Self { canonical, counts, .. } = self;
        counts.unreadable.see(at, || {
            let mut text = Vec::new();
            write_text(Some(value), canonical, &mut text);
            Unreadable { member, value: shown(&String::from_utf8_lossy(&text), auth).into() }
        });
    }
}

/// Returns the beginning of `text`, with addresses and secrets masked.
fn shown(text: &str, auth: &Auth) -> String {
    let masked = masked(&excerpt::secrets(text, auth));
    let mut chars = masked.chars();
    let mut shown: String = chars.by_ref().take(SHOWN_CHARS).collect();
    if chars.next().is_some() {
        shown.push('…');
    }
    shown
}
