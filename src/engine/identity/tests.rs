//! Compares resolution with a direct implementation of its rules.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use ahash::RandomState;
use proptest::prelude::*;

use super::all_ids::AllIds;
use super::epoch::{Epoch, Numbering};
use super::fact::{Fact, OrderKey};
use super::facts::{FactRuns, Facts};
use super::ids::{Ids, NodeId, Space};
use super::merge::Merged;
use super::resolve::{Owner, Resolver, Through, Visitor};
use super::timeline::{Buffers, MAX_STEPS, Room};
use super::{Identities, Resolution};
use crate::engine::exchange::sequence::Sequence;
use crate::engine::exchange::spill::{Piece, Spill};
use crate::rules::{IdentityConfig, Policy};
use crate::time::{DAY_MS, Time};

/// Creates facts from names: `a…` are anonymous ids, `u…` user ids, `e…` e-mails.
struct World {
    ids: Ids,
    facts: Vec<Fact>,
}

/// E-mails with those that name their leads.
type Named = Vec<(String, String)>;
/// The number of e-mails that were not merged, and the user ids that they share.
type Refused = Vec<(usize, Vec<String>)>;

/// The ids and facts, in memory or on disk.
struct Kept {
    ids: AllIds,
    facts: Facts,
}

impl Kept {
    fn owner(
        self,
        space: Space,
        who: &str,
        time: i64,
        config: &IdentityConfig,
    ) -> Option<(String, Owner)> {
        let Self { ids, facts } = self;
        let id = ids.find(space, who).unwrap();
        assert_eq!((ids.space(id), &*ids.text(id)), (space, who));
        let of = |wanted| (space == wanted).then_some(id);
        let visitor = Visitor { user: of(Space::User), anonymous: of(Space::Anonymous) };
        let dir = std::env::temp_dir();
        let room = Room { bytes: 0, dir: &dir };
        let identities = Identities::new(facts, &ids, config, room).unwrap();
        let mut buffers = Buffers::default();
        let resolver = Resolver::new(&identities.timelines, &ids, config);
        let anonymous = visitor.anonymous.filter(|_| resolver.is_on_disk());
        let loaded = resolver.with(anonymous, &mut buffers);
        let resolver = if anonymous.is_some() { loaded } else { resolver };
        let owner = resolver.owner(visitor, Time::from_raw(time), config.policy);
        let steps = resolver.steps(visitor, Time::from_raw(time), config.policy);
        identities.timelines.check().unwrap();
        assert_eq!(steps.first().map(|step| step.id), owner.map(|_| id));
        assert_eq!(steps.last().map(|step| step.link.target), owner.map(|owner| owner.email));
        assert!(steps.windows(2).all(|pair| pair[0].link.target == pair[1].id));
        let owner = owner?;
        Some((ids.text(owner.email).into_owned(), owner))
    }

    /// Returns the name of each e-mail and the refused groups, as texts.
    fn merged(&self, max_emails: u32) -> (Named, Refused) {
        let mut facts = self.facts.clone();
        facts.sort(&self.ids);
        let merged = Merged::new(&facts, &self.ids, max_emails as usize).unwrap();
        let text = |id| self.ids.text(id).into_owned();
        let emails = self.ids.of_space(Space::Email);
        let mut named: Vec<_> = emails.map(|id| (text(id), text(merged.name(id)))).collect();
        named.sort_unstable();
        let users = |ids: &[NodeId]| ids.iter().map(|&id| text(id)).collect();
        let refused = merged.refused().iter().map(|one| (one.emails, users(&one.user_ids)));
        (named, refused.collect())
    }
}

impl World {
    fn new(facts: &[(i64, &str, &str)]) -> Self {
        let mut world = Self { ids: Ids::new(RandomState::new()), facts: Vec::new() };
        for (event, &(time, source, target)) in facts.iter().enumerate() {
            let time = Time::from_raw(time);
            let key = OrderKey { time, received: time, signal_id: event as u128 };
            let (source, target) = (world.id(source), world.id(target));
            world.facts.push(Fact { key, source, target, event: event as u64 });
        }
        world
    }

