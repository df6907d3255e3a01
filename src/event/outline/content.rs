//! The content of an event as pieces of its line, for all lines of one outline.
//!
//! Most of a line is already in canonical form, so its canonical content consists of a few pieces
//! of the line. The bounds of a piece are given relative to the values before them.

use std::cmp::Ordering;

use crate::event::content::CONTENT_MEMBERS;
use crate::event::outline::Survey;
use crate::event::{Member, Members};
use crate::json::canonical::compare_utf16;
use crate::json::{Doc, Node, Span};

/// A position in a line: `bytes` bytes after the end of the first `values` values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cut {
    values: u32,
    bytes: u32,
}

impl Cut {
    #[inline]
    fn place(self, doc: &Doc<'_>) -> usize {
        let base = match self.values.checked_sub(1) {
            None => doc.origin,
            Some(value) => doc.values.get(value as usize).map_or(0, |span| span.end),
        };
        base as usize + self.bytes as usize
    }
}

#[derive(Clone, Copy, Debug)]
enum Piece {
    /// A part of the line, from one position to another.
    Line(Cut, Cut),
    /// A part of [`Content::fixed`].
    Fixed(Span),
}

/// The canonical content of an event as a sequence of pieces, from which it is hashed.
#[derive(Debug, Default)]
pub struct Content {
    pieces: Box<[Piece]>,
    fixed: Box<str>,
}

impl Content {
    /// Builds the content, without the `ignored` members, of all lines that have the outline of
    /// `line`, which `survey` describes.
    pub(crate) fn new(line: &str, survey: &Survey, members: &Members, ignored: &[Member]) -> Self {
        let mut plan = Draft { line: line.as_bytes(), survey, parts: Vec::new() };
        plan.fixed("{");
        let mut first = true;
        for member in CONTENT_MEMBERS {
            let is_superseded =
                member == Member::Timestamp && members.place(Member::OriginalTimestamp).is_some();
            let Some(value) = members.place(member) else { continue };
            if is_superseded || ignored.contains(&member) {
                continue;
            }
            plan.member(value as usize, first);
            first = false;
        }
        plan.fixed("}");
        plan.finish()
    }

    /// Appends the canonical content of `doc`, a document of the outline that this content was
    /// built for.
    #[inline]
    pub(crate) fn write(&self, doc: &Doc<'_>, out: &mut Vec<u8>) {
        for piece in &self.pieces {
            // Pieces come from lines of the same outline, so they are never out of range.
            let text = match *piece {
                Piece::Line(from, to) => doc.text.get(from.place(doc)..to.place(doc)),
                Piece::Fixed(span) => Some(span.of(&self.fixed)),
            };
            out.extend_from_slice(text.unwrap_or_default().as_bytes());
        }
    }
}

enum Part<'a> {
    Line { start: usize, end: usize },
    Fixed(&'a str),
}

/// A [`Content`] under construction, in positions of the surveyed line.
struct Draft<'a> {
    line: &'a [u8],
    survey: &'a Survey,
    parts: Vec<Part<'a>>,
}

impl<'a> Draft<'a> {
    fn fixed(&mut self, text: &'a str) {
        self.parts.push(Part::Fixed(text));
    }

    /// Adds a part of the line, merged with the part before it if the two are adjacent.
    fn line(&mut self, start: usize, end: usize) {
        if let Some(Part::Line { end: last, .. }) = self.parts.last_mut()
            && *last == start
        {
            *last = end;
        } else {
            self.parts.push(Part::Line { start, end });
        }
    }

    fn comma(&mut self) {
        match self.parts.last_mut() {
            // A comma of the line joins the parts around it into one.
            Some(Part::Line { end, .. }) if self.line.get(*end) == Some(&b',') => *end += 1,
            _ => self.fixed(","),
        }
    }

    /// Adds the member whose value is the node at `value`, preceded by a comma unless it is the
    /// `first`.
    fn member(&mut self, value: usize, first: bool) {
        let (key, place) = (self.survey.places[value - 1], self.survey.places[value]);
        if !first {
            self.comma();
        }
        self.line(key.start, key.end);
        if place.start == key.end + 1 {
            self.line(key.end, place.start);
        } else {
            self.fixed(":");
        }
        self.value(value);
    }

    fn value(&mut self, at: usize) {
        let place = self.survey.places[at];
        if place.canonical {
            return self.line(place.start, place.end);
        }
        if let Node::Object { .. } = self.survey.nodes[at] {
            self.fixed("{");
            for (number, member) in self.sorted(at).into_iter().enumerate() {
                self.member(member, number == 0);
            }
            self.fixed("}");
        } else {
            self.fixed("[");
            for (number, item) in self.children(at, 0).into_iter().enumerate() {
                if number > 0 {
                    self.comma();
                }
                self.value(item);
            }
            self.fixed("]");
        }
    }

    /// Returns the nodes of the values in the container at `at`. `names` is the number of name
    /// nodes before each value: 1 in an object, 0 in a list.
    fn children(&self, at: usize, names: usize) -> Vec<usize> {
        let (Node::Array { len, .. } | Node::Object { len, .. }) = self.survey.nodes[at] else {
            return Vec::new();
        };
        let mut next = at + 1;
        let mut step = |_| {
            let value = next + names;
            next = value
                + match self.survey.nodes[value] {
                    Node::Array { count, .. } | Node::Object { count, .. } => count as usize + 1,
                    _ => 1,
                };
            value
        };
        (0..len).map(&mut step).collect()
    }

    /// Returns the value nodes of the object at `at`, in canonical order of their names; if a name
    /// occurs more than once, only its last member.
    fn sorted(&self, at: usize) -> Vec<usize> {
        let mut members = self.children(at, 1);
        let name = |value: usize| self.survey.name(value - 1);
        members.sort_by(|&a, &b| compare_utf16(name(a), name(b)).then(b.cmp(&a)));
        members.dedup_by(|a, b| compare_utf16(name(*a), name(*b)) == Ordering::Equal);
        members
    }

    #[allow(clippy::cast_possible_truncation)] // lines of outlines are short
    fn finish(self) -> Content {
        let cut = |place: usize| {
            let values = &self.survey.values;
            let before = values.partition_point(|(_, span)| span.end as usize <= place);
            let base = before.checked_sub(1).map_or(0, |last| values[last].1.end);
            Cut { values: before as u32, bytes: place as u32 - base }
        };
        let mut fixed = String::new();
        let pieces = self.parts.iter().map(|part| match *part {
            Part::Line { start, end } => Piece::Line(cut(start), cut(end)),
            Part::Fixed(text) => {
                let start = fixed.len() as u32;
                fixed.push_str(text);
                Piece::Fixed(Span { start, end: fixed.len() as u32 })
            }
        });
        let pieces = pieces.collect();
        Content { pieces, fixed: fixed.into() }
    }
}
