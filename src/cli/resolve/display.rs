//! The output of a command for people: width, colour and progress.

use super::{Surroundings, is_stream};
use crate::cli::args::{ColorWhen, ProgressWhen, RunArgs, Show};
use crate::cli::progress::Style;
use crate::report::colour::Colour;
use crate::report::layout::Layout;

/// The settings of a command's output for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Display {
    /// Whether to show only errors and findings.
    pub quiet: bool,
    /// The layout of the summary.
    pub layout: Layout,
    /// The display of progress.
    pub progress: Style,
}

/// Returns the settings for the run `args`.
pub fn run_display(show: Show, args: &RunArgs, around: Surroundings) -> Display {
    let plain = display(show, around);
    // A bar would be mixed with the rows.
    let rows_on_terminal = is_stream(args) && around.terminal_out;
    let progress = match plain.progress {
        Style::Bar(_) if rows_on_terminal => Style::Hidden,
        progress => progress,
    };
    Display { progress, ..plain }
}

/// Returns the settings for a command that writes its report to standard output, and everything
/// else to standard error.
pub fn display(show: Show, around: Surroundings) -> Display {
    let layout = layout(show.color, Output::Stderr, around);
    let progress = match show.progress {
        _ if show.quiet || show.no_progress => Style::Hidden,
        ProgressWhen::Auto if around.terminal_err => Style::Bar(layout.width()),
        ProgressWhen::Plain => Style::Lines,
        ProgressWhen::Auto | ProgressWhen::Off => Style::Hidden,
    };
    Display { quiet: show.quiet, layout, progress }
}

/// The destination of a text for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Output {
    Stdout,
    Stderr,
}

/// Returns the layout of a text for `output`: as wide as the terminal, or else as `COLUMNS` says.
pub(super) fn layout(when: ColorWhen, output: Output, around: Surroundings) -> Layout {
    let is_terminal = match output {
        Output::Stdout => around.terminal_out,
        Output::Stderr => around.terminal_err,
    };
    let terminal = is_terminal.then(|| terminal_columns(output)).flatten();
    let told = (around.variable)("COLUMNS".as_ref());
    let told = told.and_then(|columns| columns.to_str()?.parse().ok());
    let columns = terminal.or(told).unwrap_or(Layout::USUAL_WIDTH);
    let colour = match when {
        ColorWhen::Always => Colour::On,
        ColorWhen::Auto if is_terminal && !around.no_color => Colour::On,
        ColorWhen::Auto | ColorWhen::Never => Colour::Off,
    };
    Layout::new(columns, colour)
}

fn terminal_columns(output: Output) -> Option<usize> {
    let size = match output {
        Output::Stdout => terminal_size::terminal_size_of(std::io::stdout()),
        Output::Stderr => terminal_size::terminal_size_of(std::io::stderr()),
    };
    size.map(|(width, _)| usize::from(width.0))
}
