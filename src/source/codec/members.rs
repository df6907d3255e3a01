//! Formats whose files consist of members, each compressed independently.

use super::decompressor::Decompressor;
use super::{Codec, Step, at_member};
use crate::source::bytes::{BufferedSource, DecodeError};

/// The number of members that may follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Count {
    Any,
    One,
    None,
}

/// The members of a file, decompressed one after the other.
pub(super) struct Members<E> {
    /// The decompressor of the current member; `None` between members.
    decompressor: Option<E>,
    /// The number of members that may follow.
    count: Count,
    /// Whether the decompressor may return more bytes without further input.
    may_hold_output: bool,
}

impl<E: Decompressor> Members<E> {
    /// Decompresses all members.
    pub fn many() -> Self {
        Self { decompressor: None, count: Count::Any, may_hold_output: false }
    }

    /// Decompresses one member and ignores the bytes after it.
    pub fn one() -> Self {
        Self { count: Count::One, ..Self::many() }
    }

    /// Returns the decompressor of the current or the next member; `None` at the end.
    fn decompressor(&mut self, raw: &mut BufferedSource) -> Result<Option<&mut E>, DecodeError> {
        if self.decompressor.is_none() {
            let begins = match self.count {
                Count::Any => at_member(raw, E::begins)?,
                Count::One => true,
                Count::None => false,
            };
            if !begins {
                return Ok(None);
            }
            if self.count == Count::One {
                self.count = Count::None;
            }
            self.decompressor = Some(E::start().map_err(|error| raw.error(&error))?);
            self.may_hold_output = false;
        }
        Ok(self.decompressor.as_mut())
    }

    /// Makes one call of the decompressor. Returns `None` if it has written nothing and there is
    /// more input.
    fn step(
        &mut self,
        raw: &mut BufferedSource,
        out: &mut [u8],
    ) -> Result<Option<Step>, DecodeError> {
        let held_output = self.may_hold_output;
        let Some(decompressor) = self.decompressor(raw)? else { return Ok(Some((0, None))) };
        if !held_output {
            raw.refill(1)?;
        }
        let progress = decompressor.run(raw.available(), out);
        let (consumed, written) = (progress.consumed, progress.written);
        raw.consume(consumed);
        self.may_hold_output = written == out.len();
        let error = match progress.at_end {
            Ok(true) => {
                self.decompressor = None;
                None
            }
            Err(cause) => Some(raw.error(&format_args!("corrupt {} data: {cause}", E::NAME))),
            Ok(false) if consumed > 0 || written > 0 || held_output => None,
            Ok(false) if raw.available().is_empty() => {
                Some(raw.error(&format_args!("the {} data is cut off", E::NAME)))
            }
            Ok(false) => Some(raw.error(&format_args!("corrupt {} data", E::NAME))),
        };
        Ok((written > 0 || error.is_some()).then_some((written, error)))
    }
}

impl<E: Decompressor> Codec for Members<E> {
    fn read(&mut self, raw: &mut BufferedSource, out: &mut [u8]) -> Step {
        loop {
            match self.step(raw, out) {
                Ok(None) => {}
                Ok(Some(step)) => return step,
                Err(error) => return (0, Some(error)),
            }
        }
    }
}
