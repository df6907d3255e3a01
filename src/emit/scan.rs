//! Searches the bytes of a cell.

use wide::u8x16;

/// Returns `true` if `wanted` returns `true` for any byte of `bytes`. There is no early exit within
/// blocks of sixteen bytes, so that the compiler can vectorize the test.
#[inline]
pub(super) fn any(bytes: &[u8], wanted: impl Fn(u8) -> bool) -> bool {
    let (blocks, rest) = bytes.as_chunks::<16>();
    blocks.iter().any(|block| block.iter().fold(false, |found, &byte| found | wanted(byte)))
        || rest.iter().any(|&byte| wanted(byte))
}

/// Four bytes to search for, none of them zero, in mostly short cells.
#[derive(Clone, Copy)]
pub(super) struct Needles {
    bytes: [u8; 4],
    largest: u8,
}

impl Needles {
    pub(super) const fn new(bytes: [u8; 4]) -> Self {
        let (mut largest, mut at) = (0, 0);
        while at < bytes.len() {
            largest = if bytes[at] > largest { bytes[at] } else { largest };
            at += 1;
        }
        Self { bytes, largest }
    }

    /// Returns `true` if any of the four bytes occurs in `bytes`.
    #[inline]
    pub(super) fn are_in(self, bytes: &[u8]) -> bool {
        if let Some(last) = bytes.last_chunk::<16>() {
            // The last block may overlap with the one before it.
            let blocks = || bytes.as_chunks::<16>().0.iter().chain([last]);
            // Most cells contain no byte as small as the largest needle, which is cheaper to test.
            let small = blocks().fold(u8x16::ZERO, |small, block| {
                let block = u8x16::new(*block);
                small | block.min(u8x16::splat(self.largest)).simd_eq(block)
            });
            return small.to_bitmask() != 0 && blocks().any(|block| self.are_in_block(block));
        }
        // Shorter cells are tested as a block of their two ends, which may overlap.
        let mut block = [0; 16];
        if let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
            block[..8].copy_from_slice(first);
            block[8..].copy_from_slice(last);
            return self.are_in_block(&block);
        }
        if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
            block[..4].copy_from_slice(first);
            block[4..8].copy_from_slice(last);
            return self.are_in_block(&block);
        }
        bytes.iter().any(|byte| self.bytes.contains(byte))
    }

    #[inline]
    fn are_in_block(self, block: &[u8; 16]) -> bool {
        let block = u8x16::new(*block);
        let [a, b, c, d] = self.bytes.map(|needle| block.simd_eq(u8x16::splat(needle)));
        ((a | b) | (c | d)).to_bitmask() != 0
    }
}

#[cfg(test)]
mod tests {
    use super::Needles;

    #[test]
    fn finds_a_byte_wherever_it_stands() {
        let needles = Needles::new(*b"xyz\n");
        for length in 0..40 {
            let mut bytes = vec![b'a'; length];
            assert!(!needles.are_in(&bytes));
            assert!(!super::any(&bytes, |byte| byte == b'x'));
            for at in 0..length {
                for needle in *b"xyz\n" {
                    bytes[at] = needle;
                    assert!(needles.are_in(&bytes), "{length} {at}");
                    assert!(super::any(&bytes, |byte| byte == needle));
                }
                for other in [0, 0x80, 0xff, b'x' + 0x80, b'w', b'{', b'\r'] {
                    bytes[at] = other;
                    assert!(!needles.are_in(&bytes), "{length} {at} {other}");
                }
                bytes[at] = b'a';
            }
        }
    }
}
