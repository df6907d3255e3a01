//! The `backtrail` command: runs [`backtrail::cli::program`] in its process.

#[cfg(unix)]
mod inherited;

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use backtrail::cli::program::{self, Process};
use backtrail::error::Error;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Set by the first Ctrl-C.
static STOP: AtomicBool = AtomicBool::new(false);

fn main() -> ExitCode {
    #[cfg(unix)]
    inherited::outlive_file_size_limits();
    let process = Process { stop: &STOP, watch_signals, has_stdout: has_stdout() };
    ExitCode::from(program::main(std::env::args_os(), process))
}

#[cfg(unix)]
fn has_stdout() -> bool {
    !inherited::stdout_was_closed()
}

#[cfg(not(unix))]
fn has_stdout() -> bool {
    true
}

fn watch_signals() -> Result<(), Error> {
    ctrlc::set_handler(interrupt).map_err(|error| Error::Setup(error.to_string()))
}

/// Handles Ctrl-C: the first one stops the run cleanly, the second one ends the program at once.
#[allow(clippy::exit)] // nothing that is still running may hold it up
fn interrupt() {
    if STOP.swap(true, Ordering::Relaxed) {
        std::process::exit(130);
    }
}
