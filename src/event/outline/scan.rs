//! The end of a value, and the comparison of the text between values, many bytes at a time.

use wide::{u8x16, u8x32};

/// The number of bytes of a string that are examined at once.
const STEP: usize = 16;
/// The number of bytes of a literal that are compared at once; few literals are longer.
const HEAD: usize = 32;
/// The maximum number of digits of a number; more may exceed the precision of a double.
const MAX_DIGITS: usize = 15;
/// The maximum number of zeros after the point of a fraction below 1; with more, the canonical form
/// has an exponent.
const MAX_LEADING_ZEROS: usize = 5;

/// The byte that ends a search for the end of a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The closing quote, at this offset.
    Quote(usize),
    /// An escape before the closing quote.
    Backslash,
}

/// Searches for the end of the string whose first byte is at `at`. Returns `None` if the string has
/// a control character or is too near the end of `bytes`.
#[inline]
pub(super) fn text_end(bytes: &[u8], mut at: usize) -> Option<Stop> {
    loop {
        let block = u8x16::new(*bytes.get(at..)?.first_chunk::<STEP>()?);
        let quotes = block.simd_eq(u8x16::splat(b'"'));
        let controls = block.min(u8x16::splat(0x1f)).simd_eq(block);
        let others = block.simd_eq(u8x16::splat(b'\\')) | controls;
        let stops = (quotes | others).to_bitmask();
        if stops == 0 {
            at += STEP;
            continue;
        }
        let run = stops.trailing_zeros();
        at += run as usize;
        if quotes.to_bitmask() >> run & 1 == 1 {
            return Some(Stop::Quote(at));
        }
        return (bytes.get(at) == Some(&b'\\')).then_some(Stop::Backslash);
    }
}

/// Returns the end of the number that begins at `at`, or `None` unless it is in the form of RFC
/// 8785: without an exponent, with few enough digits for a double, and without a trailing zero in a
/// fraction.
#[inline]
pub(super) fn number_end(bytes: &[u8], at: usize) -> Option<usize> {
    let negative = *bytes.get(at)? == b'-';
    let first = at + usize::from(negative);
    let point = digits_end(bytes, first);
    let is_zero = *bytes.get(first)? == b'0';
    if point == first || point - first > MAX_DIGITS || (is_zero && point - first > 1) {
        return None;
    }
    if bytes.get(point) != Some(&b'.') {
        return (!(negative && is_zero)).then_some(point);
    }
    let end = digits_end(bytes, point + 1);
    let fraction = &bytes[point + 1..end];
    let leading_zeros = fraction.iter().take_while(|&&digit| digit == b'0').count();
    let fits = fraction.last().is_some_and(|&digit| digit != b'0')
        && end - first - 1 <= MAX_DIGITS
        && (!is_zero || leading_zeros <= MAX_LEADING_ZEROS);
    fits.then_some(end)
}

#[inline]
fn digits_end(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    at
}

/// A text that is compared with a line: its first bytes, which are mostly the whole, and its place
/// in [`Literals`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Literal {
    head: [u8; HEAD],
    /// A bit for each byte of the head that belongs to the text.
    mask: u32,
    start: u32,
    len: u32,
}

impl Literal {
    #[inline]
    pub fn len(self) -> usize {
        self.len as usize
    }
}

/// The texts of all literals, one after the other, so that those of one line are adjacent in
/// memory.
#[derive(Debug)]
pub(super) struct Literals {
    /// Padded at the end so that a whole head can be read at any literal.
    bytes: Vec<u8>,
}

impl Default for Literals {
    fn default() -> Self {
        Self { bytes: vec![0; HEAD] }
    }
}

