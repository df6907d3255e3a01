//! Rules files and allow lists: read or refused with places in the text.

use backtrail::event::{CallType, Event, Members};
use backtrail::filter::allow::AllowList;
use backtrail::json::document::Document;
use backtrail::rules::{RuleId, Rules};

use super::fql::EVENTS;

/// Reads `data` as a rules file and as an allow list, and applies both.
///
/// # Panics
/// If a fault begins outside of the text, or another rule than the first maps a signal.
pub fn target(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let rules = Rules::parse(text);
    let list = AllowList::parse(text);
    for fault in rules.as_ref().err().into_iter().chain(list.as_ref().err()).flatten() {
        assert!(text.get(fault.span.start..).is_some(), "{fault:?} of {text:?}");
    }
    for event in EVENTS {
        Document::default().read(event.as_bytes(), |json| {
            let json = json.unwrap();
            let members = Members::of(json);
            let event = Event::new(json, &members);
            if let Ok(rules) = &rules {
                let is_signal = event.call_type().is_some_and(CallType::is_signal);
                let first = rules.first_match(&event).map(RuleId::index);
                let taking =
                    rules.rules.iter().enumerate().filter(|(_, rule)| rule.when.holds(&event));
                let naive = taking.min_by_key(|(at, rule)| (std::cmp::Reverse(rule.priority), *at));
                let naive = naive.map(|(at, _)| at).filter(|_| is_signal);
                assert!(!is_signal || first == naive, "{first:?}, not {naive:?}: {text}");
            }
            if let Ok((list, _)) = &list {
                assert!(list.takes(&event).is_none_or(|line| line < list.lines().len()));
            }
        });
    }
}
