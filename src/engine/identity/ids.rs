//! The set of distinct ids: anonymous ids, user ids, e-mails and group ids, represented by numbers.

use ahash::RandomState;
use hashbrown::HashTable;
use prefetch_index::prefetch_index;

use crate::engine::hash_slot::{Slot, spread, upper};

/// The kind of an id. Equal texts in different spaces are different ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Space {
    /// An `anonymousId`.
    Anonymous,
    /// A `userId`.
    User,
    /// A normalised e-mail address.
    Email,
    /// A `groupId`.
    Group,
}

impl Space {
    /// All spaces, in order.
    pub const ALL: [Self; 4] = [Self::Anonymous, Self::User, Self::Email, Self::Group];
}

/// The number of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u32);

impl NodeId {
    /// Returns the number as an index.
    #[inline]
    pub fn index(self) -> usize {
        self.0 as usize
    }

    /// Returns the number.
    #[inline]
    pub fn to_raw(self) -> u32 {
        self.0
    }

    /// Creates an id from the number that [`to_raw`](Self::to_raw) returned.
    #[inline]
    pub fn from_raw(raw: u32) -> Self {
        Self(raw)
    }
}

/// The position of an id's text, and its space; kept small, as there is one for each id.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// The start of the text; the two upper bits are the space.
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

/// A set of ids, numbered in order of insertion. The hash function is seeded randomly for each run,
/// so that ids that collide cannot be constructed. Sets with the same hash function share hashes.
#[derive(Clone, Debug)]
pub struct Ids {
    hasher: RandomState,
    table: HashTable<Slot>,
    entries: Vec<Entry>,
    /// The texts of all ids, back to back.
    texts: String,
}

/// Returns an integer that orders as the space and the beginning of the text do.
pub(super) fn prefix(space: Space, text: &[u8]) -> u64 {
    let mut first = [0; 8];
    let len = text.len().min(first.len());
    first[..len].copy_from_slice(&text[..len]);
    (space as u64) << Entry::SPACE_SHIFT | u64::from_be_bytes(first) >> 2
}

/// The expected length of a text: that of a UUID, as e-mails are shorter.
const USUAL_BYTES: usize = 36;
/// The bytes of a table in addition to those of its slots.
const TABLE_END_BYTES: usize = 16;
/// The placeholder of an id that has no number yet.
const UNKNOWN: NodeId = NodeId(u32::MAX);

impl Ids {
    /// Creates an empty set whose hash function is `hasher`.
    pub fn new(hasher: RandomState) -> Self {
        Self { hasher, table: HashTable::new(), entries: Vec::new(), texts: String::new() }
    }

    /// Reserves memory for about `ids` ids. Unused memory is never touched; if the allocation
    /// fails, the set grows as needed.
    pub fn reserve(&mut self, ids: usize) {
        let _ = self.entries.try_reserve_exact(ids);
        let _ = self.texts.try_reserve_exact(ids * USUAL_BYTES);
    }

    /// Returns the number of `text` in `space`, and adds it if it has none.
    #[inline]
    pub fn intern(&mut self, space: Space, text: &str) -> NodeId {
        let hash = upper(self.hasher.hash_one((space as u8, text)));
        self.intern_hashed(space, text, hash)
    }

    /// Returns the number of `text` in `space`, if it has one.
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

    /// Returns the maximum memory in bytes while `more` ids with texts of `text_bytes` bytes are
    /// added. When a list or the table grows, both the old and the new one are counted.
    pub fn bytes_with(&self, more: usize, text_bytes: usize) -> usize {
        let grown = |len: usize, capacity: usize, more: usize| {
            if len + more <= capacity { len + more } else { 2 * len + more }
        };
        let entries = grown(self.entries.len(), self.entries.capacity(), more);
        let texts = grown(self.texts.len(), self.texts.capacity(), text_bytes);
        let table = self.table.allocation_size();
        let table = if self.len() + more <= self.table.capacity() {
            table
        } else {
            // At most seven of eight slots are in use, and each has one byte of metadata.
            let slots = ((self.len() + more) * 8).div_ceil(7).next_power_of_two().max(4);
            table + slots * (size_of::<Slot>() + 1) + TABLE_END_BYTES
        };
        entries * size_of::<Entry>() + texts + table
    }

