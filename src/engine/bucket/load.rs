//! Loads rows of record batches into the structures of the engine, with ids as numbers.

use ahash::RandomState;

use super::Job;
use crate::engine::EventRef;
use crate::engine::exchange::arrow::ExchangeError;
use crate::engine::exchange::arrow::event_rows::{self, EventRows};
use crate::engine::exchange::event_row::{EventFate, EventRow};
use crate::engine::exchange::row::{Field, Flags, Head, RowIds, Rows};
use crate::engine::exchange::store::SegmentView;
use crate::engine::identity::fact::Fact;
use crate::engine::identity::ids::{Ids, NodeId, Space};
use crate::engine::identity::tie::Ties;
use crate::engine::identity::value::normalise_email;
use crate::engine::map::names::Names;
use crate::event::CallType;

/// The rows of one batch.
pub(super) struct LoadedBatch {
    rows: Rows,
    /// The number in [`Loaded::ids`] of each id of the batch, four bytes each.
    ids: Vec<u8>,
    ends: Vec<u8>,
    texts: String,
    /// The numbers of duplicate rows, in order.
    pub(super) dead: Vec<u32>,
    /// The numbers of rows covered by deletion requests, in order.
    pub(super) forgotten: Vec<u32>,
}

impl LoadedBatch {
    /// Returns the rows as a segment.
    pub(super) fn view(&self) -> SegmentView<'_> {
        let ends = self.ends.as_chunks().0;
        SegmentView::new(self.rows.as_bytes(), &self.ids, (ends, &self.texts))
    }
}

/// All loaded rows.
pub(super) struct Loaded {
    /// The ids of all rows.
    pub(super) ids: Ids,
    /// The facts of the kept rows, if they were asked for.
    pub(super) facts: Vec<Fact>,
    /// The event names of all rows.
    pub(super) names: Names,
    /// The batches of rows.
    pub(super) batches: Vec<LoadedBatch>,
}

/// The rows whose facts are loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Facts {
    /// None.
    Nobody,
    /// Those that are kept.
    OfKept,
}

/// Loads rows.
pub(super) struct Loader<'a> {
    job: &'a Job,
    facts_of: Facts,
    loaded: Loaded,
    /// The ids of the current batch.
    own: Ids,
    own_facts: Vec<Fact>,
    map: Vec<NodeId>,
    email: Vec<u8>,
}

impl<'a> Loader<'a> {
    /// Creates a loader without rows.
    pub(super) fn new(job: &'a Job, facts_of: Facts) -> Self {
        let hasher = RandomState::new();
        let loaded = Loaded {
            ids: Ids::new(hasher.clone()),
            facts: Vec::new(),
            names: Names::default(),
            batches: Vec::new(),
        };
        Self {
            job,
            facts_of,
            loaded,
            own: Ids::new(hasher),
            own_facts: Vec::new(),
            map: Vec::new(),
            email: Vec::new(),
        }
    }

    /// Returns all loaded rows.
    pub(super) fn finish(self) -> Loaded {
        self.loaded
    }

    /// Loads the rows of a batch.
    pub(super) fn add(&mut self, rows: &EventRows<'_>) -> Result<(), ExchangeError> {
        let mut batch = LoadedBatch {
            rows: Rows::default(),
            ids: Vec::new(),
            ends: Vec::new(),
            texts: String::new(),
            dead: Vec::new(),
            forgotten: Vec::new(),
        };
        self.own.clear();
        self.own_facts.clear();
        for (number, row) in (0_u32..).zip(rows.iter()) {
            let row = row?;
            match row.fate {
                EventFate::Kept => {}
                EventFate::Duplicate => batch.dead.push(number),
                EventFate::Forgotten => batch.forgotten.push(number),
            }
            self.push(&row, number, &mut batch.rows)?;
        }
        self.loaded.ids.absorb(&self.own, &mut self.map);
        batch.ids = self.map.iter().flat_map(|id| id.to_raw().to_le_bytes()).collect();
        batch.ends = self.own.ends().flat_map(u32::to_le_bytes).collect();
        self.own.texts().clone_into(&mut batch.texts);
        self.loaded.batches.push(batch);
        let map = &self.map;
        self.loaded.facts.extend(self.own_facts.iter().map(|fact| Fact {
            source: map[fact.source.index()],
            target: map[fact.target.index()],
            ..*fact
        }));
        Ok(())
    }

