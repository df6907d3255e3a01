//! Shows the progress of a command, and holds the flag that Ctrl-C sets.

mod state;

use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::engine::watch::{Phase, Progress, Watch};
pub use state::State;

/// The intervals at which a bar is updated and a line is written.
const BAR_INTERVAL: Duration = Duration::from_millis(200);
const LINE_INTERVAL: Duration = Duration::from_secs(60);
/// The maximum number of times per second that a bar is drawn.
const DRAWS_A_SECOND: u8 = 10;
const TEMPLATE: &str = "{spinner} {msg}";
/// The columns of the template beside the message.
const BESIDE_MESSAGE: usize = 3;

/// How the progress of a command is shown on standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// A bar on a terminal with the given number of columns.
    Bar(usize),
    /// A line every minute, and one for each finished phase.
    Lines,
    /// No progress is shown.
    Hidden,
}

/// Shows the progress of a command on standard error.
pub struct Follower {
    shown: Option<(Arc<Shown>, JoinHandle<()>)>,
    stop: &'static AtomicBool,
}

impl Follower {
    /// Creates a follower that stops the command when `stop` is set.
    pub fn new(stop: &'static AtomicBool, style: Style) -> Self {
        let shown = Screen::new(style).and_then(|screen| Shown::start(screen).ok());
        Self { shown, stop }
    }

    fn shown(&self) -> Option<&Shown> {
        self.shown.as_ref().map(|(shown, _)| &**shown)
    }
}

/// Removes the bar.
impl Drop for Follower {
    fn drop(&mut self) {
        if let Some((shown, thread)) = self.shown.take() {
            shown.end();
            // Joining only fails if the thread panicked.
            let _ = thread.join();
        }
    }
}

impl Watch for Follower {
    fn advance(&self, progress: Progress) {
        if let Some(shown) = self.shown() {
            shown.lock().progress = progress;
        }
    }

    fn enter(&self, phase: Phase) {
        if let Some(shown) = self.shown() {
            shown.enter(phase);
        }
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn stop_flag(&self) -> Option<&'static AtomicBool> {
        Some(self.stop)
    }
}

/// The state of the command.
struct View {
    phase: Phase,
    begun: Instant,
    progress: Progress,
    ended: bool,
}

impl View {
    fn state(&self) -> State {
        State { phase: self.phase, progress: self.progress, elapsed: self.begun.elapsed() }
    }
}

/// The state of the command, shared with the thread that shows it.
struct Shown {
    view: Mutex<View>,
    end: Condvar,
    screen: Screen,
}

impl Shown {
    /// Starts a separate thread that regularly shows the state on `screen`.
    fn start(screen: Screen) -> std::io::Result<(Arc<Self>, JoinHandle<()>)> {
        let begun = Instant::now();
        let progress = Progress::default();
        let view = View { phase: Phase::Reading, begun, progress, ended: false };
        let shown = Arc::new(Self { view: Mutex::new(view), end: Condvar::new(), screen });
        let other = Arc::clone(&shown);
        let thread = std::thread::Builder::new().name("progress".into());
        let thread = thread.spawn(move || other.follow())?;
        Ok((shown, thread))
    }

    fn lock(&self) -> MutexGuard<'_, View> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn follow(&self) {
        let interval = self.screen.interval();
        let mut view = self.lock();
        loop {
            let waited = self.end.wait_timeout_while(view, interval, |view| !view.ended);
            view = waited.unwrap_or_else(PoisonError::into_inner).0;
            if view.ended {
                return self.screen.clear();
            }
            self.screen.show(&view.state());
        }
    }

    fn enter(&self, phase: Phase) {
        let mut view = self.lock();
        if view.phase != phase {
            self.screen.tell_end(&view.state());
            (view.phase, view.begun) = (phase, Instant::now());
        }
    }

    fn end(&self) {
        self.lock().ended = true;
        self.end.notify_all();
    }
}

/// The kind of display.
enum Screen {
    Bar { bar: ProgressBar, columns: usize },
    Lines,
}

impl Screen {
    fn new(style: Style) -> Option<Self> {
        match style {
            Style::Bar(columns) => {
                let target = ProgressDrawTarget::stderr_with_hz(DRAWS_A_SECOND);
                let style = ProgressStyle::with_template(TEMPLATE)
                    .unwrap_or_else(|_| ProgressStyle::default_spinner());
                let bar = ProgressBar::with_draw_target(None, target).with_style(style);
                Some(Self::Bar { bar, columns: columns.saturating_sub(BESIDE_MESSAGE) })
            }
            Style::Lines => Some(Self::Lines),
            Style::Hidden => None,
        }
    }

    fn interval(&self) -> Duration {
        match self {
            Self::Bar { .. } => BAR_INTERVAL,
            Self::Lines => LINE_INTERVAL,
        }
    }

    fn show(&self, state: &State) {
        match self {
            Self::Bar { bar, columns } => {
                bar.set_message(state.with_bar(*columns));
                bar.tick();
            }
            Self::Lines => write_line(&state.text()),
        }
    }

    fn tell_end(&self, state: &State) {
        match self {
            Self::Bar { .. } => {}
            Self::Lines => write_line(&state.over()),
        }
    }

    fn clear(&self) {
        if let Self::Bar { bar, .. } = self {
            bar.finish_and_clear();
        }
    }
}

/// Writes `text` to standard error; a failure is ignored, because progress is not essential.
fn write_line(text: &str) {
    let _ = writeln!(std::io::stderr(), "backtrail: {text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    static STOP: AtomicBool = AtomicBool::new(false);

    #[test]
    fn the_template_is_understood() {
        assert!(ProgressStyle::with_template(TEMPLATE).is_ok());
    }

    #[test]
    fn the_view_follows_the_command_and_the_flag_stops_it() {
        let follower = Follower::new(&STOP, Style::Bar(80));
        let progress = Progress { bytes_read: 5, total_bytes: Some(9), records: 2_000 };
        follower.advance(progress);
        let state = || follower.shown().unwrap().lock().state();
        assert_eq!((state().phase, state().progress), (Phase::Reading, progress));
        follower.enter(Phase::Writing);
        assert_eq!(state().phase, Phase::Writing);
        assert!(!follower.stopped());
        STOP.store(true, Ordering::Relaxed);
        assert!(follower.stopped());
        let shown = Arc::clone(&follower.shown.as_ref().unwrap().0);
        drop(follower);
        let Screen::Bar { bar, .. } = &shown.screen else { panic!("no bar") };
        assert!(bar.is_finished());
    }

    #[test]
    fn nothing_is_followed_where_nothing_is_shown() {
        assert!(Follower::new(&STOP, Style::Hidden).shown.is_none());
    }
}
