//! Who each visitor turned out to be.
//!
//! Events leave [facts](fact::Fact): an id was tied to an e-mail or to a user id at some time.
//! Facts in order make [timelines](timeline::Timelines), and a [resolver](resolve::Resolver) asks
//! these whose a signal is.

pub mod all_ids;
mod anonymous;
pub mod dictionary;
mod draft;
pub mod epoch;
pub mod fact;
pub mod facts;
pub mod ids;
pub mod merge;
pub mod resolve;
mod slots;
pub mod tie;
pub mod timeline;
pub mod value;

use std::io;

use all_ids::AllIds;
use facts::Facts;
use merge::Merged;
use timeline::{Room, Timelines};

use crate::rules::{IdentityConfig, Merge};

/// What all facts together say of all ids.
#[derive(Debug)]
pub struct Identities {
    /// What each id was tied to, and when.
    pub timelines: Timelines,
    /// Which e-mails are one person's.
    pub merged: Merged,
}

impl Identities {
    /// Orders `facts`, whose ids are `ids`, on all threads of the current pool. Of facts on disk, the
    /// timelines of anonymous ids take no more memory than there is `room`.
    ///
    /// # Errors
    /// When what is on disk cannot be read.
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

/// How a signal came to its lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Resolution {
    /// Its rule mapped the e-mail.
    Direct,
    /// The visitor was identified before it.
    Known,
    /// The visitor was identified after it.
    Rehydrated,
    /// The visitor was never identified.
    Cold,
}

impl Resolution {
    /// The name in `signals`.
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
