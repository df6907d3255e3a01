//! Converts gathered events to those of the report.

use ahash::{AHashMap, AHashSet};

use super::gather::DroppedEvent;
use super::limit::Limit;
use super::report::{Counts, Event, Fact, Place, Signal, Status, Tie};
use super::resolve::{Context, GatheredRow, kind};
use super::subject::Subject;
use crate::engine::EventRef;
use crate::engine::exchange::row::{Field, Flags};
use crate::engine::identity::ids::{NodeId, Space};
use crate::engine::identity::{self, Resolution};
use crate::time::Time;

/// Decides whether an event belongs to the subject.
pub struct Focus<'a> {
    subject: &'a Subject,
    /// The lead, if the subject is one.
    lead: Option<NodeId>,
    /// The ids of the lead.
    ids: AHashSet<NodeId>,
    /// The keys of the requested events; copies with these keys belong to the subject.
    keys: AHashSet<u128>,
}

impl<'a> Focus<'a> {
    /// Creates a focus on `subject`; `lead` and `ids` are given if the subject is a lead.
    pub fn new(subject: &'a Subject, lead: Option<NodeId>, ids: AHashSet<NodeId>) -> Self {
        Self { subject, lead, ids, keys: AHashSet::new() }
    }

    /// Returns the lead, if the subject is one.
    pub fn lead(&self) -> Option<NodeId> {
        self.lead
    }

    /// Remembers the key of `row` if it is a requested event.
    pub fn note(&mut self, row: &GatheredRow<'_>) {
        if self.is_requested(row) {
            self.keys.extend(row.notes.dedup);
        }
    }

    /// Returns `true` if `row` is an event that was requested by id.
    fn is_requested(&self, row: &GatheredRow<'_>) -> bool {
        match self.subject {
            Subject::MessageId(id) => row.row.text(Field::MessageId) == id,
            Subject::SignalId(hash) => row.row.head.key.signal_id == *hash,
            _ => false,
        }
    }

    /// Returns `true` if `row` belongs to the subject.
    pub fn has(&self, context: &Context<'_>, row: &GatheredRow<'_>) -> bool {
        let is_id = |space, wanted: &str, text: &str| {
            let facts = context.facts_of(row.event);
            let mut tied = facts.flat_map(|(fact, _)| [fact.source, fact.target]);
            text == wanted
                || tied
                    .any(|id| context.ids().space(id) == space && context.ids().text(id) == wanted)
        };
        match self.subject {
            Subject::Email(_) => {
                let brought = if row.row.head.call.is_signal() {
                    row.ids.email.map(|email| context.merged.name(email))
                } else {
                    context.brought(row)
                };
                let visitor = context.visitor(row.ids.anonymous, row.ids.user);
                let owner = brought.or_else(|| context.owner(visitor, row.time()));
                self.is_of_lead(owner, [row.ids.anonymous, row.ids.user])
            }
            Subject::AnonymousId(id) => is_id(Space::Anonymous, id, row.anonymous_text()),
            Subject::UserId(id) => is_id(Space::User, id, row.user_text()),
            Subject::MessageId(_) | Subject::SignalId(_) => {
                self.is_requested(row)
                    || row.notes.dedup.is_some_and(|key| self.keys.contains(&key))
            }
        }
    }

    /// Returns `true` if `row` supplies the e-mail of the lead.
    pub fn brings(&self, context: &Context<'_>, row: &GatheredRow<'_>) -> bool {
        let brought = row.ids.email.map(|email| context.merged.name(email));
        brought.is_some() && brought == self.lead
    }

    /// Returns `true` if `row`, which a deletion request covers, belongs to the subject. `ids` are
    /// the ids of covered rows that supply the e-mail of the lead.
    pub fn has_deleted(&self, row: &GatheredRow<'_>, ids: &AHashSet<NodeId>) -> bool {
        match self.subject {
            Subject::Email(_) => {
                let own = [row.ids.anonymous, row.ids.user];
                own.into_iter().flatten().any(|id| ids.contains(&id))
            }
            Subject::AnonymousId(id) => row.anonymous_text() == id,
            Subject::UserId(id) => row.user_text() == id,
            Subject::MessageId(_) | Subject::SignalId(_) => self.is_requested(row),
        }
    }

