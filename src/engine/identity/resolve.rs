//! Resolution: the e-mail that the ids of a signal lead to at its time.

use super::Resolution;
use super::all_ids::AllIds;
use super::ids::{NodeId, Space};
use super::timeline::{Buffers, Link, MAX_STEPS, Timeline, Timelines};
use crate::rules::{IdentityConfig, Policy};
use crate::time::{DAY_MS, Time};

/// How many links one resolution may look at. Only timelines that were made to be slow have more
/// dead ends than this; such a signal stays cold.
const BUDGET: u32 = 10_000;

/// What led to an e-mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Through {
    /// The anonymous id is tied to the e-mail itself.
    AnonymousId,
    /// The user id.
    UserId,
    /// The anonymous id is tied to a user id, and that leads to the e-mail.
    Bridge,
}

/// Whose a signal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The e-mail.
    pub email: NodeId,
    /// [`Resolution::Known`] or [`Resolution::Rehydrated`].
    pub resolution: Resolution,
    /// What led to it.
    pub through: Through,
    /// When the id of the signal was tied to what led to it.
    pub tied: Time,
}

/// One step on the way from an id of a signal to an e-mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The id.
    pub id: NodeId,
    /// Where it led, and when that tie was made.
    pub link: Link,
}

/// The ids of a signal that are not blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visitor {
    /// Its `userId`.
    pub user: Option<NodeId>,
    /// Its `anonymousId`.
    pub anonymous: Option<NodeId>,
}

/// Resolves signals against timelines.
#[derive(Clone, Copy, Debug)]
pub struct Resolver<'a> {
    timelines: &'a Timelines,
    /// An anonymous id whose timeline was read from disk.
    loaded: Option<(NodeId, Timeline<'a>)>,
    ids: &'a AllIds,
    lookback_ms: Option<i64>,
    max_emails: usize,
}

/// One resolution under way.
struct Search {
    time: Time,
    policy: Policy,
    path: [Option<NodeId>; MAX_STEPS as usize],
    budget: u32,
}

impl Search {
    fn new(time: Time, policy: Policy) -> Self {
        Self { time, policy, path: [None; MAX_STEPS as usize], budget: BUDGET }
    }
}

impl<'a> Resolver<'a> {
    /// A resolver over `timelines`, whose ids are `ids`.
    pub fn new(timelines: &'a Timelines, ids: &'a AllIds, config: &IdentityConfig) -> Self {
        Self {
            timelines,
            loaded: None,
            ids,
            lookback_ms: config.lookback_days.map(|days| i64::from(days) * DAY_MS),
            max_emails: config.max_emails as usize,
        }
    }

    /// Whether what is known of anonymous ids is on disk: then a resolver has to be
    /// [made](Self::with) for each.
    #[inline]
    pub fn is_on_disk(&self) -> bool {
        self.timelines.are_on_disk()
    }

    /// A resolver that knows `anonymous`, which is on disk; `buffers` hold what is read.
    pub fn with<'b>(&'b self, anonymous: Option<NodeId>, buffers: &'b mut Buffers) -> Resolver<'b> {
        let loaded = anonymous.map(|id| (id, self.timelines.load(id, buffers)));
        Resolver { loaded, ..*self }
    }

