//! A borrowed, copyable view of one JSON value.
//!
//! A document is a flat list of nodes in document order. A container knows how many nodes it spans,
//! so its next sibling is found by skipping, and no tree is built. Whatever repeats from line to
//! line (the nodes and the names of members) is separate from what does not (the values), so that
//! lines of one outline share the former. If a name occurs twice in an object, the last one counts,
//! as in JavaScript.

/// A JSON number; integers of up to 64 bits are exact.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// An integer that fits `i64`.
    Int(i64),
    /// An integer above `i64::MAX` that fits `u64`.
    Uint(u64),
    /// Any other number: a fraction, one with an exponent, or an integer past 64 bits.
    Float(f64),
}

/// The type of a [`Json`], with its content if it is a scalar.
#[derive(Clone, Copy, Debug)]
pub enum Kind<'t> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string, unescaped.
    String(&'t str),
    /// A list and the number of its items: see [`Json::items`].
    Array(usize),
    /// An object and the number of its members, duplicates included: see [`Json::entries`].
    Object(usize),
}

/// A range of a text, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub start: u32,
    pub end: u32,
}

/// The values of a line: ranges of the line itself, and unescaped copies of strings with escapes.
#[derive(Debug, Default)]
pub(crate) struct Values {
    pub spans: Vec<Span>,
    /// The unescaped texts of strings with escapes, one after the other.
    pub unescaped: Vec<u8>,
}

impl Values {
    const KEEP_BYTES: usize = 1 << 20;

    /// Removes all values but keeps the memory, unless a long line made it exceed
    /// [`Self::KEEP_BYTES`].
    #[inline]
    pub fn clear(&mut self) {
        self.spans.clear();
        self.unescaped.clear();
        if self.unescaped.capacity() > Self::KEEP_BYTES {
            self.unescaped.shrink_to(Self::KEEP_BYTES);
        }
    }
}

impl Span {
    /// A bit of `start` that marks a range of the unescaped texts.
    const UNESCAPED: u32 = 1 << 31;

    /// Creates a range of the unescaped texts.
    #[inline]
    pub fn unescaped(start: u32, end: u32) -> Self {
        Self { start: start | Self::UNESCAPED, end }
    }

    /// Returns `true` if the range is empty.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.start & !Self::UNESCAPED == self.end
    }

    #[inline]
    pub fn of(self, text: &str) -> &str {
        // A range is only read from the text that it was made for, so this never falls back.
        text.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// An element of a document. A member is a name node followed by the nodes of its value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Node {
    Null,
    Bool(bool),
    Number(Number),
    /// A number whose digits are the value of this index.
    Digits(u32),
    /// A string or member name that is the value of this index.
    Text(u32),
    /// The name of a member, as a range of the names.
    Key(Span),
    /// A list of `len` items, which span `count` nodes.
    Array {
        len: u32,
        count: u32,
    },
    /// An object of `len` members, which span `count` nodes.
    Object {
        len: u32,
        count: u32,
    },
}

impl Node {
    /// Returns the number of nodes of the value that begins with this node.
    #[inline]
    fn span(self) -> usize {
        match self {
            Self::Array { count, .. } | Self::Object { count, .. } => count as usize + 1,
            _ => 1,
        }
    }
}

/// One document: its nodes and the texts that they refer to.
#[derive(Clone, Copy, Debug)]
pub struct Doc<'t> {
    pub(crate) nodes: &'t [Node],
    pub(crate) names: &'t str,
    pub(crate) values: &'t [Span],
    pub(crate) text: &'t str,
    /// The unescaped texts that marked spans refer to.
    pub(crate) unescaped: &'t str,
    /// The offset at which the document begins in `text`.
    pub(crate) origin: u32,
}

impl<'t> Doc<'t> {
    /// Returns the outermost value, or `None` if the document has no nodes.
    #[inline]
    pub fn root(&'t self) -> Option<Json<'t>> {
        (!self.nodes.is_empty()).then_some(Json { doc: self, at: 0 })
    }

    #[inline]
    fn value(&self, place: u32) -> &'t str {
        let Some(&span) = self.values.get(place as usize) else { return "" };
        if span.start & Span::UNESCAPED == 0 {
            return span.of(self.text);
        }
        Span { start: span.start & !Span::UNESCAPED, ..span }.of(self.unescaped)
    }

    /// Returns the member name at the node `at`.
    #[inline]
    fn name(&self, at: usize) -> &'t str {
        match self.nodes[at] {
            Node::Key(span) => span.of(self.names),
            Node::Text(place) => self.value(place),
            _ => "",
        }
    }
}

/// One JSON value of a document.
#[derive(Clone, Copy, Debug)]
pub struct Json<'t> {
    doc: &'t Doc<'t>,
    at: u32,
}

impl<'t> Json<'t> {
    /// Returns the value whose first node is at `at`.
    #[inline]
    pub(crate) fn at(doc: &'t Doc<'t>, at: u32) -> Self {
        Self { doc, at }
    }

    /// Returns the document that contains the value.
    #[inline]
    pub(crate) fn doc(self) -> &'t Doc<'t> {
        self.doc
    }

    /// Returns the index of the value's first node.
    #[inline]
    pub(crate) fn place(self) -> u32 {
        self.at
    }

    #[inline]
    fn node(self) -> Node {
        self.doc.nodes[self.at as usize]
    }

