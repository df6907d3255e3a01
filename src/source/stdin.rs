//! The size of standard input if it is a regular file (`backtrail run < events.ndjson`).

/// Returns the number of bytes left to read; `None` for pipes, terminals and the like.
#[cfg(unix)]
pub(super) fn size() -> Option<u64> {
    use std::fs::File;
    use std::io::{Seek as _, stdin};
    use std::os::fd::AsFd as _;

    let mut file = File::from(stdin().as_fd().try_clone_to_owned().ok()?);
    let found = file.metadata().ok().filter(std::fs::Metadata::is_file)?;
    // Another program may have read the beginning.
    Some(found.len().saturating_sub(file.stream_position().ok()?))
}

/// Unknown on this platform.
#[cfg(not(unix))]
pub(super) fn size() -> Option<u64> {
    None
}
