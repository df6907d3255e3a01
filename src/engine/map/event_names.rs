//! Numbers for event names.

use super::names::Names;
use crate::event::CallType;

/// Event names by number. Equal texts have one number, whatever their calls; the numbers are in the
/// order of the texts.
#[derive(Debug)]
pub struct EventNames<'a> {
    counted: &'a Names,
    /// The number of each name, by its index in `counted`.
    numbers: Vec<u32>,
    /// The texts, by number.
    texts: Vec<&'a str>,
}

impl<'a> EventNames<'a> {
    /// Numbers all names of `counted`.
    pub fn new(counted: &'a Names) -> Self {
        let mut places: Vec<u32> = (0..).take(counted.len()).collect();
        places.sort_unstable_by_key(|&place| counted.get(place).1);
        let mut numbers = vec![0; places.len()];
        let mut texts: Vec<&str> = Vec::with_capacity(places.len());
        for place in places {
            let (_, text) = counted.get(place);
            if texts.last() != Some(&text) {
                texts.push(text);
            }
            #[allow(clippy::cast_possible_truncation)] // no more than places
            let number = texts.len() as u32 - 1;
            numbers[place as usize] = number;
        }
        Self { counted, numbers, texts }
    }

    /// Returns the names with their counts.
    pub fn counted(&self) -> &'a Names {
        self.counted
    }

    /// Returns the texts, by number.
    pub fn as_slice(&self) -> &[&'a str] {
        &self.texts
    }

    /// Returns the number of `name` for any call, or `u32::MAX` if it was not counted.
    pub fn number_of(&self, name: &str) -> u32 {
        let number = self.texts.binary_search(&name).ok();
        number.and_then(|number| u32::try_from(number).ok()).unwrap_or(u32::MAX)
    }

    /// Returns the number of `name` for an event of `call`, or `u32::MAX` if it was not counted.
    #[inline]
    pub fn number(&self, call: CallType, name: &str) -> u32 {
        let place = self.counted.place(call, name);
        place.map_or(u32::MAX, |place| self.numbers[place as usize])
    }
}
