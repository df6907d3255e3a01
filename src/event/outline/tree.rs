//! All learned outlines, as a prefix tree of the texts between values.

use std::cell::Cell;

use super::escape;
use super::scan::{Literal, Literals, Stop, number_end, text_end};
use super::survey::{Survey, ValueKind};
use super::{Outline, Place};
use crate::event::outline::content::Content;
use crate::event::path::Path;
use crate::event::{Member, Members};
use crate::json::{Span, Values};

/// The maximum length of a line that gets an outline, in bytes.
const MAX_LINE_BYTES: usize = 64 << 10;
/// The maximum number of texts that may follow one value; lines that would add more go to the full
/// parser.
const MAX_EDGES: usize = 128;
/// The approximate maximum memory of the outlines, in bytes.
const MAX_BYTES: usize = 8 << 20;
/// The maximum number of lines to learn outlines from: if no two lines are alike, more are not
/// worth it.
const MAX_LEARNED_LINES: u32 = 1 << 12;
/// The number of unknown lines that may pass once learning has stopped; then all outlines are
/// dropped and learning starts again, because exports change over the years.
const MAX_MISSES: u32 = 1 << 18;

/// A text between two values, and what follows it.
#[derive(Clone, Copy, Debug)]
struct Edge {
    literal: Literal,
    then: Then,
}

#[derive(Clone, Copy, Debug)]
enum Then {
    /// A string, followed by the branch of this index.
    Text(u32),
    /// A number, followed by the branch of this index.
    Number(u32),
    /// The end of the line, which has the outline of this index.
    End(u32),
}

/// The edges that can follow one value.
#[derive(Debug, Default)]
struct Branch {
    /// The first edge, mostly the only one.
    edge: Option<Edge>,
    others: Option<Box<Others>>,
}

/// Marks the absence of an edge in [`Others`].
const NONE: u8 = u8::MAX;
const _: () = assert!(MAX_EDGES <= NONE as usize);

/// The edges of a branch that has more than one, looked up by the first byte after their common
/// prefix.
#[derive(Debug)]
struct Others {
    edges: Vec<Edge>,
    /// The length of the common prefix of all edges, in bytes.
    skip: usize,
    /// For each byte after the prefix, the first edge that can have it.
    first: Box<[u8; 256]>,
    /// For each edge, the next edge that can have the same byte.
    next: Vec<u8>,
}

impl Branch {
    #[inline]
    fn find(&self, literals: &Literals, bytes: &[u8], at: usize) -> Option<&Edge> {
        match &self.others {
            None => self.edge.as_ref().filter(|edge| edge.is_at(literals, bytes, at)),
            Some(others) => others.find(literals, bytes, at),
        }
    }

    fn edges(&self) -> &[Edge] {
        match &self.others {
            None => self.edge.as_slice(),
            Some(others) => &others.edges,
        }
    }

    fn add(&mut self, edge: Edge, literals: &Literals) {
        match (&mut self.others, self.edge) {
            (None, None) => self.edge = Some(edge),
            (None, Some(first)) => {
                self.others = Some(Box::new(Others::new(vec![first, edge], literals)));
            }
            (Some(others), _) => {
                let mut edges = std::mem::take(&mut others.edges);
                edges.push(edge);
                **others = Others::new(edges, literals);
            }
        }
    }
}

impl Others {
    #[allow(clippy::cast_possible_truncation)] // fewer than `NONE`
    fn new(edges: Vec<Edge>, literals: &Literals) -> Self {
        let texts: Vec<&[u8]> = edges.iter().map(|edge| literals.text(edge.literal)).collect();
        let common = |text: &&[u8]| texts[0].iter().zip(*text).take_while(|(a, b)| a == b).count();
        let skip = texts.iter().map(common).min().unwrap_or(0);
        let mut first = Box::new([NONE; 256]);
        let mut next = vec![NONE; edges.len()];
        // An edge that ends here, before a number, can be followed by any byte: it comes last.
        let by_byte = (0..).zip(&texts).filter_map(|(at, text)| Some((at, *text.get(skip)?)));
        let ended = (0..texts.len()).filter(|&at| texts[at].len() <= skip);
        for at in ended {
            next[at] = first[0];
            first.fill(at as u8);
        }
        for (at, byte) in by_byte {
            next[at] = std::mem::replace(&mut first[usize::from(byte)], at as u8);
        }
        Self { edges, skip, first, next }
    }

