//! A table of leads that knows how much memory it takes.

use ahash::RandomState;
use hashbrown::HashTable;

use super::Lead;
use crate::engine::hash_slot::{Slot, spread, upper};
use crate::engine::identity::ids::NodeId;

/// The number of leads in a piece; a single list would be copied whenever it grows.
const PIECE: usize = 32;

/// Leads by e-mail.
#[derive(Debug, Default)]
pub(super) struct LeadTable {
    hasher: RandomState,
    places: HashTable<Slot>,
    pieces: Vec<Vec<(NodeId, Lead)>>,
    len: usize,
    /// The memory of the leads outside of the pieces.
    heap_bytes: usize,
}

impl LeadTable {
    /// Returns the number of leads.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns the memory that the table takes, in bytes.
    pub fn bytes(&self) -> usize {
        let pieces = self.pieces.len() * PIECE * size_of::<(NodeId, Lead)>();
        pieces + self.places.allocation_size() + self.heap_bytes
    }

    /// Calls `add` with the lead of `email`, which is created if there is none.
    pub fn with(&mut self, email: NodeId, add: impl FnOnce(&mut Lead)) {
        let place = self.place(email);
        let (_, lead) = &mut self.pieces[place / PIECE][place % PIECE];
        let before = lead.heap_bytes();
        add(lead);
        self.heap_bytes = self.heap_bytes - before + lead.heap_bytes();
    }

    fn place(&mut self, email: NodeId) -> usize {
        let hash = upper(self.hasher.hash_one(email));
        let Self { places, pieces, .. } = self;
        let email_at = |place: u32| pieces[place as usize / PIECE][place as usize % PIECE].0;
        let same = |slot: &Slot| slot.hash == hash && email_at(slot.place) == email;
        if let Some(slot) = places.find(spread(hash), same) {
            return slot.place as usize;
        }
        if self.len == pieces.len() * PIECE {
            pieces.push(Vec::with_capacity(PIECE));
        }
        pieces[self.len / PIECE].push((email, Lead::default()));
        #[allow(clippy::cast_possible_truncation)] // e-mails are numbered in 32 bits
        let slot = Slot { hash, place: self.len as u32 };
        places.insert_unique(spread(hash), slot, |slot| spread(slot.hash));
        self.len += 1;
        self.len - 1
    }

    /// Returns the lead at `place`, in order of creation, and its e-mail.
    pub fn get(&self, place: usize) -> Option<&(NodeId, Lead)> {
        self.pieces.get(place / PIECE)?.get(place % PIECE)
    }

    /// Iterates over all leads in order of creation. They must not be made to take more memory.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut (NodeId, Lead)> {
        self.pieces.iter_mut().flatten()
    }

    /// Removes all leads; each piece is freed after its last lead.
    pub fn drain(&mut self) -> impl Iterator<Item = (NodeId, Lead)> + use<> {
        self.places.clear();
        (self.len, self.heap_bytes) = (0, 0);
        std::mem::take(&mut self.pieces).into_iter().flatten()
    }

    /// Keeps the leads for whose e-mails `keep` returns `true`.
    pub fn retain(&mut self, keep: impl Fn(NodeId) -> bool) {
        let pieces = std::mem::take(&mut self.pieces);
        *self = Self::default();
        for (email, lead) in pieces.into_iter().flatten().filter(|&(email, _)| keep(email)) {
            self.with(email, |kept| *kept = lead);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(table: &LeadTable) -> Vec<(u32, u64)> {
        let leads = (0..).map_while(|place| table.get(place));
        leads.map(|(email, lead)| (email.to_raw(), lead.signals)).collect()
    }

    #[test]
    fn each_lead_is_there_once_and_what_it_takes_is_known() {
        let mut table = LeadTable::default();
        for round in 0..3_u32 {
            for number in 0..1000_u32 {
                table.with(NodeId::from_raw(number * 7), |lead| {
                    lead.signals += 1;
                    lead.anonymous_ids.insert(NodeId::from_raw(round * 100 + number));
                    lead.periods.insert(round);
                });
            }
        }
        assert_eq!(table.len(), 1000);
        assert_eq!(numbered(&table), (0..1000).map(|number| (number * 7, 3)).collect::<Vec<_>>());
        let bytes = table.bytes();
        assert!(
            (1000 * size_of::<Lead>()..1000 * 2 * size_of::<Lead>()).contains(&bytes),
            "{bytes}"
        );
        table.with(NodeId::from_raw(7), |lead| {
            (0..10_000).for_each(|id| lead.anonymous_ids.insert(NodeId::from_raw(id)));
        });
        assert!(table.bytes() >= bytes + 40_000, "{bytes} {}", table.bytes());
        table.retain(|email| email.to_raw() < 14);
        assert_eq!(numbered(&table), [(0, 3), (7, 3)]);
        assert!((40_000..bytes).contains(&table.bytes()));
        assert_eq!(table.drain().count(), 2);
        assert_eq!((table.len(), table.heap_bytes), (0, 0));
        table.with(NodeId::from_raw(7), |lead| lead.signals += 1);
        assert_eq!(numbered(&table), [(7, 1)]);
    }
}
