//! Prefetching of objects for the threads that parse them.
//!
//! Objects are downloaded in ranges. Open objects have priority: each gets enough downloads to fill
//! a window. Objects that will be opened next follow, in input order, as long as all downloaded and
//! unconsumed bytes fit into the budget. The next range that an open object needs is always
//! downloaded, so that no thread waits for memory that another one holds.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::io::{self, Read};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::{Buf as _, Bytes};

use super::download::Download;
use super::entry::ObjectEntry;
use super::error::StoreError;
use super::object::Object;

/// The maximum length of a range, in bytes.
const MAX_RANGE_BYTES: u64 = 8 << 20;
/// The minimum length of a range, in bytes, even if the budget is smaller.
const MIN_RANGE_BYTES: u64 = 64 << 10;
/// The maximum number of concurrent downloads of one object.
const WINDOW: u64 = 4;
/// The minimum that a download reserves of the budget, in bytes, as a connection has buffers, too.
const MIN_RESERVED_BYTES: u64 = 64 << 10;
/// The maximum number of concurrent requests.
const MAX_REQUESTS: usize = 64;
/// The maximum number of active objects: open, or downloaded before they are opened.
const MAX_OBJECTS: usize = 256;

/// Returns the object of the input with this index, if that input is an object.
pub type EntryLookup = Box<dyn Fn(u32) -> Option<ObjectEntry> + Send + Sync>;

/// Downloads objects in input order before they are opened.
pub struct Prefetcher {
    shared: Arc<Shared>,
}

struct Shared {
    find: EntryLookup,
    /// The number of inputs.
    count: u32,
    /// The length of a range, in bytes.
    range_bytes: u64,
    stop: Option<&'static AtomicBool>,
    state: Mutex<State>,
}

struct State {
    /// The index of the first input that was not looked up yet.
    next: u32,
    /// Objects that are open or prefetched, by the index of the input.
    active: BTreeMap<u32, ActiveObject>,
    /// The rest of the budget, in bytes; negative if open objects needed more.
    free_bytes: i64,
    /// The number of unfinished requests.
    requests: usize,
    /// The errors of reads.
    errors: Vec<StoreError>,
    is_closed: bool,
}

/// An object that is open or prefetched.
struct ActiveObject {
    object: Object,
    url: Arc<str>,
    size: Option<u64>,
    /// The offset at which the next range starts; `None` once all downloads have started.
    next_offset: Option<u64>,
    /// Downloads that were started and not taken by the reader yet.
    downloads: VecDeque<Arc<Download>>,
    /// The sum of what its downloads reserve of the budget, in bytes.
    reserved: u64,
    is_open: bool,
}

/// A download that is to be started.
struct PlannedDownload {
    object: Object,
    url: Arc<str>,
    size: Option<u64>,
    range: std::ops::Range<u64>,
    download: Arc<Download>,
}

impl Prefetcher {
    /// Prefetches the objects among `count` inputs, which `find` returns, with about `budget` bytes
    /// of memory. Reads fail once `stop` is set.
    pub fn new(
        count: u32,
        find: EntryLookup,
        budget: u64,
        stop: Option<&'static AtomicBool>,
    ) -> Self {
        let state = State {
            next: 0,
            active: BTreeMap::new(),
            free_bytes: i64::try_from(budget).unwrap_or(i64::MAX),
            requests: 0,
            errors: Vec::new(),
            is_closed: false,
        };
        let range_bytes = (budget / (2 * WINDOW)).clamp(MIN_RANGE_BYTES, MAX_RANGE_BYTES);
        let shared = Arc::new(Shared { find, count, range_bytes, stop, state: Mutex::new(state) });
        shared.start_downloads(shared.state());
        Self { shared }
    }

    /// Opens the object of the input `index`. May be called once for each input.
    pub fn open(&self, index: u32) -> ObjectReader {
        let mut state = self.shared.state();
        if !state.active.contains_key(&index)
            && let Some(entry) = (self.shared.find)(index)
        {
            state.active.insert(index, ActiveObject::new(entry));
            state.next = state.next.max(index + 1);
        }
        if let Some(active) = state.active.get_mut(&index) {
            active.is_open = true;
        }
        self.shared.start_downloads(state);
        let shared = Arc::clone(&self.shared);
        ObjectReader { shared, index, download: None, chunk: Bytes::new() }
    }

    /// Returns the errors of reads so far.
    pub fn errors(&self) -> Vec<StoreError> {
        self.shared.state().errors.clone()
    }
}

impl Drop for Prefetcher {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.is_closed = true;
        for download in state.active.values().flat_map(|active| &active.downloads) {
            download.abort();
        }
        state.active.clear();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts as many downloads as the limits permit.
    fn start_downloads(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        let planned = self.plan(&mut state);
        drop(state);
        for PlannedDownload { object, url, size, range, download } in planned {
            let shared = Arc::downgrade(self);
            let handle = object.store().runtime().handle().clone();
            let filled = Arc::clone(&download);
            let task = handle.spawn(async move {
                let _guard = RequestGuard(shared);
                filled.fill(object.read(url, range, size)).await;
            });
            download.set_task(task.abort_handle());
        }
    }

