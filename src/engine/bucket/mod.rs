//! The engine's stages from record batches to record batches, for hosts that divide the work among
//! many processes: a cluster, a state on disk, a program in another language.
//!
//! Each stage is a pure function of a [`Job`] and of batches whose columns
//! [`exchange::arrow`](crate::engine::exchange::arrow) documents. The host moves batches between
//! them: it groups rows by a column, joins by a key, and keeps what it likes on disk. Whatever the
//! number of buckets, the order of batches and the cut of the input into files, the tables are those
//! of a run, but for the order of signals, which [`InputPlace`] gives back.
//!
//! [`InputPlace`]: crate::engine::exchange::event_row::InputPlace
//!
//! # Dataflow
//!
//! | stage | of | gives | grouped by |
//! | --- | --- | --- | --- |
//! | [`map_files`](map::map_files), [`FileMap`](map::FileMap), [`map_lines`](map::map_lines) | files or lines | rows, rejects, deletion requests, counts | nothing |
//! | [`dedup`](dedup::dedup) | rows | the same rows with their fates | `copies_bucket` |
//! | [`links`](links::links) | rows | links whose source other buckets may ask for | nothing |
//! | [`settle_links`](links::settle_links) | links | the same without redundant ones | `bucket` of links |
//! | [`wanted`](links::wanted) | rows, and the links of their bucket | the user ids whose links a bucket needs | `bucket` of rows and links |
//! | [`resolve`](resolve::resolve) | rows, the links of their bucket, the links of user ids reached | rows with their owners, sightings | `bucket` of rows and links |
//! | [`signals`](signals::signals) | rows with owners | the table of signals | nothing |
//! | [`fold`](fold::fold) | rows with owners, the [`Timeframe`] | parts of leads, names of groups, sightings, counts | nothing |
//! | [`leads`](leads::leads) | parts of leads, names of groups | the table of leads | `bucket` of parts |
//!
//! A stage may be given the batches of several groups at once; what belongs to one group must be
//! given together, and is held in memory together. `copies_bucket` is `bucket` unless [`Job::copies_share_a_bucket`] says otherwise:
//! then rows have to be grouped by the former for `dedup`, and by the latter afterwards.
//!
//! **User ids reached.** A visitor is tied to user ids, and aliases tie user ids to others. The host
//! joins what a bucket wants with the links whose source is that user id, hands these links to the
//! bucket, and asks for the user ids that *they* lead to, hop by hop, until there are no new ones or
//! [`MAX_HOPS`] joins are done:
//!
//! ```sql
//! -- hop: (bucket, user_id); links: those that settle_links gave
//! SELECT DISTINCT hop.bucket, links.target AS user_id
//! FROM hop JOIN links ON links.source = hop.user_id
//! WHERE links.source_kind = 'user_id' AND links.target_kind = 'user_id'
//! ```
//!
//! Most histories have no second hop. What `resolve` is given beyond what a bucket needs changes
//! nothing, so that a host may also hand all links of user ids to every bucket.
//!
//! **Leads of several e-mails.** With `merge = "user_id"`, [`email_ties`](merge::email_ties) of all
//! rows go to one [`lead_names`](merge::lead_names), whose names every `resolve` is given.
//!
//! **Deletion requests.** Where the input has any ([`Deletions`]), [`forget`](forget::forget) stands
//! between `settle_links` and the rest: it is given the rows and links of its bucket, and marks the
//! rows that are covered. `links` and `settle_links` then have to be done again, of the rows that
//! are left.
//! Known deviation: with deletion requests, the census can count a user id as resolved that a run
//! does not.
//!
//! **The plan.** What the service would have refused depends on all events: the counts of all maps are
//! added up, and their [`Timeframe`] ([`Counts::timeframe`](counts::Counts::timeframe)) is given to
//! `fold`. Of minutes of which only some events would have been taken, `fold` gives the contenders,
//! and [`decide`](decide::decide), which is given all of them, parts of the leads that would have
//! been made after all.
//!
//! **Counts.** What stages count is added up by counter and key ([`Counts`](counts::Counts)); the
//! volume of raw signals is among the counts of the maps ([`Counts::volume`](counts::Counts::volume)).
//! How many visitors there are is told by [`census`](census::census) of the sightings that `map`,
//! `resolve` and `fold` gave, grouped by their `bucket`.
//!
//! [`Deletions`]: crate::engine::map::deletions::Deletions
//! [`Timeframe`]: crate::engine::plan::Timeframe

pub mod assign;
pub mod census;
pub mod counts;
pub mod decide;
pub mod dedup;
pub mod fold;
pub mod forget;
pub mod leads;
pub mod links;
mod load;
pub mod map;
pub mod merge;
mod recount;
pub mod resolve;
pub mod signals;

use ahash::AHashMap;

use super::Engine;
use super::compile::Compiled;
use super::exchange::arrow::Fingerprint;
use super::identity::timeline::MAX_STEPS;
use super::plan::Terms;
use crate::event::Member;
use crate::rules::{DedupBy, Rule};

/// So many joins find every user id that a bucket needs: a chain has up to eight links, and whether
/// an id at its end is a shared one depends on chains of eight more.
pub const MAX_HOPS: usize = 2 * MAX_STEPS as usize;

/// The most buckets that a job can have.
pub const MOST_BUCKETS: u32 = i32::MAX.cast_unsigned();

/// What all stages of a job have in common.
#[derive(Debug)]
pub struct Job {
    /// What is done with each event.
    pub engine: Engine,
    /// What the plan allows.
    pub terms: Terms,
    buckets: u32,
    fingerprint: Fingerprint,
    /// The numbers of rules by their ids.
    rules: AHashMap<Box<str>, u32>,
}

impl Job {
    /// A job of so many buckets, at least one and at most [`MOST_BUCKETS`]. All of its processes are
    /// to be given the same `texts`, of which its fingerprint is made: the rules file, filters and
    /// settings, each with a name.
    pub fn new<'t>(
        compiled: Compiled,
        buckets: u32,
        texts: impl IntoIterator<Item = (&'t str, &'t str)>,
    ) -> Self {
        let Compiled { engine, terms, .. } = compiled;
        let buckets = buckets.clamp(1, MOST_BUCKETS);
        let count = buckets.to_string();
        let mut all = vec![("buckets", count.as_str())];
        for text in texts {
            all.push(text);
        }
        let fingerprint = Fingerprint::new(all);
        let ids = engine.rules.rules.iter().map(|rule| rule.id.as_str().into());
        let rules = ids.zip(0..).collect();
        Self { engine, terms, buckets, fingerprint, rules }
    }

    /// How many buckets there are.
    pub fn buckets(&self) -> u32 {
        self.buckets
    }

    /// What its batches have in common.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// The rule of this id.
    fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.get(id).and_then(|&rule| self.engine.rules.rules.get(rule as usize))
    }

    /// Whether copies of an event are always of one visitor, so that rows need not be grouped anew
    /// after `dedup`.
    pub fn copies_share_a_bucket(&self) -> bool {
        let dedup = &self.engine.rules.dedup;
        let has_ids = |member| !dedup.ignore.contains(&member);
        match dedup.by {
            DedupBy::Content => has_ids(Member::AnonymousId) && has_ids(Member::UserId),
            DedupBy::MessageId => false,
            DedupBy::None => true,
        }
    }
}
