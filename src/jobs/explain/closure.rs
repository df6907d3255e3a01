//! The closure of a subject: everything that its results can depend on, found by following links.

use std::io;

use ahash::AHashSet;

use super::link::{Kind, Link, Links, Node};
use crate::rules::Merge;

/// The nodes at which the search begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seeds {
    /// The ids of the subject.
    pub ids: AHashSet<Node>,
    /// The e-mails of the subject.
    pub emails: AHashSet<Node>,
}

impl Seeds {
    /// Adds the seeds of `other`.
    pub fn absorb(&mut self, other: Self) {
        self.ids.extend(other.ids);
        self.emails.extend(other.emails);
    }
}

/// The ids, e-mails, groups and copies that the results of a subject can depend on.
#[derive(Debug, Default)]
pub struct Closure {
    nodes: AHashSet<Node>,
}

impl Closure {
    /// Computes the closure of `seeds`: the e-mails that they resolve to, the e-mails that are
    /// merged with these, every id that resolves to one of them, and everything that such an id is
    /// tied to.
    ///
    /// A signal belongs to the subject only if one of its ids resolves to one of these e-mails.
    /// What an id resolves to follows from the facts of the ids on the path, and the closure
    /// contains everything that these are tied to.
    ///
    /// # Errors
    /// Returns an error if the links cannot be read.
    pub fn around(seeds: &Seeds, links: &Links, merge: Merge) -> io::Result<Self> {
        let mut nodes = seeds.ids.clone();
        grow(&mut nodes, links, forward)?;
        let mut emails = seeds.emails.clone();
        emails.extend(nodes.iter().filter(|node| node.kind() == Kind::Email));
        if merge == Merge::UserId {
            grow(&mut emails, links, across_user_ids)?;
        }
        let mut nodes = emails;
        nodes.extend(&seeds.ids);
        grow(&mut nodes, links, backward)?;
        grow(&mut nodes, links, forward)?;
        Ok(Self { nodes })
    }

    /// Returns `true` if the closure contains `node`.
    pub fn has(&self, node: Node) -> bool {
        self.nodes.contains(&node)
    }
}

/// Adds the nodes that `step` finds, until it finds no new one.
fn grow(
    nodes: &mut AHashSet<Node>,
    links: &Links,
    step: fn(Link, &AHashSet<Node>) -> Option<Node>,
) -> io::Result<()> {
    loop {
        let before = nodes.len();
        links.each(|link| {
            if let Some(found) = step(link, nodes) {
                nodes.insert(found);
            }
        })?;
        if nodes.len() == before {
            return Ok(());
        }
    }
}

fn forward(link: Link, nodes: &AHashSet<Node>) -> Option<Node> {
    nodes.contains(&link.source).then_some(link.target)
}

fn backward(link: Link, nodes: &AHashSet<Node>) -> Option<Node> {
    let is_tie = matches!(link.target.kind(), Kind::User | Kind::Email);
    (is_tie && nodes.contains(&link.target)).then_some(link.source)
}

/// Steps from an e-mail to the user ids that are tied to it, and from these to their other e-mails.
fn across_user_ids(link: Link, nodes: &AHashSet<Node>) -> Option<Node> {
    if link.source.kind() != Kind::User || link.target.kind() != Kind::Email {
        return None;
    }
    forward(link, nodes).or_else(|| backward(link, nodes))
}

#[cfg(test)]
mod tests {
    use super::super::link::LinkWriter;
    use super::*;
    use crate::engine::exchange::spill::Spill;
    use std::sync::Arc;

    /// Parses a node: `a…` are anonymous ids, `u…` user ids, `e…` e-mails, `g…` groups.
    fn node(name: &str) -> Node {
        let kind = match name.as_bytes()[0] {
            b'a' => Kind::Anonymous,
            b'u' => Kind::User,
            b'e' => Kind::Email,
            _ => Kind::Group,
        };
        Node::new(kind, name)
    }

    fn closure(subject: &str, merge: Merge, pairs: &[(&str, &str)]) -> String {
        let spill = Arc::new(Spill::new(std::env::temp_dir(), usize::MAX));
        let mut writer = LinkWriter::default();
        for (source, target) in pairs {
            writer.add(Link { source: node(source), target: node(target) });
        }
        let pieces = writer.flush(&spill).unwrap().into_iter().collect();
        let mut seeds = Seeds::default();
        let set = if subject.starts_with('e') { &mut seeds.emails } else { &mut seeds.ids };
        set.insert(node(subject));
        let closure = Closure::around(&seeds, &Links::new(spill, pieces), merge).unwrap();
        let mut names: Vec<&str> =
            pairs.iter().flat_map(|&(source, target)| [source, target]).collect();
        names.sort_unstable();
        names.dedup();
        names.retain(|name| closure.has(node(name)));
        names.join(" ")
    }

    #[test]
    fn what_leads_to_the_subject_and_where_that_leads_is_in_the_circle() {
        let links = [
            ("a1", "u1"),
            ("a1", "g1"),
            ("u1", "e1"),
            ("a2", "u1"),
            ("a2", "e2"),
            ("a3", "e2"),
            ("a4", "u4"),
            ("u4", "e4"),
            ("a5", "g1"),
        ];
        let expected = "a1 a2 e1 e2 g1 u1";
        assert_eq!(closure("e1", Merge::None, &links), expected);
        assert_eq!(closure("a1", Merge::None, &links), expected);
        assert_eq!(closure("e4", Merge::None, &links), "a4 e4 u4");
        assert_eq!(closure("a9", Merge::None, &links), "");
    }

    #[test]
    fn e_mails_of_one_lead_are_followed_together() {
        let links =
            [("u1", "e1"), ("u1", "e2"), ("u2", "e2"), ("u2", "e3"), ("a3", "e3"), ("a4", "e4")];
        assert_eq!(closure("e1", Merge::None, &links), "e1 e2 u1");
        assert_eq!(closure("e1", Merge::UserId, &links), "a3 e1 e2 e3 u1 u2");
    }
}
