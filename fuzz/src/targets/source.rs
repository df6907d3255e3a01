//! Blocks and sequences of values: however a file is cut into blocks, the same is found in it.

use super::reading;

/// Reads `data` as a file in small and in large blocks.
///
/// # Panics
/// If they differ.
pub fn target(data: &[u8]) {
    let whole = reading::file(data, 1 << 20);
    for block_bytes in [1, 64, 777] {
        assert_eq!(reading::file(data, block_bytes), whole, "blocks of {block_bytes} bytes");
    }
}
