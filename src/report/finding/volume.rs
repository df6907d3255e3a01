//! Findings about events that use up the plan without giving any information.

use super::{Finding, Severity, raw_signals};
use crate::diagnostic::clean;
use crate::report::figure::{counted, percent, thousands};
use crate::report::{NameCount, Report};

/// The percentage of duplicates from which the finding is a warning.
const MANY_DUPLICATES: u64 = 5;
/// The percentage of unmapped raw signals from which they are reported.
const MUCH: u64 = 20;
/// The percentage of pages from which they are reported if there are no rules.
const MANY_PAGES: u64 = 50;

/// Reports duplicate events.
pub fn duplicates(report: &Report) -> Option<Finding> {
    let (count, of) = (report.events.duplicates, raw_signals(report));
    (count > 0).then(|| Finding {
        finding: "duplicates",
        severity: Severity::from_percent(count, of, MANY_DUPLICATES),
        count,
        of,
        message: format!(
            "{} of {} ({}) {}; no lead counts them twice, but the plan does",
            thousands(count),
            counted(of, "raw signal", "raw signals"),
            percent(count, of),
            if count == 1 { "is a duplicate" } else { "are duplicates" },
        ),
        help: "a few are Segment's own retries. Many mean that two sources or two snippets send \
               the same call: `--profile-duplicates` counts both kinds"
            .into(),
        rule: None,
    })
}

/// Reports page calls that no rule uses.
pub fn pages(report: &Report) -> Option<Finding> {
    let of = raw_signals(report);
    let is_page = |name: &&NameCount| matches!(name.call, "page" | "screen");
    let has_rules = !report.rules.by_rule.is_empty();
    let (names, least) = if has_rules {
        (&report.rules.unmapped_by_event, MUCH)
    } else {
        (&report.events.by_name, MANY_PAGES)
    };
    let count = names.iter().filter(is_page).map(|name| name.count).sum();
    let which = if has_rules { " that no rule maps" } else { "" };
    is_share(count, of, least).then(|| Finding {
        finding: "unfiltered-pages",
        severity: Severity::Warning,
        count,
        of,
        message: format!(
            "{} of {} ({}) are page and screen calls{which}",
            thousands(count),
            counted(of, "raw signal", "raw signals"),
            percent(count, of),
        ),
        help: "let only pages that show intent pass: lines such as `page /pricing*` and `page \
               /demo*` in the allow list"
            .into(),
        rule: None,
    })
}

/// Reports track events that no rule uses.
pub fn unmapped(report: &Report) -> Option<Finding> {
    let of = raw_signals(report);
    let names = report.rules.unmapped_by_event.iter().filter(|name| name.call == "track");
    let count = names.clone().map(|name| name.count).sum();
    let most: Vec<String> = names
        .take(3)
        .map(|name| format!("{} {}", shortened(&name.event), thousands(name.count)))
        .collect();
    (!report.rules.by_rule.is_empty() && is_share(count, of, MUCH)).then(|| Finding {
        finding: "unmapped-events",
        severity: Severity::Warning,
        count,
        of,
        message: format!(
            "{} of {} ({}) are track events that no rule maps: {}",
            thousands(count),
            counted(of, "raw signal", "raw signals"),
            percent(count, of),
            most.join(", "),
        ),
        help: "take them off the allow list, or give those that show intent a rule; `backtrail \
               queue --suggest` writes rules to start from"
            .into(),
        rule: None,
    })
}

/// Returns a masked name from the data, short enough to leave room for the rest of the message.
fn shortened(name: &str) -> String {
    crate::report::layout::fitted(&clean(name), 40)
}

fn is_share(part: u64, whole: u64, percent: u64) -> bool {
    part > 0 && u128::from(part) * 100 >= u128::from(whole) * u128::from(percent)
}
