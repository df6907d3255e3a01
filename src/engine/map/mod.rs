//! The first phase: filters, counts and hashes each event, and writes a row for each that passes.
//!
//! A mapper keeps no state between events but counters and buffers, so that rows and sums do not
//! depend on the number of workers.

pub mod batch;
pub mod counters;
pub mod deletions;
pub mod event_names;
pub mod example;
pub(crate) mod extract;
pub mod names;
pub mod times;
pub mod unused_email;

use ahash::RandomState;
use xxhash_rust::xxh3::xxh3_64;

use super::dedup::Rank;
use crate::engine::Engine;
use crate::engine::exchange::row::{Flags, Head, RowIds};
use crate::engine::identity::fact::OrderKey;
use crate::engine::identity::ids::{NodeId, Space};
use crate::engine::identity::tie::Ties;
use crate::engine::identity::value::{EmailFault, normalise_email};
use crate::engine::map::batch::{Batch, BatchFact, EventKeys, Place};
use crate::engine::map::counters::Counters;
use crate::engine::map::example::Position;
use crate::engine::map::extract::Extract;
use crate::engine::map::names::Names;
use crate::engine::map::times::EventClock;
use crate::engine::map::unused_email::{UnusedEmail, UnusedEmails};
use crate::event::content::ContentHasher;
use crate::event::{CallType, Event, Member};
use crate::filter::destination::{Counts, Scratch, Verdict};
use crate::json::Json;
use crate::json::canonical::Canonical;
use crate::parse::deletion::Deletion;
use crate::parse::reject::{Reject, Surplus};
use crate::parse::{Arrival, Repairs, Sink};
use crate::rules::{DedupBy, Rule};
use crate::time::Time;

/// The result of mapping an event, for callers that look at single events.
#[derive(Clone, Copy, Debug)]
pub struct Mapped {
    /// The call of the event.
    pub call: CallType,
    /// The index of the rule that maps it.
    pub rule: Option<u32>,
    /// The times and the content hash.
    pub key: OrderKey,
    /// The ids, as numbers of the batch.
    pub ids: RowIds,
    /// An e-mail address that the event carries and no rule maps.
    pub unused_email: Option<UnusedEmail>,
}

/// The e-mail addresses of an event.
#[derive(Clone, Copy, Debug, Default)]
struct EventEmails {
    /// The e-mail of the person who caused the event.
    email: Option<NodeId>,
    /// The e-mail that the ids of the event are connected to.
    identifies: Option<NodeId>,
    /// The problems with the addresses.
    flags: Flags,
}

/// Maps blocks to batches. Each worker has its own.
pub struct Mapper<'a> {
    engine: &'a Engine,
    canonical: Canonical,
    hasher: ContentHasher,
    /// The normalised e-mail of the current event.
    email: Vec<u8>,
    /// The user id of the current event, normalised as an e-mail.
    address: Vec<u8>,
    scratch: Vec<u8>,
    filter_scratch: Scratch,
    clock: EventClock,
    /// The current line of the block, from 0.
    line: u64,
    records: u64,
    /// Whether events with equal content have equal rows.
    content_decides: bool,
    /// The batch of the current block.
    pub batch: Batch,
    counters: Counters,
}

impl<'a> Mapper<'a> {
    /// Creates a mapper for `engine`, whose ids are hashed by `hasher`.
    pub fn new(engine: &'a Engine, hasher: RandomState) -> Self {
        Self {
            engine,
            canonical: Canonical::default(),
            hasher: ContentHasher::default(),
            email: Vec::new(),
            address: Vec::new(),
            scratch: Vec::new(),
            filter_scratch: Scratch::default(),
            clock: EventClock::default(),
            line: 0,
            records: 0,
            content_decides: engine.rules.read_content_alone(),
            batch: Batch::new(hasher),
            counters: Counters {
                filters: Counts::new(
                    engine.filters.as_ref().map_or(0, |filters| filters.filters().len()),
                ),
                ..Counters::default()
            },
        }
    }

    /// Begins the batch of the block at `place`.
    pub fn begin(&mut self, place: Place) {
        self.batch.restart(place);
        self.records = 0;
    }

    /// Ends the batch of a block with `lines` lines; returns the number of its records.
    pub fn end(&mut self, lines: u64) -> u64 {
        self.batch.lines = lines;
        *self.counters.records_by_file.entry(self.batch.place.file).or_default() += self.records;
        self.records
    }

    /// Takes the counted names out if there are so many that each worker keeping its own would
    /// waste memory.
    pub fn take_many_names(&mut self) -> Option<Names> {
        self.counters.take_many_names()
    }

    /// Returns the addresses in signals so far that no rule maps.
    pub fn unused_emails(&mut self) -> &mut UnusedEmails {
        &mut self.counters.unused_emails
    }

