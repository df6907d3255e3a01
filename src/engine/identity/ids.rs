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
    /// All of them, in their order.
    pub const ALL: [Self; 4] = [Self::Anonymous, Self::User, Self::Email, Self::Group];
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

/// The space and the beginning of a text, as a number that is ordered as they are.
pub(super) fn prefix(space: Space, text: &[u8]) -> u64 {
    let mut first = [0; 8];
    let len = text.len().min(first.len());
    first[..len].copy_from_slice(&text[..len]);
    (space as u64) << Entry::SPACE_SHIFT | u64::from_be_bytes(first) >> 2
}

/// The text of a UUID; e-mails are shorter.
const USUAL_BYTES: usize = 36;
/// What a table has of bytes beyond those of its slots.
const TABLE_END_BYTES: usize = 16;
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

    /// How many bytes of memory the set takes at most while `more` ids with texts of so many bytes are
    /// added to it; where a list or the table grows, the old one is there beside the new.
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
            // Seven of eight slots are in use at most, and each has a byte of the table's own.
            let slots = ((self.len() + more) * 8).div_ceil(7).next_power_of_two().max(4);
            table + slots * (size_of::<Slot>() + 1) + TABLE_END_BYTES
        };
        entries * size_of::<Entry>() + texts + table
    }

    /// How many bytes of memory the set takes.
    pub fn bytes(&self) -> usize {
        self.bytes_with(0, 0)
    }

    /// All ids by space, and those of a space by text.
    pub fn in_order(&self) -> impl ExactSizeIterator<Item = (NodeId, Space, &str)> {
        let with_prefix =
            |(id, space): (NodeId, Space)| (prefix(space, self.text(id).as_bytes()), id);
        let mut order: Vec<(u64, NodeId)> = self.iter().map(with_prefix).collect();
        order.sort_unstable_by(|a, b| {
            a.0.cmp(&b.0).then_with(|| self.text(a.1).cmp(self.text(b.1)))
        });
        order.into_iter().map(|(_, id)| (id, self.space(id), self.text(id)))
    }

    /// Adds every id of `other`, which must share the hash function; `map` receives the number here of each,
    /// in `other`'s order.
    pub fn absorb(&mut self, other: &Self, map: &mut Vec<NodeId>) {
        map.clear();
        if !self.look_up(other, map) {
            self.add(other, map);
        }
    }

    /// Appends to `numbers` the number here of each id of `other`, which must share the hash function, in its
    /// order. Returns whether all are here; [`add`](Self::add) completes the numbers otherwise.
    pub fn look_up(&self, other: &Self, numbers: &mut Vec<NodeId>) -> bool {
        // First where each may be, then its text, then whether it is: apart, the waits for memory overlap.
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

    /// Adds those ids of `other` that had no number when `numbers` were [looked up](Self::look_up), unless
    /// they were added since, and completes `numbers`.
    pub fn add(&mut self, other: &Self, numbers: &mut [NodeId]) {
        for (id, entry) in numbers.iter_mut().zip(&other.entries) {
            if *id == UNKNOWN {
                *id = self.intern_hashed(entry.space(), &other.texts[entry.range()], entry.hash);
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
    fn what_a_set_will_take_is_told_before() {
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
