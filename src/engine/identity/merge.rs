//! Merges leads whose e-mails share a user id.

use std::io;

use ahash::AHashMap;

use super::all_ids::AllIds;
use super::fact::{Fact, OrderKey};
use super::facts::Facts;
use super::ids::{NodeId, Space};

/// The merged e-mails.
#[derive(Debug, Default)]
pub struct Merged {
    named: AHashMap<NodeId, NodeId>,
    refused: Vec<Refused>,
}

/// E-mails that share user ids but are too many for one person, and are not merged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The number of e-mails.
    pub emails: usize,
    /// The user ids that they share, sorted by text.
    pub user_ids: Vec<NodeId>,
}

#[derive(Debug, Default)]
struct Group {
    emails: Vec<NodeId>,
    user_ids: Vec<NodeId>,
}

impl Merged {
    /// Merges the e-mails that a user id is connected to, unless there would be more than
    /// `max_emails` in one lead. The e-mail with the latest fact names the lead.
    ///
    /// `facts` must be sorted. They are read twice, so that only e-mails that share a user id, and
    /// their user ids, are held in memory.
    ///
    /// # Errors
    /// Returns an error if facts on disk cannot be read.
    pub fn new(facts: &Facts, ids: &AllIds, max_emails: usize) -> io::Result<Self> {
        let identifies = |fact: &Fact| ids.space(fact.target) == Space::Email;
        let is_of_user = |fact: &Fact| ids.space(fact.source) == Space::User;
        let (mut groups, mut latest_user) = (Groups::default(), None);
        facts.each(|fact| {
            if identifies(fact) && is_of_user(fact) {
                match latest_user {
                    Some((user, email)) if user == fact.source => {
                        if email != fact.target {
                            groups.join(user, email);
                            groups.join(user, fact.target);
                        }
                    }
                    _ => latest_user = Some((fact.source, fact.target)),
                }
            }
        })?;
        let mut latest: AHashMap<NodeId, OrderKey> = AHashMap::new();
        facts.each(|fact| {
            if identifies(fact) && groups.has(fact.target) {
                let key = latest.entry(fact.target).or_insert(fact.key);
                *key = fact.key.max(*key);
                if is_of_user(fact) && !groups.has(fact.source) {
                    groups.join(fact.source, fact.target);
                }
            }
        })?;
        let mut merged = Self::default();
        for group in groups.collect(ids).into_values().filter(|group| group.emails.len() > 1) {
            if group.emails.len() > max_emails {
                let mut user_ids = group.user_ids;
                user_ids.sort_unstable_by_key(|&id| ids.order(id));
                merged.refused.push(Refused { emails: group.emails.len(), user_ids });
                continue;
            }
            let rank = |&email: &NodeId| (latest.get(&email), ids.order(email));
            let Some(name) = group.emails.iter().copied().max_by_key(rank) else { continue };
            merged.named.extend(group.emails.into_iter().map(|email| (email, name)));
        }
        let first = |refused: &Refused| refused.user_ids.first().map(|&id| ids.order(id));
        merged.refused.sort_unstable_by_key(first);
        Ok(merged)
    }

    /// Creates merged e-mails from known pairs of an e-mail and the one that names its lead.
    pub fn known(names: impl IntoIterator<Item = (NodeId, NodeId)>) -> Self {
        Self { named: names.into_iter().collect(), refused: Vec::new() }
    }

    /// Returns each merged e-mail with the one that names its lead, in no particular order.
    pub fn names(&self) -> impl Iterator<Item = (NodeId, NodeId)> + '_ {
        self.named.iter().map(|(&email, &name)| (email, name))
    }

    /// Returns the e-mail that names the lead of `email`.
    #[inline]
    pub fn name(&self, email: NodeId) -> NodeId {
        if self.named.is_empty() {
            return email;
        }
        self.named.get(&email).copied().unwrap_or(email)
    }

    /// Returns the number of e-mails that became part of the lead of another one.
    pub fn joined(&self) -> usize {
        self.named.iter().filter(|(email, name)| email != name).count()
    }

    /// Returns the groups of e-mails that were not merged.
    pub fn refused(&self) -> &[Refused] {
        &self.refused
    }
}

/// Disjoint sets of user ids and e-mails.
#[derive(Debug, Default)]
struct Groups {
    parent: AHashMap<NodeId, NodeId>,
}

impl Groups {
    fn root(&mut self, id: NodeId) -> NodeId {
        let mut root = id;
        while let Some(&parent) = self.parent.get(&root).filter(|&&parent| parent != root) {
            root = parent;
        }
        let mut step = id;
        while step != root {
            step = self.parent.insert(step, root).unwrap_or(root);
        }
        root
    }

    fn has(&self, id: NodeId) -> bool {
        self.parent.contains_key(&id)
    }

    fn join(&mut self, a: NodeId, b: NodeId) {
        let (a, b) = (self.root(a), self.root(b));
        self.parent.insert(a, a);
        self.parent.insert(b, a);
    }

    fn collect(mut self, ids: &AllIds) -> AHashMap<NodeId, Group> {
        let mut groups: AHashMap<NodeId, Group> = AHashMap::new();
        let members: Vec<NodeId> = self.parent.keys().copied().collect();
        for id in members {
            let group = groups.entry(self.root(id)).or_default();
            match ids.space(id) {
                Space::Email => group.emails.push(id),
                _ => group.user_ids.push(id),
            }
        }
        groups
    }
}
