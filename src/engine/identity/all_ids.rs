//! Every id of a run, wherever it is kept.

use std::borrow::Cow;
use std::io;
use std::ops::Range;

use super::dictionary::Dictionary;
use super::ids::{Ids, NodeId, Space};

/// Every id of a run: in memory, or on disk where they do not fit.
#[derive(Debug)]
pub enum AllIds {
    /// In memory, numbered as they came.
    Memory(Ids),
    /// On disk, numbered by space and text.
    Disk(Box<Dictionary>),
}

/// What orders ids of one space by their texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TextOrder<'a> {
    /// The beginning of the text, or the number where that is ordered as texts are.
    prefix: u64,
    /// Empty where numbers decide.
    text: &'a str,
}

impl TextOrder<'_> {
    /// A number that is ordered as the texts are, but may be the same of several.
    pub fn prefix(self) -> u64 {
        self.prefix
    }
}

/// The first bytes of `text`, as a number that is ordered as they are.
fn prefix(text: &str) -> u64 {
    let text = text.as_bytes();
    let mut first = [0; 8];
    let len = text.len().min(first.len());
    first[..len].copy_from_slice(&text[..len]);
    u64::from_be_bytes(first)
}

impl AllIds {
    /// The text of `id`. On disk it may be unreadable: then it is empty, and
    /// [`check`](Self::check) tells so.
    #[inline]
    pub fn text(&self, id: NodeId) -> Cow<'_, str> {
        match self {
            Self::Memory(ids) => Cow::Borrowed(ids.text(id)),
            Self::Disk(dictionary) => dictionary.text(id),
        }
    }

    /// Whether every text that was asked for was read; to be asked before anything is made of them.
    ///
    /// # Errors
    /// When one could not be read.
    #[inline]
    pub fn check(&self) -> io::Result<()> {
        match self {
            Self::Memory(_) => Ok(()),
            Self::Disk(dictionary) => dictionary.check(),
        }
    }

    /// What orders `id` among those of its space by text.
    #[inline]
    pub fn order(&self, id: NodeId) -> TextOrder<'_> {
        match self {
            Self::Memory(ids) => TextOrder { prefix: prefix(ids.text(id)), text: ids.text(id) },
            Self::Disk(_) => TextOrder { prefix: id.to_raw().into(), text: "" },
        }
    }

    /// The space of `id`.
    #[inline]
    pub fn space(&self, id: NodeId) -> Space {
        match self {
            Self::Memory(ids) => ids.space(id),
            Self::Disk(dictionary) => dictionary.space(id),
        }
    }

    /// The number of `text` in `space`, if it has one.
    pub fn find(&self, space: Space, text: &str) -> Option<NodeId> {
        match self {
            Self::Memory(ids) => ids.find(space, text),
            Self::Disk(dictionary) => dictionary.find(space, text),
        }
    }

    /// How many ids there are; each has a number below.
    pub fn len(&self) -> usize {
        match self {
            Self::Memory(ids) => ids.len(),
            Self::Disk(dictionary) => dictionary.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many ids of `space` there are.
    pub fn count(&self, space: Space) -> usize {
        match self {
            Self::Memory(ids) => ids.iter().filter(|&(_, own)| own == space).count(),
            Self::Disk(dictionary) => dictionary.of_space(space).len(),
        }
    }

    /// The numbers of the ids of `space`, in order.
    pub fn of_space(&self, space: Space) -> impl Iterator<Item = NodeId> + '_ {
        let (ids, numbers) = match self {
            Self::Memory(ids) => (Some(ids.iter()), 0..0),
            Self::Disk(dictionary) => (None, dictionary.of_space(space)),
        };
        let in_memory = ids.into_iter().flatten().filter(move |&(_, own)| own == space);
        in_memory.map(|(id, _)| id).chain(numbers.map(NodeId::from_raw))
    }

    /// Calls `see` with the text of each id of `space`, in the order of numbers.
    ///
    /// # Errors
    /// When the texts cannot be read.
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

    /// The numbers among which all e-mails are.
    pub fn email_numbers(&self) -> Range<u32> {
        match self {
            #[allow(clippy::cast_possible_truncation)] // ids are numbered in 32 bits
            Self::Memory(ids) => 0..ids.len() as u32,
            Self::Disk(dictionary) => dictionary.of_space(Space::Email),
        }
    }

    /// How many bytes of memory they take.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Memory(ids) => ids.bytes(),
            Self::Disk(dictionary) => dictionary.bytes(),
        }
    }

    /// Fetches what leads to the text of `id` into the caches.
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
