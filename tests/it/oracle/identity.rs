//! Identity resolution: facts, and the owners of ids at each time.

use std::collections::{BTreeMap, BTreeSet};

use super::event::{Key, Time};
use super::settings::{Policy, Settings};

const MAX_STEPS: usize = 8;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// An id, or an e-mail that ids lead to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Node {
    Anonymous(String),
    User(String),
    Email(String),
}

/// A connection of two ids, made by an event.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fact {
    pub source: Node,
    pub key: Key,
    pub target: Node,
}

/// How an e-mail was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Through {
    AnonymousId,
    UserId,
    Bridge,
}

/// The owner of a signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    pub email: String,
    pub rehydrated: bool,
    pub through: Through,
}

/// All facts of a history.
pub struct Identities<'s> {
    settings: &'s Settings,
    /// All facts, by source and time.
    facts: Vec<Fact>,
    /// For each id, the facts that lead to an e-mail, in order, without those that repeat the
    /// previous one.
    ties: BTreeMap<Node, Vec<(Time, Node)>>,
    emails: BTreeMap<Node, BTreeSet<String>>,
    /// The e-mail that names the lead of another one.
    names: BTreeMap<String, String>,
    /// Groups of e-mails that are too many for one person: how many, and the user ids that they
    /// share.
    pub merge_refused: Vec<(usize, Vec<String>)>,
}

impl<'s> Identities<'s> {
    pub fn new(mut facts: Vec<Fact>, settings: &'s Settings) -> Self {
        facts.sort();
        let mut identities = Self {
            settings,
            ties: ties(&facts),
            emails: emails(&facts, settings.max_emails),
            names: BTreeMap::new(),
            merge_refused: Vec::new(),
            facts,
        };
        if settings.merge_by_user_id {
            identities.merge();
        }
        identities
    }

    /// Returns the owner of a signal at `time` with these ids.
    pub fn owner(
        &self,
        user: Option<&Node>,
        anonymous: Option<&Node>,
        time: Time,
        policy: Policy,
    ) -> Option<Owner> {
        let by_user = user.and_then(|id| self.lead(id, time, policy));
        by_user.or_else(|| {
            let id = anonymous?;
            let is_ambiguous = policy == Policy::Strict && self.emails_of(id) > 1;
            if is_ambiguous { None } else { self.lead(id, time, policy) }
        })
    }

    fn lead(&self, id: &Node, time: Time, policy: Policy) -> Option<Owner> {
        let (email, tied, target) = self.follow(id, time, policy, &mut Vec::new())?;
        let through = match (id, target) {
            (Node::User(_), _) => Through::UserId,
            (_, Node::User(_)) => Through::Bridge,
            _ => Through::AnonymousId,
        };
        Some(Owner { email, rehydrated: tied > time, through })
    }

    /// Returns the e-mail that `id` leads to at `time`, and the link of `id` that was followed.
    fn follow(
        &self,
        id: &Node,
        time: Time,
        policy: Policy,
        path: &mut Vec<Node>,
    ) -> Option<(String, Time, Node)> {
        if path.len() == MAX_STEPS || path.contains(id) {
            return None;
        }
        let ties = self.ties.get(id)?;
        let is_shared = self.emails_of(id) > self.settings.max_emails;
        let (known, later): (Vec<_>, Vec<_>) = ties.iter().partition(|(tied, _)| *tied <= time);
        let later = if is_shared { Vec::new() } else { later };
        let in_order: Vec<_> = match policy {
            Policy::Split | Policy::Strict => known.into_iter().rev().chain(later).collect(),
            Policy::First => known.into_iter().chain(later).collect(),
            Policy::Last => later.into_iter().rev().chain(known.into_iter().rev()).collect(),
        };
        path.push(id.clone());
        let found = in_order
            .into_iter()
            .filter(|(tied, _)| !self.is_too_late(*tied, time))
            .find_map(|(tied, target)| {
                let email = match target {
                    Node::Email(email) => email.clone(),
                    _ => self.follow(target, time, policy, path)?.0,
                };
                Some((email, *tied, target.clone()))
            });
        path.pop();
        found
    }

    fn is_too_late(&self, tied: Time, time: Time) -> bool {
        let lookback_ms = self.settings.lookback_days.map(|days| i64::from(days) * DAY_MS);
        let age = tied.zip(time).map(|(tied, time)| tied - time);
        lookback_ms.zip(age).is_some_and(|(lookback, age)| age > lookback)
    }

    fn emails_of(&self, id: &Node) -> usize {
        self.emails.get(id).map_or(0, BTreeSet::len)
    }

    /// Returns the ids with more e-mails than one person, and how many, counted to one more than
    /// the limit.
    pub fn shared(&self) -> Vec<(&Node, usize)> {
        let most = self.settings.max_emails + 1;
        let shared = self.emails.iter().filter(|(_, emails)| emails.len() >= most);
        shared.map(|(id, _)| (id, most)).collect()
    }

