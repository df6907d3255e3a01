//! A borrowed, copyable view of one JSON value on a simd-json tape.
//!
//! A tape is a flat list of nodes in document order; a container says how many nodes it spans, so
//! a sibling is found by skipping, and nothing is ever built. Where a name stands twice in an
//! object the last one counts, as in JavaScript.

use simd_json::{Node, StaticNode};

/// A JSON number as the parser understood it: integers of up to 64 bits stay exact.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// An integer that fits `i64`.
    Int(i64),
    /// An integer above `i64::MAX` that fits `u64`.
    Uint(u64),
    /// Anything else: a fraction, an exponent, or an integer past 64 bits.
    Float(f64),
}

/// What a [`Json`] is, with its content where that is a scalar.
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
    /// A list of so many items: see [`Json::items`].
    Array(usize),
    /// An object of so many members, duplicates included: see [`Json::entries`].
    Object(usize),
}

/// One JSON value: the nodes that make it up, its own first.
#[derive(Clone, Copy, Debug)]
pub struct Json<'t> {
    nodes: &'t [Node<'t>],
}

/// How many nodes the value takes that begins with `node`.
#[inline]
fn span(node: &Node<'_>) -> usize {
    match node {
        Node::Object { count, .. } | Node::Array { count, .. } => count + 1,
        Node::String(_) | Node::Static(_) => 1,
    }
}

impl<'t> Json<'t> {
    /// The value at the head of `nodes`; what follows it is left out of the view. `None` of an
    /// empty tape.
    #[inline]
    pub fn new(nodes: &'t [Node<'t>]) -> Option<Self> {
        let first = nodes.first()?;
        nodes.get(..span(first)).map(|nodes| Self { nodes })
    }

    /// The nodes of this value, in document order.
    #[inline]
    pub fn nodes(self) -> &'t [Node<'t>] {
        self.nodes
    }

    /// What this value is.
    #[inline]
    pub fn kind(self) -> Kind<'t> {
        match self.nodes[0] {
            Node::String(text) => Kind::String(text),
            Node::Object { len, .. } => Kind::Object(len),
            Node::Array { len, .. } => Kind::Array(len),
            Node::Static(StaticNode::Null) => Kind::Null,
            Node::Static(StaticNode::Bool(value)) => Kind::Bool(value),
            Node::Static(StaticNode::I64(value)) => Kind::Number(Number::Int(value)),
            Node::Static(StaticNode::U64(value)) => Kind::Number(match i64::try_from(value) {
                Ok(value) => Number::Int(value),
                Err(_) => Number::Uint(value),
            }),
            Node::Static(StaticNode::F64(value)) => Kind::Number(Number::Float(value)),
        }
    }

    /// The text of a string.
    #[inline]
    pub fn as_str(self) -> Option<&'t str> {
        match self.nodes[0] {
            Node::String(text) => Some(text),
            _ => None,
        }
    }

    /// Whether this is `null`.
    #[inline]
    pub fn is_null(self) -> bool {
        matches!(self.nodes[0], Node::Static(StaticNode::Null))
    }

    /// Whether this is an object.
    #[inline]
    pub fn is_object(self) -> bool {
        matches!(self.nodes[0], Node::Object { .. })
    }

    /// Whether this is a list.
    #[inline]
    pub fn is_array(self) -> bool {
        matches!(self.nodes[0], Node::Array { .. })
    }

    /// The members of an object in document order, duplicates included; nothing for any other
    /// value.
    #[inline]
    pub fn entries(self) -> Entries<'t> {
        let left = match self.nodes[0] {
            Node::Object { len, .. } => len,
            _ => 0,
        };
        Entries { nodes: &self.nodes[1..], left }
    }

    /// The items of a list; nothing for any other value.
    #[inline]
    pub fn items(self) -> Items<'t> {
        let left = match self.nodes[0] {
            Node::Array { len, .. } => len,
            _ => 0,
        };
        Items { nodes: &self.nodes[1..], left }
    }

    /// The member `name` of an object, the last one of that name; `None` where there is none, or
    /// where this is no object. A member that is `null` is `Some`.
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

    /// Where the members of an object stand among its [`nodes`](Self::nodes), in document order,
    /// for [`Json::member_at`].
    #[allow(clippy::cast_possible_truncation)] // the parser refuses inputs of 4 GiB
    pub fn places(self) -> impl Iterator<Item = u32> + use<'t> {
        let mut place = 1;
        self.entries().map(move |(_, value)| {
            let here = place as u32;
            place += 1 + value.nodes.len();
            here
        })
    }

    /// The member whose name is the node at `place` of an object's `nodes`.
    pub fn member_at(nodes: &'t [Node<'t>], place: usize) -> Option<(&'t str, Self)> {
        match nodes.get(place)? {
            Node::String(key) => Some((key, Self::new(&nodes[place + 1..])?)),
            _ => None,
        }
    }

    /// The item at `index` of a list.
    pub fn item(self, index: usize) -> Option<Self> {
        self.items().nth(index)
    }
}

/// Iterator over an object's members.
#[derive(Clone, Debug)]
pub struct Entries<'t> {
    nodes: &'t [Node<'t>],
    left: usize,
}

impl<'t> Iterator for Entries<'t> {
    type Item = (&'t str, Json<'t>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        let (key, rest) = self.nodes.split_first()?;
        let Node::String(key) = key else { return None };
        let value = Json::new(rest)?;
        self.nodes = &rest[value.nodes.len()..];
        Some((key, value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

/// Iterator over a list's items.
#[derive(Clone, Debug)]
pub struct Items<'t> {
    nodes: &'t [Node<'t>],
    left: usize,
}

impl<'t> Iterator for Items<'t> {
    type Item = Json<'t>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        let value = Json::new(self.nodes)?;
        self.nodes = &self.nodes[value.nodes.len()..];
        Some(value)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with<R>(text: &str, read: impl FnOnce(Json<'_>) -> R) -> R {
        let mut bytes = text.as_bytes().to_vec();
        let tape = simd_json::to_tape(&mut bytes).unwrap();
        read(Json::new(&tape.0).unwrap())
    }

    #[test]
    fn siblings_are_found_past_nested_containers() {
        with(r#"{"a":{"x":[1,{"y":2}],"z":{}},"b":[[],[3]],"c":"end"}"#, |json| {
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
        with(r#"{"a":1,"a":2}"#, |json| {
            assert!(matches!(json.get("a").unwrap().kind(), Kind::Number(Number::Int(2))));
        });
    }

    #[test]
    fn integers_stay_exact_up_to_64_bits() {
        with("[9223372036854775807,18446744073709551615,18446744073709551616,-0]", |json| {
            let kinds: Vec<_> = json.items().map(Json::kind).collect();
            assert!(matches!(kinds[0], Kind::Number(Number::Int(i64::MAX))));
            assert!(matches!(kinds[1], Kind::Number(Number::Uint(u64::MAX))));
            assert!(matches!(kinds[2], Kind::Number(Number::Float(f)) if f > 1.8e19));
            assert!(matches!(kinds[3], Kind::Number(_)));
        });
    }
}
