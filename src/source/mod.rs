//! Inputs: from the arguments to blocks of whole lines or values.
//!
//! [`discover_with`] lists the inputs that the arguments name, both files and objects of stores. A
//! [`Reader`] returns their decompressed contents, block by block, to any number of threads.
//! Nothing here depends on what a line contains.
//!
//! The bytes of a file pass through a chain of sources (`bytes`), one for each layer that `content`
//! detects: decompressors (`codec`), members of archives (`archive`), other encodings (`unicode`).
//! An `open_input` iterates over its files; each of them is a `stream` that is split into blocks.

mod archive;
mod block;
mod bytes;
mod codec;
mod content;
mod csv_table;
mod discover;
mod etag;
mod fault;
mod files;
mod inputs;
mod interruptible;
mod layout;
mod listed;
mod open_input;
mod outputs;
mod pattern;
mod pushback;
mod reader;
mod remote;
mod reserved;
mod skip;
mod split;
mod spool;
mod stdin;
mod stream;
mod suggestion;
#[cfg(test)]
mod tests;
mod unicode;
mod unsupported;

pub use crate::grammar::Piece;
pub use block::{Block, BlockKind, FileId, HEAD_BYTES, Oversize, PADDING};
pub(crate) use discover::did_you_mean;
pub use discover::{DiscoverError, Discovery, Input, Origin, discover, discover_with};
pub use fault::Fault;
pub use files::Files;
pub use inputs::Inputs;
pub use listed::Listed;
pub use reader::{OnFault, Options, Reader};
pub use remote::Remote;
pub use spool::{SpoolError, Spooled, spool};
pub(crate) use suggestion::similar_path;
