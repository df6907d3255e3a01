//! Standard input where it is a regular file (`backtrail run < events.ndjson`).

/// How many bytes of it are left to read; `None` of pipes, terminals and the like.
#[cfg(unix)]
pub(super) fn size() -> Option<u64> {
    use std::fs::File;
    use std::io::{Seek as _, stdin};
    use std::os::fd::AsFd as _;

    let mut file = File::from(stdin().as_fd().try_clone_to_owned().ok()?);
    let found = file.metadata().ok().filter(std::fs::Metadata::is_file)?;
    // Another program may have read the first of it.
    Some(found.len().saturating_sub(file.stream_position().ok()?))
}

/// Not known here.
#[cfg(not(unix))]
pub(super) fn size() -> Option<u64> {
    None
}
