//! A chart of stacked columns, with a line across them and marks between them.

use std::fmt::{self, Write};

use super::Text;
use super::scale::{figure, round_up};
use crate::report::figure::thousands;

/// The height of the picture and the width of a column, in units of the picture.
const HEIGHT: f64 = 1000.0;
const WIDTH: f64 = 10.0;
/// The highest ratio of the line to the highest column with which the line is drawn; above it, the
/// columns would be too small to see.
const HIGHEST_LINE: f64 = 3.0;

/// A series: one part of each column.
#[derive(Clone, Copy, Debug)]
pub struct Series {
    /// The CSS class that gives the colour.
    pub class: &'static str,
    /// The name in the key.
    pub name: &'static str,
}

/// A column of the chart.
#[derive(Clone, Debug, Default)]
pub struct Column {
    /// The label of the column.
    pub label: String,
    /// The values of its parts, in the order of the series, the lowest part first.
    pub parts: Vec<u64>,
    /// The height of the line across the column, if any.
    pub line: Option<f64>,
}

/// An event between two points of the horizontal axis.
#[derive(Clone, Debug)]
pub struct Mark {
    /// The start, in columns from the left.
    pub from: f64,
    /// The end, in columns from the left.
    pub to: f64,
    /// The label.
    pub label: String,
}

/// A chart. All that it shows is also in the text or the table beside it.
#[derive(Clone, Debug)]
pub struct Chart<'a> {
    /// The id of the element.
    pub id: &'a str,
    /// The title, for screen readers.
    pub title: &'a str,
    /// The series, the lowest part first.
    pub series: &'a [Series],
    /// The columns.
    pub columns: &'a [Column],
    /// The name of the line across the columns.
    pub line: &'a str,
    /// Marks across the columns.
    pub marks: &'a [Mark],
    /// The number of columns that have a label below them, counting the first. On a narrow page,
    /// every second label is hidden.
    pub labels: usize,
}

impl Chart<'_> {
    /// Writes the chart and its key.
    ///
    /// # Errors
    /// Returns an error if writing to `out` fails.
    pub fn write(&self, out: &mut String) -> fmt::Result {
        let highest = self.columns.iter().map(Column::total).max().unwrap_or(0);
        #[allow(clippy::cast_precision_loss)] // a height in a picture
        let highest = highest as f64;
        let line = self.columns.iter().filter_map(|column| column.line).fold(0.0, f64::max);
        let shows_line = line > 0.0 && line <= highest.max(1.0) * HIGHEST_LINE;
        let end = round_up(if shows_line { highest.max(line * 1.05) } else { highest });
        self.key(shows_line, out)?;
        write!(
            out,
            "<div class=\"chart\" id=\"{}\" role=\"img\" aria-label=\"{}\">\n<div class=\"plot\">",
            self.id,
            Text(self.title)
        )?;
        for part in [0.0, 0.5, 1.0] {
            write!(
                out,
                "<span class=\"scale\" style=\"bottom:{:.0}%\">{}</span>",
                part * 100.0,
                figure(end * part)
            )?;
        }
        self.picture(end, shows_line, out)?;
        self.marks(out)?;
        out.write_str("</div>\n")?;
        self.labels(out)?;
        out.write_str("</div>\n")
    }

    #[allow(clippy::cast_precision_loss)] // a width in a picture
    fn places(&self) -> f64 {
        self.columns.len().max(1) as f64
    }

    fn key(&self, shows_line: bool, out: &mut String) -> fmt::Result {
        if self.series.len() < 2 && !shows_line && self.marks.is_empty() {
            return Ok(());
        }
        out.write_str("<p class=\"key\" aria-hidden=\"true\">")?;
        for Series { class, name } in self.series {
            write!(out, "<span><i class=\"{class}\"></i>{}</span>", Text(name))?;
        }
        if shows_line {
            write!(out, "<span><i class=\"line\"></i>{}</span>", Text(self.line))?;
        }
        if !self.marks.is_empty() {
            out.write_str("<span><i class=\"refused\"></i>refused (429)</span>")?;
        }
        out.write_str("</p>\n")
    }

    #[allow(clippy::cast_precision_loss)] // places in a picture
    fn picture(&self, end: f64, shows_line: bool, out: &mut String) -> fmt::Result {
        let width = self.places() * WIDTH;
        write!(
            out,
            "<svg viewBox=\"0 0 {width} {HEIGHT}\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
             <path class=\"grid\" d=\"M0 0H{width}M0 {}H{width}\"/>",
            HEIGHT / 2.0
        )?;
        for (place, Series { class, .. }) in self.series.iter().enumerate() {
            let path = self.path(place, end);
            if !path.is_empty() {
                write!(out, "<path class=\"{class}\" d=\"{path}\"/>")?;
            }
        }
        if shows_line {
            write!(out, "<path class=\"line\" d=\"{}\"/>", self.line_path(end))?;
        }
        for (at, column) in self.columns.iter().enumerate() {
            write!(
                out,
                "<rect x=\"{}\" width=\"{WIDTH}\" height=\"{HEIGHT}\"><title>{}</title></rect>",
                at as f64 * WIDTH,
                Text(&self.described(column))
            )?;
        }
        out.write_str("</svg>")
    }

    /// Returns the path that draws the series at `place` in all columns.
    #[allow(clippy::cast_precision_loss)] // places in a picture
    fn path(&self, place: usize, end: f64) -> String {
        let mut path = String::new();
        for (at, column) in self.columns.iter().enumerate() {
            let part = column.parts.get(place).copied().unwrap_or(0);
            if part == 0 {
                continue;
            }
            let below: u64 = column.parts[..place].iter().sum();
            let y = |count: u64| (1.0 - count as f64 / end) * HEIGHT;
            let (left, wide) = (at as f64 * WIDTH + WIDTH * 0.1, WIDTH * 0.8);
            // Writing to a string cannot fail.
            let _ = write!(
                path,
                "M{left:.0} {:.1}h{wide:.0}V{:.1}h-{wide:.0}z",
                y(below),
                y(below + part)
            );
        }
        path
    }

    #[allow(clippy::cast_precision_loss)] // places in a picture
    fn line_path(&self, end: f64) -> String {
        let mut path = String::new();
        let mut verb = 'M';
        for (at, column) in self.columns.iter().enumerate() {
            let Some(line) = column.line else {
                verb = 'M';
                continue;
            };
            let left = at as f64 * WIDTH;
            let _ = write!(path, "{verb}{left:.0} {:.1}h{WIDTH}", (1.0 - line / end) * HEIGHT);
            verb = 'L';
        }
        path
    }

    /// Returns the tooltip of a column.
    fn described(&self, column: &Column) -> String {
        let parts = self.series.iter().zip(&column.parts).filter(|(_, part)| **part > 0);
        let parts = parts.map(|(series, &part)| format!("{} {}", thousands(part), series.name));
        let parts: Vec<String> = parts.collect();
        if parts.is_empty() {
            return format!("{}: none", column.label);
        }
        format!("{}: {}", column.label, parts.join(", "))
    }

    fn marks(&self, out: &mut String) -> fmt::Result {
        let percent = |place: f64| (place / self.places() * 100.0).clamp(0.0, 100.0);
        for Mark { from, to, label } in self.marks {
            let (left, right) = (percent(*from), percent(*to));
            let side = if left > 50.0 { " before" } else { "" };
            write!(
                out,
                "<i class=\"refused{side}\" style=\"left:{left:.2}%;width:{:.2}%\"><b>{}</b></i>",
                right - left,
                Text(label)
            )?;
        }
        Ok(())
    }

    fn labels(&self, out: &mut String) -> fmt::Result {
        let count = self.labels.clamp(1, self.columns.len().max(1));
        out.write_str("<div class=\"ticks\" aria-hidden=\"true\">")?;
        let mut shown: Vec<usize> =
            (0..count).map(|tick| tick * self.columns.len() / count).collect();
        shown.dedup();
        for (tick, at) in shown.into_iter().enumerate() {
            let Some(column) = self.columns.get(at) else { continue };
            #[allow(clippy::cast_precision_loss)] // a place in a picture
            let middle = (at as f64 + 0.5) / self.places() * 100.0;
            let class = if tick % 2 == 1 { " class=\"minor\"" } else { "" };
            write!(out, "<span{class} style=\"left:{middle:.2}%\">{}</span>", Text(&column.label))?;
        }
        out.write_str("</div>\n")
    }
}

