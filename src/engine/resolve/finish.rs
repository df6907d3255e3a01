//! The second phase, for each row: whose is it, what does it add to its lead, and its line in
//! the outputs.

use std::sync::{Mutex, PoisonError};

use ahash::AHashMap;

use super::tally::{Contender, POLICIES, Tally};
use crate::emit::Encoder;
use crate::emit::row::{Cell, SignalRow};
use crate::engine::Engine;
use crate::engine::exchange::row::{Field, Flags, Head, Row, RowIds};
use crate::engine::identity::Resolution;
use crate::engine::identity::fact::OrderKey;
use crate::engine::identity::ids::{Ids, NodeId, Space};
use crate::engine::identity::merge::Merged;
use crate::engine::identity::resolve::{Owner, Resolver, Visitor};
use crate::engine::identity::value::normalise_email;
use crate::engine::ingest::commit::SegmentView;
use crate::engine::lead::{Leads, Page, Signal, Touch, Trait};
use crate::engine::map::event_names::EventNames;
use crate::engine::plan::{Ledger, TrackedUsers, Verdict};
use crate::event::CallType;
use crate::rules::Rule;
use crate::time::MINUTE_MS;

/// What `source` says of every signal.
pub const SOURCE: &str = "segment";

/// The latest name of each group.
pub type GroupNames = AHashMap<NodeId, (OrderKey, Box<str>)>;

/// What every worker of the second phase shares.
pub struct Finisher<'a> {
    engine: &'a Engine,
    ids: &'a Ids,
    resolver: Resolver<'a>,
    merged: &'a Merged,
    ledger: &'a Ledger,
    events: &'a EventNames<'a>,
    internal: Vec<bool>,
    leads: Leads,
    groups: Mutex<GroupNames>,
    /// Where someone wants to know.
    tracked: Option<TrackedUsers>,
}

/// What a worker of the second phase has of its own.
pub struct Worker {
    /// Its counts.
    pub tally: Tally,
    /// One for each format of the signals.
    pub encoders: Vec<Encoder>,
    /// What became of each identify call and signal, where someone wants to know.
    pub notes: Option<Vec<Note>>,
}

/// What became of one identify call or signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Note {
    /// Its row in the segment.
    pub row: u32,
    /// The call.
    pub call: CallType,
    /// The number of its event's name; of no meaning for an identify call.
    pub event: u32,
    /// The rule that maps it.
    pub rule: Option<u32>,
    /// Whose it is.
    pub lead: Option<NodeId>,
    /// Whether it brings the e-mail of its lead itself.
    pub brings: bool,
    /// Whether its lead is staff, which is none.
    pub internal: bool,
    /// The position of its period in the ledger.
    pub period: Option<usize>,
    /// Whether it lies in the window.
    pub in_window: bool,
}

/// A row with its ids as numbers of the run.
struct Settled<'a> {
    row: Row<'a>,
    /// Its number in the segment.
    number: u32,
    /// It is a duplicate.
    dead: bool,
    /// It lies in the window.
    in_window: bool,
    parts: &'a SegmentView<'a>,
    ids: RowIds,
    minute: Option<i64>,
    period: Option<usize>,
    /// Of a signal or group call that brings no e-mail itself.
    owner: Option<Owner>,
    /// The e-mail that its user id is, where that identifies.
    user_email: Option<NodeId>,
}

/// So many rows or leads are gone through together, so that the memory that each needs is waited
/// for at once.
pub(crate) const AHEAD: usize = 16;

impl<'a> Finisher<'a> {
    /// A finisher for what has been committed.
    pub fn new(
        engine: &'a Engine,
        ids: &'a Ids,
        resolver: Resolver<'a>,
        merged: &'a Merged,
        ledger: &'a Ledger,
        events: &'a EventNames<'a>,
    ) -> Self {
        let domains = &engine.rules.identity.internal_domains;
        let is_internal = |(id, space): (NodeId, Space)| {
            let domain = (space == Space::Email).then(|| ids.text(id).split_once('@')).flatten();
            domain.is_some_and(|(_, domain)| domains.iter().any(|internal| internal == domain))
        };
        let internal =
            if domains.is_empty() { Vec::new() } else { ids.iter().map(is_internal).collect() };
        let (leads, groups) = (Leads::new(ids), Mutex::default());
        let tracked = None;
        Self { engine, ids, resolver, merged, ledger, events, internal, leads, groups, tracked }
    }

