//! What the arguments name, read as blocks of whole lines.
//!
//! [`discover`] turns arguments into a list of inputs; a [`Reader`] hands out their contents,
//! decompressed, to any number of threads. Nothing here knows what a line means.

mod block;
mod cut;
mod decompress;
mod discover;
mod fault;
mod input;
mod layout;
mod reader;
mod skip;
mod stdin;
mod stream;
#[cfg(test)]
mod tests;

pub use crate::grammar::Piece;
pub use block::{Block, BlockKind, FileId, HEAD_BYTES, Oversize, PADDING};
pub use discover::{DiscoverError, Discovery, Input, discover};
pub use fault::Fault;
pub use reader::{OnFault, Options, Reader};