impl Literals {
    /// Adds `text`. Returns `None` if the texts are too long for 32-bit offsets.
    pub fn add(&mut self, text: &[u8]) -> Option<Literal> {
        let start = self.bytes.len() - HEAD;
        let (start, len) = (u32::try_from(start).ok()?, u32::try_from(text.len()).ok()?);
        self.bytes.truncate(start as usize);
        self.bytes.extend_from_slice(text);
        self.bytes.resize(self.bytes.len() + HEAD, 0);
        let head = *self.bytes.get(start as usize..)?.first_chunk()?;
        let mask = u32::MAX.checked_shr(32 - len.min(32)).unwrap_or(0);
        Some(Literal { head, mask, start, len })
    }

    pub fn text(&self, literal: Literal) -> &[u8] {
        &self.bytes[literal.start as usize..][..literal.len()]
    }

    /// Returns `true` if `literal` is at `at` in `bytes`. Always `false` within a head's length of
    /// the end.
    #[inline]
    pub fn is_at(&self, literal: &Literal, bytes: &[u8], at: usize) -> bool {
        let Some(here) = bytes.get(at..).and_then(<[u8]>::first_chunk::<HEAD>) else {
            return false;
        };
        let same = u8x32::new(*here).simd_eq(u8x32::new(literal.head)).to_bitmask();
        literal.mask & !same == 0
            && (literal.len() <= HEAD || self.tail_is_at(literal, bytes, at + HEAD))
    }

    /// Returns `true` if the part of `literal` after its head is at `at` in `bytes`.
    #[cold]
    fn tail_is_at(&self, literal: &Literal, bytes: &[u8], at: usize) -> bool {
        let start = literal.start as usize;
        let tail = &self.bytes[start + HEAD..start + literal.len()];
        bytes.get(at..).and_then(|here| here.get(..tail.len())).is_some_and(|here| here == tail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn padded(text: &str) -> Vec<u8> {
        let mut bytes = text.as_bytes().to_vec();
        bytes.resize(bytes.len() + 64, 0);
        bytes
    }

    #[test]
    fn a_string_ends_at_its_quote_however_long_it_is() {
        for length in 0..100 {
            let mut text = "é".repeat(length);
            text.push('"');
            assert_eq!(text_end(&padded(&text), 0), Some(Stop::Quote(length * 2)), "{length}");
            let escaped = format!("{}\\\"", "a".repeat(length));
            assert_eq!(text_end(&padded(&escaped), 0), Some(Stop::Backslash));
            for stop in ["\n", "\0", "\u{1f}"] {
                let text = format!("{}{stop}\"", "a".repeat(length));
                assert_eq!(text_end(&padded(&text), 0), None, "{text:?}");
            }
        }
        assert_eq!(text_end(b"abc", 0), None);
    }

    #[test]
    fn numbers_end_where_they_do_and_others_are_left_to_the_full_parser() {
        for text in [
            "0",
            "7",
            "-7",
            "123456789012345",
            "0.5",
            "-0.5",
            "12.25",
            "0.000001",
            "1.23456789012345",
        ] {
            assert_eq!(number_end(&padded(&format!("{text},")), 0), Some(text.len()), "{text}");
            let value: f64 = text.parse().unwrap();
            assert_eq!(ryu_js::Buffer::new().format(value), text);
        }
        for text in [
            "",
            "-",
            "-0",
            "00",
            "01",
            "1.",
            "1.0",
            "1.50",
            ".5",
            "0.0000001",
            "1234567890123456",
            "1.234567890123456",
            "x",
        ] {
            assert_eq!(number_end(&padded(text), 0), None, "{text}");
        }
        assert_eq!(number_end(&padded("1e5"), 0), Some(1)); // what follows fits no literal
    }

    #[test]
    fn a_literal_is_found_where_it_stands() {
        let text = padded(r#"xx","a name that is longer than the head of a literal":""#);
        let mut literals = Literals::default();
        for length in 0..52 {
            let literal = literals.add(&text[2..2 + length]).unwrap();
            assert_eq!((literal.len(), literals.text(literal)), (length, &text[2..2 + length]));
            assert!(literals.is_at(&literal, &text, 2));
            assert!(length == 0 || !literals.is_at(&literal, &text, 3), "{length}");
            assert!(!literals.is_at(&literal, &text, 1000));
        }
    }
}
