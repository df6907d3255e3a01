//! Ids on disk: their texts in order, found by number.
//!
//! Ids are numbered by space, and those of a space by text: so the number of an id tells its space,
//! e-mails have numbers one behind another, and the order of numbers is that of texts.

use std::borrow::Cow;
use std::io;
use std::ops::Range;

use super::ids::{NodeId, Space};
use crate::engine::exchange::blocks::{BlockWriter, Blocks, Failure};
use crate::engine::exchange::bytes::{put_text, take_text};
use crate::engine::exchange::sequence::broken;
use crate::engine::exchange::spill::Spill;

/// So many texts are read at once.
const BLOCK: usize = 64;

/// Texts in memory, by place.
#[derive(Debug, Default)]
struct Texts {
    texts: String,
    ends: Vec<u32>,
}

impl Texts {
    fn get(&self, place: usize) -> Option<&str> {
        let end = *self.ends.get(place)?;
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.texts.get(start as usize..end as usize)
    }
}

/// Every id of a run, on disk.
#[derive(Debug)]
pub struct Dictionary {
    spill: Spill,
    texts: Blocks,
    /// The first number of each space, and how many ids there are.
    starts: [u32; Space::ALL.len() + 1],
    /// The e-mails, where they fit into memory: of these every signal asks.
    emails: Option<Texts>,
    failure: Failure,
}

impl Dictionary {
    /// How many ids there are.
    pub fn len(&self) -> usize {
        self.starts[Space::ALL.len()] as usize
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The space of `id`.
    #[inline]
    pub fn space(&self, id: NodeId) -> Space {
        let later = Space::ALL.iter().skip(1).rev();
        let of = later.copied().find(|&space| id.to_raw() >= self.starts[space as usize]);
        of.unwrap_or(Space::Anonymous)
    }

    /// The numbers of the ids of `space`.
    #[inline]
    pub fn of_space(&self, space: Space) -> Range<u32> {
        self.starts[space as usize]..self.starts[space as usize + 1]
    }

    /// The text of `id`; an empty one where it cannot be read, which [`check`](Self::check) tells.
    pub fn text(&self, id: NodeId) -> Cow<'_, str> {
        if let Some(emails) = &self.emails
            && let Some(place) = id.to_raw().checked_sub(self.starts[Space::Email as usize])
            && let Some(text) = emails.get(place as usize)
        {
            return Cow::Borrowed(text);
        }
        let mut buffer = Vec::new();
        let block = self.texts.read(id.index() / BLOCK, &self.spill, &mut buffer);
        let text = block.and_then(|mut bytes| {
            let mut text = Err(broken());
            for _ in 0..=id.index() % BLOCK {
                text = take_text(&mut bytes).ok_or_else(broken);
            }
            text
        });
        match text {
            Ok(text) => Cow::Owned(text.to_owned()),
            Err(error) => {
                self.failure.set(error);
                Cow::Borrowed("")
            }
        }
    }

    /// Whether every text that was asked for was read.
    ///
    /// # Errors
    /// When one could not be read.
    #[inline]
    pub fn check(&self) -> io::Result<()> {
        self.failure.check()
    }