    #[inline]
    fn find(&self, literals: &Literals, bytes: &[u8], at: usize) -> Option<&Edge> {
        let mut place = self.first[usize::from(*bytes.get(at + self.skip)?)];
        while place != NONE {
            let edge = self.edges.get(usize::from(place))?;
            if edge.is_at(literals, bytes, at) {
                return Some(edge);
            }
            place = *self.next.get(usize::from(place))?;
        }
        None
    }
}

impl Edge {
    #[inline]
    fn is_at(&self, literals: &Literals, bytes: &[u8], at: usize) -> bool {
        let next = at + self.literal.len();
        literals.is_at(&self.literal, bytes, at)
            && match self.then {
                Then::Text(_) => true,
                // At the same place one outline can have a string where another has a number.
                Then::Number(_) => {
                    bytes.get(next).is_some_and(|byte| matches!(byte, b'0'..=b'9' | b'-'))
                }
                // The text at the end of one line may be in the middle of another.
                Then::End(_) => !matches!(bytes.get(next), Some(b',' | b'}' | b']')),
            }
    }
}

/// Reads the string whose first byte is at `at`, and returns the offset of its closing quote and
/// the span of its text. A string with escapes is unescaped into `unescaped`.
#[inline]
fn read_text(bytes: &[u8], at: usize, unescaped: &mut Vec<u8>) -> Option<(usize, Span)> {
    match text_end(bytes, at)? {
        Stop::Quote(end) => Some((end, span(at, end))),
        Stop::Backslash => {
            let start = u32::try_from(unescaped.len()).ok()?;
            let end = escape::unescape(bytes, at, unescaped)?;
            Some((end, Span::unescaped(start, u32::try_from(unescaped.len()).ok()?)))
        }
    }
}

#[inline]
#[allow(clippy::cast_possible_truncation)] // longer blocks are not read by outlines
fn span(start: usize, end: usize) -> Span {
    Span { start: start as u32, end: end as u32 }
}

/// The outlines of the lines seen so far.
#[derive(Debug)]
pub struct Outlines {
    branches: Vec<Branch>,
    literals: Literals,
    known: Vec<Outline>,
    bytes: usize,
    learned_lines: u32,
    misses: u32,
    /// Members that do not count as content.
    ignored: Box<[Member]>,
}

impl Outlines {
    /// Creates an empty set of outlines; the `ignored` members are not part of the content.
    pub fn new(ignored: &[Member]) -> Self {
        let (branches, known) = (vec![Branch::default()], Vec::new());
        let literals = Literals::default();
        Self {
            branches,
            literals,
            known,
            bytes: 0,
            learned_lines: 0,
            misses: 0,
            ignored: ignored.into(),
        }
    }

    /// Reads the text that begins at `start` in `bytes` if it has a known outline, and stores its
    /// values in `values`. Returns the outline and the offset after the text.
    ///
    /// The first `len` bytes must be UTF-8; the bytes after them are padding of any content.
    #[inline]
    pub(crate) fn read(
        &self,
        bytes: &[u8],
        len: usize,
        start: usize,
        values: &mut Values,
    ) -> Option<(&Outline, usize)> {
        values.clear();
        let Values { spans, unescaped } = values;
        let mut branch = &self.branches[0];
        let mut at = start;
        loop {
            let edge = branch.find(&self.literals, bytes, at)?;
            at += edge.literal.len();
            let (end, value, next) = match edge.then {
                Then::Text(next) => {
                    let (end, value) = read_text(bytes, at, unescaped)?;
                    (end, value, next)
                }
                Then::Number(next) => {
                    let end = number_end(bytes, at)?;
                    (end, span(at, end), next)
                }
                Then::End(outline) => {
                    return (at <= len).then(|| (&self.known[outline as usize], at));
                }
            };
            spans.push(value);
            at = end;
            branch = &self.branches[next as usize];
        }
    }

