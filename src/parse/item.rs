//! The position of a value in the record being read: the text that contains it, and its index in
//! each enclosing list.
//!
//! All of this lives on the stack of the walk and costs nothing until something is refused.

use std::fmt;

use crate::json::Json;
use crate::json::raw::{Finder, value_end};

/// A JSON text that is being read: that of a record, or of a body inside a record.
#[derive(Debug)]
pub(super) struct Text<'t> {
    bytes: &'t [u8],
    finder: Finder,
    /// Whether the bytes are part of the input.
    is_record: bool,
}

impl<'t> Text<'t> {
    /// Creates the text of a record.
    pub fn of_record(bytes: &'t [u8]) -> Self {
        Self { bytes, finder: Finder::default(), is_record: true }
    }

    /// Creates a text that is, possibly encoded, in a string of another text.
    pub fn of_body(bytes: &'t [u8]) -> Self {
        Self { is_record: false, ..Self::of_record(bytes) }
    }

    /// Returns the bytes of the text.
    pub fn bytes(&self) -> &'t [u8] {
        self.bytes
    }
}

/// An item of a list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item<'t> {
    /// The text that contains the list.
    text: &'t Text<'t>,
    /// The index of the item's first node.
    place: u32,
    /// Whether the item is a string.
    is_text: bool,
    /// The names of the members that lead to the list.
    path: &'static [&'static str],
    /// The index of the item in the list, starting at 0.
    index: usize,
    /// The number of items in the list.
    count: usize,
    /// The item of an outer list that contains the list.
    within: Option<&'t Item<'t>>,
}

impl<'t> Item<'t> {
    /// Returns an iterator over the items of `list`, which is at the members `path`.
    pub fn each(
        list: Json<'t>,
        text: &'t Text<'t>,
        path: &'static [&'static str],
        within: Option<&'t Item<'t>>,
    ) -> impl Iterator<Item = (Json<'t>, Self)> {
        let count = list.items().size_hint().0;
        list.items().enumerate().map(move |(index, value)| {
            let (place, is_text) = (value.place(), value.as_str().is_some());
            (value, Self { text, place, is_text, path, index, count, within })
        })
    }

    /// Returns the item whose text is shown for this one. A string in a pair is shown with the
    /// pair, which may be a header: its name decides whether the value is a secret.
    fn shown(&self) -> Option<&Self> {
        if self.is_text && self.count == 2 { self.within } else { Some(self) }
    }

    /// Returns the text to show for the item, or `None` if it is the whole record.
    pub fn bytes(&self) -> Option<&'t [u8]> {
        let shown = self.shown()?;
        let Text { bytes, finder, .. } = shown.text;
        let start = finder.find(bytes, shown.place)?;
        Some(&bytes[start..value_end(bytes, start)?])
    }

    /// Returns the offset of the item in the record. For an item inside an encoded body, it is the
    /// offset of the item that contains the body, if there is one.
    pub fn offset(&self) -> Option<usize> {
        let mut items = std::iter::successors(self.shown(), |item| item.within);
        let item = items.find(|item| item.text.is_record)?;
        item.text.finder.find(item.text.bytes, item.place)
    }
}

impl fmt::Display for Item<'_> {
    /// Writes the position like `log.entries[3], batch[0]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(within) = self.within {
            write!(f, "{within}, ")?;
        }
        write!(f, "{}[{}]", self.path.join("."), self.index)
    }
}