    /// Returns the sums over all blocks.
    pub fn into_counters(self) -> Counters {
        Counters { times: self.clock.counts, ..self.counters }
    }

    /// Returns the number of the id at `member`, and whether the id is blocked and has none.
    fn id(&mut self, event: &Event<'_>, member: Member, space: Space) -> (Option<NodeId>, bool) {
        let Some(id) = event.id(member) else { return (None, false) };
        let text = id.text(&mut self.scratch);
        if space != Space::Group && self.engine.blocklist.blocks(text) {
            return (None, true);
        }
        (Some(self.batch.ids.intern(space, text)), false)
    }

    /// Finds the e-mail of the event, and what is wrong with it if it cannot be used.
    fn email(&mut self, event: &Event<'_>, call: CallType, rule: Option<&Rule>) -> EventEmails {
        let identity = &self.engine.rules.identity;
        let mut emails = EventEmails::default();
        let value = match (call, rule) {
            (CallType::Identify, _) => extract::identify_email(event, identity),
            (_, Some(rule)) => extract::mapped(&rule.map.email, event),
            _ => None,
        };
        if let Some(value) = value {
            let text = value.as_str().unwrap_or_default();
            match normalise_email(text, &self.engine.blocklist, &mut self.email) {
                Ok(()) => emails.email = Some(self.intern_email()),
                Err(EmailFault::Invalid) => emails.flags.set(Flags::INVALID_EMAIL),
                Err(EmailFault::Blocked) => emails.flags.set(Flags::BLOCKED_EMAIL),
            }
        }
        if call == CallType::Identify || rule.is_some_and(|rule| rule.identify) {
            emails.identifies = emails.email;
        }
        let may_be_user_id = identity.user_id_is_email || call == CallType::Identify;
        if emails.identifies.is_none() && may_be_user_id {
            self.user_id_as_email(event, call, &mut emails);
        }
        if call == CallType::Identify && value.is_none() && emails.email.is_none() {
            emails.flags.set(Flags::WITHOUT_EMAIL);
        }
        emails
    }

    /// Uses the user id as e-mail if it is an address and the rules say so; otherwise flags that it
    /// is one.
    fn user_id_as_email(&mut self, event: &Event<'_>, call: CallType, emails: &mut EventEmails) {
        if !extract::user_id_address(event, &self.engine.blocklist, &mut self.address) {
            return;
        }
        if !self.engine.rules.identity.user_id_is_email {
            return emails.flags.set(Flags::ADDRESS_AS_USER_ID);
        }
        if call == CallType::Identify {
            std::mem::swap(&mut self.email, &mut self.address);
            emails.email = Some(self.intern_email());
            emails.identifies = emails.email;
        } else {
            let address = std::str::from_utf8(&self.address).unwrap_or_default();
            emails.identifies = Some(self.batch.ids.intern(Space::Email, address));
            emails.flags.set(Flags::ADDRESS_AS_USER_ID);
        }
    }

    fn intern_email(&mut self) -> NodeId {
        let email = std::str::from_utf8(&self.email).unwrap_or_default();
        self.batch.ids.intern(Space::Email, email)
    }

    /// Adds the identity facts of the event; returns whether it is an alias that connects ids.
    fn tie(
        &mut self,
        event: &Event<'_>,
        call: CallType,
        ids: &RowIds,
        identifies: Option<NodeId>,
    ) -> bool {
        #[allow(clippy::cast_possible_truncation)] // a block holds far fewer than 2^32 events
        let row = self.batch.events.len() as u32;
        let user = ids.user.filter(|_| self.engine.rules.identity.user_id);
        let previous = match user {
            Some(user) if call == CallType::Alias => self.previous(event, user),
            _ => [None; 2],
        };
        let ties = Ties { anonymous: ids.anonymous, user, identifies, previous };
        let facts = ties.each().map(|(source, target)| BatchFact { row, source, target });
        self.batch.facts.extend(facts);
        previous[0].is_some()
    }

    /// Returns the previous ids that an alias connects to `user`. An alias does not say whether its
    /// previous id is an anonymous id or a user id, so both are returned.
    fn previous(&mut self, event: &Event<'_>, user: NodeId) -> [Option<NodeId>; 2] {
        let (Some(anonymous), _) = self.id(event, Member::PreviousId, Space::Anonymous) else {
            return [None; 2];
        };
        let (previous, _) = self.id(event, Member::PreviousId, Space::User);
        [Some(anonymous), previous.filter(|&previous| previous != user)]
    }