    /// Returns a copy of `line` if its outline would be learned.
    pub(crate) fn wanted(&self, line: &[u8]) -> Option<String> {
        (self.is_learning() && line.len() <= MAX_LINE_BYTES)
            .then(|| String::from_utf8_lossy(line).into_owned())
    }

    /// Learns the outline of `line`, which is valid JSON that no outline fits, if the line
    /// qualifies.
    pub(crate) fn learn(&mut self, line: &str) {
        if !self.is_learning() {
            self.misses += 1;
            if self.misses > MAX_MISSES {
                *self = Self::new(&self.ignored);
            }
            return;
        }
        // A text of many lines, such as a whole file, does not occur again.
        if line.len() > MAX_LINE_BYTES || memchr::memchr(b'\n', line.as_bytes()).is_some() {
            return;
        }
        self.learned_lines += 1;
        if let Some(survey) = Survey::of(line) {
            self.add(line, &survey);
        }
    }

    /// Returns `true` while the limits on memory and learned lines allow to learn more.
    fn is_learning(&self) -> bool {
        self.bytes <= MAX_BYTES && self.learned_lines < MAX_LEARNED_LINES
    }

    /// Adds the outline in `survey`, unless a branch on its way is full.
    fn add(&mut self, line: &str, survey: &Survey) {
        let (mut branch, mut at) = (0, 0);
        for &(kind, span) in &survey.values {
            let literal = &line.as_bytes()[at..span.start as usize];
            let edges = self.branches[branch].edges();
            let known = edges.iter().find_map(|edge| match (edge.then, kind) {
                (Then::Text(next), ValueKind::Text) | (Then::Number(next), ValueKind::Number)
                    if self.literals.text(edge.literal) == literal =>
                {
                    Some(next as usize)
                }
                _ => None,
            });
            branch = match known {
                Some(next) => next,
                None if edges.len() >= MAX_EDGES => return,
                None => {
                    let Ok(next) = u32::try_from(self.branches.len()) else { return };
                    self.branches.push(Branch::default());
                    let then = match kind {
                        ValueKind::Text => Then::Text(next),
                        ValueKind::Number => Then::Number(next),
                    };
                    self.add_edge(branch, literal, then);
                    next as usize
                }
            };
            at = span.end as usize;
        }
        let Ok(outline) = u32::try_from(self.known.len()) else { return };
        let edges = self.branches[branch].edges();
        if edges.len() >= MAX_EDGES || edges.iter().any(|edge| matches!(edge.then, Then::End(_))) {
            return;
        }
        self.add_edge(branch, &line.as_bytes()[at..], Then::End(outline));
        let values = survey.spans();
        let doc = survey.doc(line, &values);
        let Some(root) = doc.root() else { return };
        let members = Members::of(root);
        let content = Content::new(line, survey, &members, &self.ignored);
        let paths = vec![Cell::new(Place::Unknown); Path::numbered()];
        self.bytes += size_of_val(&survey.nodes[..]) + survey.names.len() + size_of::<Outline>();
        self.bytes += size_of_val(&paths[..]);
        self.known.push(Outline {
            nodes: survey.nodes.as_slice().into(),
            names: survey.names.as_str().into(),
            members,
            content,
            paths: paths.into(),
        });
    }

    fn add_edge(&mut self, branch: usize, literal: &[u8], then: Then) {
        self.bytes += size_of::<Branch>() + size_of::<Edge>() + literal.len();
        if self.branches[branch].edges().len() == 1 {
            self.bytes += size_of::<Others>() + 256;
        }
        if let Some(literal) = self.literals.add(literal) {
            self.branches[branch].add(Edge { literal, then }, &self.literals);
        }
    }
}
