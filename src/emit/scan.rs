//! Looking through the bytes of a cell.

/// Whether any byte of `bytes` is what `wanted` looks for. Blocks of sixteen have no early way
/// out, so that the compiler can test all sixteen at once.
#[inline]
pub(super) fn any(bytes: &[u8], wanted: impl Fn(u8) -> bool) -> bool {
    let (blocks, rest) = bytes.as_chunks::<16>();
    blocks.iter().any(|block| block.iter().fold(false, |found, &byte| found | wanted(byte)))
        || rest.iter().any(|&byte| wanted(byte))
}

#[cfg(test)]
mod tests {
    #[test]
    fn finds_a_byte_wherever_it_stands() {
        for length in 0..40 {
            let mut bytes = vec![b'a'; length];
            assert!(!super::any(&bytes, |byte| byte == b'x'));
            for at in 0..length {
                bytes[at] = b'x';
                assert!(super::any(&bytes, |byte| byte == b'x'));
                bytes[at] = b'a';
            }
        }
    }
}
