//! The bounds of a window to the window.

use super::Surroundings;
use crate::cli::args::window::WindowArgs;
use crate::cli::moment::{Moment, Told};
use crate::engine::plan::Terms;
use crate::engine::window::Window;
use crate::error::Error;
use crate::rules::Plan;

/// The window that `args` ask for, if any.
///
/// # Errors
/// When a bound is out of range or nothing lies between the two.
pub(super) fn window(
    args: WindowArgs,
    plan: &Plan,
    around: Surroundings,
) -> Result<Option<Window>, Error> {
    let calendar = Terms::from(plan).calendar;
    let told = |flag: &str, moment: Option<Moment>| -> Result<Option<Told>, Error> {
        let Some(moment) = moment else { return Ok(None) };
        let time = moment.time(&calendar, around.now);
        let time = time.ok_or_else(|| {
            Error::Usage(format!("{flag}: expected a time of the years 0 to 9999"))
        })?;
        Ok(Some(Told { moment, time }))
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
