//! The thread that sends all requests to stores.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use super::error::{StoreError, StoreErrorKind};

/// The interval at which a waiting caller checks the stop flag.
const STOP_CHECK_INTERVAL: Duration = Duration::from_millis(50);

/// A thread that runs futures. When this is dropped, the thread ends and drops unfinished futures.
#[derive(Debug)]
pub struct Runtime {
    handle: Handle,
    /// Ends the thread when dropped.
    _end: oneshot::Sender<()>,
}

impl Runtime {
    /// Starts the thread.
    ///
    /// # Errors
    /// Returns an error if the system cannot start a thread.
    pub fn start() -> Result<Self, StoreError> {
        let failed = |error: std::io::Error| {
            let message = format!("cannot start a thread for requests to stores: {error}");
            StoreError::new("object storage", StoreErrorKind::Other, message)
        };
        let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let handle = runtime.handle().clone();
        let (end, ended) = oneshot::channel::<()>();
        let run = move || {
            let _ = runtime.block_on(ended);
            // Does not wait for DNS lookups, which block a thread of their own.
            runtime.shutdown_background();
        };
        thread::Builder::new().name("store".into()).spawn(run).map_err(failed)?;
        Ok(Self { handle, _end: end })
    }

    /// Runs `future` on the thread and waits for its result. Must not be called from the thread
    /// itself.
    ///
    /// # Errors
    /// Returns the error of the future, or an error if `stop` is set before it is done.
    pub fn run<T: Send + 'static>(
        &self,
        future: impl Future<Output = Result<T, StoreError>> + Send + 'static,
        stop: Option<&AtomicBool>,
    ) -> Result<T, StoreError> {
        let (sender, receiver) = sync_channel(1);
        let task = self.handle.spawn(async move {
            let _ = sender.send(future.await);
        });
        let error = |message: &str| {
            Err(StoreError::new("object storage", StoreErrorKind::Other, message.to_owned()))
        };
        loop {
            match receiver.recv_timeout(STOP_CHECK_INTERVAL) {
                Ok(result) => return result,
                Err(RecvTimeoutError::Timeout) => {
                    if stop.is_some_and(|stop| stop.load(Ordering::Relaxed)) {
                        task.abort();
                        return error("interrupted");
                    }
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return error("the thread of requests to stores ended unexpectedly");
                }
            }
        }
    }

    /// Returns a handle for spawning tasks on the thread.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn futures_run_until_they_are_done_or_the_stop_flag_is_set() {
        let runtime = Runtime::start().unwrap();
        assert_eq!(runtime.run(async { Ok(7) }, None), Ok(7));
        let stop = AtomicBool::new(true);
        let never = std::future::pending::<Result<(), StoreError>>();
        assert_eq!(runtime.run(never, Some(&stop)).unwrap_err().message, "interrupted");
        let panics = async {
            assert!(is_outside_runtime(), "a future that panics");
            Ok(())
        };
        assert!(runtime.run(panics, None).unwrap_err().message.contains("ended unexpectedly"));
        assert_eq!(runtime.run(async { Ok(8) }, None), Ok(8), "the runtime survives a panic");
    }

    fn is_outside_runtime() -> bool {
        Handle::try_current().is_err()
    }
}
