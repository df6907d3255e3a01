//! Numbers instead of the names of events.

use ahash::AHashMap;

use super::counters::Names;
use crate::event::CallType;

/// The numbers of event names.
#[derive(Debug)]
pub struct EventNames<'a> {
    numbers: AHashMap<&'a str, u32>,
    /// Of the calls whose events have one name.
    fixed: [u32; CallType::ALL.len()],
    names: Vec<&'a str>,
}

impl<'a> EventNames<'a> {
    /// Numbers every name that was counted.
    pub fn new(counted: &'a Names) -> Self {
        let mut names: Vec<&str> = counted.sorted().into_iter().map(|(_, name, _)| name).collect();
        names.sort_unstable();
        names.dedup();
        let numbers: AHashMap<&str, u32> = names.iter().copied().zip(0..).collect();
        let number = |name: &str| numbers.get(name).copied().unwrap_or(u32::MAX);
        let fixed = CallType::ALL.map(|call| call.fixed_name().map_or(u32::MAX, number));
        Self { numbers, fixed, names }
    }

    /// The names by their numbers.
    pub fn as_slice(&self) -> &[&'a str] {
        &self.names
    }

    /// The number of `name`, that of an event of `call`; `u32::MAX` of one that was not counted.
    pub fn number(&self, call: CallType, name: &str) -> u32 {
        if call.fixed_name() == Some(name) {
            return self.fixed[call as usize];
        }
        self.numbers.get(name).copied().unwrap_or(u32::MAX)
    }
}
