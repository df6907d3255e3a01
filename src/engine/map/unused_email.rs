//! E-mail addresses that signals carry in fields that no rule maps.
//!
//! Server libraries add the traits of a visitor to the context of every call, and forms add the
//! address to the properties. Segment's own profiles use both; here a rule has to map them.

use std::io;
use std::ops::AddAssign;

use ahash::AHashSet;
use memchr::memchr;
use xxhash_rust::xxh3::xxh3_64;

use super::example::{Examples, Position};
use crate::engine::Engine;
use crate::engine::identity::all_ids::AllIds;
use crate::engine::identity::ids::Space;
use crate::engine::identity::value::normalise_email;
use crate::event::{Event, Inner};
use crate::json::Json;

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

    /// Returns the events with an address in `field`.
    pub fn of(&self, field: UnusedField) -> &Examples<()> {
        &self.by_field[field as usize]
    }

    /// Returns the hash of each address, in no particular order.
    pub(in crate::engine) fn hashes(&self) -> impl Iterator<Item = u64> + '_ {
        self.addresses.iter().copied()
    }

    /// Returns the number of addresses that are not among `known`, whose items are distinct.
    pub fn count_unknown<'e>(&self, known: impl Iterator<Item = &'e str>) -> u64 {
        if self.addresses.is_empty() {
            return 0;
        }
        (self.addresses.len() - known.filter(|email| self.has(email)).count()) as u64
    }

    /// Returns the number of addresses that are not among the e-mails of `ids`.
    ///
    /// # Errors
    /// Returns an error if ids on disk cannot be read.
    pub fn count_unknown_in(&self, ids: &AllIds) -> io::Result<u64> {
        let mut left = self.addresses.len() as u64;
        if left > 0 {
            ids.each(Space::Email, |_, email| left -= u64::from(self.has(email)))?;
        }
        Ok(left)
    }

    fn has(&self, email: &str) -> bool {
        self.addresses.contains(&xxh3_64(email.as_bytes()))
    }
}

impl AddAssign for UnusedEmails {
    fn add_assign(&mut self, other: Self) {
        for (sum, examples) in self.by_field.iter_mut().zip(other.by_field) {
            *sum += examples;
        }
        self.addresses.extend(other.addresses);
    }
}
