//! Conditions that every event must meet for an expression to hold, derived from the expression
//! alone.

use super::compile::Node;
use super::lex::Compare;
use crate::event::path::Path;
use crate::event::{CallType, Member};

/// The names and calls that an expression requires, from its `event =`, `type =` and `in`
/// conjuncts. A field is `None` if the expression does not restrict it. An index over many
/// expressions uses this.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Demand {
    /// The event has one of these names.
    pub events: Option<Vec<Box<str>>>,
    /// The event has one of these calls.
    pub calls: Option<Vec<CallType>>,
}

impl Demand {
    pub(super) fn of(node: &Node) -> Self {
        match node {
            Node::And(parts) => parts.iter().map(Self::of).fold(Self::default(), Self::both),
            Node::Or(parts) => Self::of_one(parts),
            Node::Cases(cases) => Self::of_one(cases.parts()),
            Node::Compare(Compare::Equal, sides) => match &**sides {
                [Node::Path(path), Node::Text(text)] | [Node::Text(text), Node::Path(path)] => {
                    Self::one_of(path, std::iter::once(&**text))
                }
                _ => Self::default(),
            },
            Node::In(sides) => match &**sides {
                [Node::Path(path), Node::List(items)] => {
                    let texts: Option<Vec<&str>> = items.iter().map(literal).collect();
                    texts.map_or_else(Self::default, |texts| Self::one_of(path, texts))
                }
                _ => Self::default(),
            },
            Node::OneOf(item, texts) => match &**item {
                Node::Path(path) => Self::one_of(path, texts.iter().map(|text| &**text)),
                _ => Self::default(),
            },
            _ => Self::default(),
        }
    }

    /// Returns the demand of an expression that requires one of `parts` to hold.
    fn of_one(parts: &[Node]) -> Self {
        let (mut events, mut calls) = (Some(Vec::new()), Some(Vec::new()));
        for part in parts {
            if events.is_none() && calls.is_none() {
                break;
            }
            let demand = Self::of(part);
            events = joined(events, demand.events);
            calls = joined(calls, demand.calls);
        }
        // Sorted once at the end: an expression may have very many alternatives.
        Self { events: events.map(sorted), calls: calls.map(sorted) }
    }

    /// Returns the demand that the member at `path` is one of `texts`.
    fn one_of<'n>(path: &Path, texts: impl IntoIterator<Item = &'n str>) -> Self {
        if path.is_member(Member::Event) {
            let mut events: Vec<Box<str>> = texts.into_iter().map(Into::into).collect();
            events.sort_unstable();
            events.dedup();
            return Self { events: Some(events), calls: None };
        }
        if path.is_member(Member::Type) {
            // If one of the texts is not a call, the call is not restricted.
            let calls: Option<Vec<_>> = texts.into_iter().map(CallType::from_name).collect();
            return Self { events: None, calls: calls.map(sorted) };
        }
        Self::default()
    }

    fn both(self, other: Self) -> Self {
        Self {
            events: intersect(self.events, other.events),
            calls: intersect(self.calls, other.calls),
        }
    }
}

fn literal(node: &Node) -> Option<&str> {
    match node {
        Node::Text(text) => Some(text),
        _ => None,
    }
}

fn sorted<T: Ord>(mut items: Vec<T>) -> Vec<T> {
    items.sort_unstable();
    items.dedup();
    items
}

/// Returns the intersection of two sorted demands; `None` allows everything.
fn intersect<T: Ord>(left: Option<Vec<T>>, right: Option<Vec<T>>) -> Option<Vec<T>> {
    match (left, right) {
        (Some(mut left), Some(right)) => {
            left.retain(|item| right.binary_search(item).is_ok());
            Some(left)
        }
        (left, right) => left.or(right),
    }
}