    /// Returns `true` if `dropped` would have belonged to the subject.
    pub fn has_dropped(&self, context: &Context<'_>, dropped: &DroppedEvent) -> bool {
        let is = |text: &Option<String>, wanted: &String| text.as_ref() == Some(wanted);
        match self.subject {
            Subject::Email(email) => {
                let find = |space, text: &Option<String>| {
                    text.as_ref().and_then(|text| context.ids().find(space, text))
                };
                let anonymous = find(Space::Anonymous, &dropped.anonymous_id);
                let user = find(Space::User, &dropped.user_id);
                let brought = find(Space::Email, &dropped.email);
                let brought = brought.map(|email| context.merged.name(email));
                let visitor = context.visitor(anonymous, user);
                let owner = || context.owner(visitor, dropped.key.time);
                is(&dropped.email, email)
                    || (brought.is_some() && brought == self.lead)
                    || (dropped.email.is_none() && self.is_of_lead(owner(), [anonymous, user]))
            }
            Subject::AnonymousId(id) => is(&dropped.anonymous_id, id),
            Subject::UserId(id) => is(&dropped.user_id, id),
            Subject::MessageId(id) => is(&dropped.message_id, id),
            Subject::SignalId(hash) => dropped.key.signal_id == *hash,
        }
    }

    /// Returns `true` if `owner` is the lead, or if there is no owner and the lead has one of
    /// `ids`.
    fn is_of_lead(&self, owner: Option<NodeId>, ids: [Option<NodeId>; 2]) -> bool {
        match owner {
            Some(owner) => self.lead == Some(owner),
            None => ids.into_iter().flatten().any(|id| self.ids.contains(&id)),
        }
    }
}

/// For each key, the copy that is kept, and the duplicates.
#[derive(Debug, Default)]
pub struct CopiesOf {
    kept: AHashMap<u128, EventRef>,
    duplicates: AHashMap<u128, Vec<EventRef>>,
}

impl CopiesOf {
    /// Adds `row`.
    pub fn note(&mut self, row: &GatheredRow<'_>) {
        let Some(key) = row.notes.dedup else { return };
        if row.is_duplicate {
            self.duplicates.entry(key).or_default().push(row.event);
        } else {
            self.kept.insert(key, row.event);
        }
    }

    /// Returns the places of the duplicates of the event that is kept under `key`.
    fn of(&self, key: Option<u128>, context: &Context<'_>) -> Vec<Place> {
        let copies = key.and_then(|key| self.duplicates.get(&key));
        let mut places: Vec<_> = copies.into_iter().flatten().map(|&e| context.place(e)).collect();
        places.sort_unstable();
        places
    }
}

/// Converts rows to events of the report.
pub struct EventReporter<'w> {
    /// The context of the gathered events.
    pub context: &'w Context<'w>,
    /// The limit of the plan.
    pub limit: &'w Limit,
    /// The copies of each event.
    pub copies: CopiesOf,
    /// The position of each signal among those of its rule.
    pub counts: AHashMap<u64, Counts>,
}

