//! What a process inherits: closed streams and the limit of file sizes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::SIGXFSZ;

/// Whether standard output was closed when the process began.
static STDOUT_WAS_CLOSED: AtomicBool = AtomicBool::new(false);

/// Before `main` the standard library opens `/dev/null` in place of a closed standard stream, after
/// which nothing tells it from one that was redirected there: so this looks earlier still.
// Safe before `main`: it makes one system call and stores one atomic, and uses nothing of the
// standard library that has to be set up.
#[ctor::ctor(unsafe)]
fn look_at_stdout() {
    let closed = rustix::io::fcntl_getfd(rustix::stdio::stdout()) == Err(rustix::io::Errno::BADF);
    STDOUT_WAS_CLOSED.store(closed, Ordering::Relaxed);
}

/// Whether standard output was closed when the process began.
pub fn stdout_was_closed() -> bool {
    STDOUT_WAS_CLOSED.load(Ordering::Relaxed)
}

/// Makes a write past the limit of file sizes (`ulimit -f`) an error like any other: unless the
/// signal has a handler, it kills the process.
pub fn outlive_file_size_limits() {
    // Without the handler the process dies of the signal, as it would have.
    let _ = signal_hook::flag::register(SIGXFSZ, Arc::default());
}
