//! Resolution: finds the e-mail that the ids of a signal lead to at its time.

use super::Resolution;
use super::all_ids::AllIds;
use super::ids::{NodeId, Space};
use super::timeline::{Buffers, Link, MAX_STEPS, Timeline, Timelines};
use crate::rules::{IdentityConfig, Policy};
use crate::time::{DAY_MS, Time};

/// The maximum number of links that one resolution visits. Only timelines constructed to be slow
/// have more dead ends; such signals stay cold.
const BUDGET: u32 = 10_000;

/// How an e-mail was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Through {
    /// The anonymous id is connected to the e-mail.
    AnonymousId,
    /// The user id leads to the e-mail.
    UserId,
    /// The anonymous id is connected to a user id, which leads to the e-mail.
    Bridge,
}

/// The owner of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The e-mail.
    pub email: NodeId,
    /// [`Resolution::Known`] or [`Resolution::Rehydrated`].
    pub resolution: Resolution,
    /// How the e-mail was found.
    pub through: Through,
    /// When the id of the signal was connected to the next id of the chain.
    pub tied: Time,
}

/// One step of the chain from an id of a signal to an e-mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The id.
    pub id: NodeId,
    /// The link that was followed.
    pub link: Link,
}

/// The ids of a signal that are not blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visitor {
    /// The `userId`.
    pub user: Option<NodeId>,
    /// The `anonymousId`.
    pub anonymous: Option<NodeId>,
}

/// Resolves signals with timelines.
#[derive(Clone, Copy, Debug)]
pub struct Resolver<'a> {
    timelines: &'a Timelines,
    /// An anonymous id with its timeline, read from disk.
    loaded: Option<(NodeId, Timeline<'a>)>,
    ids: &'a AllIds,
    lookback_ms: Option<i64>,
    max_emails: usize,
}

/// The state of one resolution.
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
    /// Creates a resolver with `timelines`, whose ids are `ids`.
    pub fn new(timelines: &'a Timelines, ids: &'a AllIds, config: &IdentityConfig) -> Self {
        Self {
            timelines,
            loaded: None,
            ids,
            lookback_ms: config.lookback_days.map(|days| i64::from(days) * DAY_MS),
            max_emails: config.max_emails as usize,
        }
    }

    /// Returns whether timelines of anonymous ids are on disk. If so, [`with`](Self::with) has to
    /// be called for each anonymous id.
    #[inline]
    pub fn is_on_disk(&self) -> bool {
        self.timelines.are_on_disk()
    }

    /// Returns a resolver that has the timeline of `anonymous`, read from disk into `buffers`.
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

    /// Prefetches the timelines of `visitor`.
    #[inline]
    pub fn prefetch(&self, visitor: Visitor) {
        let ids = visitor.user.into_iter().chain(visitor.anonymous);
        ids.for_each(|id| self.timelines.prefetch(id));
    }

    /// Prefetches the links of `visitor`, once [`prefetch`](Self::prefetch) has completed.
    #[inline]
    pub fn prefetch_links(&self, visitor: Visitor) {
        let ids = visitor.user.into_iter().chain(visitor.anonymous);
        ids.for_each(|id| self.timelines.prefetch_links(id));
    }

    /// Returns the owner of a signal of `visitor` at `time`, or `None` if it is cold. The user id
    /// is tried first, then the anonymous id.
    pub fn owner(&self, visitor: Visitor, time: Time, policy: Policy) -> Option<Owner> {
        let user = visitor.user.and_then(|id| self.lead(id, time, policy));
        user.or_else(|| {
            let id = visitor.anonymous?;
            let ambiguous = policy == Policy::Strict && self.timeline(id).emails() > 1;
            if ambiguous { None } else { self.lead(id, time, policy) }
        })
    }

    /// Returns the links by which [`owner`](Self::owner) finds the e-mail, from the id of the
    /// signal on; empty for a cold signal.
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
            // Visited ids are not visited again, as in a single search.
            search.path[usize::from(taken)] = Some(id);
            search.budget = BUDGET;
            next = (self.ids.space(link.target) != Space::Email).then_some(link.target);
        }
        steps
    }

    /// Returns whether the owner of a signal of `visitor` depends on neither policy nor time: each
    /// of its ids has at most one e-mail, even through shared user ids, and there is no lookback
    /// limit.
    pub fn is_plain(&self, visitor: Visitor) -> bool {
        let plain = |id: NodeId| {
            let timeline = self.timeline(id);
            timeline.emails() <= 1 && !timeline.leads_through_shared()
        };
        self.lookback_ms.is_none()
            && visitor.user.is_none_or(plain)
            && visitor.anonymous.is_none_or(plain)
    }

    /// Returns whether `id` has more e-mails than one person, as on a shared device.
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

    /// Returns the e-mail that `id`, reached after `steps` links, leads to, and the link of `id`
    /// that was followed.
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

    /// Returns whether a link made at `tied` is too long after a signal at `time` to apply to it. A
    /// signal without a time is always in reach.
    fn is_too_late(&self, tied: Time, time: Time) -> bool {
        match (self.lookback_ms, tied.millis(), time.millis()) {
            (Some(lookback), Some(tied), Some(time)) => tied.saturating_sub(time) > lookback,
            _ => false,
        }
    }
}