    /// Appends `row`, with its ids as numbers of the batch.
    fn push(
        &mut self,
        row: &EventRow<'_>,
        number: u32,
        out: &mut Rows,
    ) -> Result<(), ExchangeError> {
        let rule = self.rule(row)?;
        let head = Head { call: row.call, flags: row.flags, rule, key: row.key };
        let intern = |ids: &mut Ids, space, text: Option<&str>| {
            text.filter(|text| !text.is_empty()).map(|text| ids.intern(space, text))
        };
        let (visitor, user) = (row.visitor(), row.user());
        let ids = RowIds {
            anonymous: intern(&mut self.own, Space::Anonymous, visitor),
            user: intern(&mut self.own, Space::User, user),
            email: intern(&mut self.own, Space::Email, Some(row.email)),
            group: intern(&mut self.own, Space::Group, Some(row.group_id)),
        };
        out.begin(&head);
        for &field in Field::ALL {
            out.text(
                field,
                match field {
                    // The texts of ids are stored in rows only if the ids have no number.
                    Field::AnonymousId if ids.anonymous.is_some() => "",
                    Field::AnonymousId => row.anonymous_id,
                    Field::UserId if ids.user.is_some() => "",
                    Field::UserId => row.user_id,
                    field => row.text(field),
                },
            );
        }
        self.loaded.names.add(row.call, row.text(Field::Event), 1);
        out.end(ids);
        self.tie(row, &ids, number);
        Ok(())
    }

    fn rule(&self, row: &EventRow<'_>) -> Result<Option<u32>, ExchangeError> {
        if row.rule.is_empty() {
            return Ok(None);
        }
        let broken = ExchangeError::BrokenValue { kind: event_rows::KIND, column: "rule" };
        self.job.rules.get(row.rule).copied().map(Some).ok_or(broken)
    }

    /// Adds the facts of `row`.
    fn tie(&mut self, row: &EventRow<'_>, ids: &RowIds, number: u32) {
        let identity = &self.job.engine.rules.identity;
        let user = ids.user.filter(|_| identity.user_id);
        // This adds the e-mail to the ids, which all rows need.
        let identifies = self.identifies(row, ids);
        if self.facts_of == Facts::Nobody {
            return;
        }
        let previous = match row.previous_id {
            "" => [None; 2],
            previous => {
                let as_user = (previous != row.user_id).then_some(previous);
                [
                    Some(self.own.intern(Space::Anonymous, previous)),
                    as_user.map(|previous| self.own.intern(Space::User, previous)),
                ]
            }
        };
        if row.fate != EventFate::Kept {
            return;
        }
        let event = EventRef::new(self.loaded.batches.len(), number).to_raw();
        let ties = Ties { anonymous: ids.anonymous, user, identifies, previous };
        let facts =
            ties.each().map(|(source, target)| Fact { key: row.key, source, target, event });
        self.own_facts.extend(facts);
    }

    /// Returns the e-mail that `row` connects its ids to.
    fn identifies(&mut self, row: &EventRow<'_>, ids: &RowIds) -> Option<NodeId> {
        let rules = &self.job.engine.rules;
        let rule = self.job.rule(row.rule);
        let identifies = row.call == CallType::Identify || rule.is_some_and(|rule| rule.identify);
        if identifies && ids.email.is_some() {
            return ids.email;
        }
        let is_address = row.flags.has(Flags::ADDRESS_AS_USER_ID);
        if !rules.identity.user_id_is_email || !is_address {
            return None;
        }
        normalise_email(row.user()?, self.job.engine.blocklist(), &mut self.email).ok()?;
        let email = std::str::from_utf8(&self.email).ok()?;
        Some(self.own.intern(Space::Email, email))
    }
}