    /// Calls `see` with the text of each id of `space`, in order.
    ///
    /// # Errors
    /// When the texts cannot be read.
    pub fn each(&self, space: Space, mut see: impl FnMut(NodeId, &str)) -> io::Result<()> {
        let wanted = self.of_space(space);
        let mut buffer = Vec::new();
        let blocks = wanted.start as usize / BLOCK..(wanted.end as usize).div_ceil(BLOCK);
        for block in blocks {
            let mut bytes = self.texts.read(block, &self.spill, &mut buffer)?;
            for number in block * BLOCK..((block + 1) * BLOCK).min(wanted.end as usize) {
                let text = take_text(&mut bytes).ok_or_else(broken)?;
                match u32::try_from(number) {
                    Ok(number) if number >= wanted.start => see(NodeId::from_raw(number), text),
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// The number of `text` in `space`, if it has one.
    pub fn find(&self, space: Space, text: &str) -> Option<NodeId> {
        let Range { mut start, mut end } = self.of_space(space);
        while start < end {
            let middle = start + (end - start) / 2;
            let id = NodeId::from_raw(middle);
            match (*self.text(id)).cmp(text) {
                std::cmp::Ordering::Equal => return Some(id),
                std::cmp::Ordering::Less => start = middle + 1,
                std::cmp::Ordering::Greater => end = middle,
            }
        }
        None
    }

    /// How many bytes of memory it takes.
    pub fn bytes(&self) -> usize {
        let emails = self.emails.as_ref();
        let emails = emails.map_or(0, |texts| texts.texts.len() + texts.ends.len() * 4);
        emails + self.texts.bytes()
    }
}

/// Writes a dictionary.
pub struct DictionaryWriter<'s> {
    writer: BlockWriter<'s>,
    counts: [u32; Space::ALL.len()],
    len: u32,
    emails: Option<Texts>,
    /// So much memory e-mails may take.
    email_bytes: usize,
}

impl<'s> DictionaryWriter<'s> {
    /// An empty one in `spill`, of which about `piece_bytes` are written at once. E-mails are kept in
    /// memory besides if they take no more than `email_bytes`.
    pub fn new(spill: &'s Spill, piece_bytes: usize, email_bytes: usize) -> Self {
        Self {
            writer: BlockWriter::new(spill, piece_bytes, BLOCK),
            counts: [0; Space::ALL.len()],
            len: 0,
            emails: Some(Texts::default()),
            email_bytes,
        }
    }

    /// Appends the id that comes next in order; returns its number.
    ///
    /// # Errors
    /// When it cannot be written, or there are too many ids to be numbered.
    pub fn put(&mut self, space: Space, text: &str) -> io::Result<NodeId> {
        if self.len == u32::MAX {
            return Err(io::Error::other("more than 4,294,967,295 ids: run parts of the input"));
        }
        self.writer.put(|out| put_text(text, out))?;
        if let Some(Texts { texts, ends }) = self.emails.as_mut().filter(|_| space == Space::Email)
        {
            texts.push_str(text);
            match u32::try_from(texts.len()) {
                Ok(end) if texts.len() + ends.len() * size_of::<u32>() <= self.email_bytes => {
                    ends.push(end);
                }
                _ => self.emails = None,
            }
        }
        let id = NodeId::from_raw(self.len);
        self.counts[space as usize] += 1;
        self.len += 1;
        Ok(id)
    }

    /// What was written, but for the spill that it waits in.
    ///
    /// # Errors
    /// When its end cannot be written.
    pub fn finish(self) -> io::Result<Written> {
        let mut starts = [0; Space::ALL.len() + 1];
        for (space, count) in self.counts.into_iter().enumerate() {
            starts[space + 1] = starts[space] + count;
        }
        let emails = self.emails.map(|Texts { mut texts, mut ends }| {
            texts.shrink_to_fit();
            ends.shrink_to_fit();
            Texts { texts, ends }
        });
        Ok(Written { texts: self.writer.finish()?, starts, emails })
    }
}

/// What a [`DictionaryWriter`] wrote.
pub struct Written {
    texts: Blocks,
    starts: [u32; Space::ALL.len() + 1],
    emails: Option<Texts>,
}

impl Written {
    /// The dictionary; it was written to `spill`.
    pub fn into_dictionary(self, spill: Spill) -> Dictionary {
        let Self { texts, starts, emails } = self;
        Dictionary { spill, texts, starts, emails, failure: Failure::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn dictionary(ids: &[(Space, String)], dir: PathBuf, email_bytes: usize) -> Dictionary {
        let spill = Spill::new(dir, 0);
        let mut writer = DictionaryWriter::new(&spill, 512, email_bytes);
        for (number, (space, text)) in (0..).zip(ids) {
            assert_eq!(writer.put(*space, text).unwrap().to_raw(), number);
        }
        let written = writer.finish().unwrap();
        written.into_dictionary(spill)
    }

    #[test]
    fn ids_are_found_by_number_and_by_text() {
        let dir = tempfile::tempdir().unwrap();
        let texts = |space, count: usize| {
            (0..count).map(move |number| (space, format!("{space:?} {number:04}")))
        };
        let ids: Vec<_> = texts(Space::Anonymous, 300)
            .chain(texts(Space::Email, 100))
            .chain(texts(Space::Group, 1))
            .collect();
        for email_bytes in [0, 1 << 20] {
            let dictionary = dictionary(&ids, dir.path().to_owned(), email_bytes);
            assert_eq!(dictionary.emails.is_some(), email_bytes > 0);
            assert_eq!(dictionary.len(), 401);
            for (number, (space, text)) in (0..).zip(&ids) {
                let id = NodeId::from_raw(number);
                assert_eq!((dictionary.space(id), &*dictionary.text(id)), (*space, &**text));
                assert_eq!(dictionary.find(*space, text), Some(id));
            }
            assert_eq!(dictionary.find(Space::User, "User 0000"), None);
            assert_eq!(dictionary.find(Space::Email, "Email 0050a"), None);
            let mut seen = Vec::new();
            for space in Space::ALL {
                dictionary.each(space, |_, text| seen.push((space, text.to_owned()))).unwrap();
            }
            assert_eq!(seen, ids);
            dictionary.check().unwrap();
        }
    }

    #[test]
    fn a_text_that_cannot_be_read_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let dictionary = dictionary(&[(Space::User, "u".into())], dir.path().to_owned(), 0);
        assert_eq!(dictionary.text(NodeId::from_raw(64)), "");
        assert!(dictionary.check().is_err());
    }
}
