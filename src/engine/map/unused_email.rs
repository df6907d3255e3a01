//! E-mail addresses that signals carry where no rule looks for them.
//!
//! Server libraries put a visitor's traits into the context of every call, and forms put the
//! address into the properties. Segment's own profiles take both; here a rule has to say so.

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

/// Where such an address stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UnusedField {
    /// `context.traits.email`
    ContextTraits,
    /// `properties.email`
    Properties,
}

impl UnusedField {
    /// All of them, in the order in which an event is asked.
    pub const ALL: [Self; 2] = [Self::ContextTraits, Self::Properties];

    /// The path of the member.
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

/// An address that a signal carries unused.
#[derive(Clone, Copy, Debug)]
pub struct UnusedEmail {
    field: UnusedField,
    /// A hash of the address, which tells addresses apart and names nobody.
    address: u64,
}

impl UnusedEmail {
    /// The address that `event`, whose e-mail nothing maps, carries; `scratch` is a buffer.
    /// Addresses of the company's own people are left out.
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

/// What is counted of them.
#[derive(Debug, Default)]
pub struct UnusedEmails {
    by_field: [Examples<()>; UnusedField::ALL.len()],
    addresses: AHashSet<u64>,
}

impl UnusedEmails {
    /// So many events for each field, whose addresses are counted elsewhere.
    pub(in crate::engine) fn counted(events: [u64; UnusedField::ALL.len()]) -> Self {
        Self { by_field: events.map(Examples::counted), addresses: AHashSet::new() }
    }

    /// Counts what the event at `at` carries.
    pub fn see(&mut self, found: UnusedEmail, at: Position) {
        self.by_field[found.field as usize].see(at, || ());
        self.addresses.insert(found.address);
    }

    /// Events that carry an address in `field`.
    pub fn of(&self, field: UnusedField) -> &Examples<()> {
        &self.by_field[field as usize]
    }

    /// The hash of each of the addresses, in no order.
    pub(in crate::engine) fn hashes(&self) -> impl Iterator<Item = u64> + '_ {
        self.addresses.iter().copied()
    }

    /// How many of the addresses are not among those `known`, each of which comes once.
    pub fn beyond<'e>(&self, known: impl Iterator<Item = &'e str>) -> u64 {
        if self.addresses.is_empty() {
            return 0;
        }
        (self.addresses.len() - known.filter(|email| self.has(email)).count()) as u64
    }

    /// How many of the addresses are none of the e-mails among `ids`.
    ///
    /// # Errors
    /// When ids on disk cannot be read.
    pub fn beyond_ids(&self, ids: &AllIds) -> io::Result<u64> {
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
