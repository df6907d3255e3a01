//! A parser for single JSON texts of any structure, based on simd-json, that reuses its buffers.

use simd_json::{Buffers, Error, ErrorType, INPUT_PADDING, Node as TapeNode, StaticNode, Tape};

use crate::json::{Doc, Json, Node, Number, Span};

/// The capacity, in nodes, to which buffers shrink after a long text.
const KEEP_NODES: usize = 1 << 18;
/// The capacity, in bytes, to which buffers shrink after a text longer than this.
const KEEP_BYTES: usize = 1 << 20;

/// The maximum length of a text, in bytes: offsets have 31 bits.
const MAX_BYTES: usize = i32::MAX as usize;

/// A JSON parser with its buffers.
pub struct Document {
    buffers: Buffers,
    tape: Tape<'static>,
    /// A copy of the text, because the parser unescapes in place.
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
    /// Parses `text` and passes its value to `then`.
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
                push_node(node, &mut self.nodes, &mut self.values, &mut self.text);
            }
        }
        self.tape = tape.reset();
        let Self { nodes, values, text: unescaped, .. } = self;
        let doc = Doc { nodes, names: "", values, text: unescaped, unescaped: "", origin: 0 };
        let result =
            then(parsed.and_then(|()| doc.root().ok_or_else(|| Error::generic(ErrorType::Eof))));
        if text.len() > KEEP_BYTES {
            self.shrink_buffers();
        }
        result
    }

    fn shrink_buffers(&mut self) {
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
fn push_node(
    node: &TapeNode<'_>,
    nodes: &mut Vec<Node>,
    values: &mut Vec<Span>,
    text: &mut String,
) {
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
