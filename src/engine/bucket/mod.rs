//! The stages of the engine as functions from record batches to record batches, for hosts that
//! divide the work among many processes: a cluster, a store on disk, a program in another language.
//!
//! Each stage is a pure function of a [`Job`] and of batches whose columns are documented in
//! [`exchange::arrow`](crate::engine::exchange::arrow). The host moves batches between stages: it
//! groups rows by a column, joins by a key, and stores what it likes. The tables do not depend on
//! the number of buckets, the order of batches, or how the input is divided into files. They equal
//! those of a run, except for the order of signals, which [`InputPlace`] restores.
//!
//! [`InputPlace`]: crate::engine::exchange::event_row::InputPlace
//!
//! # Dataflow
//!
//! | stage | input | output | input grouped by |
//! | --- | --- | --- | --- |
//! | [`map_files`](map::map_files), [`FileMap`](map::FileMap), [`map_lines`](map::map_lines) | files or lines | rows, rejects, deletion requests, counts | nothing |
//! | [`dedup`](dedup::dedup) | rows | the same rows with their fates | `copies_bucket` |
//! | [`links`](links::links) | rows | links whose source other buckets may need | nothing |
//! | [`settle_links`](links::settle_links) | links | the same without redundant ones | `bucket` of links |
//! | [`wanted`](links::wanted) | rows, and the links of their bucket | the user ids whose links a bucket needs | `bucket` of rows and links |
//! | [`resolve`](resolve::resolve) | rows, the links of their bucket, the links of reached user ids, deletion requests | rows with their owners, sightings | `bucket` of rows and links |
//! | [`signals`](signals::signals) | rows with owners | the table of signals | nothing |
//! | [`fold`](fold::fold) | rows with owners, the [`Timeframe`] | parts of leads, names of groups, sightings, counts | nothing |
//! | [`leads`](leads::leads) | parts of leads, names of groups | the table of leads | `bucket` of parts |
//!
//! A stage can be given the batches of several groups at once, but all batches of one group must be
//! given together, and are held in memory together. `copies_bucket` equals `bucket` if
//! [`Job::copies_share_a_bucket`]; otherwise rows have to be grouped by the former for `dedup`, and
//! by the latter afterwards.
//!
//! **Large buckets.** All rows of an id belong to one bucket, and one id can have half of all events.
//! Copies have the same `copies_key`, so that `dedup` can be given rows grouped by any function of
//! it instead of by `copies_bucket`. The rows of a bucket can be divided among several calls of
//! `forget` and `resolve`, each with all links of the bucket from `settle_links`, if `links` is given the bucket
//! in [`Linkable::divided`](links::Linkable::divided).
//!
//! **Reached user ids.** A visitor is connected to user ids, and aliases connect user ids to
//! others. The host joins the user ids that a bucket needs with the links whose source is that user
//! id, gives these links to the bucket, and repeats this with the user ids that *they* lead to, hop
//! by hop, until there are no new ones or after [`MAX_HOPS`] joins:
//!
//! ```sql
//! -- hop: (bucket, user_id); links: the result of settle_links
//! SELECT DISTINCT hop.bucket, links.target AS user_id
//! FROM hop JOIN links ON links.source = hop.user_id
//! WHERE links.source_kind = 'user_id' AND links.target_kind = 'user_id'
//! ```
//!
//! Most histories have no second hop. Links that a bucket does not need change nothing, so that a
//! host can also give all links of user ids to every bucket.
//!
//! **Leads with several e-mails.** With `merge = "user_id"`, the [`email_ties`](merge::email_ties)
//! of all rows are given to one call of [`lead_names`](merge::lead_names), whose names are given to
//! every `resolve`.
//!
//! **Deletion requests.** If the input has any ([`Deletions`]), [`forget`](forget::forget) follows
//! `settle_links`: it is given the rows and links of its bucket, and marks the covered rows.
//! `links` and `settle_links` then have to be repeated with the remaining rows.
//! These and `resolve` are given the requests, because they also cover ties of remaining rows.
//!
//! **The plan.** What the service would have refused depends on all events: the counts of all maps
//! are added up, and their [`Timeframe`] ([`Counts::timeframe`](counts::Counts::timeframe)) is
//! given to `fold`. For minutes of which only some events would have been accepted, `fold` returns
//! contenders. [`decide`](decide::decide), which is given all of them, returns parts of the leads
//! that would have been created.
//!
//! **Counts.** The counts of all stages are added up by counter and key
//! ([`Counts`](counts::Counts)); the volume of raw signals is among the counts of the maps
//! ([`Counts::volume`](counts::Counts::volume)). Visitors are counted by [`census`](census::census)
//! from the sightings of `map`, `resolve` and `fold`, grouped by their `bucket`.
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

/// The number of joins that find every user id a bucket needs: a chain has up to eight links, and
/// whether the id at its end is shared depends on chains of eight more.
pub const MAX_HOPS: usize = 2 * MAX_STEPS as usize;

/// The maximum number of buckets of a job.
pub const MAX_BUCKETS: u32 = i32::MAX.cast_unsigned();

/// What all stages of a job have in common.
#[derive(Debug)]
pub struct Job {
    /// The rules and options.
    pub engine: Engine,
    /// The terms of the plan.
    pub terms: Terms,
    buckets: u32,
    fingerprint: Fingerprint,
    /// The numbers of rules, by id.
    rules: AHashMap<Box<str>, u32>,
}

impl Job {
    /// Creates a job of `buckets` buckets, from 1 to [`MAX_BUCKETS`]. All processes of the job
    /// must be given the same `texts`, which determine its fingerprint: the rules file, filters and
    /// settings, each with a name.
    pub fn new<'t>(
        compiled: Compiled,
        buckets: u32,
        texts: impl IntoIterator<Item = (&'t str, &'t str)>,
    ) -> Self {
        let Compiled { engine, terms, .. } = compiled;
        let buckets = buckets.clamp(1, MAX_BUCKETS);
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

    /// Returns the number of buckets.
    pub fn buckets(&self) -> u32 {
        self.buckets
    }

    /// Returns the fingerprint of the batches of this job.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Returns the rule with this id.
    fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.get(id).and_then(|&rule| self.engine.rules.rules.get(rule as usize))
    }

    /// Returns whether duplicates of an event always have the same visitor, so that rows need not
    /// be grouped again after `dedup`.
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