    /// Returns the deduplication key, and a hash that orders duplicates with equal times.
    fn dedup(&mut self, event: &Event<'_>, signal_id: u128, row: u64) -> (Option<u128>, u64) {
        match self.engine.rules.dedup.by {
            DedupBy::Content => (Some(signal_id), row),
            DedupBy::None => (None, row),
            DedupBy::MessageId => {
                self.scratch.clear();
                if let Some(id) = event.id(Member::MessageId) {
                    id.write(&mut self.scratch);
                }
                // The upper bits are those of the signal id, which breaks ties everywhere; the
                // lower ones are of the row.
                #[allow(clippy::cast_possible_truncation)] // its upper 48 bits
                let content = ((signal_id >> 80) as u64) << 16 | row >> 48;
                (Some(xxhash_rust::xxh3::xxh3_128(&self.scratch)), content)
            }
        }
    }

    /// Returns a hash that distinguishes the last row from others with the same content hash, times
    /// and ids; 0 if they cannot differ.
    fn row_hash(&self, event: &Event<'_>, call: CallType, email: Option<NodeId>) -> u64 {
        let email = email.map_or(0, |_| xxh3_64(&self.email));
        // The e-mail of an identify call may not be part of its content. Large numbers may be equal
        // in the content, yet different as ids.
        let decided =
            self.content_decides && call != CallType::Identify && !event.has_number_as_id();
        if decided { email } else { email ^ self.batch.rows.hash() }
    }

    /// Returns hashes of the message id and of the content without it.
    fn profile(&mut self, event: &Event<'_>, plain: bool) -> (u64, u64) {
        self.scratch.clear();
        if let Some(id) = event.id(Member::MessageId) {
            id.write(&mut self.scratch);
        }
        let mut ignored = self.engine.rules.dedup.ignore.clone();
        ignored.push(Member::MessageId);
        let content = self.hasher.hash_without_outline(event, &ignored, plain);
        #[allow(clippy::cast_possible_truncation)] // 64 bits tell contents apart well enough
        (xxh3_64(&self.scratch), content as u64)
    }

    /// Counts what is counted of every event, filtered or not; returns its time and when it was
    /// received.
    fn count_arrival(&mut self, event: &Event<'_>, arrival: Arrival) -> (Time, Time) {
        if event.id(Member::AnonymousId).is_none() {
            self.counters.no_anonymous_id += 1;
        }
        let at = self.position();
        let (time, received) = self.clock.read(event, arrival.captured_at, at, self.engine);
        if let Some(window) = self.engine.window {
            self.counters.window.see(window, time, received);
        }
        (time, received)
    }

    /// Counts an event that a filter drops.
    fn filter_out(&mut self, event: &Event<'_>, arrival: Arrival) {
        self.count_arrival(event, arrival);
        self.counters.filtered += 1;
    }

    /// Counts an event; returns whether the allow list and the filter expression let it pass.
    #[inline]
    pub fn admit(&mut self, event: &Event<'_>, arrival: Arrival) -> bool {
        self.records += 1;
        self.counters.events += 1;
        self.counters.shapes[arrival.shape as usize] += 1;
        let taken = self.engine.takes(event);
        if !taken {
            self.filter_out(event, arrival);
        }
        taken
    }