    pub fn leads_anywhere(&self, id: &Node) -> bool {
        self.ties.contains_key(id)
    }

    /// The e-mail that names the lead of `email`.
    pub fn name(&self, email: &str) -> String {
        self.names.get(email).map_or(email, String::as_str).to_owned()
    }

    pub fn merged_emails(&self) -> usize {
        self.names.iter().filter(|(email, name)| email != name).count()
    }

    /// Merges the e-mails that a user id is connected to.
    fn merge(&mut self) {
        let of_user =
            |fact: &&Fact| matches!((&fact.source, &fact.target), (Node::User(_), Node::Email(_)));
        let edges: Vec<_> = self.facts.iter().filter(of_user).collect();
        let mut groups: Vec<BTreeSet<&Node>> = Vec::new();
        for fact in edges {
            let both = BTreeSet::from([&fact.source, &fact.target]);
            let (touching, mut apart): (Vec<_>, Vec<_>) =
                groups.into_iter().partition(|group| !group.is_disjoint(&both));
            apart.push(touching.into_iter().flatten().chain(both).collect());
            groups = apart;
        }
        for group in groups {
            let emails: Vec<&Node> =
                group.iter().copied().filter(|node| matches!(node, Node::Email(_))).collect();
            let latest = |email: &Node| {
                self.facts.iter().filter(|fact| fact.target == *email).map(|fact| fact.key).max()
            };
            if emails.len() > self.settings.max_emails {
                let users = group.iter().filter_map(|node| match node {
                    Node::User(id) => Some(id.clone()),
                    _ => None,
                });
                self.merge_refused.push((emails.len(), users.collect()));
            } else if let Some(Node::Email(name)) =
                emails.iter().copied().max_by_key(|email| (latest(email), *email)).cloned()
            {
                self.names.extend(emails.into_iter().map(|email| match email {
                    Node::Email(email) => (email.clone(), name.clone()),
                    _ => unreachable!(),
                }));
            }
        }
        self.merge_refused.sort_by(|a, b| a.1.cmp(&b.1));
    }
}

/// Returns the number of facts of the shortest chain from each id to an e-mail.
fn distances(facts: &[Fact]) -> BTreeMap<Node, usize> {
    let mut distances = BTreeMap::new();
    for step in 1..=MAX_STEPS {
        let reached = |fact: &&Fact| {
            matches!(fact.target, Node::Email(_)) || distances.contains_key(&fact.target)
        };
        let reached: Vec<_> =
            facts.iter().filter(reached).map(|fact| fact.source.clone()).collect();
        for id in reached {
            distances.entry(id).or_insert(step);
        }
    }
    distances
}

fn ties(facts: &[Fact]) -> BTreeMap<Node, Vec<(Time, Node)>> {
    let distances = distances(facts);
    let leads_on = |fact: &&Fact| {
        matches!(fact.target, Node::Email(_)) || distances.contains_key(&fact.target)
    };
    // A connection to an e-mail takes precedence over one to a user id by the same event.
    let is_closest = |fact: &&Fact| {
        matches!(fact.target, Node::Email(_))
            || !facts.iter().any(|other| {
                (&other.source, other.key) == (&fact.source, fact.key)
                    && matches!(other.target, Node::Email(_))
            })
    };
    let mut ties: BTreeMap<Node, Vec<(Time, Node)>> = BTreeMap::new();
    for fact in facts.iter().filter(is_closest).filter(leads_on) {
        let of_id = ties.entry(fact.source.clone()).or_default();
        if of_id.last().is_none_or(|(_, target)| *target != fact.target) {
            of_id.push((fact.key.0, fact.target.clone()));
        }
    }
    ties
}

/// Returns the e-mails of each id: its own, and those of the user ids that it is connected to,
/// except for shared ones; one round for each step of the longest chain.
fn emails(facts: &[Fact], max_emails: usize) -> BTreeMap<Node, BTreeSet<String>> {
    let mut emails: BTreeMap<Node, BTreeSet<String>> = BTreeMap::new();
    let round = |before: &BTreeMap<Node, BTreeSet<String>>| {
        let mut emails: BTreeMap<Node, BTreeSet<String>> = BTreeMap::new();
        for fact in facts {
            let of_id = emails.entry(fact.source.clone()).or_default();
            match &fact.target {
                Node::Email(email) => of_id.extend([email.clone()]),
                user => {
                    let of_user = before.get(user).filter(|emails| emails.len() <= max_emails);
                    of_id.extend(of_user.into_iter().flatten().cloned());
                }
            }
        }
        emails
    };
    for _ in 0..MAX_STEPS {
        emails = round(&emails);
    }
    // Anonymous ids precede all chains of user ids.
    let mut last = round(&emails);
    last.retain(|id, _| matches!(id, Node::Anonymous(_)));
    emails.extend(last);
    emails
}
