//! Finds the owners of gathered events by the same timelines as a run.

use ahash::AHashMap;

use super::gather::{Gathered, RowNotes};
use super::report;
use crate::engine::Engine;
use crate::engine::EventRef;
use crate::engine::exchange::row::{Field, Row, RowIds};
use crate::engine::exchange::store::{Buffers, SegmentView};
use crate::engine::identity::all_ids::AllIds;
use crate::engine::identity::fact::Fact;
use crate::engine::identity::ids::{NodeId, Space};
use crate::engine::identity::merge::Merged;
use crate::engine::identity::resolve::{Resolver, Step, Visitor};
use crate::engine::identity::timeline::Timelines;
use crate::engine::identity::{Identities, Resolution};
use crate::engine::map::batch::Place;
use crate::engine::map::example::Lines;
use crate::error::Error;
use crate::time::Time;

/// The context of all gathered events.
pub struct Context<'a> {
    /// The settings that mapped the events.
    pub engine: &'a Engine,
    /// The gathered events.
    pub gathered: &'a Gathered,
    /// The timeline of each id.
    pub timelines: &'a Timelines,
    /// Finds owners.
    pub resolver: Resolver<'a>,
    /// The e-mails that are merged into one lead.
    pub merged: &'a Merged,
    /// The line numbers of blocks.
    pub lines: Lines,
    /// All facts, by source and time.
    facts: &'a [Fact],
    /// The indices in `facts` of each event's facts.
    facts_of: AHashMap<u64, Vec<usize>>,
    /// The index of each segment in order of commit.
    commits: AHashMap<Place, usize>,
}

/// The row of a gathered event.
pub struct GatheredRow<'r> {
    /// The row.
    pub row: Row<'r>,
    /// The ids of the row.
    pub ids: RowIds,
    /// Whether the row is a duplicate.
    pub is_duplicate: bool,
    /// The event of the row.
    pub event: EventRef,
    /// The notes on what a run discards.
    pub notes: &'r RowNotes,
    texts: &'r SegmentView<'r>,
}

/// The owner of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ownership {
    /// The e-mail that names the lead.
    pub lead: Option<NodeId>,
    /// How the lead was found.
    pub resolution: Resolution,
    /// The ties that lead to the e-mail, for a known or rehydrated signal.
    pub steps: Vec<Step>,
}

impl GatheredRow<'_> {
    /// Returns the anonymous id, even if it is blocked.
    pub fn anonymous_text(&self) -> &str {
        let text = |id| self.texts.text(id);
        self.row.ids.anonymous.map_or_else(|| self.row.text(Field::AnonymousId), text)
    }

    /// Returns the user id, even if it is blocked.
    pub fn user_text(&self) -> &str {
        self.row.ids.user.map_or_else(|| self.row.text(Field::UserId), |id| self.texts.text(id))
    }

    /// Returns the time at which the event happened.
    pub fn time(&self) -> Time {
        self.row.head.key.time
    }
}

impl<'a> Context<'a> {
    /// Creates the context of `gathered`; `facts` are its facts in the order of `timelines`.
    pub fn new(
        engine: &'a Engine,
        gathered: &'a Gathered,
        identities: &'a Identities,
        facts: &'a [Fact],
        lines: Lines,
    ) -> Self {
        let Identities { timelines, merged } = identities;
        let resolver = Resolver::new(timelines, &gathered.committed.ids, &engine.rules.identity);
        let mut facts_of: AHashMap<u64, Vec<usize>> = AHashMap::new();
        for (place, fact) in facts.iter().enumerate() {
            facts_of.entry(fact.event).or_default().push(place);
        }
        let places = gathered.notes.iter().map(|(place, _)| *place);
        let commits = places.zip(0..).collect();
        Self { engine, gathered, timelines, resolver, merged, lines, facts, facts_of, commits }
    }

