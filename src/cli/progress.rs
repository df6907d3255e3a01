//! The progress bar, and the flag that Ctrl-C sets.

use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::engine::watch::{Progress, Watch};

/// How often the bar is drawn, in a second.
const DRAWS_A_SECOND: u8 = 10;
/// How often the spinner turns where nothing else moves.
const TICK: Duration = Duration::from_millis(200);

/// The bar takes what the rest leaves of the line.
const BAR: &str =
    "{wide_bar} {binary_bytes}/{binary_total_bytes}  {binary_bytes_per_sec}  {eta} left  {msg}";
/// Where nobody knows how much there is.
const SPINNER: &str = "{spinner} {binary_bytes}  {binary_bytes_per_sec}  {elapsed}  {msg}";
const WRITING: &str = "{spinner} writing  {elapsed}  {msg}";

/// Whether a run shows how far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bar {
    /// A bar on standard error.
    Shown,
    /// Nothing.
    Hidden,
}

/// Follows a run on standard error.
pub struct Follower {
    bar: Option<ProgressBar>,
    begun: Once,
    stop: &'static AtomicBool,
}

impl Follower {
    /// A follower that stops the run when `stop` is set.
    pub fn new(stop: &'static AtomicBool, bar: Bar) -> Self {
        let bar = (bar == Bar::Shown).then(|| {
            let target = ProgressDrawTarget::stderr_with_hz(DRAWS_A_SECOND);
            let bar = ProgressBar::with_draw_target(None, target).with_style(style(SPINNER));
            bar.enable_steady_tick(TICK);
            bar
        });
        Self { bar, begun: Once::new(), stop }
    }

    /// Takes the bar away.
    pub fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

impl Watch for Follower {
    fn advance(&self, progress: Progress) {
        let Some(bar) = &self.bar else { return };
        if let Some(total) = progress.total_bytes {
            self.begun.call_once(|| {
                bar.set_length(total);
                bar.set_style(style(BAR));
            });
        }
        bar.set_message(format!("{} records", HumanCount(progress.records)));
        bar.set_position(progress.bytes_read);
    }

    fn writing(&self) {
        if let Some(bar) = &self.bar {
            bar.set_style(style(WRITING));
        }
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn stop_flag(&self) -> Option<&'static AtomicBool> {
        Some(self.stop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static STOP: AtomicBool = AtomicBool::new(false);

    #[test]
    fn every_template_is_understood() {
        for template in [BAR, SPINNER, WRITING] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }

    #[test]
    fn the_bar_follows_the_bytes_and_the_flag_stops_the_run() {
        let follower = Follower::new(&STOP, Bar::Shown);
        let bar = follower.bar.as_ref().unwrap();
        follower.advance(Progress { bytes_read: 3, total_bytes: None, records: 1 });
        assert_eq!((bar.position(), bar.length()), (3, None));
        follower.advance(Progress { bytes_read: 5, total_bytes: Some(9), records: 2_000 });
        assert_eq!((bar.position(), bar.length()), (5, Some(9)));
        assert_eq!(bar.message(), "2,000 records");
        assert!(!follower.stopped());
        STOP.store(true, Ordering::Relaxed);
        assert!(follower.stopped());
        follower.clear();
        assert!(bar.is_finished());
    }
}
