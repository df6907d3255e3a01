//! Formats of which a file is members, each compressed on its own.

use super::engine::Engine;
use super::{Codec, Step, at_member};
use crate::source::bytes::{DecodeError, Raw};

/// How many members there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Count {
    Any,
    One,
    None,
}

/// The members of a file, one after the other.
pub(super) struct Members<E> {
    /// `None` between members.
    engine: Option<E>,
    /// How many may follow.
    count: Count,
    /// Whether the engine may have more bytes for us before it reads on.
    may_hold_output: bool,
}

impl<E: Engine> Members<E> {
    /// As many members as there are.
    pub fn many() -> Self {
        Self { engine: None, count: Count::Any, may_hold_output: false }
    }

    /// One member; what follows it is not looked at.
    pub fn one() -> Self {
        Self { count: Count::One, ..Self::many() }
    }

    /// The engine of the member that goes on or begins here; `None` at the end.
    fn engine(&mut self, raw: &mut Raw) -> Result<Option<&mut E>, DecodeError> {
        if self.engine.is_none() {
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
            self.engine = Some(E::start().map_err(|error| raw.error(&error))?);
            self.may_hold_output = false;
        }
        Ok(self.engine.as_mut())
    }

    /// `None` if there is more to do before anything comes out.
    fn step(&mut self, raw: &mut Raw, out: &mut [u8]) -> Result<Option<Step>, DecodeError> {
        let held_output = self.may_hold_output;
        let Some(engine) = self.engine(raw)? else { return Ok(Some((0, None))) };
        if !held_output {
            raw.refill(1)?;
        }
        let progress = engine.run(raw.available(), out);
        let (used, wrote) = (progress.used, progress.wrote);
        raw.consume(used);
        self.may_hold_output = wrote == out.len();
        let error = match progress.at_end {
            Ok(true) => {
                self.engine = None;
                None
            }
            Err(why) => Some(raw.error(&format_args!("corrupt {} data: {why}", E::NAME))),
            Ok(false) if used > 0 || wrote > 0 || held_output => None,
            Ok(false) if raw.available().is_empty() => {
                Some(raw.error(&format_args!("the {} data is cut off", E::NAME)))
            }
            Ok(false) => Some(raw.error(&format_args!("corrupt {} data", E::NAME))),
        };
        Ok((wrote > 0 || error.is_some()).then_some((wrote, error)))
    }
}

impl<E: Engine> Codec for Members<E> {
    fn read(&mut self, raw: &mut Raw, out: &mut [u8]) -> Step {
        loop {
            match self.step(raw, out) {
                Ok(None) => {}
                Ok(Some(step)) => return step,
                Err(error) => return (0, Some(error)),
            }
        }
    }
}
