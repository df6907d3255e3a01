//! Timelines of anonymous ids, of which there can be many more than fit into memory.

use std::io;

use ahash::AHashMap;

use super::all_ids::AllIds;
use super::entry_index::EntryIndex;
use super::ids::{NodeId, Space};
use super::links::link_number;
use super::timeline::{Buffers, Link, NOWHERE, Summary, Timeline, TimelineEntry, TimelineTable};
use crate::engine::exchange::blocks::{BlockWriter, Blocks, Failure};
use crate::engine::exchange::bytes::{put_length, take, take_length, take_u32};
use crate::engine::exchange::sequence::broken;
use crate::engine::exchange::spill::Spill;
use crate::time::Time;

/// The number of timelines that are read at once.
const BLOCK: usize = 32;
/// The number of bytes that are written at once.
const PIECE_BYTES: usize = 64 << 10;
/// The maximum number of links of a timeline on disk. A longer one stays in memory, since it would be
/// read with each timeline of its block.
const MAX_LINKS: usize = 1 << 10;
/// The size of a link on disk.
const LINK_BYTES: usize = 12;

/// The timelines of anonymous ids.
#[derive(Debug)]
pub(super) struct Anonymous {
    /// All anonymous ids have numbers below this one.
    end: u32,
    kept: Kept,
    resolved: u64,
    shared: Vec<(NodeId, usize)>,
}

#[derive(Debug)]
enum Kept {
    Memory(TimelineTable),
    Disk(Box<OnDisk>),
}

#[derive(Debug)]
struct OnDisk {
    index: EntryIndex,
    blocks: Blocks,
    long: Long,
    spill: Spill,
    failure: Failure,
}

/// Long timelines, by entry.
type Long = AHashMap<usize, (Box<[Link]>, Summary)>;

impl Anonymous {
    /// Returns whether `id` is an anonymous id.
    #[inline]
    pub fn has(&self, id: NodeId) -> bool {
        id.to_raw() < self.end
    }

    /// Returns the timeline of `id`; empty if it is on disk.
    #[inline]
    pub fn of(&self, id: NodeId) -> Timeline<'_> {
        match &self.kept {
            Kept::Memory(table) => table.of(id),
            Kept::Disk(_) => Timeline::UNTIED,
        }
    }

    /// Returns whether timelines are on disk.
    #[inline]
    pub fn is_on_disk(&self) -> bool {
        matches!(self.kept, Kept::Disk(_))
    }

    /// Reads the timeline of `id` from disk into `buffers`.
    pub fn load<'b>(&'b self, id: NodeId, buffers: &'b mut Buffers) -> Timeline<'b> {
        let Kept::Disk(disk) = &self.kept else { return Timeline::UNTIED };
        let Some(place) = disk.index.position(id) else { return Timeline::UNTIED };
        if let Some((links, summary)) = disk.long.get(&place) {
            return Timeline { links, summary: *summary };
        }
        match disk.read(place, buffers) {
            Ok(summary) => Timeline { links: &buffers.links, summary },
            Err(error) => {
                disk.failure.set(error);
                Timeline::UNTIED
            }
        }
    }

    /// Checks that all timelines could be read.
    #[inline]
    pub fn check(&self) -> io::Result<()> {
        match &self.kept {
            Kept::Memory(_) => Ok(()),
            Kept::Disk(disk) => disk.failure.check(),
        }
    }

    /// Returns the number of anonymous ids that resolve to an e-mail.
    pub fn resolved(&self) -> u64 {
        self.resolved
    }

    /// Returns the ids with more e-mails than the limit, and how many they have.
    pub fn shared(&self) -> &[(NodeId, usize)] {
        &self.shared
    }

    /// Returns the memory in bytes.
    pub fn bytes(&self) -> usize {
        match &self.kept {
            Kept::Memory(table) => table.bytes(),
            Kept::Disk(disk) => {
                let long = disk.long.values().map(|(links, _)| size_of_val(&**links));
                disk.index.bytes() + disk.blocks.bytes() + long.sum::<usize>()
            }
        }
    }
}

impl OnDisk {
    fn read(&self, place: usize, buffers: &mut Buffers) -> io::Result<Summary> {
        let Buffers { bytes, links } = buffers;
        let mut bytes = self.blocks.read(place / BLOCK, &self.spill, bytes)?;
        for _ in 0..place % BLOCK {
            let (count, _) = take_head(&mut bytes).ok_or_else(broken)?;
            bytes = bytes.get(count * LINK_BYTES..).ok_or_else(broken)?;
        }
        let (count, summary) = take_head(&mut bytes).ok_or_else(broken)?;
        links.clear();
        for _ in 0..count {
            links.push(take_link(&mut bytes).ok_or_else(broken)?);
        }
        Ok(summary)
    }
}

/// Appends a timeline: the number of links, the summary, and the links.
fn put_timeline(links: &[Link], summary: Summary, out: &mut Vec<u8>) {
    put_length(links.len(), out);
    put_length(summary.emails as usize, out);
    out.extend_from_slice(&[summary.distance, u8::from(summary.leads_through_shared)]);
    for link in links {
        out.extend_from_slice(&link.time.to_raw().to_le_bytes());
        out.extend_from_slice(&link.target.to_raw().to_le_bytes());
    }
}

