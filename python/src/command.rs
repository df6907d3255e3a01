//! The command `backtrail` that the package installs.

use std::ffi::OsString;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

use backtrail::cli::program::{self, Process};
use backtrail::error::Error;
use pyo3::prelude::*;

/// Set by the first Ctrl-C.
static STOP: AtomicBool = AtomicBool::new(false);

/// Runs the command that ``args`` ask for, the first of which is the name of the program, and returns
/// its exit code. It takes over the handlers of SIGINT, SIGTERM and SIGHUP.
#[pyfunction]
pub fn main(py: Python<'_>, args: Vec<OsString>, has_stdout: bool) -> u8 {
    py.detach(|| {
        let process = Process { stop: &STOP, watch_signals, has_stdout };
        let code = program::main(args, process);
        // The interpreter does not know of this buffer. What it holds after an error is not missed.
        let _ = std::io::stdout().flush();
        code
    })
}

fn watch_signals() -> Result<(), Error> {
    ctrlc::set_handler(interrupt).map_err(|error| Error::Setup(error.to_string()))
}

/// The first Ctrl-C ends the run in order, the second at once.
#[allow(clippy::exit)] // nothing that is still running may hold it up
fn interrupt() {
    if STOP.swap(true, Ordering::Relaxed) {
        std::process::exit(130);
    }
}
