//! Ctrl-C: what signals do to a command.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::Error;

/// Set by the first signal.
static STOP: AtomicBool = AtomicBool::new(false);

/// Handles the signals of this process from now on, and returns the flag that the first one sets.
///
/// # Errors
/// When the process has a handler already.
pub fn watch() -> Result<&'static AtomicBool, Error> {
    ctrlc::set_handler(interrupt).map_err(|error| Error::Setup(error.to_string()))?;
    Ok(&STOP)
}

/// The first signal ends the job in order, the second one the process at once.
#[allow(clippy::exit)] // nothing that is still running may hold it up
fn interrupt() {
    if STOP.swap(true, Ordering::Relaxed) {
        std::process::exit(130);
    }
}