/// Writes the timeline of an entry to `blocks`, or a long one to `long` instead.
fn put_on_disk(
    (place, links, summary): (usize, &[Link], Summary),
    blocks: &mut BlockWriter<'_>,
    long: &mut Long,
) -> io::Result<()> {
    let links = if links.len() > MAX_LINKS {
        long.insert(place, (links.into(), summary));
        &[]
    } else {
        links
    };
    blocks.put(|out| put_timeline(links, summary, out))
}

fn take_head(bytes: &mut &[u8]) -> Option<(usize, Summary)> {
    let count = take_length(bytes)?;
    let emails = u32::try_from(take_length(bytes)?).ok()?;
    let [distance, shared] = take(bytes)?;
    Some((count, Summary { emails, distance, leads_through_shared: shared != 0 }))
}

fn take_link(bytes: &mut &[u8]) -> Option<Link> {
    let time = take(bytes).map(|raw| Time::from_raw(i64::from_le_bytes(raw)))?;
    Some(Link { time, target: NodeId::from_raw(take_u32(bytes)?) })
}

/// Collects the timelines of anonymous ids, in the order of their numbers.
pub(super) struct AnonymousWriter<'s> {
    end: u32,
    max_emails: usize,
    budget_bytes: usize,
    spill: &'s Spill,
    index: EntryIndex,
    /// Timelines in memory, until there are too many.
    entries: Vec<TimelineEntry>,
    links: Vec<Link>,
    /// Timelines on disk, from then on.
    blocks: Option<BlockWriter<'s>>,
    long: Long,
    resolved: u64,
    shared: Vec<(NodeId, usize)>,
}

impl<'s> AnonymousWriter<'s> {
    /// Creates a writer of the timelines of anonymous ids among `ids`. Up to `budget_bytes` are
    /// kept in memory; if there are more, all are written to `spill`. Ids with more than
    /// `max_emails` e-mails are listed.
    pub fn new(ids: &AllIds, max_emails: usize, budget_bytes: usize, spill: &'s Spill) -> Self {
        Self {
            end: ids.of_space(Space::User).next().map_or(ids.email_numbers().start, NodeId::to_raw),
            max_emails,
            budget_bytes,
            spill,
            index: EntryIndex::new(ids),
            entries: Vec::new(),
            links: Vec::new(),
            blocks: None,
            long: Long::new(),
            resolved: 0,
            shared: Vec::new(),
        }
    }

    /// Adds the timeline of `id`.
    ///
    /// # Errors
    /// Returns an error if it cannot be written.
    pub fn put(&mut self, id: NodeId, links: &[Link], summary: Summary) -> io::Result<()> {
        let place = self.index.push(id);
        self.resolved += u64::from(summary.distance != NOWHERE);
        if summary.emails as usize > self.max_emails {
            self.shared.push((id, summary.emails as usize));
        }
        if let Some(blocks) = &mut self.blocks {
            return put_on_disk((place, links, summary), blocks, &mut self.long);
        }
        let start = link_number(self.links.len());
        self.links.extend_from_slice(links);
        let end = link_number(self.links.len());
        self.entries.push(TimelineEntry { start, end, summary });
        let bytes = self.entries.capacity() * size_of::<TimelineEntry>()
            + self.links.capacity() * size_of::<Link>();
        if bytes > self.budget_bytes { self.spill() } else { Ok(()) }
    }

    /// Moves the timelines to disk.
    fn spill(&mut self) -> io::Result<()> {
        let mut blocks = BlockWriter::new(self.spill, PIECE_BYTES, BLOCK);
        for (place, &TimelineEntry { start, end, summary }) in self.entries.iter().enumerate() {
            let links = &self.links[start as usize..end as usize];
            put_on_disk((place, links, summary), &mut blocks, &mut self.long)?;
        }
        (self.entries, self.links) = (Vec::new(), Vec::new());
        self.blocks = Some(blocks);
        Ok(())
    }

    /// Returns the collected timelines, without the spill.
    ///
    /// # Errors
    /// Returns an error if the last timelines cannot be written.
    pub fn finish(self) -> io::Result<Written> {
        let Self { end, mut index, mut entries, mut links, blocks, long, resolved, shared, .. } =
            self;
        index.finish();
        let blocks = blocks.map(BlockWriter::finish).transpose()?;
        entries.shrink_to_fit();
        links.shrink_to_fit();
        let table = TimelineTable { index, entries, links };
        Ok(Written { end, table, blocks, long, resolved, shared })
    }
}

/// The timelines that an [`AnonymousWriter`] collected.
pub(super) struct Written {
    end: u32,
    table: TimelineTable,
    blocks: Option<Blocks>,
    long: Long,
    resolved: u64,
    shared: Vec<(NodeId, usize)>,
}

impl Written {
    /// Adds the spill to which the timelines were written.
    pub fn into_timelines(self, spill: Spill) -> Anonymous {
        let Self { end, table, blocks, long, resolved, shared } = self;
        let kept = match blocks {
            None => Kept::Memory(table),
            Some(blocks) => {
                let (index, failure) = (table.index, Failure::default());
                Kept::Disk(Box::new(OnDisk { index, blocks, long, spill, failure }))
            }
        };
        Anonymous { end, kept, resolved, shared }
    }
}
