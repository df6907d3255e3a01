//! Finds the owners of rows.

use std::io;

use smallvec::SmallVec;

use super::row::{Fate, PolicySet, ResolvedRow, RowLead};
use super::visit::Visit;
use crate::engine::Engine;
use crate::engine::exchange::row::{Flags, Row, RowIds};
use crate::engine::exchange::store::SegmentView;
use crate::engine::identity::Identities;
use crate::engine::identity::all_ids::AllIds;
use crate::engine::identity::ids::{NodeId, Space};
use crate::engine::identity::merge::Merged;
use crate::engine::identity::resolve::{Resolver, Visitor};
use crate::engine::identity::timeline::Buffers;
use crate::engine::identity::value::normalise_email;
use crate::engine::plan::Ledger;
use crate::event::CallType;
use crate::rules::IdentityConfig;
use crate::time::MINUTE_MS;

/// The number of rows or leads that are processed together, so that the cache misses of all of them
/// overlap.
pub const AHEAD: usize = 16;

/// The rows of a segment that give no output, by number, in order.
#[derive(Clone, Copy, Debug)]
pub struct ExcludedRows<'a> {
    /// Duplicates and dropped rows.
    pub dead: &'a [u32],
    /// Rows covered by deletion requests.
    pub forgotten: &'a [u32],
}

/// The e-mails of internal domains: one bit for each number from `first` on; empty without internal
/// domains.
struct Internal {
    first: u32,
    words: Vec<u64>,
}

impl Internal {
    fn new(ids: &AllIds, identity: &IdentityConfig) -> io::Result<Self> {
        let numbers = ids.email_numbers();
        let mut internal = Self { first: numbers.start, words: Vec::new() };
        if identity.internal_domains.is_empty() {
            return Ok(internal);
        }
        internal.words = vec![0; numbers.len().div_ceil(64)];
        ids.each(Space::Email, |id, email| {
            if identity.is_internal(email) {
                let place = (id.to_raw() - internal.first) as usize;
                internal.words[place / 64] |= 1 << (place % 64);
            }
        })?;
        Ok(internal)
    }

    #[inline]
    fn has(&self, email: NodeId) -> bool {
        let place = email.to_raw().wrapping_sub(self.first) as usize;
        self.words.get(place / 64).is_some_and(|word| word >> (place % 64) & 1 == 1)
    }
}

/// Finds owners; shared by all threads.
pub struct OwnerFinder<'a> {
    engine: &'a Engine,
    ids: &'a AllIds,
    resolver: Resolver<'a>,
    merged: &'a Merged,
    ledger: &'a Ledger,
    /// The e-mails of internal domains.
    internal: Internal,
}

impl<'a> OwnerFinder<'a> {
    /// Creates a finder that resolves ids with `identities`.
    ///
    /// # Errors
    /// Returns an error if ids on disk cannot be read.
    pub fn new(
        engine: &'a Engine,
        ids: &'a AllIds,
        identities: &'a Identities,
        ledger: &'a Ledger,
    ) -> io::Result<Self> {
        let internal = Internal::new(ids, &engine.rules.identity)?;
        let resolver = Resolver::new(&identities.timelines, ids, &engine.rules.identity);
        Ok(Self { engine, ids, resolver, merged: &identities.merged, ledger, internal })
    }

