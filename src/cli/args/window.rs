//! The arguments of commands that can be limited to a window of time.

use clap::Args;

use crate::cli::moment::Moment;

/// The window of time that counts.
#[derive(Clone, Copy, Debug, Args)]
#[command(next_help_heading = "Window")]
pub struct WindowArgs {
    /// Count only events at or after this time
    ///
    /// TIME is a date (2025-07-01), a time (2025-07-01T08:00:00Z), or an age before now (90min,
    /// 12h, 30d, 4w; a day has 24 hours). Dates, and times without an offset, are in the time zone
    /// of the plan. Only signals, raw signals and sums of leads are limited to the window; all
    /// events are still used to identify visitors.
    #[arg(long, value_name = "TIME", value_parser = Moment::parse)]
    pub since: Option<Moment>,
    /// Count only events before this time
    ///
    /// See --since for the format of TIME. A date excludes that day.
    #[arg(long, value_name = "TIME", value_parser = Moment::parse)]
    pub until: Option<Moment>,
}
