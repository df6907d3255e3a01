//! Converts the arguments that turn records into events to options of the engine.

use super::text::Texts;
use crate::cli::args::event::EventArgs;
use crate::engine::compile::Options;
use crate::engine::map::times::Clocks;
use crate::error::Error;
use crate::parse::{Detection, MessageIds};

/// Returns the options that `args` describe; the other options have their defaults.
///
/// # Errors
/// Returns an error if the expression of `--where` is invalid.
pub(super) fn event_options(args: EventArgs, texts: &mut Texts) -> Result<Options, Error> {
    let EventArgs { filter, strict_detect, assign_ids, correct_clocks } = args;
    Ok(Options {
        filter: filter.map(|expr| texts.filter(expr)).transpose()?,
        detection: if strict_detect { Detection::AnonymousId } else { Detection::EitherId },
        message_ids: if assign_ids { MessageIds::Assigned } else { MessageIds::Required },
        clocks: if correct_clocks { Clocks::Corrected } else { Clocks::AsSent },
        ..Options::default()
    })
}