    fn id(&mut self, name: &str) -> NodeId {
        let space = match name.as_bytes()[0] {
            b'a' => Space::Anonymous,
            b'u' => Space::User,
            _ => Space::Email,
        };
        self.ids.intern(space, name)
    }

    fn owner(&mut self, who: &str, time: i64, config: &IdentityConfig) -> Option<(String, Owner)> {
        let id = self.id(who);
        let in_memory = self.in_memory();
        let owner = in_memory.owner(self.ids.space(id), who, time, config);
        for epochs in [1, 3] {
            let on_disk = self.on_disk(epochs).owner(self.ids.space(id), who, time, config);
            let shown = |found: &Option<(String, Owner)>| {
                let found = found.as_ref();
                found.map(|(email, o)| (email.clone(), o.resolution, o.through, o.tied))
            };
            assert_eq!(shown(&on_disk), shown(&owner), "{epochs} epochs");
        }
        owner
    }

    fn in_memory(&self) -> Kept {
        let (ids, facts) = (self.ids.clone(), self.facts.clone());
        Kept { ids: AllIds::Memory(ids), facts: Facts::Memory(facts) }
    }

    /// Stores the facts in `epochs` epochs, as if they did not fit into memory.
    fn on_disk(&self, epochs: usize) -> Kept {
        let dir = std::env::temp_dir();
        let (spill, kept) = (Spill::new(dir.clone(), 0), Arc::new(Spill::new(dir.clone(), 0)));
        let of_each = self.facts.len().div_ceil(epochs).max(1);
        let mut parts: Vec<&[Fact]> = self.facts.chunks(of_each).collect();
        // Ids without facts are ids as well.
        parts.push(&[]);
        let mut ended = Vec::new();
        for (number, part) in parts.iter().enumerate() {
            let mut ids = Ids::new(RandomState::new());
            if number + 1 == parts.len() {
                self.ids.iter().for_each(|(id, space)| {
                    ids.intern(space, self.ids.text(id));
                });
            }
            let mut own = |id| ids.intern(self.ids.space(id), self.ids.text(id));
            let renumbered = part.iter().map(|&fact| Fact {
                source: own(fact.source),
                target: own(fact.target),
                ..fact
            });
            let mut facts: Vec<Fact> = renumbered.collect();
            ended.push(Epoch::write(&ids, &mut facts, &spill, 1).unwrap());
        }
        let numbering = Numbering { spill: &spill, piece_bytes: 1, email_bytes: 0 };
        let (dictionary, numbers) = numbering.number(&ended, Spill::new(dir, 0)).unwrap();
        let run = |(epoch, numbers): (&Epoch, Sequence)| {
            let numbers = epoch.numbers(&numbers, &spill).unwrap();
            let renumber = |piece: &Piece| {
                let mut out = Vec::new();
                let mut buffer = Vec::new();
                let bytes = spill.read(piece, &mut buffer).unwrap();
                numbers.translate_facts(bytes, |_| true, &mut out).unwrap();
                kept.keep(&[&out]).unwrap()
            };
            Sequence::of_pieces(epoch.facts().pieces().iter().map(renumber).collect())
        };
        let runs = ended.iter().zip(numbers).map(run).collect();
        let facts = Facts::Runs(FactRuns::new(Arc::clone(&kept), runs, 1));
        Kept { ids: AllIds::Disk(Box::new(dictionary)), facts }
    }

    fn found(&mut self, who: &str, time: i64, config: &IdentityConfig) -> String {
        match self.owner(who, time, config) {
            Some((email, owner)) => format!("{email} {}", owner.resolution.name()),
            None => "cold".to_owned(),
        }
    }
}

#[test]
fn history_before_the_first_link_belongs_to_the_first_owner() {
    let mut world = World::new(&[(10, "a", "e1"), (20, "a", "e2")]);
    let config = IdentityConfig::default();
    assert_eq!(world.found("a", 5, &config), "e1 rehydrated");
    assert_eq!(world.found("a", 10, &config), "e1 known");
    assert_eq!(world.found("a", 19, &config), "e1 known");
    assert_eq!(world.found("a", 20, &config), "e2 known");
    assert_eq!(world.found("a2", 20, &config), "cold");
}

