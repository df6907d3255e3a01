//! The picture of the volume: a bar for each day, before and after, and the plan as a line.

use std::fmt::{self, Write};

use jiff::civil::Date;

use super::escaped;
use crate::jobs::audit::report::{Period, Plan};
use crate::report::text::thousands;

/// A longer history is shown by periods of the plan.
const MOST_DAYS: i32 = 400;
const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 300.0;
/// Room for the figures of the axis, the labels below and the top.
const LEFT: f64 = 64.0;
const BOTTOM: f64 = 28.0;
const TOP: f64 = 22.0;

/// A bar, at its place from the left.
struct Bar {
    place: f64,
    label: String,
    before: u64,
    after: u64,
}

/// A piece of the line of the plan.
struct Level {
    from: f64,
    to: f64,
    height: f64,
}

struct Chart {
    bars: Vec<Bar>,
    levels: Vec<Level>,
    /// How many places there are.
    places: f64,
    /// What a bar is: a day, or a period of the plan.
    unit: &'static str,
}

/// Writes the picture of `plan`.
pub fn write(plan: &Plan, out: &mut String) -> fmt::Result {
    let chart = by_day(plan).unwrap_or_else(|| by_period(plan));
    chart.write(plan, out)
}

fn by_day(plan: &Plan) -> Option<Chart> {
    let date = |label: &str| label.parse::<Date>().ok();
    let (first, last) = (date(&plan.days.first()?.day)?, date(&plan.days.last()?.day)?);
    let at = |date: Date| date.since(first).ok().map(|span| span.get_days());
    let days = at(last)? + 1;
    if days > MOST_DAYS {
        return None;
    }
    let mut bars = Vec::with_capacity(plan.days.len());
    for day in &plan.days {
        let place = f64::from(at(date(&day.day)?)?);
        bars.push(Bar { place, label: day.day.clone(), before: day.before, after: day.after });
    }
    let mut levels = Vec::new();
    for (period, limit) in plan.periods.iter().zip(std::iter::repeat(plan.raw_signals_limit)) {
        let Some(limit) = limit else { break };
        let start = date(&period.period).or_else(|| date(&format!("{}-01", period.period)))?;
        let from = f64::from(at(start)?);
        levels.push(level(period, limit, from, f64::from(days)));
    }
    Some(Chart { bars, levels, places: f64::from(days), unit: "day" })
}

/// The limit of a period, spread over its days, within the picture.
#[allow(clippy::cast_precision_loss)] // a line in a picture
fn level(period: &Period, limit: u64, from: f64, places: f64) -> Level {
    let days = period.days.max(1.0);
    let to = (from + days.round()).clamp(0.0, places);
    Level { from: from.clamp(0.0, places), to, height: limit as f64 / days }
}

#[allow(clippy::cast_precision_loss)] // places in a picture
fn by_period(plan: &Plan) -> Chart {
    let bars: Vec<Bar> = plan
        .periods
        .iter()
        .enumerate()
        .map(|(place, period)| Bar {
            place: place as f64,
            label: period.period.clone(),
            before: period.before.raw_signals,
            after: period.after.raw_signals,
        })
        .collect();
    let places = bars.len() as f64;
    let level = |limit: u64| Level { from: 0.0, to: places, height: limit as f64 };
    let levels = plan.raw_signals_limit.map(level).into_iter().collect();
    Chart { bars, levels, places, unit: plan.period }
}

