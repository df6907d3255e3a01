//! The queue as CSV: a line for each name, or for each path of one name.

use std::io::{self, Write};

use super::report::{Name, Path, Profile, Report};
use crate::emit::is_formula;

const NAMES: [&str; 15] = [
    "type",
    "event",
    "count",
    "share",
    "duplicates",
    "visitors",
    "known_visitors",
    "first_seen",
    "last_seen",
    "before_identify",
    "plan_share",
    "mapped",
    "unmapped",
    "rules",
    "days",
];
const PATHS: [&str; 7] = ["path", "filled", "fill_rate", "types", "empty", "distinct", "examples"];

/// Writes the names of `report`, or the paths if one name was requested.
///
/// # Errors
/// Returns an error if writing to `out` fails.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut rows = csv::WriterBuilder::new().from_writer(out);
    if let Some(Profile { paths, .. }) = &report.profile {
        rows.write_record(PATHS)?;
        for path in paths {
            rows.write_record(path_cells(path))?;
        }
    } else {
        rows.write_record(NAMES)?;
        for name in &report.names {
            rows.write_record(name_cells(name))?;
        }
    }
    rows.flush()
}

fn name_cells(name: &Name) -> [String; NAMES.len()] {
    let Name { count, duplicates, mapped, .. } = name;
    let rules = name.rules.iter().map(|rule| format!("{} {}", rule.rule, rule.count));
    let days = name.days.iter().map(|day| format!("{} {}", day.day, day.count));
    let is_signal = matches!(name.call, "track" | "page" | "screen");
    [
        name.call.into(),
        guarded(&name.event),
        count.to_string(),
        name.share.to_string(),
        duplicates.to_string(),
        name.visitors.to_string(),
        name.known_visitors.to_string(),
        name.first_seen.clone().unwrap_or_default(),
        name.last_seen.clone().unwrap_or_default(),
        name.before_identify.to_string(),
        name.plan_share.map_or_else(String::new, |share| share.to_string()),
        mapped.to_string(),
        if is_signal { (count - duplicates - mapped).to_string() } else { "0".into() },
        guarded(&rules.collect::<Vec<_>>().join(";")),
        days.collect::<Vec<_>>().join(";"),
    ]
}

fn path_cells(path: &Path) -> [String; PATHS.len()] {
    let types = path.types.iter().map(|(name, count)| format!("{name} {count}"));
    [
        guarded(&path.path),
        path.filled.to_string(),
        path.fill_rate.to_string(),
        types.collect::<Vec<_>>().join(";"),
        path.empty.to_string(),
        path.distinct.to_string(),
        guarded(&path.examples.join(";")),
    ]
}

/// Returns a cell with text from the data, guarded so that no spreadsheet runs it as a formula.
fn guarded(text: &str) -> String {
    if is_formula(text.as_bytes()) { format!("'{text}") } else { text.to_owned() }
}
