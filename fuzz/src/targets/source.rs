//! Blocks and sequences of values: however a file is cut into blocks, the same is found in it.

use super::reading;

/// Reads `data` as a file in small and in large blocks.
///
/// How a file is laid out is told from its first block, so that has room for the blanks and
/// comments before the first value.
///
/// # Panics
/// If they differ.
pub fn target(data: &[u8]) {
    let whole = reading::file(data, 1 << 20);
    let start = data.iter().position(|byte| b"{[".contains(byte)).unwrap_or(64);
    for block_bytes in [1, 64, 777].map(|more| start + more) {
        assert_eq!(reading::file(data, block_bytes), whole, "blocks of {block_bytes} bytes");
    }
}
