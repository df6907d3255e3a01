//! Rules files of any length, for the event names of the synthetic history.

use std::fmt::Write as _;

use crate::history::vocabulary::event_name;

const TYPES: [&str; 4] = ["Product Activity", "Form Fill", "Sales Event", "Page View"];

/// Returns a rules file with `count` rules, each for one event name.
pub fn rules_file(count: usize) -> String {
    let mut out = format!(
        "# {count} rules on event names, as `--rules {count}` of generate.rs prints them.\nversion = 1\n"
    );
    for index in 0..count {
        let name = event_name(index);
        // Writing to a string cannot fail.
        let _ = write!(
            out,
            r#"
[[rule]]
id = "{id}"
when = 'event = "{name}"'
signal = "{signal}"
type = "{kind}"
high_intent = {high}
score = {score}
limit = {limit}
[rule.map]
email = "properties.email"
plan = "properties.plan"
seats = "properties.seats"
page = "context.page.url"
"#,
            id = name.to_lowercase().replace(' ', "-"),
            signal = name.to_lowercase().replace(' ', "_"),
            kind = TYPES[index % TYPES.len()],
            high = index % 5 == 0,
            score = 1 + index * 7 % 50,
            limit = 1 + index % 9,
        );
    }
    out
}
