//! Counters of the first phase. Each worker has its own; they add up to those of the input.

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

/// The number of names from which on a worker hands its names over to those all workers share.
const MAX_WORKER_NAMES: usize = 1 << 14;

/// The counters of the first phase.
#[derive(Debug, Default)]
pub struct Counters {
    /// Detected events.
    pub events: u64,
    /// Events that a filter dropped.
    pub filtered: u64,
    /// The effects of each destination filter.
    pub filters: Counts,
    /// Events without an anonymous id.
    pub no_anonymous_id: u64,
    /// Repairs that made records valid JSON.
    pub repairs: Repairs,
    /// Problems with the times of events.
    pub times: TimeCounts,
    /// E-mail addresses that signals carry and no rule maps.
    pub unused_emails: UnusedEmails,
    /// Requests in HTTP archives to other hosts than Segment; they are not records.
    pub foreign_requests: u64,
    /// Rejects by reason.
    pub rejects: [u64; Reason::ALL.len()],
    /// The first rejects of each reason, with their details.
    pub reject_examples: [Examples<String>; Reason::ALL.len()],
    /// Deletion requests, which are rejects too.
    pub deletions: Deletions,
    /// Records, both events and rejects, by shape.
    pub shapes: [u64; Shape::ALL.len()],
    /// The times of the events compared with the window; unchanged without a window.
    pub window: Sighting,
    /// Raw signals by call and event name. Events outside of the window are listed with a count of
    /// 0.
    pub names: Names,
    /// Raw signals by the minute they were received in.
    pub volume: Volume,
    /// Records by input file.
    pub records_by_file: AHashMap<FileId, u64>,
}

impl Counters {
    /// Takes the names out if there are so many that each worker keeping its own would waste
    /// memory.
    pub fn take_many_names(&mut self) -> Option<Names> {
        (self.names.len() >= MAX_WORKER_NAMES).then(|| std::mem::take(&mut self.names))
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
