//! Ids on disk, with access by number.
//!
//! Ids are numbered by space, then by text. The space of an id therefore follows from its number,
//! the e-mails have consecutive numbers, and numbers order as texts do.

use std::borrow::Cow;
use std::io;
use std::ops::Range;

use super::ids::{NodeId, Space};
use crate::engine::exchange::blocks::{BlockWriter, Blocks, Failure};
use crate::engine::exchange::bytes::{put_text, take_text};
use crate::engine::exchange::sequence::broken;
use crate::engine::exchange::spill::Spill;

/// The number of texts that are read at once.
const BLOCK: usize = 64;

/// Texts in memory, by index.
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

/// All ids of a run, on disk.
#[derive(Debug)]
pub struct Dictionary {
    spill: Spill,
    texts: Blocks,
    /// The first number of each space, and the number of ids.
    starts: [u32; Space::ALL.len() + 1],
    /// The e-mails, if they fit into memory, as every signal needs one.
    emails: Option<Texts>,
    failure: Failure,
}

impl Dictionary {
    /// Returns the number of ids.
    pub fn len(&self) -> usize {
        self.starts[Space::ALL.len()] as usize
    }

    /// Returns whether there are no ids.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the space of `id`.
    #[inline]
    pub fn space(&self, id: NodeId) -> Space {
        let later = Space::ALL.iter().skip(1).rev();
        let of = later.copied().find(|&space| id.to_raw() >= self.starts[space as usize]);
        of.unwrap_or(Space::Anonymous)
    }

    /// Returns the numbers of the ids of `space`.
    #[inline]
    pub fn of_space(&self, space: Space) -> Range<u32> {
        self.starts[space as usize]..self.starts[space as usize + 1]
    }

    /// Returns the text of `id`. If it cannot be read, it is empty, and [`check`](Self::check)
    /// returns the error.
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

    /// Checks that all texts could be read.
    ///
    /// # Errors
    /// Returns an error if a text could not be read.
    #[inline]
    pub fn check(&self) -> io::Result<()> {
        self.failure.check()
    }

    /// Calls `see` with each id of `space` and its text, in order.
    ///
    /// # Errors
    /// Returns an error if texts cannot be read.
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

    /// Returns the number of `text` in `space`, if it has one.
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

    /// Returns the memory in bytes.
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
    /// The maximum memory for e-mails, in bytes.
    email_bytes: usize,
}

impl<'s> DictionaryWriter<'s> {
    /// Creates an empty dictionary in `spill`, written in pieces of about `piece_bytes`. E-mails
    /// are also kept in memory if they take no more than `email_bytes`.
    pub fn new(spill: &'s Spill, piece_bytes: usize, email_bytes: usize) -> Self {
        Self {
            writer: BlockWriter::new(spill, piece_bytes, BLOCK),
            counts: [0; Space::ALL.len()],
            len: 0,
            emails: Some(Texts::default()),
            email_bytes,
        }
    }

    /// Appends the next id in order; returns its number.
    ///
    /// # Errors
    /// Returns an error if it cannot be written, or there are too many ids to number.
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

    /// Returns what was written, without the spill.
    ///
    /// # Errors
    /// Returns an error if the last texts cannot be written.
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
    /// Adds the spill to which the texts were written.
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
    fn a_text_that_cannot_be_read_is_reported() {
        let dir = tempfile::tempdir().unwrap();
        let dictionary = dictionary(&[(Space::User, "u".into())], dir.path().to_owned(), 0);
        assert_eq!(dictionary.text(NodeId::from_raw(64)), "");
        assert!(dictionary.check().is_err());
    }
}
