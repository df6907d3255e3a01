//! The download of a range of an object: a bounded buffer between the thread of requests and a
//! reader.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::error::{StoreError, StoreErrorKind};
use super::object::ByteStream;

/// The interval at which a waiting reader checks the stop flag.
const STOP_CHECK_INTERVAL: Duration = Duration::from_millis(50);

/// The download of a range of an object, with the chunks that were received and not consumed yet.
pub(super) struct Download {
    /// The size of the buffer, in bytes.
    reserved_bytes: u64,
    state: Mutex<State>,
    /// Notified when a chunk or the end arrives.
    filled: Condvar,
    /// Notified when a chunk is consumed.
    drained: Notify,
}

#[derive(Default)]
struct State {
    chunks: VecDeque<Bytes>,
    bytes: u64,
    /// The result of the download once it has ended.
    end: Option<Result<(), StoreError>>,
    task: Option<AbortHandle>,
    is_aborted: bool,
}

impl Download {
    /// Creates a download that was not started, with a buffer of `reserved_bytes`.
    pub fn new(reserved_bytes: u64) -> Self {
        Self {
            reserved_bytes,
            state: Mutex::default(),
            filled: Condvar::new(),
            drained: Notify::new(),
        }
    }

    /// The size of the buffer, in bytes.
    pub fn reserved_bytes(&self) -> u64 {
        self.reserved_bytes
    }

    /// Receives `stream` until its end, but waits while the buffer is full.
    pub async fn fill(&self, mut stream: ByteStream) {
        while let Some(chunk) = stream.next().await {
            match chunk {
                Ok(chunk) => self.push(chunk),
                Err(error) => return self.set_end(Err(error)),
            }
            while self.state().bytes > self.reserved_bytes {
                self.drained.notified().await;
            }
        }
        self.set_end(Ok(()));
    }

    fn push(&self, chunk: Bytes) {
        let mut state = self.state();
        state.bytes += chunk.len() as u64;
        state.chunks.push_back(chunk);
        drop(state);
        self.filled.notify_one();
    }

    fn set_end(&self, end: Result<(), StoreError>) {
        self.state().end = Some(end);
        self.filled.notify_one();
    }

    /// Returns the next chunk; `None` at the end. Waits for it until `stop` is set.
    ///
    /// # Errors
    /// Returns an error if the rest cannot be read or if `stop` is set. Later calls return the
    /// error of the download again.
    pub fn next_chunk(&self, stop: Option<&AtomicBool>) -> Result<Option<Bytes>, StoreError> {
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
            let waited = self.filled.wait_timeout(state, STOP_CHECK_INTERVAL);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Sets the task that receives the range, and aborts it if the download was aborted already.
    pub fn set_task(&self, task: AbortHandle) {
        let mut state = self.state();
        if state.is_aborted {
            task.abort();
        }
        state.task = Some(task);
    }

    /// Aborts the download. The reader gets an error after the chunks that were received.
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

    fn chunks(count: u8) -> ByteStream {
        futures_util::stream::iter((0..count).map(|it| Ok(Bytes::from(vec![it; 100])))).boxed()
    }

    #[test]
    fn chunks_arrive_in_order_and_the_buffer_is_bounded() {
        let runtime = Runtime::start().unwrap();
        let download = Arc::new(Download::new(250));
        let filled = Arc::clone(&download);
        runtime.handle().spawn(async move { filled.fill(chunks(50)).await });
        for expected in 0..50 {
            let chunk = download.next_chunk(None).unwrap().unwrap();
            assert_eq!((chunk.len(), chunk[0]), (100, expected));
            assert!(download.state().bytes <= 400);
        }
        assert_eq!(download.next_chunk(None), Ok(None));
    }

    #[test]
    fn an_error_follows_the_chunks_before_it_and_the_stop_flag_ends_the_wait() {
        let runtime = Runtime::start().unwrap();
        let download = Arc::new(Download::new(1000));
        let error = StoreError::new("s3://b/a", StoreErrorKind::Replaced, "replaced");
        let (filled, broken) = (Arc::clone(&download), error.clone());
        let bytes = chunks(1).chain(futures_util::stream::iter([Err(broken)])).boxed();
        runtime.handle().spawn(async move { filled.fill(bytes).await });
        assert!(download.next_chunk(None).unwrap().is_some());
        assert_eq!(download.next_chunk(None), Err(error));
        let stop = AtomicBool::new(true);
        assert_eq!(Download::new(1).next_chunk(Some(&stop)).unwrap_err().message, "interrupted");
    }
}