impl Column {
    fn total(&self) -> u64 {
        self.parts.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERIES: [Series; 2] =
        [Series { class: "known", name: "known" }, Series { class: "cold", name: "cold" }];

    fn drawn(columns: &[Column], marks: &[Mark]) -> String {
        let chart = Chart {
            id: "c",
            title: "Signals <by> day",
            series: &SERIES,
            columns,
            line: "plan",
            marks,
            labels: 3,
        };
        let mut out = String::new();
        chart.write(&mut out).unwrap();
        out
    }

    #[test]
    fn parts_stand_on_each_other_and_reach_the_height_of_their_sum() {
        let column = |parts| Column { label: "1".into(), parts, line: None };
        let svg = drawn(&[column(vec![1, 3]), column(vec![0, 0])], &[]);
        assert!(svg.contains("<path class=\"known\" d=\"M1 1000.0h8V750.0h-8z\"/>"), "{svg}");
        assert!(svg.contains("<path class=\"cold\" d=\"M1 750.0h8V0.0h-8z\"/>"), "{svg}");
        assert!(svg.contains("1: 1 known, 3 cold</title>") && svg.contains("1: none"), "{svg}");
        assert!(svg.contains("aria-label=\"Signals &lt;by&gt; day\""), "{svg}");
    }

    #[test]
    fn a_line_far_above_the_columns_is_left_out() {
        let column = |line| Column { label: "1".into(), parts: vec![10, 0], line: Some(line) };
        assert!(drawn(&[column(12.0)], &[]).contains("<path class=\"line\" d=\"M0 "));
        assert!(!drawn(&[column(1_000.0)], &[]).contains("class=\"line\""));
    }

    #[test]
    fn marks_stay_within_the_plot() {
        let column = Column { label: "1".into(), parts: vec![1, 0], line: None };
        let mark = Mark { from: 0.75, to: 9.0, label: "429".into() };
        let svg = drawn(&[column], &[mark]);
        assert!(
            svg.contains("class=\"refused before\" style=\"left:75.00%;width:25.00%\""),
            "{svg}"
        );
    }

    #[test]
    fn no_columns_are_an_empty_plot() {
        assert!(!drawn(&[], &[]).contains("NaN"));
    }
}
