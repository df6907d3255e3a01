//! E-mail addresses that signals carry in fields that no rule maps.
//!
//! Server libraries add the traits of a visitor to the context of every call, and forms add the
//! address to the properties. Segment's own profiles use both; here a rule has to map them.

use std::io;
use std::ops::AddAssign;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use ahash::AHashSet;
use memchr::memchr;
use xxhash_rust::xxh3::xxh3_64;

use super::example::{Examples, Position};
use crate::engine::Engine;
use crate::engine::exchange::key_counts::KeyCounts;
use crate::engine::exchange::spill::Spill;
use crate::engine::identity::all_ids::AllIds;
use crate::engine::identity::ids::Space;
use crate::engine::identity::value::normalise_email;
use crate::event::{Event, Inner};
use crate::json::Json;

/// The maximum number of addresses that each worker keeps.
const MAX_WORKER_ADDRESSES: usize = 1 << 14;

/// A field with such an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UnusedField {
    /// `context.traits.email`
    ContextTraits,
    /// `properties.email`
    Properties,
}

impl UnusedField {
    /// All fields, in the order in which they are searched.
    pub const ALL: [Self; 2] = [Self::ContextTraits, Self::Properties];

    /// Returns the path of the field.
    pub fn path(self) -> &'static str {
        match self {
            Self::ContextTraits => "context.traits.email",
            Self::Properties => "properties.email",
        }
    }

    fn inner(self) -> Inner {
        match self {
            Self::ContextTraits => Inner::ContextTraitsEmail,
            Self::Properties => Inner::PropertiesEmail,
        }
    }
}

/// An address that a signal carries in an unmapped field.
#[derive(Clone, Copy, Debug)]
pub struct UnusedEmail {
    field: UnusedField,
    /// The hash of the normalised address.
    address: u64,
}

impl UnusedEmail {
    /// Finds the address of `event`, none of whose e-mails is mapped; `scratch` is a buffer.
    /// Addresses of internal domains are ignored.
    #[inline]
    pub fn find(event: &Event<'_>, engine: &Engine, scratch: &mut Vec<u8>) -> Option<Self> {
        UnusedField::ALL.into_iter().find_map(|field| {
            let text = event.inner(field.inner()).and_then(Json::as_str)?;
            memchr(b'@', text.as_bytes())?;
            normalise_email(text, &engine.blocklist, scratch).ok()?;
            let domain = scratch.rsplit(|byte| *byte == b'@').next()?;
            let mut internal = engine.rules.identity.internal_domains.iter();
            let is_internal = internal.any(|internal| internal.as_bytes() == domain);
            (!is_internal).then(|| Self { field, address: xxh3_64(scratch) })
        })
    }
}

/// Counts of such addresses.
#[derive(Debug, Default)]
pub struct UnusedEmails {
    by_field: [Examples<()>; UnusedField::ALL.len()],
    addresses: AHashSet<u64>,
}

impl UnusedEmails {
    /// Creates the counts of `events` by field, without addresses.
    pub(in crate::engine) fn counted(events: [u64; UnusedField::ALL.len()]) -> Self {
        Self { by_field: events.map(Examples::counted), addresses: AHashSet::new() }
    }

    /// Counts the address of the event at `at`.
    pub fn see(&mut self, found: UnusedEmail, at: Position) {
        self.by_field[found.field as usize].see(at, || ());
        self.addresses.insert(found.address);
    }

    /// Moves the addresses to `known`, if there are so many that not every worker should keep them.
    ///
    /// # Errors
    /// Returns an error if they cannot be written to disk.
    pub fn hand_over_many(&mut self, known: &Mutex<Addresses>) -> io::Result<()> {
        if self.addresses.len() < MAX_WORKER_ADDRESSES {
            return Ok(());
        }
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        self.addresses.drain().try_for_each(|address| known.0.add(key(address, false), 1))
    }

    /// Returns the events with an address in `field`.
    pub fn of(&self, field: UnusedField) -> &Examples<()> {
        &self.by_field[field as usize]
    }

