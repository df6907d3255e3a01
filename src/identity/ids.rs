//! Every id once: anonymous ids, user ids, e-mails and group ids as small numbers.

use ahash::RandomState;
use hashbrown::HashTable;

/// What kind of id; the same text in two spaces is two ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Space {
    /// `anonymousId`
    Anonymous,
    /// `userId`
    User,
    /// An e-mail address, normalised.
    Email,
    /// `groupId`
    Group,
}

/// The number of an id among [`Ids`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u32);

impl NodeId {
    /// Its place in a list that has one entry for each id.
    #[inline]
    pub fn index(self) -> usize {
        self.0 as usize
    }

    /// The raw number.
    #[inline]
    pub fn to_raw(self) -> u32 {
        self.0
    }

    /// The id of this raw number.
    #[inline]
    pub fn from_raw(raw: u32) -> Self {
        Self(raw)
    }
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    hash: u64,
    start: usize,
    len: u32,
    space: Space,
}

/// A set of ids that numbers them in order of arrival. The hash function is seeded anew for each
/// run, so that nobody can choose ids that collide; sets that share it can exchange hashes.
#[derive(Clone, Debug)]
pub struct Ids {
    hasher: RandomState,
    table: HashTable<u32>,
    entries: Vec<Entry>,
    bytes: Vec<u8>,
}

impl Ids {
    /// An empty set that hashes with `hasher`.
    pub fn new(hasher: RandomState) -> Self {
        Self { hasher, table: HashTable::new(), entries: Vec::new(), bytes: Vec::new() }
    }

    /// The number of `text` in `space`, a new one at its first appearance.
    #[inline]
    pub fn intern(&mut self, space: Space, text: &[u8]) -> NodeId {
        let hash = self.hasher.hash_one((space as u8, text));
        self.intern_hashed(space, text, hash)
    }

    fn intern_hashed(&mut self, space: Space, text: &[u8], hash: u64) -> NodeId {
        let Self { table, entries, bytes, .. } = self;
        let same = |&place: &u32| {
            let entry = &entries[place as usize];
            entry.hash == hash
                && entry.space == space
                && &bytes[entry.start..entry.start + entry.len as usize] == text
        };
        if let Some(&place) = table.find(hash, same) {
            return NodeId(place);
        }
        #[allow(clippy::cast_possible_truncation)] // an id is shorter than its 4 GiB record
        let entry = Entry { hash, start: bytes.len(), len: text.len() as u32, space };
        #[allow(clippy::cast_possible_truncation)] // 2^32 ids would take 200 GB
        let place = entries.len() as u32;
        bytes.extend_from_slice(text);
        entries.push(entry);
        table.insert_unique(hash, place, |&place| entries[place as usize].hash);
        NodeId(place)
    }

    /// Takes over every id of `other`, which must share the hash function; `map` receives the
    /// number here of each, in `other`'s order.
    pub fn absorb(&mut self, other: &Self, map: &mut Vec<NodeId>) {
        map.clear();
        map.extend((0..other.entries.len()).map(|place| {
            let Entry { hash, space, .. } = other.entries[place];
            self.intern_hashed(space, other.bytes_at(place), hash)
        }));
    }

    fn bytes_at(&self, place: usize) -> &[u8] {
        let entry = &self.entries[place];
        &self.bytes[entry.start..entry.start + entry.len as usize]
    }

    /// The text of `id`.
    #[inline]
    pub fn text(&self, id: NodeId) -> &str {
        // Ids come from JSON strings, so this never fails.
        std::str::from_utf8(self.bytes_at(id.index())).unwrap_or_default()
    }

    /// The space of `id`.
    #[inline]
    pub fn space(&self, id: NodeId) -> Space {
        self.entries[id.index()].space
    }

    /// How many ids there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All numbers with their spaces.
    pub fn iter(&self) -> impl Iterator<Item = (NodeId, Space)> + '_ {
        (0_u32..).zip(&self.entries).map(|(place, entry)| (NodeId(place), entry.space))
    }

    /// Forgets all ids but keeps the memory.
    pub fn clear(&mut self) {
        self.table.clear();
        self.entries.clear();
        self.bytes.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_text_in_two_spaces_is_two_ids() {
        let mut ids = Ids::new(RandomState::new());
        let anonymous = ids.intern(Space::Anonymous, b"x");
        let user = ids.intern(Space::User, b"x");
        assert_ne!(anonymous, user);
        assert_eq!(ids.intern(Space::Anonymous, b"x"), anonymous);
        assert_eq!((ids.text(user), ids.space(user)), ("x", Space::User));
    }

    #[test]
    fn a_set_takes_over_another() {
        let hasher = RandomState::new();
        let (mut all, mut some) = (Ids::new(hasher.clone()), Ids::new(hasher));
        all.intern(Space::User, b"u");
        some.intern(Space::Anonymous, b"a");
        some.intern(Space::User, b"u");
        let mut map = Vec::new();
        all.absorb(&some, &mut map);
        assert_eq!(all.len(), 2);
        assert_eq!(map.iter().map(|&id| all.text(id)).collect::<Vec<_>>(), ["a", "u"]);
    }
}
