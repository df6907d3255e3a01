//! The arguments of commands that can be limited to a window of time.

use clap::Args;

use crate::cli::moment::Moment;

/// The window of time that counts.
#[derive(Clone, Copy, Debug, Args)]
#[command(next_help_heading = "Window")]
pub struct WindowArgs {
    /// Count only what happened at this time or later
    ///
    /// TIME is a date (2025-07-01), a time (2025-07-01T08:00:00Z), or an age: 90min, 12h, 30d or 4w
    /// before now, a day being 24 hours. Dates, and times without an offset, are in the time zone of
    /// the plan. Signals, raw signals and the sums of leads are those of the window; everything that
    /// is read still tells who is who.
    #[arg(long, value_name = "TIME", value_parser = Moment::parse)]
    pub since: Option<Moment>,
    /// Count only what happened before this time
    ///
    /// TIME as --since; with a date, before that day begins.
    #[arg(long, value_name = "TIME", value_parser = Moment::parse)]
    pub until: Option<Moment>,
}
