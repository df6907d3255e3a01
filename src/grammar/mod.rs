//! JSON's grammar, a byte at a time: where a value ends, or where it stops being one.
//!
//! A [`Scanner`] builds nothing and needs no more of a text than the next bytes, so that files can
//! be cut into values while they are read. It takes JSON (RFC 8259) and, so that such a value is
//! not lost, what other programs write for it and the parser turns into it: `NaN`,
//! `Infinity` and `-Infinity` (Python, JavaScript) and `\x22` in strings (nginx). How deep values
//! are nested, whether they are UTF-8 and whether a number fits a double is left to the parser.

mod number;
mod piece;
mod scanner;

pub use piece::Piece;
pub(crate) use piece::{Budget, divides, next_piece, pieces_of_line, skip_separators};
pub(crate) use scanner::{Expected, Fault, Scanner, Step};

/// What RFC 7464 writes before each value.
pub(crate) const RECORD_SEPARATOR: u8 = 0x1e;

/// Whether `byte` is a blank of JSON.
#[inline]
pub(crate) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}
