//! Objects read ahead of the threads that parse them.
//!
//! Objects are read in pieces. Those of open objects come first, so many of each that they fill a
//! window; then those of objects that will be opened next, in order, for as long as all pieces that
//! are not used up fit into the budget. What an open object needs next is read in any case, so that
//! no thread waits for memory that another one holds.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::io::{self, Read};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::{Buf as _, Bytes};

use super::found::Found;
use super::object::Object;
use super::piece::Piece;

/// The largest piece, in bytes.
const LARGEST_PIECE: u64 = 8 << 20;
/// The smallest, however small the budget is.
const SMALLEST_PIECE: u64 = 64 << 10;
/// How many pieces of one object are read beside one another.
const WINDOW: u64 = 4;
/// What a piece takes at least of the budget: a connection has buffers, too.
const LEAST_TAKEN: u64 = 64 << 10;
/// How many requests may be under way.
const MOST_REQUESTS: usize = 64;
/// How many objects may be read before they are opened.
const MOST_OBJECTS: usize = 256;

/// What object stands at this place among the inputs, if one does.
pub type Finder = Box<dyn Fn(u32) -> Option<Found> + Send + Sync>;

/// Reads objects ahead, in order.
pub struct Ahead {
    shared: Arc<Shared>,
}

struct Shared {
    find: Finder,
    /// How many inputs there are.
    count: u32,
    piece: u64,
    stop: Option<&'static AtomicBool>,
    state: Mutex<State>,
}

struct State {
    /// The first input that was not looked at yet.
    next: u32,
    active: BTreeMap<u32, Active>,
    /// What is left of the budget; less than nothing where open objects needed more.
    free: i64,
    requests: usize,
    is_closed: bool,
}

/// An object that is being read.
struct Active {
    object: Object,
    url: Arc<str>,
    size: Option<u64>,
    /// Where the next piece begins; `None` once all have begun.
    next: Option<u64>,
    /// Pieces that were begun and not asked for yet.
    pieces: VecDeque<Arc<Piece>>,
    /// What its pieces take of the budget.
    taken: u64,
    is_open: bool,
}

/// A piece that is to be read.
struct Begun {
    object: Object,
    url: Arc<str>,
    size: Option<u64>,
    range: std::ops::Range<u64>,
    piece: Arc<Piece>,
}

impl Ahead {
    /// Reads those of `count` inputs that `find` finds, up to about `budget` bytes ahead. What waits
    /// ends once `stop` is set.
    pub fn new(count: u32, find: Finder, budget: u64, stop: Option<&'static AtomicBool>) -> Self {
        let state = State {
            next: 0,
            active: BTreeMap::new(),
            free: i64::try_from(budget).unwrap_or(i64::MAX),
            requests: 0,
            is_closed: false,
        };
        let piece = (budget / (2 * WINDOW)).clamp(SMALLEST_PIECE, LARGEST_PIECE);
        let shared = Arc::new(Shared { find, count, piece, stop, state: Mutex::new(state) });
        shared.begin(shared.state());
        Self { shared }
    }

    /// The bytes of the object among the inputs at `index`, which is opened once.
    pub fn open(&self, index: u32) -> ObjectReader {
        let mut state = self.shared.state();
        if !state.active.contains_key(&index)
            && let Some(found) = (self.shared.find)(index)
        {
            state.active.insert(index, Active::new(found));
            state.next = state.next.max(index + 1);
        }
        if let Some(active) = state.active.get_mut(&index) {
            active.is_open = true;
        }
        self.shared.begin(state);
        let shared = Arc::clone(&self.shared);
        ObjectReader { shared, index, piece: None, chunk: Bytes::new() }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.is_closed = true;
        for piece in state.active.values().flat_map(|active| &active.pieces) {
            piece.abort();
        }
        state.active.clear();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins as many pieces as may be read now.
    fn begin(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        let begun = self.plan(&mut state);
        drop(state);
        for Begun { object, url, size, range, piece } in begun {
            let shared = Arc::downgrade(self);
            let handle = object.store().runtime().handle().clone();
            let filling = Arc::clone(&piece);
            let task = handle.spawn(async move {
                let _done = Done(shared);
                filling.fill(object.read(url, range, size)).await;
            });
            piece.on_abort(task.abort_handle());
        }
    }

    fn plan(&self, state: &mut State) -> Vec<Begun> {
        let mut begun = Vec::new();
        if state.is_closed {
            return begun;
        }
        for is_open in [true, false] {
            for active in state.active.values_mut().filter(|active| active.is_open == is_open) {
                active.plan(self.piece, &mut state.free, &mut state.requests, &mut begun);
            }
        }
        while state.free > 0
            && state.requests < MOST_REQUESTS
            && state.active.len() < MOST_OBJECTS
            && state.next < self.count
        {
            let index = state.next;
            state.next += 1;
            if let Some(found) = (self.find)(index) {
                let mut active = Active::new(found);
                active.plan(self.piece, &mut state.free, &mut state.requests, &mut begun);
                state.active.insert(index, active);
            }
        }
        begun
    }
}

impl Active {
    fn new(found: Found) -> Self {
        let Found { url, size, object } = found;
        let next = (size != Some(0)).then_some(0);
        let pieces = VecDeque::new();
        Self { object, url: url.into(), size, next, pieces, taken: 0, is_open: false }
    }

