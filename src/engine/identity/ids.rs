//! Every id once: anonymous ids, user ids, e-mails and group ids as small numbers.

use ahash::RandomState;
use hashbrown::HashTable;
use prefetch_index::prefetch_index;

use crate::engine::hash_slot::{Slot, spread, upper};

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

impl Space {
    const ALL: [Self; 4] = [Self::Anonymous, Self::User, Self::Email, Self::Group];
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

/// Where an id's text is, and what it is; small, because there are as many as ids.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// Where its text begins, and in the two upper bits its space.
    start_and_space: u64,
    len: u32,
    hash: u32,
}

impl Entry {
    const SPACE_SHIFT: u32 = 62;

    #[inline]
    fn space(self) -> Space {
        Space::ALL[(self.start_and_space >> Self::SPACE_SHIFT) as usize]
    }

    #[inline]
    #[allow(clippy::cast_possible_truncation)] // it was a usize
    fn range(self) -> std::ops::Range<usize> {
        let start = (self.start_and_space & !(3 << Self::SPACE_SHIFT)) as usize;
        start..start + self.len as usize
    }
}

/// A set of ids that numbers them in order of arrival. The hash function is seeded anew for each
/// run, so that nobody can choose ids that collide; sets that share it can exchange hashes.
#[derive(Clone, Debug)]
pub struct Ids {
    hasher: RandomState,
    table: HashTable<Slot>,
    entries: Vec<Entry>,
    /// The texts of all ids, one behind the other.
    texts: String,
}

/// The text of a UUID; e-mails are shorter.
const USUAL_BYTES: usize = 36;
/// No number yet.
const UNKNOWN: NodeId = NodeId(u32::MAX);

impl Ids {
    /// An empty set that hashes with `hasher`.
    pub fn new(hasher: RandomState) -> Self {
        Self { hasher, table: HashTable::new(), entries: Vec::new(), texts: String::new() }
    }

    /// Makes room for about so many ids; what is not used of it is never touched. Where there is no
    /// room, it grows as it can.
    pub fn reserve(&mut self, ids: usize) {
        let _ = self.entries.try_reserve_exact(ids);
        let _ = self.texts.try_reserve_exact(ids * USUAL_BYTES);
    }

    /// The number of `text` in `space`, a new one at its first appearance.
    #[inline]
    pub fn intern(&mut self, space: Space, text: &str) -> NodeId {
        let hash = upper(self.hasher.hash_one((space as u8, text)));
        self.intern_hashed(space, text, hash)
    }

    /// The number of `text` in `space`, if it has one.
    pub fn find(&self, space: Space, text: &str) -> Option<NodeId> {
        let hash = upper(self.hasher.hash_one((space as u8, text)));
        let same = |slot: &Slot| slot.hash == hash && self.is(NodeId(slot.place), space, text);
        self.table.find(spread(hash), same).map(|slot| NodeId(slot.place))
    }

    #[inline]
    fn is(&self, id: NodeId, space: Space, text: &str) -> bool {
        let entry = self.entries[id.index()];
        entry.space() == space && self.texts.as_bytes().get(entry.range()) == Some(text.as_bytes())
    }

    fn intern_hashed(&mut self, space: Space, text: &str, hash: u32) -> NodeId {
        let same = |slot: &Slot| slot.hash == hash && self.is(NodeId(slot.place), space, text);
        if let Some(slot) = self.table.find(spread(hash), same) {
            return NodeId(slot.place);
        }
        let start_and_space = self.texts.len() as u64 | (space as u64) << Entry::SPACE_SHIFT;
        #[allow(clippy::cast_possible_truncation)] // an id is shorter than its 4 GiB record
        let entry = Entry { start_and_space, len: text.len() as u32, hash };
        #[allow(clippy::cast_possible_truncation)] // 2^32 ids would take 200 GB
        let place = self.entries.len() as u32;
        self.texts.push_str(text);
        self.entries.push(entry);
        self.table.insert_unique(spread(hash), Slot { hash, place }, |slot| spread(slot.hash));
        NodeId(place)
    }

    /// Takes over every id of `other`, which must share the hash function; `map` receives the
    /// number here of each, in `other`'s order.
    pub fn absorb(&mut self, other: &Self, map: &mut Vec<NodeId>) {
        map.clear();
        // First where each may be, then its text, then whether it is: apart, the waits for memory
        // overlap.
        map.extend(other.entries.iter().map(|entry| {
            let slot = self.table.find(spread(entry.hash), |slot| slot.hash == entry.hash);
            slot.map_or(UNKNOWN, |slot| NodeId(slot.place))
        }));
        for id in &*map {
            prefetch_index(&self.entries, id.index());
        }
        for entry in map.iter().filter_map(|id| self.entries.get(id.index())) {
            prefetch_index(self.texts.as_bytes(), entry.range().start);
        }
        for (id, entry) in map.iter_mut().zip(&other.entries) {
            let (space, text) = (entry.space(), &other.texts[entry.range()]);
            if *id == UNKNOWN || !self.is(*id, space, text) {
                *id = self.intern_hashed(space, text, entry.hash);
            }
        }
    }

    /// The text of `id`.
    #[inline]
    pub fn text(&self, id: NodeId) -> &str {
        &self.texts[self.entries[id.index()].range()]
    }

    /// Fetches what leads to the text of `id` into the caches.
    #[inline]
    pub fn prefetch(&self, id: NodeId) {
        prefetch_index(&self.entries, id.index());
    }

    /// The texts of all ids, one behind the other.
    pub fn texts(&self) -> &str {
        &self.texts
    }

    /// Where in [`texts`](Self::texts) the text of each id ends.
    #[allow(clippy::cast_possible_truncation)] // asked of the ids of a block
    pub fn ends(&self) -> impl Iterator<Item = u32> + '_ {
        self.entries.iter().map(|entry| entry.range().end as u32)
    }

    /// The space of `id`.
    #[inline]
    pub fn space(&self, id: NodeId) -> Space {
        self.entries[id.index()].space()
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
        (0_u32..).zip(&self.entries).map(|(place, entry)| (NodeId(place), entry.space()))
    }

    /// Forgets all ids but keeps the memory.
    pub fn clear(&mut self) {
        self.table.clear();
        self.entries.clear();
        self.texts.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_text_in_two_spaces_is_two_ids() {
        let mut ids = Ids::new(RandomState::new());
        let anonymous = ids.intern(Space::Anonymous, "x");
        let user = ids.intern(Space::User, "x");
        assert_ne!(anonymous, user);
        assert_eq!(ids.intern(Space::Anonymous, "x"), anonymous);
        assert_eq!(ids.find(Space::User, "x"), Some(user));
        assert_eq!(ids.find(Space::Email, "x"), None);
        assert_eq!((ids.text(user), ids.space(user)), ("x", Space::User));
    }

    #[test]
    fn a_set_takes_over_another() {
        let hasher = RandomState::new();
        let (mut all, mut some) = (Ids::new(hasher.clone()), Ids::new(hasher));
        all.intern(Space::User, "u");
        some.intern(Space::Anonymous, "a");
        some.intern(Space::User, "u");
        let mut map = Vec::new();
        all.absorb(&some, &mut map);
        assert_eq!(all.len(), 2);
        assert_eq!(map.iter().map(|&id| all.text(id)).collect::<Vec<_>>(), ["a", "u"]);
    }
}
