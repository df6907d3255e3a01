//! What lines have in common, so that it is read once: most lines of an export differ in nothing
//! but their values.
//!
//! An outline is a line without its strings and numbers: the text between them, byte for byte. It
//! is learned from a line that the full parser took, and a later line that has the same text in the
//! same places is JSON of the same structure, whatever its values. So all that follows from the
//! structure (nodes, names, where the members stand, in which order the content is hashed) is
//! worked out once for each outline, and a line costs a comparison and a look for the end of each
//! value. Whatever does not fit, such as a number with an exponent, goes to the full parser.

pub mod content;
mod escape;
mod scan;
mod survey;
mod tree;

pub(crate) use survey::Survey;
pub use tree::Outlines;

use std::cell::Cell;

use simdutf8::basic::from_utf8;

use crate::event::Members;
use crate::event::outline::content::Content;
use crate::event::path::Path;
use crate::json::{Doc, Node, Values};

/// What the lines of one outline share.
#[derive(Debug)]
pub struct Outline {
    nodes: Box<[Node]>,
    names: Box<str>,
    members: Members,
    content: Content,
    /// Where the paths lead that have been asked for, by their numbers.
    paths: Box<[Cell<Place>]>,
}

/// Where in a document a path leads.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// Nobody has asked yet.
    Unknown,
    Nowhere,
    Node(u32),
}

impl Outline {
    /// The document of a line of this outline: one that stands in `text` from `origin` on and has
    /// these `values`.
    #[inline]
    pub(crate) fn doc<'t>(&'t self, text: &'t str, values: &'t Values, origin: usize) -> Doc<'t> {
        #[allow(clippy::cast_possible_truncation)] // longer texts are not read by outlines
        let origin = origin as u32;
        let Values { spans: values, unescaped } = values;
        // It was text before it was unescaped, so this never falls back.
        let unescaped = from_utf8(unescaped).unwrap_or_default();
        Doc { nodes: &self.nodes, names: &self.names, values, text, unescaped, origin }
    }

    /// Whether its lines are an object or a list.
    #[inline]
    pub(crate) fn is_container(&self) -> bool {
        matches!(self.nodes.first(), Some(Node::Object { .. } | Node::Array { .. }))
    }

    /// Where the known members of the outermost object stand.
    pub(crate) fn members(&self) -> &Members {
        &self.members
    }

    /// Where `path` leads in every line of this outline, which `find` finds out in one of them.
    #[inline]
    pub(crate) fn place_of(&self, path: &Path, find: impl FnOnce() -> Option<u32>) -> Option<u32> {
        let known = path.number().and_then(|number| self.paths.get(usize::from(number)));
        let Some(known) = known else { return find() };
        match known.get() {
            Place::Node(place) => Some(place),
            Place::Nowhere => None,
            Place::Unknown => {
                let found = find();
                known.set(found.map_or(Place::Nowhere, Place::Node));
                found
            }
        }
    }

    /// What is hashed of a line, if it is an event.
    pub(crate) fn content(&self) -> &Content {
        &self.content
    }
}