    /// Returns the hash of each address, in no particular order.
    pub(in crate::engine) fn hashes(&self) -> impl Iterator<Item = u64> + '_ {
        self.addresses.iter().copied()
    }

    /// Returns the number of addresses that are not among the e-mails that `each` passes to its
    /// argument, each of them once.
    ///
    /// # Errors
    /// Returns the error of `each`.
    pub fn count_unknown(
        &self,
        each: impl FnOnce(&mut dyn FnMut(&str)) -> io::Result<()>,
    ) -> io::Result<u64> {
        let mut left = self.addresses.len() as u64;
        if left > 0 {
            each(&mut |email| left -= u64::from(self.has(email)))?;
        }
        Ok(left)
    }

    /// Returns the number of addresses, including those in `known`, that are not among the e-mails of
    /// `ids`.
    ///
    /// # Errors
    /// Returns an error if data on disk cannot be read.
    pub fn count_unknown_in(
        &self,
        Addresses(mut known): Addresses,
        ids: &AllIds,
    ) -> io::Result<u64> {
        if !known.is_empty() {
            self.addresses.iter().try_for_each(|&address| known.add(key(address, false), 1))?;
            let mut added = Ok(());
            ids.each(Space::Email, |_, email| {
                if added.is_ok() {
                    added = known.add(key(xxh3_64(email.as_bytes()), true), 1);
                }
            })?;
            added?;
            return unknown(&known);
        }
        self.count_unknown(|see| ids.each(Space::Email, |_, email| see(email)))
    }

    fn has(&self, email: &str) -> bool {
        self.addresses.contains(&xxh3_64(email.as_bytes()))
    }
}

/// The addresses of all workers, as hashes, if there are many.
#[derive(Debug)]
pub struct Addresses(KeyCounts);

impl Addresses {
    /// Creates an empty set. It takes about `budget_bytes` of memory; the rest is in a file in `dir`.
    pub fn new(dir: PathBuf, budget_bytes: usize) -> Self {
        Self(KeyCounts::new(Arc::new(Spill::new(dir, 0)), budget_bytes))
    }
}

/// The key that counts an address in a signal, or an e-mail that is known.
fn key(address: u64, is_known: bool) -> u128 {
    u128::from(address) << 1 | u128::from(is_known)
}

/// Returns the number of addresses that are not known.
fn unknown(addresses: &KeyCounts) -> io::Result<u64> {
    let (mut carried, mut unknown) = (None, 0);
    addresses.each(|key, _| {
        let address = key >> 1;
        if key & 1 == 0 {
            (carried, unknown) = (Some(address), unknown + 1);
        } else if carried.take() == Some(address) {
            unknown -= 1;
        }
    })?;
    Ok(unknown)
}

impl AddAssign for UnusedEmails {
    fn add_assign(&mut self, other: Self) {
        for (sum, examples) in self.by_field.iter_mut().zip(other.by_field) {
            *sum += examples;
        }
        self.addresses.extend(other.addresses);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::identity::ids::Ids;
    use ahash::RandomState;

    #[test]
    fn many_addresses_are_counted_as_few_are() {
        const COUNT: usize = 40_000;
        let address = |number: usize| format!("{number}@acme.example");
        let mut ids = Ids::new(RandomState::new());
        for number in (0..2 * COUNT).step_by(4) {
            ids.intern(Space::Email, &address(number));
            ids.intern(Space::User, &address(number + 1));
        }
        let ids = AllIds::Memory(ids);
        let dir = tempfile::tempdir().unwrap();
        for budget_bytes in [0, 1 << 30] {
            let known = Mutex::new(Addresses::new(dir.path().to_owned(), budget_bytes));
            let (mut one, mut other) = (UnusedEmails::default(), UnusedEmails::default());
            for number in 0..COUNT {
                for unused in [&mut one, &mut other] {
                    unused.addresses.insert(xxh3_64(address(number).as_bytes()));
                }
                one.hand_over_many(&known).unwrap();
                assert!(one.addresses.len() < MAX_WORKER_ADDRESSES);
            }
            let nothing = || Addresses::new(dir.path().to_owned(), 0);
            let expected = (COUNT - COUNT / 4) as u64;
            assert_eq!(other.count_unknown_in(nothing(), &ids).unwrap(), expected);
            assert_eq!(one.count_unknown_in(known.into_inner().unwrap(), &ids).unwrap(), expected);
        }
    }
}