    /// Returns the ids of all gathered events.
    pub fn ids(&self) -> &'a AllIds {
        &self.gathered.committed.ids
    }

    /// Calls `see` for every row in the order of the input, except for rows that deletion requests
    /// cover.
    ///
    /// # Errors
    /// Returns an error if spilled data cannot be read.
    pub fn each_row(&self, see: impl FnMut(&GatheredRow<'_>)) -> Result<(), Error> {
        self.rows(false, see)
    }

    /// Calls `see` for every row that deletion requests cover, in the order of the input.
    ///
    /// # Errors
    /// Returns an error if spilled data cannot be read.
    pub fn each_deleted_row(&self, see: impl FnMut(&GatheredRow<'_>)) -> Result<(), Error> {
        self.rows(true, see)
    }

    fn rows(&self, deleted: bool, mut see: impl FnMut(&GatheredRow<'_>)) -> Result<(), Error> {
        let store = &self.gathered.committed.store;
        let mut buffers = Buffers::default();
        for segment in store.segments() {
            let texts = store.read(segment, &mut buffers).map_err(Error::Spill)?;
            let Some(&commit) = self.commits.get(&segment.place) else { continue };
            let notes = &self.gathered.notes[commit].1;
            let mut bytes = texts.rows;
            for (number, notes) in (0..).zip(notes) {
                let Some(row) = Row::read(&mut bytes) else { break };
                if segment.forgotten.binary_search(&number).is_ok() != deleted {
                    continue;
                }
                let global = |id: Option<NodeId>| id.and_then(|id| texts.id(id));
                let RowIds { anonymous, user, email, group } = row.ids;
                see(&GatheredRow {
                    ids: RowIds {
                        anonymous: global(anonymous),
                        user: global(user),
                        email: global(email),
                        group: global(group),
                    },
                    row,
                    is_duplicate: segment.dead.binary_search(&number).is_ok(),
                    event: EventRef::new(commit, number),
                    notes,
                    texts: &texts,
                });
            }
        }
        Ok(())
    }

    /// Returns the line of `event`.
    pub fn place(&self, event: EventRef) -> report::Place {
        let (place, notes) = &self.gathered.notes[event.segment()];
        self.line(*place, notes[event.row() as usize].line)
    }

    /// Returns a line of a block.
    pub fn line(&self, place: Place, line: u64) -> report::Place {
        let (file, line) = self.lines.of(place, line);
        report::Place { file, line }
    }

    /// Returns the ids by which the owner of a row is found.
    pub fn visitor(&self, anonymous: Option<NodeId>, user: Option<NodeId>) -> Visitor {
        Visitor { user: user.filter(|_| self.engine.rules.identity.user_id), anonymous }
    }

    /// Returns the lead to which `visitor` resolves at `time`.
    pub fn owner(&self, visitor: Visitor, time: Time) -> Option<NodeId> {
        let owner = self.resolver.owner(visitor, time, self.engine.rules.identity.policy);
        owner.map(|owner| self.merged.name(owner.email))
    }

    /// Returns the owner of the signal `row`.
    pub fn ownership(&self, row: &GatheredRow<'_>) -> Ownership {
        if let Some(email) = row.ids.email {
            let lead = Some(self.merged.name(email));
            return Ownership { lead, resolution: Resolution::Direct, steps: Vec::new() };
        }
        let visitor = self.visitor(row.ids.anonymous, row.ids.user);
        let policy = self.engine.rules.identity.policy;
        let owner = self.resolver.owner(visitor, row.time(), policy);
        Ownership {
            lead: owner.map(|owner| self.merged.name(owner.email)),
            resolution: owner.map_or(Resolution::Cold, |owner| owner.resolution),
            steps: self.resolver.steps(visitor, row.time(), policy),
        }
    }

    /// Returns the lead whose e-mail `row` supplies.
    pub fn brought(&self, row: &GatheredRow<'_>) -> Option<NodeId> {
        let tied = self.facts_of(row.event).map(|(fact, _)| fact.target);
        let mut emails = tied.filter(|&id| self.ids().space(id) == Space::Email);
        row.ids.email.or_else(|| emails.next()).map(|email| self.merged.name(email))
    }

    /// Returns `true` if `lead` is staff.
    pub fn is_internal(&self, lead: NodeId) -> bool {
        self.engine.rules.identity.is_internal(&self.ids().text(lead))
    }

    /// Iterates over the facts of `event`, each with whether it only repeats what its source is
    /// already tied to.
    pub fn facts_of(&self, event: EventRef) -> impl Iterator<Item = (&'a Fact, bool)> {
        let places = self.facts_of.get(&event.to_raw()).map_or(&[][..], Vec::as_slice);
        places.iter().map(|&place| {
            let fact = &self.facts[place];
            let before = place.checked_sub(1).map(|before| &self.facts[before]);
            let again = before
                .is_some_and(|before| before.source == fact.source && before.target == fact.target);
            (fact, again)
        })
    }

    /// Returns the first fact that established the tie of `step`.
    pub fn fact_of(&self, step: &Step) -> Option<&'a Fact> {
        let start = self.facts.partition_point(|fact| fact.source < step.id);
        let of_source = self.facts[start..].iter().take_while(|fact| fact.source == step.id);
        let is_it =
            |fact: &&Fact| fact.target == step.link.target && fact.key.time == step.link.time;
        of_source.into_iter().find(is_it)
    }

    /// Returns `true` if any fact ties `id`.
    pub fn is_tied(&self, id: NodeId) -> bool {
        let start = self.facts.partition_point(|fact| fact.source < id);
        self.facts.get(start).is_some_and(|fact| fact.source == id)
    }
}

/// Returns the name of `space` in reports.
pub fn kind(space: Space) -> &'static str {
    match space {
        Space::Anonymous => "anonymous_id",
        Space::User => "user_id",
        Space::Email => "email",
        Space::Group => "group_id",
    }
}