    /// Counts the users of each period besides.
    #[must_use]
    pub fn tracking_users(self) -> Self {
        let tracked = TrackedUsers::new(self.ledger.periods.len(), self.ids.len());
        Self { tracked: Some(tracked), ..self }
    }

    /// How many users each period had, where they were counted.
    pub fn tracked_users(&self) -> Vec<u64> {
        self.tracked.as_ref().map_or_else(Vec::new, |tracked| tracked.counts(self.ids))
    }

    /// A worker with `encoders` for the signals.
    pub fn worker(&self, encoders: Vec<Encoder>) -> Worker {
        let rules = self.engine.rules.rules.len();
        let tally = Tally::new(self.ledger.periods.len(), rules);
        Worker { tally, encoders, notes: None }
    }

    /// All rows of a segment, whose bytes are `parts` and of which the `dead` are duplicates.
    pub fn segment(&self, worker: &mut Worker, dead: &[u32], parts: &SegmentView<'_>) {
        let mut dead = dead.iter().copied().peekable();
        let mut bytes = parts.rows;
        let mut rows = (0..).map_while(|number| {
            let row = Row::read(&mut bytes)?;
            Some(self.settle(row, number, dead.next_if_eq(&number).is_some(), parts))
        });
        let (mut some, mut cells) = (Vec::with_capacity(AHEAD), Vec::new());
        loop {
            some.clear();
            some.extend(rows.by_ref().take(AHEAD));
            if some.is_empty() {
                return;
            }
            self.find_owners(&mut some);
            for settled in &some {
                self.finish(worker, settled, &mut cells);
            }
        }
    }

    /// Finds the owners of `some` rows.
    fn find_owners(&self, some: &mut [Settled<'_>]) {
        let owned = |settled: &&mut Settled<'_>| {
            let call = settled.row.head.call;
            !settled.dead
                && settled.ids.email.is_none()
                && (call.is_signal() || call == CallType::Group)
        };
        for settled in some.iter_mut().filter(owned) {
            self.resolver.prefetch(self.visitor(settled));
        }
        for settled in some.iter_mut().filter(owned) {
            self.resolver.prefetch_links(self.visitor(settled));
        }
        let policy = self.engine.rules.identity.policy;
        for settled in some.iter_mut().filter(owned) {
            let time = settled.row.head.key.time;
            settled.owner = self.resolver.owner(self.visitor(settled), time, policy);
        }
        for settled in some {
            let email = settled.ids.email.or(settled.owner.map(|owner| owner.email));
            if let Some(lead) = email.map(|email| self.merged.name(email)) {
                self.leads.prefetch(lead);
                self.ids.prefetch(lead);
            }
        }
    }