impl EventReporter<'_> {
    /// Returns the event of `row`.
    pub fn event(&self, row: &GatheredRow<'_>) -> Event {
        let (context, head) = (self.context, &row.row.head);
        let kept = row.notes.dedup.and_then(|key| self.copies.kept.get(&key));
        let status = match kept {
            Some(&kept) if row.is_duplicate => Status::Duplicate { of: context.place(kept) },
            _ if head.call.is_signal() && !context.engine.counts(head.key.time) => {
                Status::OutsideWindow
            }
            _ => Status::Kept,
        };
        let copies =
            if row.is_duplicate { Vec::new() } else { self.copies.of(row.notes.dedup, context) };
        let has = |flag| head.flags.has(flag);
        let is_signal = head.call.is_signal() && status == Status::Kept;
        Event {
            place: context.place(row.event),
            timestamp: time_text(head.key.time),
            received_at: time_text(head.key.received),
            own_clock: row.notes.own_clock.and_then(time_text),
            call: head.call.name(),
            event: some(row.row.text(Field::Event)),
            page_url: some(row.row.text(Field::PageUrl)),
            signal_id: format!("{:032x}", head.key.signal_id),
            message_id: some(row.row.text(Field::MessageId)),
            anonymous_id: some(row.anonymous_text()),
            user_id: some(row.user_text()),
            blocked_ids: has(Flags::BLOCKED_ANONYMOUS_ID) || has(Flags::BLOCKED_USER_ID),
            status,
            over_plan: self.limit.loses(head.key, context.engine, &context.gathered.last_taken),
            changed_by: row.notes.changed_by.clone(),
            copies,
            facts: context
                .facts_of(row.event)
                .map(|(fact, again)| self.fact(fact, again))
                .collect(),
            supplies: Vec::new(),
            email_fault: email_fault(head.flags),
            signal: is_signal.then(|| self.signal(row)),
        }
    }

    fn signal(&self, row: &GatheredRow<'_>) -> Signal {
        let (context, notes) = (self.context, row.notes);
        let ownership = context.ownership(row);
        let rules = &context.engine.rules.rules;
        let rule = row.row.head.rule.and_then(|rule| rules.get(rule as usize));
        let is_direct = ownership.resolution == Resolution::Direct;
        let internal = ownership.lead.is_some_and(|lead| context.is_internal(lead));
        Signal {
            signal: rule
                .and_then(|rule| rule.signal.clone())
                .unwrap_or_else(|| row.row.text(Field::Event).to_owned()),
            signal_type: rule.and_then(|rule| rule.signal_type.clone()),
            high_intent: rule.is_some_and(|rule| rule.high_intent),
            rule: rule.map(|rule| rule.id.clone()),
            score: rule.map_or(0, |rule| rule.score),
            counts: self.counts.get(&row.event.to_raw()).copied(),
            lead_email: ownership.lead.map(|lead| context.ids().text(lead).into_owned()),
            internal,
            resolution: ownership.resolution.name(),
            email_path: if is_direct { notes.trial.email_path.clone() } else { None },
            ties: ownership.steps.iter().filter_map(|step| self.tie(step)).collect(),
            cold_because: match ownership.resolution {
                Resolution::Cold => context.cold_because(row),
                _ => Vec::new(),
            },
            tried: notes.trial.tried.clone(),
            untried: notes.trial.others,
        }
    }

    fn tie(&self, step: &identity::resolve::Step) -> Option<Tie> {
        let fact = self.context.fact_of(step)?;
        Some(Tie {
            fact: self.fact(fact, false),
            timestamp: time_text(fact.key.time),
            place: self.context.place(EventRef::from_raw(fact.event)),
        })
    }

    fn fact(&self, fact: &identity::fact::Fact, again: bool) -> Fact {
        let ids = self.context.ids();
        Fact {
            source_kind: kind(ids.space(fact.source)),
            source: ids.text(fact.source).into_owned(),
            target_kind: kind(ids.space(fact.target)),
            target: ids.text(fact.target).into_owned(),
            again,
        }
    }

    /// Returns an event that a filter dropped.
    pub fn dropped(&self, dropped: &DroppedEvent) -> Event {
        Event {
            place: self.context.line(dropped.place, dropped.line),
            timestamp: time_text(dropped.key.time),
            received_at: time_text(dropped.key.received),
            call: dropped.call.name(),
            event: some(&dropped.name),
            signal_id: format!("{:032x}", dropped.key.signal_id),
            message_id: dropped.message_id.clone(),
            anonymous_id: dropped.anonymous_id.clone(),
            user_id: dropped.user_id.clone(),
            status: Status::Filtered { because: dropped.because.clone() },
            ..Event::default()
        }
    }
}

/// An event that a deletion request covers.
pub fn deleted(context: &Context<'_>, row: &GatheredRow<'_>) -> Event {
    let head = &row.row.head;
    Event {
        place: context.place(row.event),
        timestamp: time_text(head.key.time),
        call: head.call.name(),
        signal_id: format!("{:032x}", head.key.signal_id),
        status: Status::Deleted,
        ..Event::default()
    }
}

fn email_fault(flags: Flags) -> Option<&'static str> {
    let faults = [
        (Flags::WITHOUT_EMAIL, "without_email"),
        (Flags::INVALID_EMAIL, "invalid_email"),
        (Flags::BLOCKED_EMAIL, "blocked_email"),
    ];
    faults.into_iter().find(|(flag, _)| flags.has(*flag)).map(|(_, name)| name)
}

/// Returns `text`, or `None` if it is empty.
pub fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// Formats `time` as in the output tables.
pub fn time_text(time: Time) -> Option<String> {
    (!time.is_missing()).then(|| time.to_string())
}