#[test]
fn a_bridge_leads_where_the_user_id_leads_at_that_time() {
    let mut world = World::new(&[(10, "a", "u"), (20, "u", "e1"), (30, "u", "e2")]);
    let config = IdentityConfig::default();
    for (time, expected) in
        [(5, "e1 rehydrated"), (15, "e1 known"), (25, "e1 known"), (30, "e2 known")]
    {
        assert_eq!(world.found("a", time, &config), expected, "at {time}");
    }
    let (_, owner) = world.owner("a", 25, &config).unwrap();
    assert_eq!(owner.through, Through::Bridge);
    assert_eq!(world.owner("u", 25, &config).unwrap().1.through, Through::UserId);
}

#[test]
fn facts_that_lead_to_no_email_are_ignored() {
    let mut world = World::new(&[(10, "a", "e1"), (20, "a", "u9"), (30, "u9", "u8")]);
    assert_eq!(world.found("a", 25, &IdentityConfig::default()), "e1 known");
}

#[test]
fn chains_end_after_eight_facts_and_cycles_are_cold() {
    let mut chain = vec![(1, "a", "u1")];
    let names = ["u1", "u2", "u3", "u4", "u5", "u6", "u7", "u8"];
    chain.extend(names.windows(2).map(|pair| (1, pair[0], pair[1])));
    chain.push((1, "u7", "e7"));
    chain.push((1, "u8", "e8"));
    let config = IdentityConfig::default();
    assert_eq!(World::new(&chain).found("a", 2, &config), "e7 known");
    let without: Vec<_> = chain.into_iter().filter(|fact| fact.2 != "e7").collect();
    assert_eq!(World::new(&without).found("a", 2, &config), "cold");
    assert_eq!(World::new(&without).found("u1", 2, &config), "e8 known");
    let mut cycle = World::new(&[(1, "u1", "u2"), (2, "u2", "u1"), (3, "u1", "u1")]);
    assert_eq!(cycle.found("u1", 9, &config), "cold");
}

#[test]
fn policies_first_last_and_strict() {
    let mut world = World::new(&[(10, "a", "e1"), (20, "a", "e2"), (10, "b", "e1")]);
    let with = |policy| IdentityConfig { policy, ..IdentityConfig::default() };
    assert_eq!(world.found("a", 25, &with(Policy::First)), "e1 known");
    assert_eq!(world.found("a", 5, &with(Policy::Last)), "e2 rehydrated");
    assert_eq!(world.found("a", 25, &with(Policy::Strict)), "cold");
}

#[test]
fn a_shared_device_is_known_but_never_rehydrates() {
    let config = IdentityConfig { max_emails: 2, ..IdentityConfig::default() };
    let mut world = World::new(&[(10, "a", "e1"), (20, "a", "e2"), (30, "a", "e3")]);
    assert_eq!(world.found("a", 5, &config), "cold");
    assert_eq!(world.found("a", 15, &config), "e1 known");
}

#[test]
fn a_shared_user_id_does_not_make_its_visitors_shared() {
    let mut facts = vec![(90, "a", "u"), (100, "a", "e0"), (90, "u9", "u")];
    facts.extend([(10, "u", "e1"), (20, "u", "e2"), (30, "u", "e3")]);
    let mut world = World::new(&facts);
    let config = IdentityConfig { max_emails: 2, ..IdentityConfig::default() };
    assert_eq!(world.found("u", 5, &config), "cold");
    assert_eq!(world.found("u", 15, &config), "e1 known");
    assert_eq!(world.found("a", 5, &config), "e0 rehydrated");
    assert_eq!(world.found("a", 95, &config), "e3 known");
    assert_eq!(world.found("u9", 95, &config), "e3 known");
    // The shared user id adds no e-mails, but others can.
    let mut world =
        World::new(&[&facts[..], &[(40, "a", "e4"), (50, "a", "u2"), (1, "u2", "e5")]].concat());
    assert_eq!(world.found("a", 5, &config), "cold");
}

