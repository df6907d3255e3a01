//! How a command speaks to people: how wide, in colour or not, and with how much of its progress.

use super::{Surroundings, is_stream};
use crate::cli::args::{ColorWhen, ProgressWhen, RunArgs, Show};
use crate::cli::progress::Style;
use crate::report::colour::Colour;
use crate::report::layout::Layout;

/// How a command speaks to people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Display {
    /// Whether only errors and findings are said.
    pub quiet: bool,
    /// How the summary is laid out.
    pub layout: Layout,
    /// How progress is shown.
    pub progress: Style,
}

/// How the run `args` speaks.
pub fn run_display(show: Show, args: &RunArgs, around: Surroundings) -> Display {
    let plain = display(show, around);
    // A bar would stand among the rows.
    let rows_on_terminal = is_stream(args) && around.terminal_out;
    let progress = match plain.progress {
        Style::Bar(_) if rows_on_terminal => Style::Hidden,
        progress => progress,
    };
    Display { progress, ..plain }
}

/// How a command speaks whose report goes to standard output, and all else to standard error.
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

/// Where a text for people goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Output {
    Stdout,
    Stderr,
}

/// How a text that goes to `output` is laid out: as wide as the terminal, else as `COLUMNS` says.
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