    /// Returns the type of the value.
    #[inline]
    pub fn kind(self) -> Kind<'t> {
        match self.node() {
            Node::Text(place) => Kind::String(self.doc.value(place)),
            Node::Object { len, .. } => Kind::Object(len as usize),
            Node::Array { len, .. } => Kind::Array(len as usize),
            Node::Bool(value) => Kind::Bool(value),
            Node::Number(number) => Kind::Number(number),
            Node::Digits(place) => Kind::Number(read_digits(self.doc.value(place))),
            Node::Null | Node::Key(_) => Kind::Null,
        }
    }

    /// Returns the text of a string.
    #[inline]
    pub fn as_str(self) -> Option<&'t str> {
        match self.node() {
            Node::Text(place) => Some(self.doc.value(place)),
            _ => None,
        }
    }

    /// Returns `true` if the value is neither `null` nor `""`.
    #[inline]
    pub fn is_present(self) -> bool {
        match self.node() {
            Node::Null => false,
            Node::Text(place) => {
                self.doc.values.get(place as usize).is_some_and(|span| !span.is_empty())
            }
            _ => true,
        }
    }

    /// Returns `true` if the value is `null`.
    #[inline]
    pub fn is_null(self) -> bool {
        matches!(self.node(), Node::Null)
    }

    /// Returns `true` if the value is an object.
    #[inline]
    pub fn is_object(self) -> bool {
        matches!(self.node(), Node::Object { .. })
    }

    /// Returns `true` if the value is a list.
    #[inline]
    pub fn is_array(self) -> bool {
        matches!(self.node(), Node::Array { .. })
    }

    /// Returns an iterator over the members of an object in document order, duplicates included; it
    /// is empty for any other value.
    #[inline]
    pub fn entries(self) -> Entries<'t> {
        let left = match self.node() {
            Node::Object { len, .. } => len,
            _ => 0,
        };
        Entries { doc: self.doc, at: self.at + 1, left }
    }

    /// Returns an iterator over the items of a list; it is empty for any other value.
    #[inline]
    pub fn items(self) -> Items<'t> {
        let left = match self.node() {
            Node::Array { len, .. } => len,
            _ => 0,
        };
        Items { doc: self.doc, at: self.at + 1, left }
    }

    /// Returns the last member of an object named `name`, or `None` if there is none or if the
    /// value is not an object. A member that is `null` is `Some`.
    #[inline]
    pub fn get(self, name: &str) -> Option<Self> {
        let mut found = None;
        for (key, value) in self.entries() {
            if key == name {
                found = Some(value);
            }
        }
        found
    }

    /// Returns the name and value of the object member whose value is at the node `place`.
    pub(crate) fn member_at(self, place: u32) -> (&'t str, Self) {
        (self.doc.name(place as usize - 1), Self { doc: self.doc, at: place })
    }

    /// Returns the item at `index` of a list.
    pub fn item(self, index: usize) -> Option<Self> {
        self.items().nth(index)
    }

    /// Returns the index after the value's last node.
    #[inline]
    #[allow(clippy::cast_possible_truncation)] // documents of 4 GiB are refused
    pub(crate) fn end(self) -> u32 {
        self.at + self.node().span() as u32
    }
}

/// Parses a number that has no exponent and no more digits than a double represents exactly.
fn read_digits(text: &str) -> Number {
    match text.parse() {
        Ok(integer) => Number::Int(integer),
        Err(_) => Number::Float(text.parse().unwrap_or(0.0)),
    }
}

/// An iterator over the members of an object.
#[derive(Clone, Debug)]
pub struct Entries<'t> {
    doc: &'t Doc<'t>,
    at: u32,
    left: u32,
}

impl<'t> Iterator for Entries<'t> {
    type Item = (&'t str, Json<'t>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        let key = self.doc.name(self.at as usize);
        let value = Json { doc: self.doc, at: self.at + 1 };
        self.at = value.end();
        Some((key, value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}

/// An iterator over the items of a list.
#[derive(Clone, Debug)]
pub struct Items<'t> {
    doc: &'t Doc<'t>,
    at: u32,
    left: u32,
}

impl<'t> Iterator for Items<'t> {
    type Item = Json<'t>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        let value = Json { doc: self.doc, at: self.at };
        self.at = value.end();
        Some(value)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::document::with_json;

    #[test]
    fn siblings_are_found_past_nested_containers() {
        with_json(r#"{"a":{"x":[1,{"y":2}],"z":{}},"b":[[],[3]],"c":"end"}"#, |json| {
            assert_eq!(json.get("c").and_then(Json::as_str), Some("end"));
            let inner = json.get("a").and_then(|a| a.get("x")).unwrap();
            assert_eq!(inner.items().count(), 2);
            assert!(json.get("a").and_then(|a| a.get("z")).unwrap().is_object());
            assert_eq!(json.get("b").unwrap().item(1).unwrap().items().count(), 1);
            assert!(json.get("nothing").is_none());
        });
    }

    #[test]
    fn of_two_members_with_one_name_the_last_counts() {
        with_json(r#"{"a":1,"a":2}"#, |json| {
            assert!(matches!(json.get("a").unwrap().kind(), Kind::Number(Number::Int(2))));
        });
    }

    #[test]
    fn integers_stay_exact_up_to_64_bits() {
        with_json("[9223372036854775807,18446744073709551615,18446744073709551616,-0]", |json| {
            let kinds: Vec<_> = json.items().map(Json::kind).collect();
            assert!(matches!(kinds[0], Kind::Number(Number::Int(i64::MAX))));
            assert!(matches!(kinds[1], Kind::Number(Number::Uint(u64::MAX))));
            assert!(matches!(kinds[2], Kind::Number(Number::Float(f)) if f > 1.8e19));
            assert!(matches!(kinds[3], Kind::Number(_)));
        });
    }
}