    /// Returns the memory in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes_with(0, 0)
    }

    /// Returns all ids, ordered by space and text.
    pub fn in_order(&self) -> impl ExactSizeIterator<Item = (NodeId, Space, &str)> {
        let with_prefix =
            |(id, space): (NodeId, Space)| (prefix(space, self.text(id).as_bytes()), id);
        let mut order: Vec<(u64, NodeId)> = self.iter().map(with_prefix).collect();
        order.sort_unstable_by(|a, b| {
            a.0.cmp(&b.0).then_with(|| self.text(a.1).cmp(self.text(b.1)))
        });
        order.into_iter().map(|(_, id)| (id, self.space(id), self.text(id)))
    }

    /// Adds all ids of `other`, which must have the same hash function; `map` receives the number
    /// of each in this set, in the order of `other`.
    pub fn absorb(&mut self, other: &Self, map: &mut Vec<NodeId>) {
        map.clear();
        if !self.look_up(other, map) {
            self.add(other, map);
        }
    }

    /// Appends the numbers in this set of the ids of `other`, which must have the same hash
    /// function, to `numbers`, in the order of `other`. Returns whether all ids have a number; if
    /// not, [`add`](Self::add) completes `numbers`.
    pub fn look_up(&self, other: &Self, numbers: &mut Vec<NodeId>) -> bool {
        // Slots, texts and comparisons are done in separate passes, so that cache misses overlap.
        numbers.extend(other.entries.iter().map(|entry| {
            let slot = self.table.find(spread(entry.hash), |slot| slot.hash == entry.hash);
            slot.map_or(UNKNOWN, |slot| NodeId(slot.place))
        }));
        for id in &*numbers {
            prefetch_index(&self.entries, id.index());
        }
        for entry in numbers.iter().filter_map(|id| self.entries.get(id.index())) {
            prefetch_index(self.texts.as_bytes(), entry.range().start);
        }
        let mut is_complete = true;
        for (id, entry) in numbers.iter_mut().zip(&other.entries) {
            if *id == UNKNOWN || !self.is(*id, entry.space(), &other.texts[entry.range()]) {
                *id = UNKNOWN;
                is_complete = false;
            }
        }
        is_complete
    }

    /// Adds the ids of `other` that had no number in [`look_up`](Self::look_up), unless they were
    /// added since, and completes `numbers`.
    pub fn add(&mut self, other: &Self, numbers: &mut [NodeId]) {
        for (id, entry) in numbers.iter_mut().zip(&other.entries) {
            if *id == UNKNOWN {
                *id = self.intern_hashed(entry.space(), &other.texts[entry.range()], entry.hash);
            }
        }
    }

    /// Returns the text of `id`.
    #[inline]
    pub fn text(&self, id: NodeId) -> &str {
        &self.texts[self.entries[id.index()].range()]
    }

    /// Prefetches the entry of `id`.
    #[inline]
    pub fn prefetch(&self, id: NodeId) {
        prefetch_index(&self.entries, id.index());
    }

    /// Returns the texts of all ids, back to back.
    pub fn texts(&self) -> &str {
        &self.texts
    }

    /// Returns the end of the text of each id in [`texts`](Self::texts).
    #[allow(clippy::cast_possible_truncation)] // used for the ids of a block only
    pub fn ends(&self) -> impl Iterator<Item = u32> + '_ {
        self.entries.iter().map(|entry| entry.range().end as u32)
    }

    /// Returns the space of `id`.
    #[inline]
    pub fn space(&self, id: NodeId) -> Space {
        self.entries[id.index()].space()
    }

    /// Returns the number of ids.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns whether there are no ids.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns all ids with their spaces, in order of insertion.
    pub fn iter(&self) -> impl Iterator<Item = (NodeId, Space)> + '_ {
        (0_u32..).zip(&self.entries).map(|(place, entry)| (NodeId(place), entry.space()))
    }

    /// Removes all ids, and keeps the allocations.
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
    fn ids_in_order_are_by_space_and_text() {
        let mut ids = Ids::new(RandomState::new());
        let long = "ana@acme.example";
        for (space, text) in [
            (Space::Email, "ana@acme.example.org"),
            (Space::User, "b"),
            (Space::Anonymous, "\u{e9}"),
            (Space::Email, long),
            (Space::Group, ""),
            (Space::Anonymous, "z"),
            (Space::User, "anna"),
            (Space::User, "ann"),
        ] {
            ids.intern(space, text);
        }
        let mut expected: Vec<_> = ids.iter().map(|(id, space)| (space, ids.text(id))).collect();
        expected.sort_unstable();
        let order: Vec<_> = ids.in_order().map(|(_, space, text)| (space, text)).collect();
        assert_eq!(order, expected);
    }

    #[test]
    fn the_memory_of_a_set_is_known_before_ids_are_added() {
        let mut ids = Ids::new(RandomState::new());
        for number in 0..20_000 {
            let text = format!("{number:036}");
            let told = ids.bytes_with(1, text.len());
            ids.intern(Space::Anonymous, &text);
            let taken = ids.entries.len() * size_of::<Entry>()
                + ids.texts.len()
                + ids.table.allocation_size();
            assert!(told >= taken && ids.bytes() == taken, "{number}: {told} {taken}");
        }
        assert!(ids.bytes() < 20_000 * 120, "{}", ids.bytes());
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