    /// Passes an event through all filters and maps what is left of it; `then` is called with each
    /// resulting event and the result.
    #[inline]
    pub fn pass(
        &mut self,
        event: &Event<'_>,
        arrival: Arrival,
        mut then: impl FnMut(&Event<'_>, Mapped),
    ) {
        if !self.admit(event, arrival) {
            return;
        }
        let engine = self.engine;
        let Some(filters) = &engine.filters else {
            if let Some(mapped) = self.take(event, arrival) {
                then(event, mapped);
            }
            return;
        };
        let mut filter_scratch = std::mem::take(&mut self.filter_scratch);
        filters.apply(event, engine.detection, &mut filter_scratch, |verdict, left| {
            self.counters.filters.add(verdict);
            match verdict {
                Verdict::Dropped(_) => self.filter_out(left, arrival),
                Verdict::Untouched | Verdict::Changed(_) => {
                    if let Some(mapped) = self.take(left, arrival) {
                        then(left, mapped);
                    }
                }
            }
        });
        self.filter_scratch = filter_scratch;
    }

    /// Maps an event, and counts the e-mail address that no rule maps.
    #[inline]
    fn take(&mut self, event: &Event<'_>, arrival: Arrival) -> Option<Mapped> {
        let mapped = self.receive(event, arrival)?;
        if let Some(unused) = mapped.unused_email {
            self.counters.unused_emails.see(unused, self.position());
        }
        Some(mapped)
    }

    /// Returns the position of the current event.
    #[inline]
    pub fn position(&self) -> Position {
        Position { place: self.batch.place, line: self.line, record: self.records }
    }

    /// Maps an event without looking for filters; returns `None` if it has no call that is
    /// delivered.
    #[inline]
    pub fn receive(&mut self, event: &Event<'_>, arrival: Arrival) -> Option<Mapped> {
        let (time, received) = self.count_arrival(event, arrival);
        let call = event.call_type()?;
        let counts = self.engine.counts(received.or(time));
        if counts {
            self.counters.volume.count(received.or(time));
        }
        let name = extract::event_name(event, call, &mut self.canonical, &mut self.scratch);
        self.counters.names.add(call, name, u64::from(counts));
        let ignored = &self.engine.rules.dedup.ignore;
        let signal_id = self.hasher.hash(event, ignored, arrival.plain);
        Some(self.keep(event, call, OrderKey { time, received, signal_id }, arrival.plain))
    }

    /// Returns the event name as TrailSpark knows it; empty if the call has none.
    pub fn name<'n>(&'n mut self, event: &'n Event<'_>, call: CallType) -> &'n str {
        extract::event_name(event, call, &mut self.canonical, &mut self.scratch)
    }

    /// Adds the row and the identity facts of an event to the batch.
    fn keep(&mut self, event: &Event<'_>, call: CallType, key: OrderKey, plain: bool) -> Mapped {
        let matched = if call.is_signal() { self.engine.rules.first_match(event) } else { None };
        let rule = matched.map(|id| &self.engine.rules.rules[id.index()]);
        let EventEmails { email, identifies, mut flags } = self.email(event, call, rule);
        let (anonymous, anonymous_blocked) = self.id(event, Member::AnonymousId, Space::Anonymous);
        let (user, user_blocked) = self.id(event, Member::UserId, Space::User);
        let (group, _) = match call {
            CallType::Group => self.id(event, Member::GroupId, Space::Group),
            _ => (None, false),
        };
        if anonymous_blocked {
            flags.set(Flags::BLOCKED_ANONYMOUS_ID);
        }
        if user_blocked {
            flags.set(Flags::BLOCKED_USER_ID);
        }
        let ids = RowIds { anonymous, user, email, group };
        if self.tie(event, call, &ids, identifies) {
            flags.set(Flags::TIES_PREVIOUS);
        }
        #[allow(clippy::cast_possible_truncation)] // a rules file has far fewer
        let matched = matched.map(|id| id.index() as u32);
        let head = Head { call, flags, rule: matched, key };
        self.batch.rows.begin(&head);
        let columns = self.engine.rules.columns.len();
        let extract = Extract { event, call, rule, ids };
        extract.write(&mut self.batch.rows, &mut self.canonical, columns);
        let row = self.row_hash(event, call, email);
        self.batch.rows.end(ids);
        let (dedup, content) = self.dedup(event, key.signal_id, row);
        let rank = Rank { received: key.received, time: key.time, content };
        self.batch.events.push(EventKeys { key, dedup, rank });
        if self.engine.profile_duplicates {
            let profile = self.profile(event, plain);
            self.batch.profiles.push(profile);
        }
        let unused_email = match email {
            None if call.is_signal() => UnusedEmail::find(event, self.engine, &mut self.address),
            _ => None,
        };
        Mapped { call, rule: matched, key, ids, unused_email }
    }
}

impl Sink for Mapper<'_> {
    #[inline]
    fn line(&mut self, line_in_block: u64) {
        self.line = line_in_block;
    }

    fn event(&mut self, event: &Event<'_>, arrival: Arrival) {
        self.pass(event, arrival, |_, _| {});
    }

    fn reject(&mut self, reject: Reject<'_>) {
        self.records += 1;
        let reason = reject.refusal.reason as usize;
        self.counters.rejects[reason] += 1;
        let (place, record) = (self.batch.place, self.records);
        let at = Position { place, line: reject.line_in_block, record };
        self.counters.reject_examples[reason].see(at, || reject.refusal.detail.to_string());
        self.counters.shapes[reject.refusal.shape as usize] += 1;
        self.batch.rejects.push(&reject, self.engine);
    }

    fn foreign(&mut self) {
        self.counters.foreign_requests += 1;
    }

    fn deletion(&mut self, deletion: Deletion<'_>) {
        self.counters.deletions.see(deletion);
    }

    fn mended(&mut self, repairs: Repairs) {
        self.counters.repairs += repairs;
    }

    fn surplus(&mut self, surplus: Surplus<'_>) {
        for &(shape, reason, count) in surplus.counts {
            self.records += count;
            self.counters.rejects[reason as usize] += count;
            self.counters.shapes[shape as usize] += count;
        }
        self.batch.rejects.push_surplus(&surplus, self.engine);
    }
}

/// Writes a value as a row shows it: a string unchanged, `null` as nothing, anything else in
/// canonical form.
pub(super) fn write_text(value: Option<Json<'_>>, canonical: &mut Canonical, out: &mut Vec<u8>) {
    match value {
        None => {}
        Some(value) => match value.as_str() {
            Some(text) => out.extend_from_slice(text.as_bytes()),
            None if value.is_null() => {}
            None => canonical.write(value, out),
        },
    }
}