impl Chart {
    #[allow(clippy::cast_precision_loss)] // heights in a picture
    fn write(&self, plan: &Plan, out: &mut String) -> fmt::Result {
        let Self { bars, levels, places, unit } = self;
        let highest = bars.iter().map(|bar| bar.before.max(bar.after)).max().unwrap_or(0) as f64;
        let line = levels.iter().fold(0.0, |most: f64, level| most.max(level.height));
        // A plan far above everything would press the bars to the ground.
        let shows_line = line > 0.0 && line <= highest.max(1.0) * 5.0;
        let most = nice(if shows_line { highest.max(line * 1.08) } else { highest });
        let x = |place: f64| LEFT + (WIDTH - LEFT) * place / places.max(1.0);
        let y = |value: f64| TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - value / most);
        let width = ((x(1.0) - x(0.0)) * 0.8).max(0.5);
        write!(
            out,
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-labelledby=\"volume-title\" \
             aria-describedby=\"volume-text\"><title id=\"volume-title\">Raw signals by {unit}, \
             before and after the filter</title>"
        )?;
        for part in [0.0, 0.5, 1.0] {
            let height = y(most * part);
            write!(
                out,
                "<line class=\"axis\" x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{height:.1}\" \
                 y2=\"{height:.1}\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                LEFT - 8.0,
                height + 4.0,
                figure(most * part)
            )?;
        }
        for bar in bars {
            let left = x(bar.place) + (x(1.0) - x(0.0)) * 0.1;
            for (class, value) in [("before", bar.before), ("after", bar.after)] {
                let top = y(value as f64);
                let height = (y(0.0) - top).max(0.0);
                let (inset, width) =
                    if class == "after" { (width * 0.15, width * 0.7) } else { (0.0, width) };
                write!(
                    out,
                    "<rect class=\"{class}\" x=\"{:.2}\" y=\"{top:.2}\" width=\"{width:.2}\" \
                     height=\"{height:.2}\">",
                    left + inset
                )?;
                write!(
                    out,
                    "<title>{}: {} before, {} after</title></rect>",
                    escaped(&bar.label),
                    thousands(bar.before),
                    thousands(bar.after)
                )?;
            }
        }
        if shows_line {
            self.line(plan, out, &x, &y)?;
        }
        self.labels(out, &x)?;
        out.write_str("</svg>")
    }

    fn line(
        &self,
        plan: &Plan,
        out: &mut String,
        x: &dyn Fn(f64) -> f64,
        y: &dyn Fn(f64) -> f64,
    ) -> fmt::Result {
        let mut path = String::new();
        let mut end = None;
        for level in self.levels.iter().filter(|level| level.to > level.from) {
            let verb = if end == Some(level.from) { 'L' } else { 'M' };
            let (left, right, height) = (x(level.from), x(level.to), y(level.height));
            write!(path, "{verb}{left:.1} {height:.1}L{right:.1} {height:.1}")?;
            end = Some(level.to);
        }
        write!(out, "<path class=\"plan\" d=\"{path}\"/>")?;
        let Some(last) = self.levels.last() else { return Ok(()) };
        let limit = plan.raw_signals_limit.map_or_else(String::new, thousands);
        let text = if self.unit == plan.period {
            format!("plan: {limit} a {}", plan.period)
        } else {
            format!("plan: {limit} a {}, evenly by day", plan.period)
        };
        write!(
            out,
            "<text class=\"plan-label\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{text}</text>",
            WIDTH - 4.0,
            y(last.height) - 6.0
        )
    }

    /// The first, the middle and the last label.
    fn labels(&self, out: &mut String, x: &dyn Fn(f64) -> f64) -> fmt::Result {
        let last = self.bars.len().saturating_sub(1);
        let mut shown = vec![(0, "start"), (last / 2, "middle"), (last, "end")];
        shown.dedup_by_key(|(place, _)| *place);
        for (place, anchor) in shown {
            let Some(bar) = self.bars.get(place) else { continue };
            let at = match anchor {
                "start" => x(bar.place),
                "middle" => x(bar.place + 0.5),
                _ => x(bar.place + 1.0),
            };
            write!(
                out,
                "<text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>",
                HEIGHT - 8.0,
                escaped(&bar.label)
            )?;
        }
        Ok(())
    }
}

/// The next number from `most` on that is 1, 2 or 4 with zeros, 2 at the least.
fn nice(most: f64) -> f64 {
    let mut step = 2.0;
    loop {
        for factor in [1.0, 2.0, 5.0, 10.0] {
            if step * factor >= most {
                return step * factor;
            }
        }
        step *= 10.0;
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a figure of the axis
fn figure(value: f64) -> String {
    thousands(value.round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers() {
        for (most, end) in [
            (0.0, 2.0),
            (1.0, 2.0),
            (2.5, 4.0),
            (9.0, 10.0),
            (37.0, 40.0),
            (41.0, 100.0),
            (1e6, 1e6),
        ] {
            assert!((nice(most) - end).abs() < 1e-9, "{most}: {}", nice(most));
        }
    }
}
