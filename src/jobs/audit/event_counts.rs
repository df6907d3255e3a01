//! Counts of events by every property that findings ask for, each with its first places.

use std::ops::AddAssign;

use ahash::AHashMap;
use hashbrown::HashMap;

use crate::event::CallType;
use crate::jobs::audit::source_line::{Sightings, SourceLine};

/// The number that stands for no line, no filter or no rule.
pub const NONE: u32 = u32::MAX;

/// A set of properties that the events of a cell share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Traits(u8);

impl Traits {
    /// The events pass the filter of the side before; without one, all events do.
    pub const BEFORE: Self = Self(1);
    /// The events pass the filter.
    pub const AFTER: Self = Self(2);
    /// The events contain a valid e-mail address.
    pub const EMAIL: Self = Self(4);
    /// The events come from a page on a machine that is not public.
    pub const LOCAL: Self = Self(8);
    /// The filter removes something from the events.
    pub const CHANGED: Self = Self(16);
    /// The events are signals that pass the filter, and their user agent is that of a bot.
    pub const BOT: Self = Self(32);

    /// Adds `other` if `holds` is `true`.
    pub fn set(&mut self, other: Self, holds: bool) {
        if holds {
            self.0 |= other.0;
        }
    }

    /// Returns `true` if the set contains `other`.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// The key of a cell: its events agree in all of this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The number of the event name.
    pub name: u32,
    /// The properties of the events.
    pub traits: Traits,
    /// The line of the allow list that lets the events pass, or the destination filter that drops
    /// them.
    pub by: u32,
    /// The rule that maps the events as they were before the filter.
    pub rule: u32,
}

/// The counts of all cells.
#[derive(Debug, Default)]
pub struct EventCounts {
    numbers: [HashMap<String, u32, ahash::RandomState>; CallType::ALL.len()],
    names: Vec<(CallType, String)>,
    cells: AHashMap<Key, Sightings>,
}

impl EventCounts {
    /// Returns the number of a name; allocates only for a new name.
    #[inline]
    pub fn number(&mut self, call: CallType, name: &str) -> u32 {
        let Self { numbers, names, .. } = self;
        *numbers[call as usize].entry_ref(name).or_insert_with(|| {
            names.push((call, name.to_owned()));
            #[allow(clippy::cast_possible_truncation)] // 2^32 names would take 200 GB
            {
                names.len() as u32 - 1
            }
        })
    }

    /// Counts an event at `source_line`.
    #[inline]
    pub fn see(&mut self, key: Key, source_line: SourceLine) {
        self.cells.entry(key).or_default().see(source_line);
    }

    /// Returns the call and the name with the given number.
    pub fn name(&self, number: u32) -> (CallType, &str) {
        self.names.get(number as usize).map_or((CallType::Track, ""), |(call, name)| (*call, name))
    }

    /// Returns the number of names.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Returns `true` if no event was counted.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Iterates over all cells, in no particular order.
    pub fn cells(&self) -> impl Iterator<Item = (&Key, &Sightings)> {
        self.cells.iter()
    }

    /// Returns the sum of the cells for which `wanted` returns `true`.
    pub fn sum(&self, wanted: impl Fn(&Key) -> bool) -> Sightings {
        let mut sum = Sightings::default();
        for (_, sighted) in self.cells.iter().filter(|(key, _)| wanted(key)) {
            sum += *sighted;
        }
        sum
    }
}

impl AddAssign for EventCounts {
    fn add_assign(&mut self, other: Self) {
        let map: Vec<u32> =
            other.names.iter().map(|(call, name)| self.number(*call, name)).collect();
        for (key, sighted) in other.cells {
            let name = map.get(key.name as usize).copied().unwrap_or(NONE);
            *self.cells.entry(Key { name, ..key }).or_default() += sighted;
        }
    }
}
