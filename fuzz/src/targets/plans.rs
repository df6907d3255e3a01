//! Tracking plans in any of their formats: read or refused, and asked about events.

use backtrail::event::{Event, Members};
use backtrail::json::document::Document;
use backtrail::schema::{Layout, Plan, Planned, Source};

use super::fql::EVENTS;

/// Reads `data` as the file of a plan under several names.
///
/// # Panics
/// If an event is planned by a rule that there is not.
pub fn target(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for name in ["plan.json", "plan.yaml", "plan.csv", "plan.tf"] {
        let files = [Source { name, text }];
        let Ok(reading) = Plan::read(&files, Layout::File) else { continue };
        for event in EVENTS {
            Document::default().read(event.as_bytes(), |json| {
                let json = json.unwrap();
                let members = Members::of(json);
                if let Planned::By(rule) = reading.plan.planned(&Event::new(json, &members)) {
                    assert!(rule < reading.plan.rules.len());
                }
            });
        }
        reading.plan.nearest("Signed Up");
    }
}
