//! The title and the key figures of the page.

use std::fmt;

use super::verdict::{score_lost, sentences};
use crate::jobs::audit::report::{FilterInfo, Report};
use crate::report::figure::{bytes, counted, percent, signed, thousands};
use crate::report::page::{Figure, Text, Tone, code, verdict, write_figures};

/// Returns the title, such as `Audit of allow.txt`.
pub fn title(report: &Report) -> String {
    format!("Audit of {}", files(&report.filter))
}

fn files(filters: &[FilterInfo]) -> String {
    let files: Vec<&str> = filters.iter().map(|filter| filter.file.as_str()).collect();
    files.join(" and ")
}

/// Returns the subtitle: what was read, and what the filter is compared with.
pub fn subtitle(report: &Report) -> String {
    let rejects: u64 = report.rejects.values().sum();
    let mut parts = vec![
        format!(
            "{} from {} ({}), {} rejected",
            counted(report.records, "record", "records"),
            counted(report.inputs.len() as u64, "input", "inputs"),
            bytes(report.bytes_read),
            thousands(rejects),
        ),
        format!(
            "{} of {} pass",
            thousands(report.events.after),
            counted(report.events.total, "event", "events")
        ),
    ];
    if let Some(window) = &report.window {
        parts.push(Text(&window.to_string()).to_string());
    }
    if !report.against.is_empty() {
        parts.push(format!("compared with {}", code(&files(&report.against))));
    }
    if report.filter.iter().any(|filter| filter.estimate) {
        parts.push(
            "all counts are estimates: Segment draws lots for samples without a path, and a hash of \
             the messageId decides here"
                .into(),
        );
    }
    parts.join(" · ")
}

/// Writes the verdict and the key figures.
pub fn write(report: &Report, out: &mut String) -> fmt::Result {
    verdict(&sentences(report), out)?;
    write_figures(&figures(report), out)
}

fn figures(report: &Report) -> Vec<Figure> {
    let (events, leads) = (&report.events, &report.leads);
    let saved = events.before.saturating_sub(events.after);
    let score = score_lost(report);
    let tone = |is_lost: bool| if is_lost { Tone::Bad } else { Tone::Good };
    let mut figures = vec![
        Figure {
            id: "saved",
            name: "Raw signals saved",
            value: percent(saved, events.before),
            note: format!("{} of {}", thousands(saved), thousands(events.before)),
            tone: Tone::Plain,
        },
        Figure {
            id: "score-lost",
            name: "Score lost",
            tone: tone(score.is_some()),
            value: score.unwrap_or_else(|| "0 %".into()),
            note: format!(
                "{} before, {} after",
                signed(leads.before.total_score),
                signed(leads.after.total_score)
            ),
        },
        Figure {
            id: "leads-lost",
            name: "Leads lost",
            value: thousands(leads.lost),
            note: format!(
                "of {}, {} lowered",
                thousands(leads.before.total),
                thousands(leads.lowered)
            ),
            tone: tone(leads.lost > 0),
        },
    ];
    figures.extend(fullest(report));
    figures
}

/// Returns the figure for the fullest period with the filter.
fn fullest(report: &Report) -> Option<Figure> {
    let limit = report.plan.raw_signals_limit?;
    let period = report.plan.periods.iter().max_by_key(|period| period.after.raw_signals)?;
    Some(Figure {
        id: "fullest",
        name: "Of the plan",
        value: percent(period.after.raw_signals, limit),
        note: format!(
            "{} in {}: {}",
            thousands(period.after.raw_signals),
            period.period,
            period.after.light
        ),
        tone: match period.after.light {
            "green" => Tone::Good,
            "amber" => Tone::Doubtful,
            _ => Tone::Bad,
        },
    })
}
