//! Converts the arguments of a window.

use super::Surroundings;
use crate::cli::args::window::WindowArgs;
use crate::cli::moment::{Moment, ShownMoment};
use crate::engine::plan::Terms;
use crate::engine::window::Window;
use crate::error::Error;
use crate::rules::Plan;

/// Returns the window that `args` describe, if any.
///
/// # Errors
/// Returns an error if a bound is out of range or if the window is empty.
pub(super) fn window(
    args: WindowArgs,
    plan: &Plan,
    around: Surroundings,
) -> Result<Option<Window>, Error> {
    let calendar = Terms::from(plan).calendar;
    let told = |flag: &str, moment: Option<Moment>| -> Result<Option<ShownMoment>, Error> {
        let Some(moment) = moment else { return Ok(None) };
        let time = moment.time(&calendar, around.now);
        let time = time.ok_or_else(|| {
            Error::Usage(format!("{flag}: expected a time of the years 0 to 9999"))
        })?;
        Ok(Some(ShownMoment { moment, time }))
    };
    let (since, until) = (told("--since", args.since)?, told("--until", args.until)?);
    let window = Window::new(since.map(|told| told.time), until.map(|told| told.time));
    if let (None, Some(since), Some(until)) = (window, since, until) {
        return Err(Error::Usage(format!(
            "nothing lies between --since {since} and --until {until}; --until must be later"
        )));
    }
    Ok(window)
}