    /// Passes all rows of the segment `view` with their owners to `visitor`.
    pub fn segment(
        &self,
        excluded: ExcludedRows<'_>,
        view: &SegmentView<'_>,
        visitor: &mut impl Visit,
    ) {
        let mut rows = rows_of(excluded, view);
        // A row is large, so that it is decoded in its place and not moved.
        let (mut next, mut buffers) = (Vec::with_capacity(AHEAD), Buffers::default());
        loop {
            next.clear();
            next.extend(rows.by_ref().take(AHEAD));
            if next.is_empty() {
                return;
            }
            let unresolved =
                next.iter().map(|(row, number, fate)| self.unresolved((row, *number, *fate), view));
            let mut some: SmallVec<[ResolvedRow<'_>; AHEAD]> = unresolved.collect();
            self.find_owners(&mut some, &mut buffers);
            for row in &some {
                visitor.prefetch(row);
            }
            for row in &some {
                show(row, visitor);
            }
        }
    }

    /// Returns a row with its own leads, but not yet its owner.
    fn unresolved<'r>(
        &'r self,
        row: (&'r Row<'r>, u32, Fate),
        segment: &'r SegmentView<'r>,
    ) -> ResolvedRow<'r> {
        let mut row = unresolved(self.engine, self.ledger, row, segment);
        row.user_lead = self.user_email(row.row, &row.ids).map(|email| self.lead(email));
        row.brought = row.ids.email.map(|email| self.lead(email)).or(row.user_lead);
        row
    }

    fn user_email(&self, row: &Row<'_>, ids: &RowIds) -> Option<NodeId> {
        let identity = &self.engine.rules.identity;
        if !identity.user_id_is_email || !row.head.flags.has(Flags::ADDRESS_AS_USER_ID) {
            return None;
        }
        let mut email = Vec::new();
        normalise_email(&self.ids.text(ids.user?), self.engine.blocklist(), &mut email).ok()?;
        self.ids.find(Space::Email, std::str::from_utf8(&email).ok()?)
    }

    fn find_owners(&self, some: &mut [ResolvedRow<'_>], buffers: &mut Buffers) {
        for row in some.iter().filter(|row| is_owned(row)) {
            self.resolver.prefetch(self.visitor(row));
        }
        for row in some.iter().filter(|row| is_owned(row)) {
            self.resolver.prefetch_links(self.visitor(row));
        }
        if self.resolver.is_on_disk() {
            for row in some {
                let anonymous = row.ids.anonymous.filter(|_| is_owned(row));
                self.find_owner(row, &self.resolver.with(anonymous, buffers));
            }
            return;
        }
        for row in some {
            self.find_owner(row, &self.resolver);
        }
    }

    /// Finds the owner of `row` with `resolver`, which has the timelines of its ids.
    #[inline]
    fn find_owner(&self, row: &mut ResolvedRow<'_>, resolver: &Resolver<'_>) {
        if is_owned(row) {
            let policy = self.engine.rules.identity.policy;
            row.owner = resolver.owner(self.visitor(row), row.row.head.key.time, policy);
        }
        let email = row.ids.email.or(row.owner.map(|owner| owner.email));
        row.lead = email.map(|email| self.lead(email));
        row.moved_by = self.moved_by(row, resolver);
    }

    /// Returns the policies under which a signal would have another lead.
    fn moved_by(&self, row: &ResolvedRow<'_>, resolver: &Resolver<'_>) -> PolicySet {
        let visitor = self.visitor(row);
        let is_open =
            row.fate == Fate::Kept && row.ids.email.is_none() && row.row.head.call.is_signal();
        if !is_open || resolver.is_plain(visitor) {
            return PolicySet::default();
        }
        let email = row.lead.map(|lead| lead.email);
        let time = row.row.head.key.time;
        PolicySet::of(|policy| {
            let other = resolver.owner(visitor, time, policy);
            other.map(|other| self.merged.name(other.email)) != email
        })
    }

    fn visitor(&self, row: &ResolvedRow<'_>) -> Visitor {
        let user = row.ids.user.filter(|_| self.engine.rules.identity.user_id);
        Visitor { user, anonymous: row.ids.anonymous }
    }

    fn lead(&self, email: NodeId) -> RowLead {
        let email = self.merged.name(email);
        RowLead { email, internal: self.internal.has(email) }
    }
}

/// Returns the rows of `view` with their numbers and fates.
pub(super) fn rows_of<'r>(
    excluded: ExcludedRows<'r>,
    view: &SegmentView<'r>,
) -> impl Iterator<Item = (Row<'r>, u32, Fate)> + use<'r> {
    let mut dead = excluded.dead.iter().copied().peekable();
    let mut forgotten = excluded.forgotten.iter().copied().peekable();
    let mut bytes = view.rows;
    (0..).map_while(move |number| {
        let row = Row::read(&mut bytes)?;
        let is_forgotten = forgotten.next_if_eq(&number).is_some();
        let fate = match dead.next_if_eq(&number) {
            Some(_) => Fate::Dead,
            None if is_forgotten => Fate::Forgotten,
            None => Fate::Kept,
        };
        Some((row, number, fate))
    })
}

/// Returns a row, with its number and fate, with everything but its leads and owner.
pub(super) fn unresolved<'r>(
    engine: &'r Engine,
    ledger: &Ledger,
    (row, number, fate): (&'r Row<'r>, u32, Fate),
    segment: &'r SegmentView<'r>,
) -> ResolvedRow<'r> {
    let global = |id: Option<NodeId>| id.and_then(|id| segment.id(id));
    let RowIds { anonymous, user, email, group } = row.ids;
    let ids = RowIds {
        anonymous: global(anonymous),
        user: global(user),
        email: global(email),
        group: global(group),
    };
    let at = row.head.key.received.or(row.head.key.time);
    let counted = at.millis().filter(|_| engine.counts(at));
    let minute = counted.map(|millis| millis.div_euclid(MINUTE_MS));
    ResolvedRow {
        rule: row.head.rule.and_then(|rule| engine.rules.rules.get(rule as usize)),
        period: minute.and_then(|minute| ledger.period_of(minute)),
        brought: None,
        in_window: engine.counts(row.head.key.time),
        row,
        number,
        segment,
        ids,
        minute,
        user_lead: None,
        owner: None,
        lead: None,
        moved_by: PolicySet::default(),
        fate,
    }
}

/// Returns whether the owner of `row` is found by its ids.
#[inline]
fn is_owned(row: &ResolvedRow<'_>) -> bool {
    let call = row.row.head.call;
    let has_owner = call.is_signal() || call == CallType::Group;
    row.fate == Fate::Kept && row.ids.email.is_none() && has_owner
}

/// Passes a row to the methods of `visitor` for its fate and call.
pub(super) fn show(row: &ResolvedRow<'_>, visitor: &mut impl Visit) {
    match row.fate {
        Fate::Kept => {}
        Fate::Dead => return visitor.duplicate(row),
        Fate::Forgotten => return visitor.forgotten(row),
    }
    visitor.event(row);
    match row.row.head.call {
        CallType::Identify => visitor.identify(row),
        CallType::Group => visitor.group(row),
        CallType::Alias => {}
        CallType::Track | CallType::Page | CallType::Screen if row.in_window => visitor.signal(row),
        CallType::Track | CallType::Page | CallType::Screen => visitor.signal_outside(row),
    }
}
