//! Work beside the interpreter, which Ctrl-C stops.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use pyo3::prelude::*;

/// How often signals are looked for.
const INTERVAL: Duration = Duration::from_millis(50);

/// Flags that no work uses now. A flag lives as long as the process, because whoever waits for input
/// that never comes may look at it at any time.
static IDLE: Mutex<Vec<&'static AtomicBool>> = Mutex::new(Vec::new());

/// Does `work` on a thread of its own without holding the interpreter. On Ctrl-C the flag that it is
/// given is set, and the `KeyboardInterrupt` is raised once it has ended.
pub fn interruptible<T: Send>(
    py: Python<'_>,
    work: impl FnOnce(&'static AtomicBool) -> T + Send,
) -> PyResult<T> {
    let idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let stop: &'static AtomicBool =
        idle.unwrap_or_else(|| Box::leak(Box::new(AtomicBool::new(false))));
    let (result, raised) = py.detach(|| beside(stop, work));
    stop.store(false, Ordering::Relaxed);
    IDLE.lock().unwrap_or_else(PoisonError::into_inner).push(stop);
    match (raised, result) {
        (Some(interrupt), _) => Err(interrupt),
        (None, Ok(value)) => Ok(value),
        (None, Err(panic)) => resume_unwind(panic),
    }
}

/// The result of `work`, and what a signal handler raised meanwhile.
fn beside<T: Send>(
    stop: &'static AtomicBool,
    work: impl FnOnce(&'static AtomicBool) -> T + Send,
) -> (std::thread::Result<T>, Option<PyErr>) {
    let (sender, receiver) = sync_channel(1);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            // Whoever receives waits until this has been sent.
            let _ = sender.send(catch_unwind(AssertUnwindSafe(|| work(stop))));
        });
        let mut raised = None;
        loop {
            match receiver.recv_timeout(INTERVAL) {
                Ok(result) => return (result, raised),
                Err(RecvTimeoutError::Disconnected) => {
                    return (Err(Box::new("the thread of the work has gone")), raised);
                }
                Err(RecvTimeoutError::Timeout) if raised.is_none() => {
                    // The method itself is not general enough.
                    #[allow(clippy::redundant_closure_for_method_calls)]
                    if let Err(interrupt) = Python::attach(|py| py.check_signals()) {
                        stop.store(true, Ordering::Relaxed);
                        raised = Some(interrupt);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    })
}
