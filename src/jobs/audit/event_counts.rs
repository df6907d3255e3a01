//! Counts of events by everything that a finding may ask for, each with its first places.

use std::ops::AddAssign;

use ahash::AHashMap;
use hashbrown::HashMap;

use crate::event::CallType;
use crate::jobs::audit::source_line::{Sightings, SourceLine};

/// What stands where no line, filter or rule does.
pub const NONE: u32 = u32::MAX;

/// What is true of the events of a cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Traits(u8);

impl Traits {
    /// They pass the filter that is compared with; without one, all do.
    pub const BEFORE: Self = Self(1);
    /// They pass the filter.
    pub const AFTER: Self = Self(2);
    /// They bring an e-mail that is an address.
    pub const EMAIL: Self = Self(4);
    /// They come from a page on a machine that is not public.
    pub const LOCAL: Self = Self(8);
    /// The filter takes something out of them.
    pub const CHANGED: Self = Self(16);
    /// They are signals that pass the filter, of a bot by their user agent.
    pub const BOT: Self = Self(32);

    /// Adds `other` if `holds`.
    pub fn set(&mut self, other: Self, holds: bool) {
        if holds {
            self.0 |= other.0;
        }
    }

    /// Whether `other` is among these.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// Which cell: all its events are alike in this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The number of the name.
    pub name: u32,
    /// What else is true of them.
    pub traits: Traits,
    /// The line of the allow list that takes them, or the destination filter that drops them.
    pub by: u32,
    /// The rule that maps them, as they were before the filter.
    pub rule: u32,
}

/// Counts of cells.
#[derive(Debug, Default)]
pub struct EventCounts {
    numbers: [HashMap<String, u32, ahash::RandomState>; CallType::ALL.len()],
    names: Vec<(CallType, String)>,
    cells: AHashMap<Key, Sightings>,
}

impl EventCounts {
    /// The number of a name; allocates only for one that is new.
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

    /// Counts an event.
    #[inline]
    pub fn see(&mut self, key: Key, source_line: SourceLine) {
        self.cells.entry(key).or_default().see(source_line);
    }

    /// The call and the name of a number.
    pub fn name(&self, number: u32) -> (CallType, &str) {
        self.names.get(number as usize).map_or((CallType::Track, ""), |(call, name)| (*call, name))
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// All cells, in no order.
    pub fn cells(&self) -> impl Iterator<Item = (&Key, &Sightings)> {
        self.cells.iter()
    }

    /// The sum of the cells that `wanted` holds for.
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
