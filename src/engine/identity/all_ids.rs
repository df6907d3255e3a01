//! All ids of a run, in memory or on disk.

use std::borrow::Cow;
use std::io;
use std::ops::Range;

use super::dictionary::Dictionary;
use super::ids::{Ids, NodeId, Space};

/// All ids of a run.
#[derive(Debug)]
pub enum AllIds {
    /// In memory, numbered in order of insertion.
    Memory(Ids),
    /// On disk, numbered by space and text.
    Disk(Box<Dictionary>),
}

/// The sort key of ids of one space, which orders by text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TextOrder<'a> {
    /// The beginning of the text; or the number, if ids are numbered by text.
    prefix: u64,
    /// The text; empty if ids are numbered by text.
    text: &'a str,
}

impl TextOrder<'_> {
    /// Returns an integer that orders as texts do, but may be equal for different texts.
    pub fn prefix(self) -> u64 {
        self.prefix
    }
}

/// Returns the first bytes of `text` as an integer that orders as they do.
fn prefix(text: &str) -> u64 {
    let text = text.as_bytes();
    let mut first = [0; 8];
    let len = text.len().min(first.len());
    first[..len].copy_from_slice(&text[..len]);
    u64::from_be_bytes(first)
}

impl AllIds {
    /// Returns the text of `id`. If a text on disk cannot be read, it is empty, and
    /// [`check`](Self::check) returns the error.
    #[inline]
    pub fn text(&self, id: NodeId) -> Cow<'_, str> {
        match self {
            Self::Memory(ids) => Cow::Borrowed(ids.text(id)),
            Self::Disk(dictionary) => dictionary.text(id),
        }
    }

    /// Checks that all texts could be read. Must be called before texts are used.
    ///
    /// # Errors
    /// Returns an error if a text could not be read.
    #[inline]
    pub fn check(&self) -> io::Result<()> {
        match self {
            Self::Memory(_) => Ok(()),
            Self::Disk(dictionary) => dictionary.check(),
        }
    }

    /// Returns the sort key of `id`, which orders by text in its space.
    #[inline]
    pub fn order(&self, id: NodeId) -> TextOrder<'_> {
        match self {
            Self::Memory(ids) => TextOrder { prefix: prefix(ids.text(id)), text: ids.text(id) },
            Self::Disk(_) => TextOrder { prefix: id.to_raw().into(), text: "" },
        }
    }

    /// Returns the space of `id`.
    #[inline]
    pub fn space(&self, id: NodeId) -> Space {
        match self {
            Self::Memory(ids) => ids.space(id),
            Self::Disk(dictionary) => dictionary.space(id),
        }
    }

    /// Returns the number of `text` in `space`, if it has one.
    pub fn find(&self, space: Space, text: &str) -> Option<NodeId> {
        match self {
            Self::Memory(ids) => ids.find(space, text),
            Self::Disk(dictionary) => dictionary.find(space, text),
        }
    }

    /// Returns the number of ids; all ids have smaller numbers.
    pub fn len(&self) -> usize {
        match self {
            Self::Memory(ids) => ids.len(),
            Self::Disk(dictionary) => dictionary.len(),
        }
    }

    /// Returns whether there are no ids.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the number of ids of `space`.
    pub fn count(&self, space: Space) -> usize {
        match self {
            Self::Memory(ids) => ids.iter().filter(|&(_, own)| own == space).count(),
            Self::Disk(dictionary) => dictionary.of_space(space).len(),
        }
    }

    /// Returns the ids of `space`, in order of their numbers.
    pub fn of_space(&self, space: Space) -> impl Iterator<Item = NodeId> + '_ {
        let (ids, numbers) = match self {
            Self::Memory(ids) => (Some(ids.iter()), 0..0),
            Self::Disk(dictionary) => (None, dictionary.of_space(space)),
        };
        let in_memory = ids.into_iter().flatten().filter(move |&(_, own)| own == space);
        in_memory.map(|(id, _)| id).chain(numbers.map(NodeId::from_raw))
    }

    /// Calls `see` with each id of `space` and its text, in order of their numbers.
    ///
    /// # Errors
    /// Returns an error if texts on disk cannot be read.
    pub fn each(&self, space: Space, mut see: impl FnMut(NodeId, &str)) -> io::Result<()> {
        match self {
            Self::Memory(ids) => {
                let of_space = ids.iter().filter(|&(_, own)| own == space);
                of_space.for_each(|(id, _)| see(id, ids.text(id)));
                Ok(())
            }
            Self::Disk(dictionary) => dictionary.each(space, see),
        }
    }

    /// Returns the number below which all anonymous ids and user ids are numbered.
    pub fn visitors_end(&self) -> usize {
        match self {
            Self::Memory(ids) => ids.len(),
            Self::Disk(_) => self.email_numbers().start as usize,
        }
    }

    /// Returns a range that contains the numbers of all e-mails.
    pub fn email_numbers(&self) -> Range<u32> {
        match self {
            #[allow(clippy::cast_possible_truncation)] // ids are numbered in 32 bits
            Self::Memory(ids) => 0..ids.len() as u32,
            Self::Disk(dictionary) => dictionary.of_space(Space::Email),
        }
    }

    /// Returns the memory in bytes.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Memory(ids) => ids.bytes(),
            Self::Disk(dictionary) => dictionary.bytes(),
        }
    }

    /// Prefetches what is needed to read the text of `id`.
    #[inline]
    pub fn prefetch(&self, id: NodeId) {
        if let Self::Memory(ids) = self {
            ids.prefetch(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn beginnings_are_ordered_as_texts(a in "[\0a-c]{0,10}", b in "[\0a-c]{0,10}") {
            let key = |text: &str| (prefix(text), text.to_owned());
            prop_assert_eq!(key(&a).cmp(&key(&b)), a.cmp(&b));
        }
    }
}
