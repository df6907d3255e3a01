//! A synthetic event history of any length: the same [`Plan`] always gives the same history, and
//! memory does not grow with its length.
//!
//! Visitors arrive, produce about eight events in one or two sessions, and leave; three in ten
//! identify themselves, and some of these have a second device. Three events in a hundred are
//! delivered again a little later. Everything about a visitor is derived from their number, so only
//! active visitors are kept.

// Numbers are deliberately reduced to a range here, and are far from the limits of their types.
#![allow(clippy::cast_possible_truncation)]

mod random;
mod render;
pub mod vocabulary;

use random::{Random, mix};
use vocabulary::PAGES;

/// 2025-01-01T00:00:00Z in milliseconds.
const START_MS: u64 = 1_735_689_600_000;
/// Half a year in milliseconds.
const SPAN_MS: u64 = 181 * 86_400_000;
/// The number of recent events that can be delivered again.
const RECENT: usize = 512;
/// The maximum number of visitors that are active at the same time.
const ACTIVE_MAX: u64 = 1 << 16;

/// The average size of an event without filler text, in bytes.
pub const BARE_BYTES: usize = 1064;
/// The position of the seed and of the part in a visitor's number.
const SEED_SHIFT: u32 = 56;
const PART_SHIFT: u32 = 40;

/// The parameters of a history.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The number of events, including redeliveries.
    pub events: u64,
    /// The seed: histories with different seeds have different events.
    pub seed: u64,
    /// The approximate number of visitors.
    pub visitors: u64,
    /// The number of distinct names of track events.
    pub names: usize,
    /// The average size of an event, including its newline, in bytes; at least [`BARE_BYTES`].
    pub bytes: usize,
    /// The part, from 0, and the number of parts: each is a slice of the time with separate
    /// visitors.
    pub part: (u64, u64),
}

impl Plan {
    /// Returns a plan for `events` events with the default parameters: eight for each visitor,
    /// forty names, 1,100 bytes, one part.
    pub fn of(events: u64) -> Self {
        Self { events, seed: 1, visitors: events / 8, names: 40, bytes: 1100, part: (0, 1) }
    }
}

/// The calls that occur in the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Identify,
    Track,
    Page,
    Screen,
    Group,
}

/// All values of one event; rendering it twice gives the same bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draft {
    call: Call,
    seed: u64,
    visitor: u64,
    second_device: bool,
    signed_in: bool,
    session: u64,
    landing: bool,
    page: usize,
    previous: usize,
    name: usize,
    /// The size of the filler text, in bytes.
    words: usize,
    /// The time of the event by the device's clock.
    original_ms: u64,
    sent_ms: u64,
    received_ms: u64,
}

/// An active visitor.
#[derive(Clone, Copy, Debug, Default)]
struct Visitor {
    number: u64,
    left: u64,
    done: u64,
    session: u64,
    page: usize,
    signed_in: bool,
}

/// Generates the events of a [`Plan`], one after the other.
pub struct History {
    random: Random,
    active: Vec<Visitor>,
    recent: Vec<Draft>,
    left: u64,
    clock_us: u64,
    gap_us: u64,
    next_visitor: u64,
    mean_events: u64,
    names: u64,
    words: u64,
}

impl History {
    /// Creates the generator, positioned before the first event.
    pub fn new(plan: &Plan) -> Self {
        let (part, parts) = (plan.part.0, plan.part.1.max(1));
        let events = share(plan.events, part, parts);
        let visitors = share(plan.visitors, part, parts).max(1);
        let span_ms = SPAN_MS / parts;
        Self {
            random: Random::new(mix(plan.seed) ^ part),
            active: vec![Visitor::default(); (visitors / 4).clamp(1, ACTIVE_MAX) as usize],
            recent: Vec::with_capacity(RECENT),
            left: events,
            clock_us: (START_MS + span_ms * part) * 1000,
            gap_us: span_ms * 1000 / events.max(1),
            // Different seeds and parts have different visitors.
            next_visitor: mix(plan.seed) << SEED_SHIFT | part << PART_SHIFT,
            mean_events: (events / visitors).max(1),
            names: plan.names.max(1) as u64,
            words: plan.bytes.saturating_sub(BARE_BYTES) as u64,
        }
    }

