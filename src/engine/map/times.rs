//! When an event happened and when it was received, and what is wrong with its times.

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

/// How much is shown of a text that is no time, in characters.
const SHOWN_CHARS: usize = 60;

/// What is made of clients' clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clocks {
    /// They are believed.
    #[default]
    AsSent,
    /// Times are set right by the clock of whoever received them: `receivedAt - (sentAt -
    /// originalTimestamp)`, as Segment's servers do (Segment Spec, "Timestamps"). An event that has
    /// been through these has both an `originalTimestamp` and a `timestamp`, and stays as it is.
    Corrected,
}

/// What is counted about the times of events.
#[derive(Debug, Default)]
pub struct TimeCounts {
    /// Events without a usable time.
    pub missing: Examples<()>,
    /// Values in the place of a time that are none.
    pub unreadable: Examples<Unreadable>,
    /// Events whose time, or that of their receipt, had no offset and was taken as UTC.
    pub naive: u64,
    /// Events whose time no event can have.
    pub implausible: Examples<Time>,
    /// Events whose own time was more than a day after they were received.
    pub clock_skew: u64,
    /// Events whose time was set right.
    pub corrected: u64,
}

/// A value in the place of a time that is none.
#[derive(Clone, Debug)]
pub struct Unreadable {
    /// The member that it is.
    pub member: Member,
    /// The value, cut short, without addresses and secrets.
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

/// Tells the times of events; one for each worker.
#[derive(Debug, Default)]
pub struct EventClock {
    reader: TimeReader,
    canonical: Canonical,
    /// What it has seen so far.
    pub counts: TimeCounts,
}

impl EventClock {
    /// When `event`, which stands at `at`, happened and when it was received. Its capture says that
    /// it was delivered at `captured_at`; of what is shown, the secrets of `engine` are hidden.
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

    /// The time of an event that its client's clock put at `own`, by the clock of the receiver.
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

    /// The time of an event whose `own` it is, unless its clock was wrong.
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

    /// The time that `member` is, if the event has one.
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

/// The beginning of `text`, without addresses and secrets.
fn shown(text: &str, auth: &Auth) -> String {
    let masked = masked(&excerpt::secrets(text, auth));
    let mut chars = masked.chars();
    let mut shown: String = chars.by_ref().take(SHOWN_CHARS).collect();
    if chars.next().is_some() {
        shown.push('…');
    }
    shown
}
