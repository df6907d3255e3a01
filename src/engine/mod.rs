//! All events together: from blocks of input to signals with owners, leads and the plan's periods.
//!
//! The first phase maps each event to a row ([`map`]) and commits the rows in the order of the input
//! ([`ingest`]): duplicates are told apart ([`dedup`]), rows wait in memory or on disk
//! ([`exchange`]). The second phase finds the owner of each row ([`identity`], [`resolve`]), adds it
//! to its lead ([`lead`]) and to the plan's periods ([`plan`]).
//!
//! Hosts that divide the work among many processes use the same stages bucket by bucket, from record
//! batches to record batches ([`bucket`]).

pub mod bucket;
pub mod compile;
mod counts;
pub mod dedup;
pub mod exchange;
mod hash_slot;
pub mod identity;
pub mod ingest;
pub mod lead;
pub mod map;
pub mod plan;
pub mod redact;
pub mod resolve;
pub mod watch;
pub mod window;

use crate::engine::identity::value::Blocklist;
use crate::event::Event;
use crate::filter::allow::AllowList;
use crate::filter::destination::DestinationFilters;
use crate::fql::Expr;
use crate::parse::auth::Auth;
use crate::parse::{self, Detection, MessageIds, Parser};
use crate::rules::Rules;
use crate::time::Time;
use map::times::Clocks;
use redact::Redaction;
use window::Window;

/// What a run does to each event.
#[derive(Debug)]
pub struct Engine {
    /// The mapping rules and all that stands beside them.
    pub rules: Rules,
    /// The values that are never an id, as the rules say.
    blocklist: Blocklist,
    /// Only what this takes passes.
    pub allow: Option<AllowList>,
    /// Only what this is true of passes.
    pub filter: Option<Expr>,
    /// What passes these is dropped or changed by them, before anything else sees it.
    pub filters: Option<DestinationFilters>,
    /// Which events count as Segment's.
    pub detection: Detection,
    /// What becomes of events without a message id.
    pub message_ids: MessageIds,
    /// What captured deliveries must show.
    pub auth: Auth,
    /// Longer lines are refused.
    pub max_record_bytes: u64,
    /// Whether message ids and contents that do not agree are counted.
    pub profile_duplicates: bool,
    /// What is made of clients' clocks.
    pub clocks: Clocks,
    /// Only what lies in it counts; everything does without one.
    pub window: Option<Window>,
    /// Takes from outputs what tells who a person is, where that is asked for.
    pub redaction: Option<Redaction>,
}

impl Engine {
    /// The values that are never an id.
    #[inline]
    pub fn blocklist(&self) -> &Blocklist {
        &self.blocklist
    }

    /// A parser for what this engine is to see; one for each worker.
    pub fn parser(&self) -> Parser {
        self.parser_with(self.detection)
    }

    /// A parser that detects events otherwise than this engine does.
    pub fn parser_with(&self, detection: Detection) -> Parser {
        Parser::new(parse::Options {
            detection,
            message_ids: self.message_ids,
            max_record_bytes: self.max_record_bytes,
            ignored: self.rules.dedup.ignore.clone(),
            auth: self.auth.clone(),
        })
    }

    /// Whether what happened at `time` counts.
    #[inline]
    pub fn counts(&self, time: Time) -> bool {
        self.window.is_none_or(|window| window.holds(time))
    }

    /// Whether `event`, as it came, passes the allow list and the expression.
    #[inline]
    pub fn takes(&self, event: &Event<'_>) -> bool {
        self.allow.as_ref().is_none_or(|allow| allow.takes(event).is_some())
            && self.filter.as_ref().is_none_or(|filter| filter.holds(event))
    }
}

/// One event of a run: its segment, in order of commit, and its row there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventRef(u64);

impl EventRef {
    /// Row `row` of segment `segment`.
    pub fn new(segment: usize, row: u32) -> Self {
        Self((segment as u64) << 32 | u64::from(row))
    }

    /// The number of its segment.
    pub fn segment(self) -> usize {
        // A segment is a block in memory or on disk: there are fewer than 2^32.
        (self.0 >> 32) as usize
    }

    /// Its row.
    pub fn row(self) -> u32 {
        #[allow(clippy::cast_possible_truncation)] // the lower half
        {
            self.0 as u32
        }
    }

    /// As a plain number.
    pub fn to_raw(self) -> u64 {
        self.0
    }

    /// From a plain number.
    pub fn from_raw(raw: u64) -> Self {
        Self(raw)
    }
}
