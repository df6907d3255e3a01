//! Message ids with several contents, and contents with several message ids.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::engine::exchange::key_counts::KeyCounts;
use crate::engine::exchange::spill::Spill;

/// The contents of each message id, and the message ids of each content, as hashes.
#[derive(Debug)]
pub struct Profile {
    by_message: KeyCounts,
    by_content: KeyCounts,
}

/// The numbers of message ids and contents that do not correspond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disagreement {
    /// The number of message ids with several contents.
    pub messages: u64,
    /// The number of contents with several message ids.
    pub contents: u64,
}

impl Profile {
    /// Creates an empty profile. It takes about `budget_bytes` of memory; the rest is in a file in `dir`.
    pub(super) fn new(dir: PathBuf, budget_bytes: usize) -> Self {
        let spill = Arc::new(Spill::new(dir, 0));
        let half = |spill: &Arc<Spill>| KeyCounts::new(Arc::clone(spill), budget_bytes / 2);
        Self { by_message: half(&spill), by_content: half(&spill) }
    }

    /// Adds the message id and the content of an event.
    ///
    /// # Errors
    /// Returns an error if they cannot be written to disk.
    pub(super) fn see(&mut self, message: u64, content: u64) -> io::Result<()> {
        let pair = |first, second| u128::from(first) << 64 | u128::from(second);
        self.by_message.add(pair(message, content), 1)?;
        self.by_content.add(pair(content, message), 1)
    }

    /// Returns the numbers over all events.
    ///
    /// # Errors
    /// Returns an error if data on disk cannot be read.
    pub fn finish(self) -> io::Result<Disagreement> {
        let Self { by_message, by_content } = self;
        Ok(Disagreement { messages: several(&by_message)?, contents: several(&by_content)? })
    }
}

/// Returns the number of first halves that occur with several second halves.
fn several(pairs: &KeyCounts) -> io::Result<u64> {
    let (mut latest, mut partners, mut several) = (None, 0_u64, 0);
    pairs.each(|pair, _| {
        let first = Some(pair >> 64);
        partners = if first == latest { partners + 1 } else { 1 };
        latest = first;
        several += u64::from(partners == 2);
    })?;
    Ok(several)
}
