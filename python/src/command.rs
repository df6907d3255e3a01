//! The command `backtrail` that the package installs.

use std::ffi::OsString;
use std::io::Write;

use backtrail::cli::program::{self, Process};
use pyo3::prelude::*;

/// Runs the command that ``args`` ask for, the first of which is the name of the program, and returns
/// its exit code. It takes over the handlers of SIGINT, SIGTERM and SIGHUP.
#[pyfunction]
pub fn main(py: Python<'_>, args: Vec<OsString>, has_stdout: bool) -> u8 {
    py.detach(|| {
        let code = program::main(args, Process { has_stdout });
        // The interpreter does not know of this buffer. What it holds after an error is not missed.
        let _ = std::io::stdout().flush();
        code
    })
}