    #[inline]
    fn timeline(&self, id: NodeId) -> Timeline<'a> {
        match self.loaded {
            Some((loaded, timeline)) if loaded == id => timeline,
            _ => self.timelines.of(id),
        }
    }

    /// Fetches what is known of `visitor` into the caches.
    #[inline]
    pub fn prefetch(&self, visitor: Visitor) {
        let ids = visitor.user.into_iter().chain(visitor.anonymous);
        ids.for_each(|id| self.timelines.prefetch(id));
    }

    /// The same of its links, once what [`prefetch`](Self::prefetch) asked for is there.
    #[inline]
    pub fn prefetch_links(&self, visitor: Visitor) {
        let ids = visitor.user.into_iter().chain(visitor.anonymous);
        ids.for_each(|id| self.timelines.prefetch_links(id));
    }

    /// The owner of a signal of `visitor` at `time`; `None` of a cold one. The user id is asked
    /// first, then the anonymous id.
    pub fn owner(&self, visitor: Visitor, time: Time, policy: Policy) -> Option<Owner> {
        let user = visitor.user.and_then(|id| self.lead(id, time, policy));
        user.or_else(|| {
            let id = visitor.anonymous?;
            let ambiguous = policy == Policy::Strict && self.timeline(id).emails() > 1;
            if ambiguous { None } else { self.lead(id, time, policy) }
        })
    }

    /// The ties through which [`owner`](Self::owner) finds the e-mail of a signal of `visitor` at
    /// `time`, the one of its own id first; none of a cold one.
    pub fn steps(&self, visitor: Visitor, time: Time, policy: Policy) -> Vec<Step> {
        let mut steps = Vec::new();
        let Some(owner) = self.owner(visitor, time, policy) else { return steps };
        let first = match owner.through {
            Through::UserId => visitor.user,
            Through::AnonymousId | Through::Bridge => visitor.anonymous,
        };
        let mut search = Search::new(time, policy);
        let mut next = first;
        while let Some(id) = next
            && let Ok(taken) = u8::try_from(steps.len())
            && let Some((_, link)) = self.follow(id, taken, &mut search)
        {
            steps.push(Step { id, link });
            // What was passed through is not passed through again, as in one search.
            search.path[usize::from(taken)] = Some(id);
            search.budget = BUDGET;
            next = (self.ids.space(link.target) != Space::Email).then_some(link.target);
        }
        steps
    }

    /// Whether every policy gives a signal of `visitor` the same owner at any time: each of its
    /// ids leads to one e-mail at most, also past shared user ids, and no limit can cut that off.
    pub fn is_plain(&self, visitor: Visitor) -> bool {
        let plain = |id: NodeId| {
            let timeline = self.timeline(id);
            timeline.emails() <= 1 && !timeline.leads_through_shared()
        };
        self.lookback_ms.is_none()
            && visitor.user.is_none_or(plain)
            && visitor.anonymous.is_none_or(plain)
    }

    /// Whether `id` has more e-mails than a person would: a shared device.
    pub fn is_shared(&self, id: NodeId) -> bool {
        self.timeline(id).emails() > self.max_emails
    }

    fn lead(&self, id: NodeId, time: Time, policy: Policy) -> Option<Owner> {
        let mut search = Search::new(time, policy);
        let (email, link) = self.follow(id, 0, &mut search)?;
        let resolution = if link.time <= time { Resolution::Known } else { Resolution::Rehydrated };
        let through = match (self.ids.space(id), self.ids.space(link.target)) {
            (Space::User, _) => Through::UserId,
            (_, Space::User) => Through::Bridge,
            _ => Through::AnonymousId,
        };
        Some(Owner { email, resolution, through, tied: link.time })
    }

    /// The e-mail that `id`, reached after `steps` facts, leads to, and the link of `id` itself
    /// that does.
    fn follow(&self, id: NodeId, steps: u8, search: &mut Search) -> Option<(NodeId, Link)> {
        let timeline = self.timeline(id);
        let distance = timeline.distance()?;
        if distance > MAX_STEPS - steps || search.path.contains(&Some(id)) {
            return None;
        }
        search.path[usize::from(steps)] = Some(id);
        let links = timeline.links;
        let known = links.partition_point(|link| link.time <= search.time);
        let later = &links[known..];
        let later = if timeline.emails() > self.max_emails { &[] } else { later };
        let found = match search.policy {
            Policy::Split | Policy::Strict => links[..known]
                .iter()
                .rev()
                .chain(later)
                .find_map(|link| self.take(link, steps, search)),
            Policy::First => {
                links[..known].iter().chain(later).find_map(|link| self.take(link, steps, search))
            }
            Policy::Last => later
                .iter()
                .rev()
                .chain(links[..known].iter().rev())
                .find_map(|link| self.take(link, steps, search)),
        };
        search.path[usize::from(steps)] = None;
        found
    }

    fn take(&self, link: &Link, steps: u8, search: &mut Search) -> Option<(NodeId, Link)> {
        search.budget = search.budget.checked_sub(1)?;
        if self.is_too_late(link.time, search.time) {
            return None;
        }
        let email = match self.ids.space(link.target) {
            Space::Email => link.target,
            _ if steps + 1 >= MAX_STEPS => return None,
            _ => self.follow(link.target, steps + 1, search)?.0,
        };
        Some((email, *link))
    }

    /// Whether a tie made at `tied` is too long after a signal at `time` to reach back to it. A
    /// signal without a time has no age.
    fn is_too_late(&self, tied: Time, time: Time) -> bool {
        match (self.lookback_ms, tied.millis(), time.millis()) {
            (Some(lookback), Some(tied), Some(time)) => tied.saturating_sub(time) > lookback,
            _ => false,
        }
    }
}