/// Returns the union of two demands, unsorted; `None` allows everything.
fn joined<T>(left: Option<Vec<T>>, right: Option<Vec<T>>) -> Option<Vec<T>> {
    let (mut left, right) = (left?, right?);
    left.extend(right);
    Some(left)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, Members};
    use crate::fql::Expr;
    use crate::json::document::with_json;
    use proptest::prelude::*;

    fn demand(source: &str) -> (Option<Vec<String>>, Option<Vec<CallType>>) {
        let demand = Expr::compile(source).unwrap().expr.demand();
        (demand.events.map(|names| names.into_iter().map(String::from).collect()), demand.calls)
    }

    #[test]
    fn demands_are_read_off_conjuncts() {
        use CallType::{Page, Track};
        let events = |names: &[&str]| Some(names.iter().map(|&name| name.to_owned()).collect());
        for (source, names, calls) in [
            ("event = 'A'", events(&["A"]), None),
            ("'A' = event", events(&["A"]), None),
            ("event in ['B', 'A']", events(&["A", "B"]), None),
            ("type = 'track'", None, Some(vec![Track])),
            ("type in ['page', 'track']", None, Some(vec![Track, Page])),
            ("event = 'A' and type = 'track' and userId", events(&["A"]), Some(vec![Track])),
            ("event = 'A' or event = 'B'", events(&["A", "B"]), None),
            ("event = 'A' or type = 'page'", None, None),
            ("event in ['A', 'B'] and event in ['B', 'C']", events(&["B"]), None),
            (
                "event = 'A' and (type = 'track' or type = 'page')",
                events(&["A"]),
                Some(vec![Track, Page]),
            ),
            ("event != 'A'", None, None),
            ("!(event = 'A')", None, None),
            ("event in ['A', null]", None, None),
            ("event in properties.names", None, None),
            ("type = 'delete'", None, None),
            ("type in ['track', 'delete']", None, None),
            ("event.x = 'A'", None, None),
            ("lowercase(event) = 'a'", None, None),
            ("all", None, None),
        ] {
            assert_eq!(demand(source), (names, calls), "{source}");
        }
    }

    /// Generates expressions that mostly concern the event's name and type.
    fn expressions() -> impl Strategy<Value = String> {
        const NAMES: [&str; 8] =
            ["'A'", "'B'", "'track'", "'page'", "'delete'", "null", "1", "userId"];
        let value = prop::sample::select(&NAMES[..]);
        let path = prop::sample::select(&["event", "type", "userId"][..]);
        let list = prop::collection::vec(value.clone(), 0..12).prop_map(|items| items.join(", "));
        let leaf = prop_oneof![
            (path.clone(), prop::sample::select(&["=", "!="][..]), value.clone())
                .prop_map(|(path, operator, value)| format!("{path} {operator} {value}")),
            (value, path.clone()).prop_map(|(value, path)| format!("{value} = {path}")),
            (path, list).prop_map(|(path, list)| format!("{path} in [{list}]")),
            Just("true".to_owned()),
        ];
        leaf.prop_recursive(4, 24, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 2..4)
                    .prop_map(|parts| format!("({})", parts.join(" and "))),
                prop::collection::vec(inner.clone(), 2..4)
                    .prop_map(|parts| format!("({})", parts.join(" or "))),
                inner.prop_map(|part| format!("!({part})")),
            ]
        })
    }

    proptest! {
        #[test]
        fn an_event_that_is_taken_meets_the_demand(
            source in expressions(),
            name in prop::sample::select(&["\"A\"", "\"B\"", "\"track\"", "null", "1"][..]),
            call in prop::sample::select(&["\"track\"", "\"page\"", "\"delete\"", "\"A\"", "null"][..]),
        ) {
            let text = format!(r#"{{"event":{name},"type":{call},"userId":"A"}}"#);
            with_json(&text, |json| {
                let members = Members::of(json);
                let event = Event::new(json, &members);
                let expr = Expr::compile(&source).unwrap().expr;
                if expr.holds(&event) {
                    let demand = expr.demand();
                    if let Some(names) = demand.events {
                        let name = event.text(Member::Event);
                        prop_assert!(names.iter().any(|demanded| Some(&**demanded) == name));
                    }
                    if let Some(calls) = demand.calls {
                        let call = event.call_type();
                        prop_assert!(calls.iter().any(|demanded| Some(*demanded) == call));
                    }
                }
                Ok(())
            })?;
        }
    }
}
