//! The engine: from blocks of input to signals with owners, leads and plan periods.
//!
//! In the first phase, workers map each event to a row ([`map`]), and the committer takes the rows
//! in input order ([`ingest`]), finds duplicates ([`dedup`]) and stores rows and identity facts in
//! memory or on disk ([`exchange`]). In the second phase, each row gets its owner ([`identity`],
//! [`resolve`]) and is added to the lead of that owner ([`lead`]) and to the plan's periods
//! ([`plan`]).
//!
//! [`bucket`] has the same stages as functions from record batches to record batches, for hosts
//! that divide the work among many processes.

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

/// The compiled rules and options that decide what happens to each event.
#[derive(Debug)]
pub struct Engine {
    /// The mapping rules and the other sections of the rules file.
    pub rules: Rules,
    /// The values that are never accepted as an id.
    blocklist: Blocklist,
    /// The allow list, if any: events it does not list are filtered out.
    pub allow: Option<AllowList>,
    /// The `--filter` expression, if any: events for which it is false are filtered out.
    pub filter: Option<Expr>,
    /// The destination filters, if any. They drop or change events before the rules see them.
    pub filters: Option<DestinationFilters>,
    /// Which records count as Segment events.
    pub detection: Detection,
    /// How events without a message id are handled.
    pub message_ids: MessageIds,
    /// The credentials that captured deliveries must carry.
    pub auth: Auth,
    /// The longest accepted record, in bytes.
    pub max_record_bytes: u64,
    /// Whether to count message ids with several contents, and contents with several message ids.
    pub profile_duplicates: bool,
    /// Whether times are corrected for clock skew of clients.
    pub clocks: Clocks,
    /// The time window that is counted; `None` counts all events.
    pub window: Option<Window>,
    /// How personal data is removed from outputs; `None` leaves it in.
    pub redaction: Option<Redaction>,
}

impl Engine {
    /// Returns the values that are never accepted as an id.
    #[inline]
    pub fn blocklist(&self) -> &Blocklist {
        &self.blocklist
    }

    /// Creates a parser with the options of this engine. Each worker has its own.
    pub fn parser(&self) -> Parser {
        self.parser_with(self.detection)
    }

    /// Creates a parser like [`parser`](Self::parser), with another `detection`.
    pub fn parser_with(&self, detection: Detection) -> Parser {
        Parser::new(parse::Options {
            detection,
            message_ids: self.message_ids,
            max_record_bytes: self.max_record_bytes,
            ignored: self.rules.dedup.ignore.clone(),
            auth: self.auth.clone(),
        })
    }

    /// Returns whether an event at `time` lies in the window, or there is no window.
    #[inline]
    pub fn counts(&self, time: Time) -> bool {
        self.window.is_none_or(|window| window.holds(time))
    }

    /// Returns whether `event` passes the allow list and the filter expression. Destination filters
    /// are applied later.
    #[inline]
    pub fn takes(&self, event: &Event<'_>) -> bool {
        self.allow.as_ref().is_none_or(|allow| allow.takes(event).is_some())
            && self.filter.as_ref().is_none_or(|filter| filter.holds(event))
    }
}

/// The position of an event: the number of its segment, in commit order, and its row there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventRef(u64);

impl EventRef {
    /// Creates a reference to row `row` of segment `segment`.
    pub fn new(segment: usize, row: u32) -> Self {
        Self((segment as u64) << 32 | u64::from(row))
    }

    /// Returns the number of the segment.
    pub fn segment(self) -> usize {
        // A segment is a block in memory or on disk: there are fewer than 2^32.
        (self.0 >> 32) as usize
    }

    /// Returns the row in the segment.
    pub fn row(self) -> u32 {
        #[allow(clippy::cast_possible_truncation)] // the lower half
        {
            self.0 as u32
        }
    }

    /// Returns the reference as an integer, which orders as references do.
    pub fn to_raw(self) -> u64 {
        self.0
    }

    /// Creates a reference from the integer that [`to_raw`](Self::to_raw) returned.
    pub fn from_raw(raw: u64) -> Self {
        Self(raw)
    }
}
