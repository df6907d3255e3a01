//! The first phase, for each event: filter, count, hash, and render what is kept into a row.
//!
//! Stateless but for counters, so that any number of workers give the same sums and rows.

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
use crate::engine::map::batch::{Batch, BatchFact, Mark, Place};
use crate::engine::map::counters::Counters;
use crate::engine::map::example::Position;
use crate::engine::map::extract::Extract;
use crate::engine::map::names::Names;
use crate::engine::map::times::EventClock;
use crate::engine::map::unused_email::UnusedEmail;
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

/// What a mapper made of an event, for whoever maps for more than one outcome.
#[derive(Clone, Copy, Debug)]
pub struct Mapped {
    /// The call.
    pub call: CallType,
    /// The rule that maps it, by its place in the rules file.
    pub rule: Option<u32>,
    /// When, and the content hash.
    pub key: OrderKey,
    /// Its ids, as numbers of the batch.
    pub ids: RowIds,
    /// The address that it carries and no rule maps.
    pub unused_email: Option<UnusedEmail>,
}

/// What the e-mails of an event come to.
#[derive(Clone, Copy, Debug, Default)]
struct Brought {
    /// Whose event it is.
    email: Option<NodeId>,
    /// Which e-mail its ids are tied to.
    identifies: Option<NodeId>,
    /// What is wrong.
    flags: Flags,
}

/// Maps blocks to batches; one for each worker.
pub struct Mapper<'a> {
    engine: &'a Engine,
    canonical: Canonical,
    hasher: ContentHasher,
    /// The e-mail that the current event brings.
    email: Vec<u8>,
    /// Its user id, where that is looked at as an e-mail.
    address: Vec<u8>,
    scratch: Vec<u8>,
    judging: Scratch,
    clock: EventClock,
    /// The current line of the block, from 0.
    line: u64,
    records: u64,
    /// Events of the same content have the same row.
    content_decides: bool,
    /// What the current block has given so far.
    pub batch: Batch,
    counters: Counters,
}

