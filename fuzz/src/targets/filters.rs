//! Destination filters: read or refused with places in the text, and applied.

use backtrail::event::{Event, Members};
use backtrail::filter::destination::{DestinationFilters, Scratch, Verdict};
use backtrail::json::canonical::Canonical;
use backtrail::json::document::Document;
use backtrail::parse::Detection;

use super::fql::EVENTS;

/// Reads `data` as a file of filters and applies them.
///
/// # Panics
/// If a fault stands outside of the text, an event that is not touched changes, or what is left is
/// no event.
pub fn target(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let filters = match DestinationFilters::parse(text) {
        Ok((filters, _)) => filters,
        Err(faults) => {
            assert!(!faults.is_empty());
            for fault in faults {
                assert!(text.get(fault.span.start..).is_some(), "{fault:?} of {text:?}");
            }
            return;
        }
    };
    let mut scratch = Scratch::default();
    for text in EVENTS {
        Document::default().read(text.as_bytes(), |json| {
            let json = json.unwrap();
            let members = Members::of(json);
            let event = Event::new(json, &members);
            let whole = written(&event);
            for _ in 0..2 {
                filters.apply(&event, Detection::EitherId, &mut scratch, |verdict, left| {
                    check(&verdict, left, &whole);
                });
            }
        });
    }
}

fn check(verdict: &Verdict<'_>, left: &Event<'_>, whole: &str) {
    match verdict {
        Verdict::Changed(by) => {
            assert!(!by.is_empty() && Detection::EitherId.takes(left), "{whole}");
            assert!(written(left).len() < whole.len(), "{whole}");
        }
        Verdict::Untouched | Verdict::Dropped(_) => assert_eq!(written(left), whole),
    }
}

fn written(event: &Event<'_>) -> String {
    let mut text = Vec::new();
    Canonical::default().write(event.root(), &mut text);
    String::from_utf8(text).unwrap()
}