    /// Begins pieces until they fill the window or the budget.
    fn plan(&mut self, longest: u64, free: &mut i64, requests: &mut usize, begun: &mut Vec<Begun>) {
        while let Some(start) = self.next {
            let is_needed = self.is_open && self.taken == 0;
            let may_begin = *free > 0 && *requests < MOST_REQUESTS && self.taken < WINDOW * longest;
            if !is_needed && !may_begin {
                return;
            }
            let (range, taken) = match self.size {
                Some(size) if self.object.is_ranged() => {
                    let end = start.saturating_add(longest).min(size);
                    (start..end, (end - start).max(LEAST_TAKEN))
                }
                size => (0..size.unwrap_or(0), WINDOW * longest),
            };
            self.next = Some(range.end)
                .filter(|end| self.object.is_ranged() && self.size.is_some_and(|size| *end < size));
            let piece = Arc::new(Piece::new(taken));
            self.pieces.push_back(Arc::clone(&piece));
            self.taken += taken;
            *free = free.saturating_sub_unsigned(taken);
            *requests += 1;
            let (object, url, size) = (self.object.clone(), Arc::clone(&self.url), self.size);
            begun.push(Begun { object, url, size, range, piece });
        }
    }
}

/// Counts a request that has ended, however it did.
struct Done(Weak<Shared>);

impl Drop for Done {
    fn drop(&mut self) {
        if let Some(shared) = self.0.upgrade() {
            let mut state = shared.state();
            state.requests -= 1;
            shared.begin(state);
        }
    }
}

/// The bytes of an object.
pub struct ObjectReader {
    shared: Arc<Shared>,
    index: u32,
    /// The piece that is being used.
    piece: Option<Arc<Piece>>,
    chunk: Bytes,
}

impl ObjectReader {
    /// The piece that comes next; `None` at the end.
    fn next_piece(&self) -> Option<Arc<Piece>> {
        let mut state = self.shared.state();
        let active = state.active.get_mut(&self.index)?;
        active.pieces.pop_front()
    }

    /// Gives back what `piece` took of the budget.
    fn release(&self, piece: &Piece) {
        let mut state = self.shared.state();
        state.free = state.free.saturating_add_unsigned(piece.taken());
        if let Some(active) = state.active.get_mut(&self.index) {
            active.taken -= piece.taken();
        }
        self.shared.begin(state);
    }
}

impl Read for ObjectReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() {
            let piece = match self.piece.take() {
                Some(piece) => piece,
                None => match self.next_piece() {
                    Some(piece) => piece,
                    None => return Ok(0),
                },
            };
            match piece.take(self.shared.stop) {
                Ok(Some(chunk)) => {
                    self.chunk = chunk;
                    self.piece = Some(piece);
                }
                Ok(None) => self.release(&piece),
                Err(error) => {
                    self.piece = Some(piece);
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
        for piece in active.pieces.iter().chain(&self.piece) {
            piece.abort();
        }
        state.free = state.free.saturating_add_unsigned(active.taken);
        self.shared.begin(state);
    }
}

impl fmt::Debug for Ahead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ahead").field("inputs", &self.shared.count).finish_non_exhaustive()
    }
}

impl fmt::Debug for ObjectReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectReader").field("index", &self.index).finish_non_exhaustive()
    }
}
