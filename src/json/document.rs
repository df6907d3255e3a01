//! One JSON text at a time, whatever it is: parsed by simd-json, into buffers that are kept.

use simd_json::{Buffers, Error, ErrorType, INPUT_PADDING, Node as TapeNode, StaticNode, Tape};

use crate::json::{Doc, Json, Node, Number, Span};

/// Buffers that a giant text left behind are given back from this many nodes on.
const KEEP_NODES: usize = 1 << 18;
/// A text up to this long leaves its buffers as they are.
const KEEP_BYTES: usize = 1 << 20;

/// The longest text: places in it are counted in 31 bits.
const MAX_BYTES: usize = i32::MAX as usize;

/// A parser and its buffers.
pub struct Document {
    buffers: Buffers,
    tape: Tape<'static>,
    /// The parser's own copy: it unescapes in place.
    copy: Vec<u8>,
    nodes: Vec<Node>,
    values: Vec<Span>,
    text: String,
}

impl Default for Document {
    fn default() -> Self {
        Self {
            buffers: fresh_buffers(),
            tape: Tape(Vec::new()),
            copy: Vec::new(),
            nodes: Vec::new(),
            values: Vec::new(),
            text: String::new(),
        }
    }
}

fn fresh_buffers() -> Buffers {
    Buffers::with_max_depth(4096, super::MAX_DEPTH)
}

impl Document {
    /// Parses `text` and hands the value to `then`.
    pub fn read<R>(&mut self, text: &[u8], then: impl FnOnce(Result<Json<'_>, Error>) -> R) -> R {
        if text.len() > MAX_BYTES {
            return then(Err(Error::generic(ErrorType::InputTooLarge)));
        }
        self.copy.clear();
        self.copy.reserve(text.len() + INPUT_PADDING);
        self.copy.extend_from_slice(text);
        self.copy.resize(text.len() + INPUT_PADDING, b' ');
        let mut tape = std::mem::replace(&mut self.tape, Tape(Vec::new())).reset();
        let parsed =
            simd_json::fill_tape_padded(&mut self.copy, text.len(), &mut self.buffers, &mut tape);
        self.nodes.clear();
        self.values.clear();
        self.text.clear();
        if parsed.is_ok() {
            for node in &tape.0 {
                take(node, &mut self.nodes, &mut self.values, &mut self.text);
            }
        }
        self.tape = tape.reset();
        let Self { nodes, values, text: unescaped, .. } = self;
        let doc = Doc { nodes, names: "", values, text: unescaped, unescaped: "", origin: 0 };
        let result =
            then(parsed.and_then(|()| doc.root().ok_or_else(|| Error::generic(ErrorType::Eof))));
        if text.len() > KEEP_BYTES {
            self.give_back();
        }
        result
    }

    fn give_back(&mut self) {
        self.buffers = fresh_buffers();
        self.copy.clear();
        self.nodes.clear();
        self.values.clear();
        self.text.clear();
        self.copy.shrink_to(KEEP_BYTES);
        self.tape.0.shrink_to(KEEP_NODES);
        self.nodes.shrink_to(KEEP_NODES);
        self.values.shrink_to(KEEP_NODES);
        self.text.shrink_to(KEEP_BYTES);
    }
}

#[inline]
#[allow(clippy::cast_possible_truncation)] // texts are of 2 GiB at most
fn take(node: &TapeNode<'_>, nodes: &mut Vec<Node>, values: &mut Vec<Span>, text: &mut String) {
    nodes.push(match *node {
        TapeNode::String(string) => {
            let start = text.len() as u32;
            text.push_str(string);
            values.push(Span { start, end: text.len() as u32 });
            Node::Text(values.len() as u32 - 1)
        }
        TapeNode::Object { len, count } => Node::Object { len: len as u32, count: count as u32 },
        TapeNode::Array { len, count } => Node::Array { len: len as u32, count: count as u32 },
        TapeNode::Static(StaticNode::Null) => Node::Null,
        TapeNode::Static(StaticNode::Bool(value)) => Node::Bool(value),
        TapeNode::Static(StaticNode::I64(value)) => Node::Number(Number::Int(value)),
        TapeNode::Static(StaticNode::U64(value)) => Node::Number(match i64::try_from(value) {
            Ok(value) => Number::Int(value),
            Err(_) => Number::Uint(value),
        }),
        TapeNode::Static(StaticNode::F64(value)) => Node::Number(Number::Float(value)),
    });
}

/// Reads `text`, which must be JSON, for a test.
#[cfg(test)]
pub(crate) fn with_json<R>(text: &str, read: impl FnOnce(Json<'_>) -> R) -> R {
    Document::default().read(text.as_bytes(), |value| read(value.unwrap()))
}
