//! What a worker counts while it maps; sums over workers are sums over the input.

use std::ops::AddAssign;

use ahash::AHashMap;

use super::deletions::Deletions;
use super::example::Examples;
use super::names::Names;
use super::times::TimeCounts;
use super::unused_email::UnusedEmails;
use crate::engine::plan::Volume;
use crate::engine::window::Sighting;
use crate::filter::destination::Counts;
use crate::parse::Repairs;
use crate::parse::reject::Reason;
use crate::parse::shape::Shape;
use crate::source::FileId;

/// A worker keeps so many names for itself.
const MOST_OF_A_WORKER: usize = 1 << 14;

/// Counts of the first phase.
#[derive(Debug, Default)]
pub struct Counters {
    /// Events that were detected.
    pub events: u64,
    /// Events that a filter took out.
    pub filtered: u64,
    /// What each destination filter did.
    pub filters: Counts,
    /// Events without an anonymous id.
    pub no_anonymous_id: u64,
    /// What had to be mended before it was JSON.
    pub repairs: Repairs,
    /// What is wrong with the times of events.
    pub times: TimeCounts,
    /// Addresses that signals carry and no rule maps.
    pub unused_emails: UnusedEmails,
    /// Requests of HTTP archives that are none of Segment's, and no records.
    pub foreign_requests: u64,
    /// Rejects by reason.
    pub rejects: [u64; Reason::ALL.len()],
    /// The first rejects by reason, with their details.
    pub reject_examples: [Examples<String>; Reason::ALL.len()],
    /// Delete calls, which are among the rejects.
    pub deletions: Deletions,
    /// Records, events and rejects alike, by what they came in.
    pub shapes: [u64; Shape::ALL.len()],
    /// What was seen of the window, where there is one.
    pub window: Sighting,
    /// Raw signals by call and event name, those outside of the window as none.
    pub names: Names,
    /// Raw signals by the minute in which they were received.
    pub volume: Volume,
    /// Records by input file.
    pub records_by_file: AHashMap<FileId, u64>,
}

impl Counters {
    /// The names, where there are so many that workers should not keep them each for itself.
    pub fn take_many_names(&mut self) -> Option<Names> {
        (self.names.len() >= MOST_OF_A_WORKER).then(|| std::mem::take(&mut self.names))
    }
}

impl AddAssign for Counters {
    fn add_assign(&mut self, other: Self) {
        self.events += other.events;
        self.filtered += other.filtered;
        self.foreign_requests += other.foreign_requests;
        self.filters += other.filters;
        self.no_anonymous_id += other.no_anonymous_id;
        self.repairs += other.repairs;
        self.times += other.times;
        self.unused_emails += other.unused_emails;
        self.deletions += other.deletions;
        self.volume += other.volume;
        self.window += other.window;
        self.names += other.names;
        for (sum, count) in self.rejects.iter_mut().zip(other.rejects) {
            *sum += count;
        }
        for (sum, more) in self.reject_examples.iter_mut().zip(other.reject_examples) {
            *sum += more;
        }
        for (sum, count) in self.shapes.iter_mut().zip(other.shapes) {
            *sum += count;
        }
        for (file, count) in other.records_by_file {
            *self.records_by_file.entry(file).or_default() += count;
        }
    }
}