    /// Appends the next event and a newline to `out`; returns `false` and appends nothing after the
    /// last event.
    pub fn write_next(&mut self, out: &mut Vec<u8>) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        self.clock_us += self.random.below(2 * self.gap_us + 1);
        let draft = if !self.recent.is_empty() && self.random.percent(3) {
            self.redelivery()
        } else {
            let draft = self.event();
            self.remember(draft);
            draft
        };
        render::event(&draft, out);
        true
    }

    /// Keeps `draft` for redelivery, in place of an older event.
    fn remember(&mut self, draft: Draft) {
        if self.recent.len() < RECENT {
            self.recent.push(draft);
        } else {
            let place = self.random.below(RECENT as u64) as usize;
            self.recent[place] = draft;
        }
    }

    /// Returns a recent event with later times of sending and receipt.
    fn redelivery(&mut self) -> Draft {
        let mut draft = self.random.one_of(&self.recent);
        let now_ms = self.clock_us / 1000;
        let later_ms = now_ms.saturating_sub(draft.received_ms).max(1000);
        draft.sent_ms += later_ms;
        draft.received_ms += later_ms + self.random.below(40);
        draft
    }

    /// Returns the next event of a random active visitor.
    fn event(&mut self) -> Draft {
        let place = self.random.below(self.active.len() as u64) as usize;
        if self.active[place].left == 0 {
            self.active[place] = self.arrival();
        }
        let mut visitor = self.active[place];
        let seed = self.random.next();
        let person = Person::of(visitor.number);
        let landing = visitor.done == 0 || self.random.percent(15);
        visitor.session += u64::from(landing);
        let identify = person.identified && self.identifies(&visitor);
        visitor.signed_in |= identify;
        let call = if identify { Call::Identify } else { self.call(person, &visitor, landing) };
        let previous = visitor.page;
        if call == Call::Page {
            visitor.page = self.random.below(PAGES.len() as u64) as usize;
        }
        visitor.left -= 1;
        visitor.done += 1;
        self.active[place] = visitor;
        let received_ms = self.clock_us / 1000;
        let lag_ms = 120 + self.random.below(1200);
        let original_ms = received_ms - lag_ms - self.random.below(400);
        let second_device = person.two_devices && visitor.session.is_multiple_of(2);
        // A second device stays anonymous for some time.
        let anonymous = !visitor.signed_in || second_device && !identify && self.random.percent(40);
        Draft {
            call,
            seed,
            visitor: visitor.number,
            second_device,
            signed_in: !anonymous,
            session: visitor.session,
            landing,
            page: visitor.page,
            previous,
            name: self.name(),
            words: self.random.below(2 * self.words + 1) as usize,
            original_ms,
            sent_ms: original_ms + lag_ms,
            received_ms,
        }
    }

    /// Creates a new visitor: some have a single event, others have many.
    fn arrival(&mut self) -> Visitor {
        self.next_visitor += 1;
        let left = 1 + self.random.below(2 * self.mean_events - 1);
        Visitor { number: self.next_visitor, left, ..Visitor::default() }
    }

    /// Decides whether an identified visitor is identified by this event: once on the way, then by
    /// nearly every other event, as on sites that identify on each page load.
    fn identifies(&mut self, visitor: &Visitor) -> bool {
        let share = if visitor.signed_in { 45 } else { 40 };
        visitor.left == 1 && !visitor.signed_in || self.random.percent(share)
    }

    fn call(&mut self, person: Person, visitor: &Visitor, landing: bool) -> Call {
        match self.random.below(100) {
            0 if visitor.signed_in => Call::Group,
            _ if person.app => {
                if self.random.percent(60) {
                    Call::Screen
                } else {
                    Call::Track
                }
            }
            1..60 => Call::Page,
            _ if landing => Call::Page,
            _ => Call::Track,
        }
    }

    /// Returns the index of an event name; the first names are by far the most frequent.
    fn name(&mut self) -> usize {
        let within = self.random.below(self.names) + 1;
        self.random.below(within) as usize
    }
}

/// The constant properties of a visitor.
#[derive(Clone, Copy)]
struct Person {
    identified: bool,
    two_devices: bool,
    app: bool,
}

impl Person {
    fn of(number: u64) -> Self {
        let mut random = Random::new(number);
        let identified = random.percent(30);
        Self { identified, two_devices: identified && random.percent(20), app: random.percent(8) }
    }
}

/// Returns the size of part `part` of `parts`; the parts add up to `whole`.
fn share(whole: u64, part: u64, parts: u64) -> u64 {
    let up_to = |part: u64| (u128::from(whole) * u128::from(part) / u128::from(parts)) as u64;
    up_to(part + 1) - up_to(part)
}
