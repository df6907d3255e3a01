//! A streaming JSON scanner: finds the end of a value, or the first byte that breaks the grammar.
//!
//! A [`Scanner`] builds no values and only needs the next bytes of a text, so that files can be cut
//! into values while they are read. It accepts JSON (RFC 8259) and, so that no values are lost,
//! notations of other programs that the parser repairs: `NaN`, `Infinity` and `-Infinity` (Python,
//! JavaScript) and `\x22` in strings (nginx). Nesting depth, UTF-8 and the range of numbers are
//! left to the parser.

mod number;
mod piece;
mod scanner;

pub use piece::Piece;
pub(crate) use piece::{divides, next_piece, pieces_of_line, skip_separators};
pub(crate) use scanner::{Expected, Fault, Scanner, Step};

/// The byte before each value in the JSON text sequences of RFC 7464.
pub(crate) const RECORD_SEPARATOR: u8 = 0x1e;

/// Returns `true` if `byte` is JSON whitespace.
#[inline]
pub(crate) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}
