//! Field paths: `context.page.url`, `properties.items.0.sku`, `properties.product\ 1.price`.

use std::fmt;
use std::sync::{LazyLock, Mutex, PoisonError};

use ahash::AHashMap;

use super::Member;
use crate::json::Json;

/// One step of a [`Path`]: a member name, which is also a list index if it is a number.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Segment {
    name: Box<str>,
    index: Option<usize>,
}

/// A field path, compiled once and looked up for each event.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Path {
    head: Box<str>,
    member: Option<Member>,
    tail: Box<[Segment]>,
    number: Option<u8>,
}

/// The number of each path that has one.
static NUMBERED: LazyLock<Mutex<AHashMap<Names, u8>>> = LazyLock::new(Mutex::default);

type Names = Box<[Box<str>]>;

/// The error for a text that is not a field path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a field path such as `properties.plan` (names of letters, digits, `_` and `-`, joined by `.`; a backslash before any other character)"
)]
pub struct PathError {
    /// The offset of the offending byte, starting at 0.
    pub offset: usize,
}

/// A value that field paths can be looked up in.
pub trait Lookup<'t> {
    /// Returns the value at `path`, which may be `null`, or `None` if a step is missing.
    fn lookup(&self, path: &Path) -> Option<Json<'t>>;
}

impl Path {
    /// Creates a path of the given unescaped names, outermost first. Returns `None` if `names` is
    /// empty.
    pub fn new(names: &[impl AsRef<str>]) -> Option<Self> {
        let (head, tail) = names.split_first()?;
        Some(Self {
            head: head.as_ref().into(),
            member: Member::from_key(head.as_ref()),
            tail: tail.iter().map(|name| Segment::new(name.as_ref())).collect(),
            number: Self::number_of(names),
        })
    }

    /// Returns the number of the path of `names`, assigning a new one to a new path while numbers
    /// are left.
    fn number_of(names: &[impl AsRef<str>]) -> Option<u8> {
        let names = names.iter().map(|name| name.as_ref().into()).collect();
        let mut numbered = NUMBERED.lock().unwrap_or_else(PoisonError::into_inner);
        let next = u8::try_from(numbered.len());
        match numbered.get(&names) {
            Some(&number) => Some(number),
            None => next.ok().inspect(|&next| {
                numbered.insert(names, next);
            }),
        }
    }

    /// Returns a number that no other path has, so that results for a path can be kept in a list.
    /// The first 256 different paths have one.
    #[inline]
    pub fn number(&self) -> Option<u8> {
        self.number
    }

    /// Returns how many paths have a number.
    pub fn numbered() -> usize {
        NUMBERED.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Parses a path in FQL syntax: names of letters, digits, `_` and `-` joined by `.`; after a
    /// backslash any character is part of the name.
    ///
    /// # Errors
    /// Returns the offset of the first character that is not allowed in a path, or of an empty
    /// name.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let mut names = vec![String::new()];
        let mut start = 0;
        let mut chars = text.char_indices();
        while let Some((offset, char)) = chars.next() {
            let name = names.last_mut().ok_or(PathError { offset })?;
            match char {
                '.' if start == offset => return Err(PathError { offset }),
                '.' => {
                    names.push(String::new());
                    start = offset + 1;
                }
                '\\' => name.push(chars.next().ok_or(PathError { offset })?.1),
                'A'..='Z' | 'a'..='z' | '0'..='9' | '_' | '-' => name.push(char),
                _ => return Err(PathError { offset }),
            }
        }
        if start == text.len() {
            return Err(PathError { offset: start });
        }
        Self::new(&names).ok_or(PathError { offset: 0 })
    }

    /// Returns the unescaped names, outermost first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&*self.head).chain(self.tail.iter().map(|step| &*step.name))
    }

    /// Returns the top-level name.
    pub fn head(&self) -> &str {
        &self.head
    }

    /// Returns the top-level member that the path starts with, if it is a known member of events.
    pub fn member(&self) -> Option<Member> {
        self.member
    }

    /// Returns `true` if the path is exactly the top-level `member`.
    pub fn is_member(&self, member: Member) -> bool {
        self.member == Some(member) && self.tail.is_empty()
    }

    /// Follows all steps but the first, starting at `value`.
    #[inline]
    pub fn descend<'t>(&self, value: Json<'t>) -> Option<Json<'t>> {
        self.tail.iter().try_fold(value, |value, segment| segment.of(value))
    }
}

impl fmt::Display for Path {
    /// Writes the path in FQL syntax, escapes included.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, name) in self.names().enumerate() {
            if place > 0 {
                f.write_str(".")?;
            }
            for char in name.chars() {
                if !(char.is_ascii_alphanumeric() || matches!(char, '_' | '-')) {
                    f.write_str("\\")?;
                }
                write!(f, "{char}")?;
            }
        }
        Ok(())
    }
}

impl Segment {
    fn new(name: &str) -> Self {
        let numeric = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
        let index = if numeric { name.parse().ok() } else { None };
        Self { name: name.into(), index }
    }

    #[inline]
    fn of<'t>(&self, value: Json<'t>) -> Option<Json<'t>> {
        match self.index {
            Some(index) if value.is_array() => value.item(index),
            _ => value.get(&self.name),
        }
    }
}

impl<'t> Lookup<'t> for Json<'t> {
    fn lookup(&self, path: &Path) -> Option<Json<'t>> {
        path.descend(self.get(&path.head)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::document::with_json;

    fn find(json: &str, path: &str) -> Option<String> {
        with_json(json, |json| {
            json.lookup(&Path::parse(path).unwrap()).map(|value| value.as_str().unwrap().to_owned())
        })
    }

    #[test]
    fn escapes_and_list_places() {
        let json =
            r#"{"properties":{"product 1":{"price":"9"},"a.b":"dot","list":["x",{"0":"in"}]}}"#;
        assert_eq!(find(json, r"properties.product\ 1.price").as_deref(), Some("9"));
        assert_eq!(find(json, r"properties.a\.b").as_deref(), Some("dot"));
        assert_eq!(find(json, "properties.list.0").as_deref(), Some("x"));
        assert_eq!(find(json, "properties.list.1.0").as_deref(), Some("in"));
        assert_eq!(find(json, "properties.list.7"), None);
        assert_eq!(find(json, "properties.list.x"), None);
    }

    #[test]
    fn a_path_is_shown_as_it_is_written() {
        for text in ["context.page.url", r"properties.product\ 1.a\.b", "a-b._c"] {
            assert_eq!(Path::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_path_says_where() {
        for (text, offset) in [("", 0), ("a..b", 2), (".a", 0), ("a.", 2), ("a b", 1), ("a\\", 1)] {
            assert_eq!(Path::parse(text), Err(PathError { offset }), "{text}");
        }
    }
}