impl<'a> Mapper<'a> {
    /// A mapper for `engine`, whose ids are hashed by `hasher`.
    pub fn new(engine: &'a Engine, hasher: RandomState) -> Self {
        Self {
            engine,
            canonical: Canonical::default(),
            hasher: ContentHasher::default(),
            email: Vec::new(),
            address: Vec::new(),
            scratch: Vec::new(),
            judging: Scratch::default(),
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

    /// Ends the batch of a block of so many lines; returns how many records it had.
    pub fn end(&mut self, lines: u64) -> u64 {
        self.batch.lines = lines;
        *self.counters.records_by_file.entry(self.batch.place.file).or_default() += self.records;
        self.records
    }

    /// The names counted so far, where there are so many that workers should not keep them each for
    /// itself.
    pub fn take_many_names(&mut self) -> Option<Names> {
        self.counters.take_many_names()
    }

    /// The sums over all blocks.
    pub fn into_counters(self) -> Counters {
        Counters { times: self.clock.counts, ..self.counters }
    }

    /// The number of the id at `member`, and whether it is blocked instead.
    fn id(&mut self, event: &Event<'_>, member: Member, space: Space) -> (Option<NodeId>, bool) {
        let Some(id) = event.id(member) else { return (None, false) };
        let text = id.text(&mut self.scratch);
        if space != Space::Group && self.engine.blocklist.blocks(text) {
            return (None, true);
        }
        (Some(self.batch.ids.intern(space, text)), false)
    }

    /// The e-mail that the event brings, and what is wrong with it where it brings none.
    fn email(&mut self, event: &Event<'_>, call: CallType, rule: Option<&Rule>) -> Brought {
        let identity = &self.engine.rules.identity;
        let mut brought = Brought::default();
        let value = match (call, rule) {
            (CallType::Identify, _) => extract::identify_email(event, identity),
            (_, Some(rule)) => extract::mapped(&rule.map.email, event),
            _ => None,
        };
        if let Some(value) = value {
            let text = value.as_str().unwrap_or_default();
            match normalise_email(text, &self.engine.blocklist, &mut self.email) {
                Ok(()) => brought.email = Some(self.intern_email()),
                Err(EmailFault::Invalid) => brought.flags.set(Flags::INVALID_EMAIL),
                Err(EmailFault::Blocked) => brought.flags.set(Flags::BLOCKED_EMAIL),
            }
        }
        if call == CallType::Identify || rule.is_some_and(|rule| rule.identify) {
            brought.identifies = brought.email;
        }
        let may_be_user_id = identity.user_id_is_email || call == CallType::Identify;
        if brought.identifies.is_none() && may_be_user_id {
            self.user_id_as_email(event, call, &mut brought);
        }
        if call == CallType::Identify && value.is_none() && brought.email.is_none() {
            brought.flags.set(Flags::WITHOUT_EMAIL);
        }
        brought
    }

    /// Takes the user id for an e-mail where it is one, or notes that it could be taken.
    fn user_id_as_email(&mut self, event: &Event<'_>, call: CallType, brought: &mut Brought) {
        if !extract::user_id_address(event, &self.engine.blocklist, &mut self.address) {
            return;
        }
        if !self.engine.rules.identity.user_id_is_email {
            return brought.flags.set(Flags::ADDRESS_AS_USER_ID);
        }
        if call == CallType::Identify {
            std::mem::swap(&mut self.email, &mut self.address);
            brought.email = Some(self.intern_email());
            brought.identifies = brought.email;
        } else {
            let address = std::str::from_utf8(&self.address).unwrap_or_default();
            brought.identifies = Some(self.batch.ids.intern(Space::Email, address));
            brought.flags.set(Flags::ADDRESS_AS_USER_ID);
        }
    }

    fn intern_email(&mut self) -> NodeId {
        let email = std::str::from_utf8(&self.email).unwrap_or_default();
        self.batch.ids.intern(Space::Email, email)
    }

    /// Notes what the event ties together, and returns whether it is an alias that ties something.
    fn tie(
        &mut self,
        event: &Event<'_>,
        call: CallType,
        ids: &RowIds,
        identifies: Option<NodeId>,
    ) -> bool {
        #[allow(clippy::cast_possible_truncation)] // a block holds far fewer than 2^32 events
        let row = self.batch.marks.len() as u32;
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

    /// What an alias ties to `user`: nothing tells whether its previous id was an anonymous id or a
    /// user id.
    fn previous(&mut self, event: &Event<'_>, user: NodeId) -> [Option<NodeId>; 2] {
        let (Some(anonymous), _) = self.id(event, Member::PreviousId, Space::Anonymous) else {
            return [None; 2];
        };
        let (previous, _) = self.id(event, Member::PreviousId, Space::User);
        [Some(anonymous), previous.filter(|&previous| previous != user)]
    }

    /// The key under which copies meet, and what tells them apart beside their times.
    fn dedup(&mut self, event: &Event<'_>, signal_id: u128, row: u64) -> (Option<u128>, u64) {
        match self.engine.rules.dedup.by {
            DedupBy::Content => (Some(signal_id), row),
            DedupBy::None => (None, row),
            DedupBy::MessageId => {
                self.scratch.clear();
                if let Some(id) = event.id(Member::MessageId) {
                    id.write(&mut self.scratch);
                }
                // First the signal id, as everywhere; the row tells the rest.
                #[allow(clippy::cast_possible_truncation)] // its upper 48 bits
                let content = ((signal_id >> 80) as u64) << 16 | row >> 48;
                (Some(xxhash_rust::xxh3::xxh3_128(&self.scratch)), content)
            }
        }
    }

    /// Tells the row begun last from others of the same content hash, times and ids: zero where
    /// there can be none.
    fn row_hash(&self, event: &Event<'_>, call: CallType, email: Option<NodeId>) -> u64 {
        let email = email.map_or(0, |_| xxh3_64(&self.email));
        // An identify call may have an e-mail that is no part of its content; large numbers may
        // be one in the content, and two as ids.
        let decided =
            self.content_decides && call != CallType::Identify && !event.has_number_as_id();
        if decided { email } else { email ^ self.batch.rows.hash() }
    }

    /// Hashes of the message id and of the content without it.
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

    /// Counts what is told of every event, sent or not; gives its time and when it was received.
    fn look(&mut self, event: &Event<'_>, arrival: Arrival) -> (Time, Time) {
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

    /// Takes out an event that a filter keeps from being sent.
    fn filter_out(&mut self, event: &Event<'_>, arrival: Arrival) {
        self.look(event, arrival);
        self.counters.filtered += 1;
    }

    /// Counts a record that is an event; whether the engine's allow list and expression take it.
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

    /// Passes an event through the engine's filters and takes what is sent of it; `then` sees that,
    /// and what was made of it.
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
        let mut judging = std::mem::take(&mut self.judging);
        filters.apply(event, engine.detection, &mut judging, |verdict, left| {
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
        self.judging = judging;
    }

    /// Takes what is sent of an event, and counts what it carries unused.
    #[inline]
    fn take(&mut self, event: &Event<'_>, arrival: Arrival) -> Option<Mapped> {
        let mapped = self.receive(event, arrival)?;
        if let Some(unused) = mapped.unused_email {
            self.counters.unused_emails.see(unused, self.position());
        }
        Some(mapped)
    }

    /// Where the current event stands.
    #[inline]
    pub fn position(&self) -> Position {
        Position { place: self.batch.place, line: self.line, record: self.records }
    }

    /// Takes what is sent of an event; `None` of what is none.
    #[inline]
    pub fn receive(&mut self, event: &Event<'_>, arrival: Arrival) -> Option<Mapped> {
        let (time, received) = self.look(event, arrival);
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

    /// The name of `event` as TrailSpark knows it; empty of a call that has none.
    pub fn name<'n>(&'n mut self, event: &'n Event<'_>, call: CallType) -> &'n str {
        extract::event_name(event, call, &mut self.canonical, &mut self.scratch)
    }

    /// Adds the row of an event that passes, and what it ties together, to the batch.
    fn keep(&mut self, event: &Event<'_>, call: CallType, key: OrderKey, plain: bool) -> Mapped {
        let matched = if call.is_signal() { self.engine.rules.first_match(event) } else { None };
        let rule = matched.map(|id| &self.engine.rules.rules[id.index()]);
        let Brought { email, identifies, mut flags } = self.email(event, call, rule);
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
        self.batch.marks.push(Mark { key, dedup, rank });
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

/// The value of an event that a row shows as text: a string as it stands, anything else but
/// `null` in canonical form.
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
