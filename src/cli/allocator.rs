//! Settings of the allocator, mimalloc, which the program and the Python module install.

use libmimalloc_sys::{mi_option_set_default, mi_option_t};

/// `mi_option_purge_delay` of mimalloc's `mi_option_e`: the milliseconds after which freed memory is
/// returned to the system.
const PURGE_DELAY: mi_option_t = 15;

/// Makes the allocator keep freed memory for ten seconds instead of one, unless the environment sets
/// `MIMALLOC_PURGE_DELAY`.
///
/// A second after a run began, its second phase needs the memory that the first one freed. Pages
/// that were returned in between are cleared again by the system, which takes up to 4 % of the time.
pub(super) fn keep_freed_memory() {
    // SAFETY: stores one integer in a table of mimalloc, which ignores unknown options. It has no
    // preconditions, and has no effect on processes with another allocator.
    #[allow(unsafe_code)]
    unsafe {
        mi_option_set_default(PURGE_DELAY, 10_000);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_is_the_delay_in_milliseconds() {
        // SAFETY: reads one integer.
        #[allow(unsafe_code)]
        let delay = || unsafe { libmimalloc_sys::mi_option_get(PURGE_DELAY) };
        assert_eq!(delay(), 1000, "the default of mimalloc");
        keep_freed_memory();
        assert_eq!(delay(), 10_000);
    }
}
