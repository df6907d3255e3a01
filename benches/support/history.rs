//! An invented event history of any length: the same for the same [`Plan`], in memory that does not
//! grow with it.
//!
//! Visitors come, do about eight things in a session or two and go; three in ten say who they are, and
//! some of these have a second device. Three events in a hundred are delivered again a little later.
//! Everything about a visitor follows from their number, so that only who is about now is kept.

// Numbers are cut down to a range on purpose here, and never come near the ends of their types.
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
/// Events that can be delivered again.
const RECENT: usize = 512;
/// Visitors that are about at one time, at most.
const ACTIVE_MAX: u64 = 1 << 16;

/// Average bytes of an event without the text that fills it up.
pub const BARE_BYTES: usize = 1064;
/// Where the seed and the part stand in a visitor's number.
const SEED_SHIFT: u32 = 56;
const PART_SHIFT: u32 = 40;

/// What to invent.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How many events, redeliveries included.
    pub events: u64,
    /// Which of the many histories of this shape.
    pub seed: u64,
    /// About how many visitors.
    pub visitors: u64,
    /// Distinct names of track events.
    pub names: usize,
    /// Average bytes of an event, newline included. [`BARE_BYTES`] is the least.
    pub bytes: usize,
    /// Which part, from 0, of how many: a slice of the time with its own visitors.
    pub part: (u64, u64),
}

impl Plan {
    /// `events` of the usual shape: eight for each visitor, forty names, 1,100 bytes, one part.
    pub fn of(events: u64) -> Self {
        Self { events, seed: 1, visitors: events / 8, names: 40, bytes: 1100, part: (0, 1) }
    }
}

/// The calls that are invented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Identify,
    Track,
    Page,
    Screen,
    Group,
}

/// All that one event is made of; rendering it twice gives the same bytes.
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
    /// Bytes of text that bring it to its size.
    words: usize,
    /// The device's clock when it happened.
    original_ms: u64,
    sent_ms: u64,
    received_ms: u64,
}

/// Someone who is about.
#[derive(Clone, Copy, Debug, Default)]
struct Visitor {
    number: u64,
    left: u64,
    done: u64,
    session: u64,
    page: usize,
    signed_in: bool,
}

/// The events of a [`Plan`], one after the other.
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
    /// The first event is yet to come.
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
            // Neither seeds nor parts share visitors.
            next_visitor: mix(plan.seed) << SEED_SHIFT | part << PART_SHIFT,
            mean_events: (events / visitors).max(1),
            names: plan.names.max(1) as u64,
            words: plan.bytes.saturating_sub(BARE_BYTES) as u64,
        }
    }

    /// Appends the next event and a newline to `out`; false, and nothing, after the last.
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

    /// Keeps `draft` in the place of an older one.
    fn remember(&mut self, draft: Draft) {
        if self.recent.len() < RECENT {
            self.recent.push(draft);
        } else {
            let place = self.random.below(RECENT as u64) as usize;
            self.recent[place] = draft;
        }
    }

    /// A recent event once more: the same but for when it was sent and received.
    fn redelivery(&mut self) -> Draft {
        let mut draft = self.random.one_of(&self.recent);
        let now_ms = self.clock_us / 1000;
        let later_ms = now_ms.saturating_sub(draft.received_ms).max(1000);
        draft.sent_ms += later_ms;
        draft.received_ms += later_ms + self.random.below(40);
        draft
    }

    /// Something that one of those who are about does now.
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
        // A second device is anonymous for a while.
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

    /// A new visitor: some look in once, some stay for long.
    fn arrival(&mut self) -> Visitor {
        self.next_visitor += 1;
        let left = 1 + self.random.below(2 * self.mean_events - 1);
        Visitor { number: self.next_visitor, left, ..Visitor::default() }
    }

    /// Whether someone who is to be identified is so now: once on the way, then at nearly every
    /// other event, as sites that identify on each page load do.
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

    /// The place of an event name: the first are the most frequent by far.
    fn name(&mut self) -> usize {
        let within = self.random.below(self.names) + 1;
        self.random.below(within) as usize
    }
}

/// What is so of a visitor from the start.
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

/// Part `part` of `parts` of `whole`; all parts together are the whole.
fn share(whole: u64, part: u64, parts: u64) -> u64 {
    let up_to = |part: u64| (u128::from(whole) * u128::from(part) / u128::from(parts)) as u64;
    up_to(part + 1) - up_to(part)
}
