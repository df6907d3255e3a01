//! Where a value stands that is being walked: in which text, and as which item of which list.
//!
//! All of it lives on the stack of the walk and costs nothing until something is refused.

use std::fmt;

use crate::json::Json;
use crate::json::raw::{Finder, value_end};

/// A text of JSON that is being walked: that of a record, or of a body in it.
#[derive(Debug)]
pub(super) struct Text<'t> {
    bytes: &'t [u8],
    finder: Finder,
    /// Whether the bytes are those of the input.
    is_record: bool,
}

impl<'t> Text<'t> {
    /// The text of a record.
    pub fn of_record(bytes: &'t [u8]) -> Self {
        Self { bytes, finder: Finder::default(), is_record: true }
    }

    /// A text that stands, perhaps encoded, in a string of another.
    pub fn of_body(bytes: &'t [u8]) -> Self {
        Self { is_record: false, ..Self::of_record(bytes) }
    }

    /// Its bytes.
    pub fn bytes(&self) -> &'t [u8] {
        self.bytes
    }
}

/// An item of a list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item<'t> {
    /// The text that the list stands in.
    text: &'t Text<'t>,
    /// The first node of the item.
    place: u32,
    /// Whether the item is a string.
    is_text: bool,
    /// The members that lead to the list.
    path: &'static [&'static str],
    /// Its place in the list, from 0.
    index: usize,
    /// How many items the list has.
    count: usize,
    /// The item of another list that the list stands in.
    within: Option<&'t Item<'t>>,
}

impl<'t> Item<'t> {
    /// The items of `list`, to which the members `path` lead, one by one.
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

    /// The item that is shown in place of this one. A string of a pair is shown with the pair: that
    /// may be a header, whose name says whether the value is a secret.
    fn shown(&self) -> Option<&Self> {
        if self.is_text && self.count == 2 { self.within } else { Some(self) }
    }

    /// The text that is shown of it; `None` where that is the whole record.
    pub fn bytes(&self) -> Option<&'t [u8]> {
        let shown = self.shown()?;
        let Text { bytes, finder, .. } = shown.text;
        let start = finder.find(bytes, shown.place)?;
        Some(&bytes[start..value_end(bytes, start)?])
    }

    /// Where it begins in the record; of what stands in an encoded body, where the item does that
    /// the body is of, if it is of one.
    pub fn offset(&self) -> Option<usize> {
        let mut items = std::iter::successors(self.shown(), |item| item.within);
        let item = items.find(|item| item.text.is_record)?;
        item.text.finder.find(item.text.bytes, item.place)
    }
}

impl fmt::Display for Item<'_> {
    /// `log.entries[3], batch[0]`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(within) = self.within {
            write!(f, "{within}, ")?;
        }
        write!(f, "{}[{}]", self.path.join("."), self.index)
    }
}
