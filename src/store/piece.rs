//! A part of an object on its way from the thread of requests to one that parses.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::error::{StoreError, StoreErrorKind};
use super::object::Pieces;

/// How often the flag is looked at while nothing comes.
const PATIENCE: Duration = Duration::from_millis(50);

/// A part of an object: what came of it and was not used up.
pub(super) struct Piece {
    /// How much memory it may take, in bytes.
    taken: u64,
    state: Mutex<State>,
    /// Told when something came.
    filled: Condvar,
    /// Told when something was used up.
    drained: Notify,
}

#[derive(Default)]
struct State {
    chunks: VecDeque<Bytes>,
    bytes: u64,
    /// How it ended.
    end: Option<Result<(), StoreError>>,
    task: Option<AbortHandle>,
    is_aborted: bool,
}

impl Piece {
    /// A piece that may take so much memory, in bytes.
    pub fn new(taken: u64) -> Self {
        Self { taken, state: Mutex::default(), filled: Condvar::new(), drained: Notify::new() }
    }

    /// How much memory it may take, in bytes.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// Fills it with what `bytes` gives, no faster than it is used up.
    pub async fn fill(&self, mut bytes: Pieces) {
        while let Some(chunk) = bytes.next().await {
            match chunk {
                Ok(chunk) => self.push(chunk),
                Err(error) => return self.end(Err(error)),
            }
            while self.state().bytes > self.taken {
                self.drained.notified().await;
            }
        }
        self.end(Ok(()));
    }

    fn push(&self, chunk: Bytes) {
        let mut state = self.state();
        state.bytes += chunk.len() as u64;
        state.chunks.push_back(chunk);
        drop(state);
        self.filled.notify_one();
    }

    fn end(&self, end: Result<(), StoreError>) {
        self.state().end = Some(end);
        self.filled.notify_one();
    }

    /// What came next; `None` at the end. Waits for it, unless `stop` is set: then it is at its end.
    ///
    /// # Errors
    /// When the rest cannot be read; the same again after that.
    pub fn take(&self, stop: Option<&AtomicBool>) -> Result<Option<Bytes>, StoreError> {
        let mut state = self.state();
        loop {
            if let Some(chunk) = state.chunks.pop_front() {
                state.bytes -= chunk.len() as u64;
                drop(state);
                self.drained.notify_one();
                return Ok(Some(chunk));
            }
            if let Some(end) = &state.end {
                return end.clone().map(|()| None);
            }
            if stop.is_some_and(|stop| stop.load(Ordering::Relaxed)) {
                return Err(interrupted());
            }
            let waited = self.filled.wait_timeout(state, PATIENCE);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Makes known which task fills it.
    pub fn on_abort(&self, task: AbortHandle) {
        let mut state = self.state();
        if state.is_aborted {
            task.abort();
        }
        state.task = Some(task);
    }

    /// Ends it: nobody wants the rest.
    pub fn abort(&self) {
        let mut state = self.state();
        state.is_aborted = true;
        state.end.get_or_insert_with(|| Err(interrupted()));
        if let Some(task) = &state.task {
            task.abort();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn interrupted() -> StoreError {
    StoreError::new("object storage", StoreErrorKind::Other, "interrupted")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::store::runtime::Runtime;

    fn chunks(count: u8) -> Pieces {
        futures_util::stream::iter((0..count).map(|it| Ok(Bytes::from(vec![it; 100])))).boxed()
    }

    #[test]
    fn what_goes_in_comes_out_in_order_and_no_more_waits_than_may() {
        let runtime = Runtime::start().unwrap();
        let piece = Arc::new(Piece::new(250));
        let filling = Arc::clone(&piece);
        runtime.handle().spawn(async move { filling.fill(chunks(50)).await });
        for expected in 0..50 {
            let chunk = piece.take(None).unwrap().unwrap();
            assert_eq!((chunk.len(), chunk[0]), (100, expected));
            assert!(piece.state().bytes <= 400);
        }
        assert_eq!(piece.take(None), Ok(None));
    }

    #[test]
    fn an_error_comes_after_what_came_before_it_and_a_flag_ends_the_wait() {
        let runtime = Runtime::start().unwrap();
        let piece = Arc::new(Piece::new(1000));
        let error = StoreError::new("s3://b/a", StoreErrorKind::Replaced, "replaced");
        let (filling, broken) = (Arc::clone(&piece), error.clone());
        let bytes = chunks(1).chain(futures_util::stream::iter([Err(broken)])).boxed();
        runtime.handle().spawn(async move { filling.fill(bytes).await });
        assert!(piece.take(None).unwrap().is_some());
        assert_eq!(piece.take(None), Err(error));
        let stop = AtomicBool::new(true);
        assert_eq!(Piece::new(1).take(Some(&stop)).unwrap_err().message, "interrupted");
    }
}