    fn plan(&self, state: &mut State) -> Vec<PlannedDownload> {
        let mut planned = Vec::new();
        if state.is_closed {
            return planned;
        }
        for is_open in [true, false] {
            for active in state.active.values_mut().filter(|active| active.is_open == is_open) {
                active.plan(
                    self.range_bytes,
                    &mut state.free_bytes,
                    &mut state.requests,
                    &mut planned,
                );
            }
        }
        while state.free_bytes > 0
            && state.requests < MAX_REQUESTS
            && state.active.len() < MAX_OBJECTS
            && state.next < self.count
        {
            let index = state.next;
            state.next += 1;
            if let Some(entry) = (self.find)(index) {
                let mut active = ActiveObject::new(entry);
                active.plan(
                    self.range_bytes,
                    &mut state.free_bytes,
                    &mut state.requests,
                    &mut planned,
                );
                state.active.insert(index, active);
            }
        }
        planned
    }
}

impl ActiveObject {
    fn new(entry: ObjectEntry) -> Self {
        let ObjectEntry { url, size, object } = entry;
        let next_offset = (size != Some(0)).then_some(0);
        let downloads = VecDeque::new();
        Self { object, url: url.into(), size, next_offset, downloads, reserved: 0, is_open: false }
    }

    /// Plans downloads until they fill the window or the budget.
    fn plan(
        &mut self,
        range_bytes: u64,
        free_bytes: &mut i64,
        requests: &mut usize,
        planned: &mut Vec<PlannedDownload>,
    ) {
        while let Some(start) = self.next_offset {
            let is_needed = self.is_open && self.reserved == 0;
            let may_start =
                *free_bytes > 0 && *requests < MAX_REQUESTS && self.reserved < WINDOW * range_bytes;
            if !is_needed && !may_start {
                return;
            }
            let (range, reserved) = match self.size {
                Some(size) if self.object.is_ranged() => {
                    let end = start.saturating_add(range_bytes).min(size);
                    (start..end, (end - start).max(MIN_RESERVED_BYTES))
                }
                size => (0..size.unwrap_or(0), WINDOW * range_bytes),
            };
            self.next_offset = Some(range.end)
                .filter(|end| self.object.is_ranged() && self.size.is_some_and(|size| *end < size));
            let download = Arc::new(Download::new(reserved));
            self.downloads.push_back(Arc::clone(&download));
            self.reserved += reserved;
            *free_bytes = free_bytes.saturating_sub_unsigned(reserved);
            *requests += 1;
            let (object, url, size) = (self.object.clone(), Arc::clone(&self.url), self.size);
            planned.push(PlannedDownload { object, url, size, range, download });
        }
    }
}

/// Decrements the number of requests when a request ends, even if its task is aborted.
struct RequestGuard(Weak<Shared>);

impl Drop for RequestGuard {
    fn drop(&mut self) {
        if let Some(shared) = self.0.upgrade() {
            let mut state = shared.state();
            state.requests -= 1;
            shared.start_downloads(state);
        }
    }
}

/// Reads the bytes of an object.
pub struct ObjectReader {
    shared: Arc<Shared>,
    index: u32,
    /// The download that is being consumed.
    download: Option<Arc<Download>>,
    chunk: Bytes,
}

impl ObjectReader {
    /// Takes the next download; `None` after the last one.
    fn next_download(&self) -> Option<Arc<Download>> {
        let mut state = self.shared.state();
        let active = state.active.get_mut(&self.index)?;
        active.downloads.pop_front()
    }

    /// Returns what `download` reserved to the budget.
    fn release(&self, download: &Download) {
        let mut state = self.shared.state();
        state.free_bytes = state.free_bytes.saturating_add_unsigned(download.reserved_bytes());
        if let Some(active) = state.active.get_mut(&self.index) {
            active.reserved -= download.reserved_bytes();
        }
        self.shared.start_downloads(state);
    }
}

impl Read for ObjectReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() {
            let download = match self.download.take() {
                Some(download) => download,
                None => match self.next_download() {
                    Some(download) => download,
                    None => return Ok(0),
                },
            };
            match download.next_chunk(self.shared.stop) {
                Ok(Some(chunk)) => {
                    self.chunk = chunk;
                    self.download = Some(download);
                }
                Ok(None) => self.release(&download),
                Err(error) => {
                    self.download = Some(download);
                    self.shared.state().errors.push(error.clone());
                    return Err(io::Error::other(error.message));
                }
            }
        }
        let count = self.chunk.len().min(out.len());
        self.chunk.copy_to_slice(&mut out[..count]);
        Ok(count)
    }
}

impl Drop for ObjectReader {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        let Some(active) = state.active.remove(&self.index) else { return };
        for download in active.downloads.iter().chain(&self.download) {
            download.abort();
        }
        state.free_bytes = state.free_bytes.saturating_add_unsigned(active.reserved);
        self.shared.start_downloads(state);
    }
}

impl fmt::Debug for Prefetcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prefetcher").field("inputs", &self.shared.count).finish_non_exhaustive()
    }
}

impl fmt::Debug for ObjectReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectReader").field("index", &self.index).finish_non_exhaustive()
    }
}