    fn finish<'r>(&self, worker: &mut Worker, settled: &Settled<'r>, cells: &mut Vec<Cell<'r>>) {
        if settled.dead {
            return self.duplicate(worker, settled);
        }
        worker.tally.outside_window += u64::from(!settled.in_window);
        self.count(&mut worker.tally, settled);
        if let Some(email) = settled.user_email {
            self.identify_by_user_id(settled, email);
        }
        match settled.row.head.call {
            CallType::Identify => self.identify(worker, settled),
            CallType::Group => self.group(settled),
            CallType::Alias => {}
            _ if !settled.in_window => self.signal_outside(worker, settled),
            _ => {
                cells.clear();
                if !worker.encoders.is_empty() {
                    settled.row.cells(cells);
                }
                self.signal(worker, settled, cells);
            }
        }
        self.weigh_loss(&mut worker.tally, settled);
    }

    /// The leads and the names of groups.
    pub fn into_leads(self) -> (Leads, GroupNames) {
        (self.leads, self.groups.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    fn settle<'r>(
        &self,
        row: Row<'r>,
        number: u32,
        dead: bool,
        parts: &'r SegmentView<'r>,
    ) -> Settled<'r> {
        let global = |id: Option<NodeId>| id.and_then(|id| parts.id(id));
        let RowIds { anonymous, user, email, group } = row.ids;
        let ids = RowIds {
            anonymous: global(anonymous),
            user: global(user),
            email: global(email),
            group: global(group),
        };
        let at = row.head.key.received.or(row.head.key.time);
        let counted = at.millis().filter(|_| self.engine.counts(at));
        let minute = counted.map(|millis| millis.div_euclid(MINUTE_MS));
        let period = minute.and_then(|minute| self.ledger.period_of(minute));
        if let (Some(tracked), Some(period)) = (&self.tracked, period) {
            tracked.see(period, ids.anonymous, ids.user);
        }
        let user_email = self.user_email(&row, &ids);
        let in_window = self.engine.counts(row.head.key.time);
        let owner = None;
        Settled { row, number, dead, in_window, parts, ids, minute, period, owner, user_email }
    }

    fn user_email(&self, row: &Row<'_>, ids: &RowIds) -> Option<NodeId> {
        let identity = &self.engine.rules.identity;
        if !identity.user_id_is_email || !row.head.flags.has(Flags::ADDRESS_AS_USER_ID) {
            return None;
        }
        let mut email = Vec::new();
        normalise_email(self.ids.text(ids.user?), &self.engine.blocklist, &mut email).ok()?;
        self.ids.find(Space::Email, std::str::from_utf8(&email).ok()?)
    }

    fn duplicate(&self, worker: &mut Worker, settled: &Settled<'_>) {
        worker.tally.outside_duplicates += u64::from(!settled.in_window);
        if let Some(period) = settled.period {
            worker.tally.mix[period].duplicates += 1;
        }
        if let Some(minute) = settled.minute
            && matches!(self.ledger.verdict(minute), Verdict::Partial { .. })
        {
            let contender = Contender::new(minute, settled.row.head.key, false, None);
            worker.tally.partial.push(contender);
        }
    }

    fn count(&self, tally: &mut Tally, settled: &Settled<'_>) {
        let Settled { row, ids, .. } = settled;
        let has = |flag| u64::from(row.head.flags.has(flag));
        if row.head.call == CallType::Identify {
            tally.identifies += 1;
            tally.address_as_user_id += has(Flags::ADDRESS_AS_USER_ID);
        }
        tally.identify_without_email += has(Flags::WITHOUT_EMAIL);
        tally.invalid_email += has(Flags::INVALID_EMAIL);
        tally.blocked_emails += has(Flags::BLOCKED_EMAIL);
        tally.blocked_ids += has(Flags::BLOCKED_ANONYMOUS_ID) + has(Flags::BLOCKED_USER_ID);
        let rule = self.rule(row);
        let user = ids.user.filter(|_| self.engine.rules.identity.user_id);
        let identifies =
            row.head.call == CallType::Identify || rule.is_some_and(|rule| rule.identify);
        if (identifies && ids.email.is_some()) || settled.user_email.is_some() {
            tally.facts += u64::from(ids.anonymous.is_some()) + u64::from(user.is_some());
        }
        tally.facts += u64::from(ids.anonymous.is_some() && user.is_some());
        tally.facts += has(Flags::TIES_PREVIOUS);
        if let Some(mix) = settled.period.and_then(|period| tally.mix.get_mut(period)) {
            match row.head.call {
                CallType::Identify => mix.identifies += 1,
                call if !call.is_signal() => mix.other += 1,
                _ if rule.is_some() => mix.mapped += 1,
                _ => mix.unmapped += 1,
            }
        }
    }

    fn rule(&self, row: &Row<'_>) -> Option<&'a Rule> {
        row.head.rule.and_then(|rule| self.engine.rules.rules.get(rule as usize))
    }

    fn is_internal(&self, lead: NodeId) -> bool {
        self.internal.get(lead.index()).copied().unwrap_or(false)
    }

    /// The lead whose e-mail the event itself brings, unless it is staff.
    fn brought(&self, settled: &Settled<'_>) -> Option<NodeId> {
        let lead = self.merged.name(settled.ids.email.or(settled.user_email)?);
        (!self.is_internal(lead)).then_some(lead)
    }

    fn touch<'b>(&self, lead: NodeId, settled: &Settled<'b>) -> Touch<'b> {
        let Settled { row, ids, .. } = settled;
        Touch {
            lead,
            key: row.head.key,
            anonymous: ids.anonymous,
            user: ids.user,
            traits: [
                row.text(Field::Name),
                row.text(Field::FirstName),
                row.text(Field::LastName),
                row.text(Field::Company),
                row.text(Field::Title),
                row.text(Field::Phone),
            ],
            brings_email: ids.email.map(|_| self.is_accepted(settled)),
        }
    }

    /// Whether the service would have taken the event for sure.
    fn is_accepted(&self, settled: &Settled<'_>) -> bool {
        let verdict = settled.minute.map(|minute| self.ledger.verdict(minute));
        verdict.is_none_or(|verdict| verdict == Verdict::Accepted)
    }

    fn identify(&self, worker: &mut Worker, settled: &Settled<'_>) {
        if let Some(lead) = self.brought(settled) {
            self.identified(&self.touch(lead, settled), settled);
        }
        if let Some(notes) = &mut worker.notes {
            notes.push(self.note(settled, settled.ids.email));
        }
    }

    /// An event of `touch` brings the e-mail of its lead.
    fn identified(&self, touch: &Touch<'_>, settled: &Settled<'_>) {
        if settled.in_window {
            self.leads.identify(touch);
        } else {
            self.leads.enrich(touch);
        }
    }

    /// An event whose user id is the address `email` counts for that lead as an identify call does.
    fn identify_by_user_id(&self, settled: &Settled<'_>, email: NodeId) {
        let lead = self.merged.name(email);
        if !self.is_internal(lead) {
            let accepted = Some(self.is_accepted(settled));
            let own = self.touch(lead, settled);
            let traits = [""; Trait::ALL.len()];
            self.identified(&Touch { traits, brings_email: accepted, ..own }, settled);
        }
    }

    /// What became of a row whose e-mail is `email`.
    fn note(&self, settled: &Settled<'_>, email: Option<NodeId>) -> Note {
        let Head { call, rule, .. } = settled.row.head;
        let lead = email.map(|email| self.merged.name(email));
        Note {
            row: settled.number,
            call,
            event: self.events.number(call, settled.row.text(Field::Event)),
            rule,
            lead,
            brings: settled.ids.email.or(settled.user_email).is_some(),
            internal: lead.is_some_and(|lead| self.is_internal(lead)),
            period: settled.period,
            in_window: settled.in_window,
        }
    }

    fn visitor(&self, settled: &Settled<'_>) -> Visitor {
        let user = settled.ids.user.filter(|_| self.engine.rules.identity.user_id);
        Visitor { user, anonymous: settled.ids.anonymous }
    }

    fn group(&self, settled: &Settled<'_>) {
        let Some(group) = settled.ids.group else { return };
        let key = settled.row.head.key;
        let name = settled.row.text(Field::GroupName);
        if !name.is_empty() {
            let mut groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
            let kept = groups.get(&group);
            if kept.is_none_or(|(kept_key, kept)| (key, name) > (*kept_key, &**kept)) {
                groups.insert(group, (key, name.into()));
            }
        }
        let Some(owner) = settled.owner else { return };
        let lead = self.merged.name(owner.email);
        if !self.is_internal(lead) {
            self.leads.group(lead, key, group);
        }
    }

    /// How many policies would give the signal to someone else.
    fn compare_policies(&self, tally: &mut Tally, settled: &Settled<'_>, owner: Option<Owner>) {
        let visitor = self.visitor(settled);
        if self.resolver.is_plain(visitor) {
            return;
        }
        let email = owner.map(|owner| self.merged.name(owner.email));
        for (count, policy) in tally.would_change.iter_mut().zip(POLICIES) {
            let other = self.resolver.owner(visitor, settled.row.head.key.time, policy);
            *count += u64::from(other.map(|other| self.merged.name(other.email)) != email);
        }
    }

    /// A signal outside of the window tells who its lead is, and is no signal of it.
    fn signal_outside(&self, worker: &mut Worker, settled: &Settled<'_>) {
        let email = settled.ids.email.or(settled.owner.map(|owner| owner.email));
        if let Some(notes) = &mut worker.notes {
            notes.push(self.note(settled, email));
        }
        let lead = email.map(|email| self.merged.name(email));
        if let Some(lead) = lead.filter(|&lead| !self.is_internal(lead)) {
            self.leads.enrich(&self.touch(lead, settled));
        }
    }

    fn signal<'b>(&self, worker: &mut Worker, settled: &Settled<'b>, cells: &[Cell<'b>]) {
        let tally = &mut worker.tally;
        let row = &settled.row;
        let rule = self.rule(row);
        let event = row.text(Field::Event);
        match row.head.rule {
            Some(rule) => tally.matches[rule as usize] += 1,
            // Notes tell of it already.
            None if worker.notes.is_some() => {}
            None => tally.unmapped.add(row.head.call, event, 1),
        }
        let (email, resolution) = if let Some(email) = settled.ids.email {
            tally.resolved(Resolution::Direct, None);
            (Some(email), Resolution::Direct)
        } else {
            let owner = settled.owner;
            let resolution = owner.map_or(Resolution::Cold, |owner| owner.resolution);
            tally.resolved(resolution, owner);
            if worker.notes.is_none() {
                self.compare_policies(tally, settled, owner);
            }
            (owner.map(|owner| owner.email), resolution)
        };
        if let Some(notes) = &mut worker.notes {
            notes.push(self.note(settled, email));
        }
        let lead = email.map(|email| self.merged.name(email));
        if let Some(lead) = lead {
            if self.is_internal(lead) {
                tally.internal_signals += 1;
            } else {
                let signal = self.signal_of(settled, rule, resolution);
                self.leads.signal(&self.touch(lead, settled), &signal);
            }
        }
        if worker.encoders.is_empty() {
            return;
        }
        let text = |text: Option<&'a String>| text.map_or("", String::as_str);
        let id_text = |id: Option<NodeId>, blocked: Field| {
            id.map_or_else(|| row.text(blocked), |id| settled.parts.text(id))
        };
        let signal_row = SignalRow {
            signal_id: row.head.key.signal_id,
            timestamp: row.head.key.time,
            received_at: row.head.key.received,
            call: row.head.call,
            event,
            signal: rule.and_then(|rule| rule.signal.as_deref()).unwrap_or(event),
            signal_type: text(rule.and_then(|rule| rule.signal_type.as_ref())),
            high_intent: rule.is_some_and(|rule| rule.high_intent),
            rule: text(rule.map(|rule| &rule.id)),
            score: rule.map_or(0, |rule| rule.score),
            lead_email: lead.map_or("", |lead| self.ids.text(lead)),
            resolution: resolution.name(),
            anonymous_id: id_text(row.ids.anonymous, Field::AnonymousId),
            user_id: id_text(row.ids.user, Field::UserId),
            page_url: row.text(Field::PageUrl),
            page_name: row.text(Field::PageName),
            source: SOURCE,
            message_id: row.text(Field::MessageId),
            columns: cells,
        };
        for encoder in &mut worker.encoders {
            encoder.signal(&signal_row);
        }
    }

    fn signal_of<'b>(
        &self,
        settled: &Settled<'b>,
        rule: Option<&Rule>,
        resolution: Resolution,
    ) -> Signal<'b> {
        let row = &settled.row;
        let url = row.text(Field::PageUrl);
        let page = Page {
            url,
            referrer: row.text(Field::Referrer),
            utm_source: row.text(Field::UtmSource),
            utm_medium: row.text(Field::UtmMedium),
            utm_campaign: row.text(Field::UtmCampaign),
        };
        Signal {
            rule: row.head.rule,
            event: self.events.number(row.head.call, row.text(Field::Event)),
            high_intent: rule.is_some_and(|rule| rule.high_intent),
            rehydrated: resolution == Resolution::Rehydrated,
            period: settled.period.and_then(|period| u32::try_from(period).ok()),
            page: (!url.is_empty()).then_some(page),
        }
    }

    /// Whether the service would have lost the event.
    fn weigh_loss(&self, tally: &mut Tally, settled: &Settled<'_>) {
        let Some(minute) = settled.minute else { return };
        let is_identify = settled.row.head.call == CallType::Identify;
        match self.ledger.verdict(minute) {
            Verdict::Accepted => {}
            Verdict::Lost => tally.lost_identifies += u64::from(is_identify),
            Verdict::Partial { .. } => {
                let key = settled.row.head.key;
                let brings = self.brought(settled);
                tally.partial.push(Contender::new(minute, key, is_identify, brings));
            }
        }
    }
}