#[test]
fn the_emails_of_a_user_id_count_even_where_an_email_of_the_same_event_is_closer() {
    let mut world = World::new(&[(5, "u", "e1"), (7, "u", "e2"), (9, "a", "u"), (9, "a", "e3")]);
    world.facts[3].key = world.facts[2].key;
    let config = |max_emails| IdentityConfig { max_emails, ..IdentityConfig::default() };
    assert_eq!(world.found("a", 1, &config(3)), "e3 rehydrated");
    assert_eq!(world.found("a", 1, &config(2)), "cold");
    assert_eq!(world.found("a", 9, &config(2)), "e3 known");
}

#[test]
fn lookback_leaves_older_signals_cold() {
    let config = IdentityConfig { lookback_days: Some(1), ..IdentityConfig::default() };
    let mut world = World::new(&[(2 * DAY_MS, "a", "e")]);
    assert_eq!(world.found("a", DAY_MS, &config), "e rehydrated");
    assert_eq!(world.found("a", DAY_MS - 1, &config), "cold");
    assert_eq!(world.found("a", i64::MIN, &config), "e rehydrated");
}

#[test]
fn emails_of_one_user_id_merge_under_the_latest_unless_too_many() {
    let world = World::new(&[
        (1, "u1", "e1"),
        (2, "u1", "e2"),
        (3, "u2", "e2"),
        (9, "u2", "e3"),
        (5, "a", "e9"),
    ]);
    let pairs = |names: [&str; 8]| {
        let (pairs, _) = names.as_chunks();
        pairs.iter().map(|[email, name]| (email.to_string(), name.to_string())).collect::<Vec<_>>()
    };
    for kept in [world.in_memory(), world.on_disk(1), world.on_disk(3)] {
        let (named, refused) = kept.merged(3);
        assert_eq!(named, pairs(["e1", "e3", "e2", "e3", "e3", "e3", "e9", "e9"]));
        assert_eq!(refused, []);
        let (named, refused) = kept.merged(2);
        assert_eq!(named, pairs(["e1", "e1", "e2", "e2", "e3", "e3", "e9", "e9"]));
        assert_eq!(refused, [(3, vec!["u1".to_owned(), "u2".to_owned()])]);
    }
}

/// A direct implementation of the rules of resolution, without regard to speed.
struct Naive<'a> {
    world: &'a World,
    time: Time,
    config: &'a IdentityConfig,
}

impl Naive<'_> {
    /// The e-mails of an id are its own and those of the user ids that it is connected to, except
    /// for shared ones. `of_users` are those of user ids, as far as they are known.
    fn emails(&self, id: NodeId, of_users: &HashMap<NodeId, HashSet<NodeId>>) -> HashSet<NodeId> {
        let mut emails = HashSet::new();
        for fact in self.world.facts.iter().filter(|fact| fact.source == id) {
            if self.world.ids.space(fact.target) == Space::Email {
                emails.insert(fact.target);
                continue;
            }
            let theirs = of_users.get(&fact.target).cloned().unwrap_or_default();
            if theirs.len() <= self.config.max_emails as usize {
                emails.extend(theirs);
            }
        }
        emails
    }

    /// Returns whether `id` is shared. Chains are followed for at most eight steps.
    fn is_shared(&self, id: NodeId) -> bool {
        let ids = &self.world.ids;
        let users: Vec<_> = ids.iter().filter(|(_, space)| *space == Space::User).collect();
        let mut of_users = HashMap::new();
        for _ in 0..MAX_STEPS {
            of_users = users.iter().map(|&(id, _)| (id, self.emails(id, &of_users))).collect();
        }
        let emails = of_users.get(&id).cloned().unwrap_or_else(|| self.emails(id, &of_users));
        emails.len() > self.config.max_emails as usize
    }

    fn lead(&self, id: NodeId, path: &[NodeId]) -> Option<(NodeId, Time)> {
        let mut facts: Vec<Fact> =
            self.world.facts.iter().filter(|fact| fact.source == id).copied().collect();
        facts.sort_by_key(|fact| fact.key);
        let mut path = path.to_vec();
        path.push(id);
        let leads = |fact: &Fact| {
            if let (Some(days), Some(tied), Some(time)) =
                (self.config.lookback_days, fact.key.time.millis(), self.time.millis())
                && tied - time > i64::from(days) * DAY_MS
            {
                return None;
            }
            let email = match self.world.ids.space(fact.target) {
                Space::Email => fact.target,
                _ if path.len() >= usize::from(MAX_STEPS) || path.contains(&fact.target) => {
                    return None;
                }
                _ => self.lead(fact.target, &path)?.0,
            };
            Some((email, fact.key.time))
        };
        let known = facts.iter().rev().filter(|fact| fact.key.time <= self.time);
        let later = facts.iter().filter(|fact| fact.key.time > self.time);
        known.chain(later.filter(|_| !self.is_shared(id))).find_map(leads)
    }
}

