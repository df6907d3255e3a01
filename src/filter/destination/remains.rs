//! An event without the members that filters removed.
//!
//! The nodes of a document are separate from its texts, so members are removed by copying the other
//! nodes: no text is written or parsed again, and numbers keep all their digits.

use super::fields::{Fields, Scope};
use crate::event::{Event, Members};
use crate::json::{Doc, Json, Node};

/// The remaining nodes of an event, and of the members that its batch supplies.
#[derive(Debug, Default)]
pub(super) struct Remains {
    own: Vec<Node>,
    lent: Vec<Node>,
    /// The buffer that nodes are copied to.
    spare: Vec<Node>,
    /// The node indices of the members to remove, sorted.
    gone: Vec<u32>,
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Nothing has been copied.
    #[default]
    Original,
    /// All nodes have been copied, and none removed.
    Whole,
    /// Some nodes have been removed.
    Changed,
}

impl Remains {
    /// Prepares for the next event. Memory that a giant event needed is released.
    pub fn clear(&mut self) {
        const KEEP_NODES: usize = 1 << 16;
        if self.state != State::Original {
            self.state = State::Original;
            for nodes in [&mut self.own, &mut self.lent, &mut self.spare] {
                nodes.clear();
                nodes.shrink_to(KEEP_NODES);
            }
            self.gone.clear();
            self.gone.shrink_to(KEEP_NODES);
        }
    }

    /// Passes what is left of `original` to `then`.
    pub fn with_event<R>(&self, original: &Event<'_>, then: impl FnOnce(&Event<'_>) -> R) -> R {
        if self.state != State::Changed {
            return then(original);
        }
        let own = doc_of(&self.own, original.root());
        let Some(root) = own.root() else { return then(original) };
        let members = Members::of(root);
        let mut event = Event::new(root, &members);
        let Some(batch) = original.batch() else { return then(&event) };
        let lent = doc_of(&self.lent, batch.root());
        let Some(root) = lent.root() else { return then(&event) };
        let members = Members::of(root);
        let lender = Event::new(root, &members);
        event.fill_from(&lender);
        then(&event)
    }

    /// Removes members from what is left of `original`. Returns `true` if there were any.
    pub fn take_out(&mut self, original: &Event<'_>, fields: &Fields, scope: Scope) -> bool {
        if self.state == State::Original {
            self.copy(original);
        }
        let Self { own, lent, spare, gone, state } = self;
        let mut changed = take_out(own, original.root(), fields, scope, gone, spare);
        if let Some(batch) = original.batch() {
            changed |= take_out(lent, batch.root(), fields, scope, gone, spare);
        }
        if changed {
            *state = State::Changed;
        }
        changed
    }

    fn copy(&mut self, original: &Event<'_>) {
        self.own.extend_from_slice(nodes_of(original.root()));
        if let Some(batch) = original.batch() {
            lend(original, batch, &mut self.lent);
        }
        self.state = State::Whole;
    }
}

/// Returns a document of `nodes` with the texts of the document of `source`.
fn doc_of<'t>(nodes: &'t [Node], source: Json<'t>) -> Doc<'t> {
    Doc { nodes, ..*source.doc() }
}

fn nodes_of(value: Json<'_>) -> &[Node] {
    &value.doc().nodes[value.place() as usize..value.end() as usize]
}

/// Writes an object of the members that `batch` supplies to `event`. Members that the event itself
/// has are excluded, so that they do not reappear once they are removed.
fn lend(event: &Event<'_>, batch: &Event<'_>, out: &mut Vec<Node>) {
    out.push(Node::Null);
    let mut len = 0;
    for member in Event::LENT {
        if let (None, Some(value)) = (event.own(member), batch.own(member)) {
            out.push(value.doc().nodes[value.place() as usize - 1]);
            out.extend_from_slice(nodes_of(value));
            len += 1;
        }
    }
    out[0] = Node::Object { len, count: to_u32(out.len() - 1) };
}

/// Removes members from the document of `nodes`. Returns `true` if there were any.
fn take_out(
    nodes: &mut Vec<Node>,
    source: Json<'_>,
    fields: &Fields,
    scope: Scope,
    gone: &mut Vec<u32>,
    spare: &mut Vec<Node>,
) -> bool {
    let doc = doc_of(nodes, source);
    let Some(root) = doc.root() else { return false };
    gone.clear();
    fields.find(root, scope, gone);
    if gone.is_empty() {
        return false;
    }
    gone.sort_unstable();
    spare.clear();
    copy_without(root, gone, spare);
    std::mem::swap(nodes, spare);
    true
}

/// Copies the nodes of `value` without the members at the node indices `gone`, which are sorted.
fn copy_without(value: Json<'_>, gone: &[u32], out: &mut Vec<Node>) {
    let (from, to) = (value.place(), value.end());
    let first = gone.partition_point(|&place| place < from);
    let gone = &gone[first..];
    if gone.first().is_none_or(|&place| place >= to) {
        return out.extend_from_slice(nodes_of(value));
    }
    let start = out.len();
    out.push(Node::Null);
    let mut len = 0;
    if value.is_array() {
        for item in value.items() {
            copy_without(item, gone, out);
            len += 1;
        }
        out[start] = Node::Array { len, count: to_u32(out.len() - start - 1) };
        return;
    }
    for (_, member) in value.entries() {
        if gone.binary_search(&member.place()).is_err() {
            out.push(value.doc().nodes[member.place() as usize - 1]);
            copy_without(member, gone, out);
            len += 1;
        }
    }
    out[start] = Node::Object { len, count: to_u32(out.len() - start - 1) };
}

#[allow(clippy::cast_possible_truncation)] // there are no more nodes than in the original
fn to_u32(count: usize) -> u32 {
    count as u32
}
