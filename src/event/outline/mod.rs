//! Outlines: the structure that many lines share, so that it is parsed once. Most lines of an
//! export differ only in their values.
//!
//! An outline is a line without its strings and numbers: the text between them, byte for byte. It
//! is learned from a line that the full parser accepted. A later line that has the same text in the
//! same places is JSON of the same structure, whatever its values. So everything that follows from
//! the structure (nodes, names, the places of the members, the order in which the content is
//! hashed) is worked out once for each outline, and a line costs a comparison and a search for the
//! end of each value. Lines that do not fit, such as one that has a number with an exponent, go to
//! the full parser.

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

/// The structure that the lines of one outline share.
#[derive(Debug)]
pub struct Outline {
    nodes: Box<[Node]>,
    names: Box<str>,
    members: Members,
    content: Content,
    /// The target of each path that has been looked up, by the path's number.
    paths: Box<[Cell<Place>]>,
}

/// The target of a path in a document.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// The path has not been looked up yet.
    Unknown,
    Nowhere,
    Node(u32),
}

impl Outline {
    /// Returns the document of a line of this outline that starts at `origin` in `text` and has
    /// these `values`.
    #[inline]
    pub(crate) fn doc<'t>(&'t self, text: &'t str, values: &'t Values, origin: usize) -> Doc<'t> {
        #[allow(clippy::cast_possible_truncation)] // longer texts are not read by outlines
        let origin = origin as u32;
        let Values { spans: values, unescaped } = values;
        // The bytes were UTF-8 before they were unescaped, so this never falls back.
        let unescaped = from_utf8(unescaped).unwrap_or_default();
        Doc { nodes: &self.nodes, names: &self.names, values, text, unescaped, origin }
    }

    /// Returns `true` if the lines are objects or lists.
    #[inline]
    pub(crate) fn is_container(&self) -> bool {
        matches!(self.nodes.first(), Some(Node::Object { .. } | Node::Array { .. }))
    }

    /// Returns the node indices of the known members of the outermost object.
    pub(crate) fn members(&self) -> &Members {
        &self.members
    }

    /// Returns the target of `path` in every line of this outline; `find` looks it up in one of
    /// them and is called once per path.
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

    /// Returns the content to hash, for lines that are events.
    pub(crate) fn content(&self) -> &Content {
        &self.content
    }
}
