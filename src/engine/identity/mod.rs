//! Identity resolution: who each visitor is.
//!
//! Events produce [facts](fact::Fact): an id was connected to an e-mail or to a user id at some
//! time. The facts of each id in order are its [timeline](timeline::Timelines), and a
//! [resolver](resolve::Resolver) finds the owner of a signal in the timelines of its ids.

pub mod all_ids;
mod anonymous;
pub mod dictionary;
mod draft;
mod entry_index;
pub mod epoch;
pub mod fact;
pub mod facts;
pub mod ids;
mod links;
pub mod merge;
pub mod resolve;
pub mod tie;
pub mod timeline;
pub mod value;

use std::io;

use all_ids::AllIds;
use facts::Facts;
use merge::Merged;
use timeline::{Room, Timelines};

use crate::rules::{IdentityConfig, Merge};

/// The results of all facts.
#[derive(Debug)]
pub struct Identities {
    /// The timeline of each id.
    pub timelines: Timelines,
    /// The e-mails that are merged to one lead.
    pub merged: Merged,
}

impl Identities {
    /// Builds the timelines of `facts`, whose ids are `ids`, on all threads of the current pool. If
    /// facts are on disk, `room` limits the memory of the timelines of anonymous ids.
    ///
    /// # Errors
    /// Returns an error if facts or ids on disk cannot be read.
    pub fn new(
        mut facts: Facts,
        ids: &AllIds,
        config: &IdentityConfig,
        room: Room<'_>,
    ) -> io::Result<Self> {
        let max_emails = config.max_emails as usize;
        facts.sort(ids);
        let merged = match config.merge {
            Merge::None => Merged::default(),
            Merge::UserId => Merged::new(&facts, ids, max_emails)?,
        };
        let timelines = Timelines::new(facts, ids, max_emails, room)?;
        ids.check()?;
        Ok(Self { timelines, merged })
    }
}

/// How the lead of a signal was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Resolution {
    /// The rule of the signal maps the e-mail.
    Direct,
    /// The visitor was identified before the signal.
    Known,
    /// The visitor was identified after the signal.
    Rehydrated,
    /// The visitor was never identified.
    Cold,
}

impl Resolution {
    /// Returns the name in `signals`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Known => "known",
            Self::Rehydrated => "rehydrated",
            Self::Cold => "cold",
        }
    }
}

#[cfg(test)]
mod tests;
