//! The thread on which all requests to stores run, beside the threads that parse.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use super::error::{StoreError, StoreErrorKind};

/// How often the flag is looked at while an answer is awaited.
const PATIENCE: Duration = Duration::from_millis(50);

/// A thread that runs futures until this is dropped; what is still running then is dropped, too.
#[derive(Debug)]
pub struct Runtime {
    handle: Handle,
    /// Dropped, it ends the thread.
    _end: oneshot::Sender<()>,
}

impl Runtime {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system gives none.
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
            // A look-up of a name may hang on a thread of its own; nobody waits for it.
            runtime.shutdown_background();
        };
        thread::Builder::new().name("store".into()).spawn(run).map_err(failed)?;
        Ok(Self { handle, _end: end })
    }

    /// Runs `future` on the thread and waits for what it comes to. Not to be called from the thread
    /// itself.
    ///
    /// # Errors
    /// Those of the future; and when `stop` was set before it was done.
    pub fn run<T: Send + 'static>(
        &self,
        future: impl Future<Output = Result<T, StoreError>> + Send + 'static,
        stop: Option<&AtomicBool>,
    ) -> Result<T, StoreError> {
        let (sender, receiver) = sync_channel(1);
        let task = self.handle.spawn(async move {
            let _ = sender.send(future.await);
        });
        let ended = |message: &str| {
            Err(StoreError::new("object storage", StoreErrorKind::Other, message.to_owned()))
        };
        loop {
            match receiver.recv_timeout(PATIENCE) {
                Ok(result) => return result,
                Err(RecvTimeoutError::Timeout) => {
                    if stop.is_some_and(|stop| stop.load(Ordering::Relaxed)) {
                        task.abort();
                        return ended("interrupted");
                    }
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return ended("the thread of requests to stores has ended before its time");
                }
            }
        }
    }

    /// For tasks that run beside others.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn futures_run_to_their_end_or_until_the_flag_is_set() {
        let runtime = Runtime::start().unwrap();
        assert_eq!(runtime.run(async { Ok(7) }, None), Ok(7));
        let stop = AtomicBool::new(true);
        let never = std::future::pending::<Result<(), StoreError>>();
        assert_eq!(runtime.run(never, Some(&stop)).unwrap_err().message, "interrupted");
        let panics = async {
            assert!(runtime_is_there(), "a future that panics");
            Ok(())
        };
        assert!(runtime.run(panics, None).unwrap_err().message.contains("before its time"));
        assert_eq!(runtime.run(async { Ok(8) }, None), Ok(8), "others go on");
    }

    fn runtime_is_there() -> bool {
        Handle::try_current().is_err()
    }
}