fn fact() -> impl Strategy<Value = (i64, String, String)> {
    let source = prop_oneof!["a[1-3]", "u[1-4]"];
    let target = prop_oneof!["u[1-4]", "e[1-3]"];
    (0_i64..12, source, target).prop_map(|(day, source, target)| (day * DAY_MS / 2, source, target))
}

#[test]
fn an_id_that_leads_through_a_shared_user_id_may_change_its_owner_by_policy() {
    let facts = [(0, "u1", "e1"), (1, "u1", "e2"), (2, "a1", "u1"), (3, "a1", "e2")];
    let owner = |policy| {
        let config = IdentityConfig { max_emails: 1, policy, ..IdentityConfig::default() };
        World::new(&facts).found("a1", 4, &config)
    };
    assert_eq!([owner(Policy::Split), owner(Policy::First)], ["e2 known", "e1 known"]);

    let mut world = World::new(&facts);
    let visitor = Visitor { user: None, anonymous: Some(world.id("a1")) };
    let config = IdentityConfig { max_emails: 1, ..IdentityConfig::default() };
    let Kept { ids, facts } = world.in_memory();
    let dir = std::env::temp_dir();
    let room = Room { bytes: 0, dir: &dir };
    let timelines = Identities::new(facts, &ids, &config, room).unwrap().timelines;
    assert!(!Resolver::new(&timelines, &ids, &config).is_plain(visitor));
}

proptest! {
    #[test]
    fn timelines_resolve_as_the_plain_reading_does(
        facts in proptest::collection::vec(fact(), 0..24),
        time in 0_i64..12,
        lookback_days in proptest::option::of(0_u32..5),
        max_emails in 1_u32..4,
    ) {
        let named: Vec<_> = facts.iter().map(|(t, s, e)| (*t, s.as_str(), e.as_str())).collect();
        let config = IdentityConfig { lookback_days, max_emails, ..IdentityConfig::default() };
        let time = time * DAY_MS / 2;
        for who in ["a1", "a2", "u1", "u2"] {
            let mut world = World::new(&named);
            let id = world.id(who);
            let naive = Naive { world: &world, time: Time::from_raw(time), config: &config };
            let expected = naive.lead(id, &[]).map(|(email, tied)| {
                let known = tied <= Time::from_raw(time);
                let resolution = if known { Resolution::Known } else { Resolution::Rehydrated };
                (world.ids.text(email).to_owned(), resolution)
            });
            let found = world.owner(who, time, &config);
            prop_assert_eq!(found.map(|(email, owner)| (email, owner.resolution)), expected);
        }
    }

    #[test]
    fn emails_merge_on_disk_as_in_memory(
        facts in proptest::collection::vec(fact(), 0..24),
        max_emails in 1_u32..4,
        epochs in 1_usize..5,
    ) {
        let named: Vec<_> = facts.iter().map(|(t, s, e)| (*t, s.as_str(), e.as_str())).collect();
        let world = World::new(&named);
        let (in_memory, on_disk) = (world.in_memory(), world.on_disk(epochs));
        prop_assert_eq!(on_disk.merged(max_emails), in_memory.merged(max_emails));
    }
}
