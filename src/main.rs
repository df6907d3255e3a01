//! The `backtrail` command: runs [`backtrail::cli::program`] in its process.

#[cfg(unix)]
mod inherited;

use std::process::ExitCode;

use backtrail::cli::program::{self, Process};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    #[cfg(unix)]
    inherited::outlive_file_size_limits();
    let process = Process { has_stdout: has_stdout() };
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
