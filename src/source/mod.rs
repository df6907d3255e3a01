//! What the arguments name, read as blocks of whole lines.
//!
//! [`discover_with`] turns arguments into a list of inputs, files and objects of stores alike; a
//! [`Reader`] hands out their contents, decompressed, to any number of threads. Nothing here knows
//! what a line means.
//!
//! On the way from a file to its blocks, bytes pass through a chain of sources (`bytes`), one for
//! each layer that `content` finds: decompressors (`codec`), the members of archives (`archive`),
//! other encodings (`unicode`). An `opened` input walks through its files; each of them is a
//! `stream` that is cut into blocks.

mod abandonable;
mod archive;
mod block;
mod bytes;
mod codec;
mod content;
mod cut;
mod discover;
mod fault;
mod files;
mod foreign;
mod input;
mod inputs;
mod layout;
mod nearby;
mod opened;
mod outputs;
mod pattern;
mod reader;
mod remote;
mod reserved;
mod skip;
mod spool;
mod stdin;
mod stream;
mod table;
mod tag;
#[cfg(test)]
mod tests;
mod unicode;

pub use crate::grammar::Piece;
pub use block::{Block, BlockKind, FileId, HEAD_BYTES, Oversize, PADDING};
pub(crate) use discover::did_you_mean;
pub use discover::{DiscoverError, Discovery, Given, Input, discover, discover_with};
pub use fault::Fault;
pub use files::Files;
pub use inputs::Inputs;
pub(crate) use nearby::nearby;
pub use reader::{OnFault, Options, Reader};
pub use remote::Remote;
pub use spool::{SpoolError, Spooled, spool};
