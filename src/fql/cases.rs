//! An index over long lists of alternatives that each require one text of one field, such as
//! `event = "A" or event = "B" or …`. Only the alternatives for the event's text are evaluated, so
//! a list of hundreds costs about as much as a short one.

use ahash::{AHashMap, AHashSet};

use super::compile::Node;
use super::lex::Compare;
use crate::event::path::{Lookup, Path};
use crate::json::Json;

/// The minimum number of texts that are worth an index.
const MIN_INDEXED_TEXTS: usize = 8;

/// Indexed alternatives.
#[derive(Clone, Debug)]
pub(super) struct Cases {
    path: Path,
    parts: Box<[Node]>,
    /// For each text at the path, the indices of the parts that can hold.
    by_text: AHashMap<Box<str>, Vec<usize>>,
    /// The indices of the parts that can hold for any value.
    rest: Vec<usize>,
}

/// Returns a node that holds if one of `parts` holds, with an index if it is worth one.
pub(super) fn any_of(parts: Box<[Node]>) -> Node {
    match best_path(&parts, asked) {
        Some(path) => Node::Cases(Box::new(Cases::new(path, parts))),
        None => Node::Or(parts),
    }
}

/// Returns a node that holds if all of `parts` hold. Parts negated by `!` or `!=` become one
/// negated list of alternatives if an index is worth it.
pub(super) fn all_of(parts: Box<[Node]>) -> Node {
    let Some(path) = best_path(&parts, denied_texts) else { return Node::And(parts) };
    let (mut asked, mut denied) = (Vec::new(), Vec::new());
    for part in parts {
        match part {
            Node::Compare(Compare::NotEqual, sides) => {
                denied.push(Node::Compare(Compare::Equal, sides));
            }
            Node::Not(inner) => denied.push(*inner),
            part => asked.push(part),
        }
    }
    asked.push(Node::Not(Box::new(Node::Cases(Box::new(Cases::new(path, denied.into()))))));
    Node::And(asked.into())
}

/// The texts that are required at each path.
type Asked<'n> = Vec<(&'n Path, Vec<&'n str>)>;

/// Returns the texts that a negated part requires inside its negation.
fn denied_texts(part: &Node) -> Asked<'_> {
    match part {
        Node::Compare(Compare::NotEqual, sides) => equal_texts(sides),
        Node::Not(inner) => asked(inner),
        _ => Vec::new(),
    }
}

/// Returns the path for which `parts` require the most different texts, if these are enough for an
/// index.
fn best_path(parts: &[Node], asked: fn(&Node) -> Asked<'_>) -> Option<Path> {
    let mut places: AHashMap<&Path, usize> = AHashMap::new();
    let mut paths: Vec<(&Path, AHashSet<&str>)> = Vec::new();
    for (path, texts) in parts.iter().flat_map(asked) {
        let place = *places.entry(path).or_insert(paths.len());
        match paths.get_mut(place) {
            Some((_, known)) => known.extend(texts),
            None => paths.push((path, texts.into_iter().collect())),
        }
    }
    // Of equal numbers of texts the first path, whatever the order of the hasher.
    let best = paths.into_iter().rev().max_by_key(|(_, texts)| texts.len());
    best.filter(|(_, texts)| texts.len() >= MIN_INDEXED_TEXTS).map(|(path, _)| path.clone())
}

/// Returns, by path, the texts that `node` requires: it cannot hold if the value at the path is
/// none of them.
fn asked(node: &Node) -> Asked<'_> {
    match node {
        Node::And(parts) => parts.iter().flat_map(asked).collect(),
        Node::Compare(Compare::Equal, sides) => equal_texts(sides),
        Node::In(sides) => match &**sides {
            [Node::Path(path), Node::List(items)] => {
                let texts = items.iter().map(|item| match item {
                    Node::Text(text) => Some(&**text),
                    _ => None,
                });
                texts.collect::<Option<_>>().map(|texts| (path, texts)).into_iter().collect()
            }
            _ => Vec::new(),
        },
        Node::OneOf(item, texts) => match &**item {
            Node::Path(path) => vec![(path, texts.iter().map(|text| &**text).collect())],
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// Returns the text that an equality requires.
fn equal_texts(sides: &[Node; 2]) -> Asked<'_> {
    match sides {
        [Node::Path(path), Node::Text(text)] | [Node::Text(text), Node::Path(path)] => {
            vec![(path, vec![text])]
        }
        _ => Vec::new(),
    }
}

impl Cases {
    fn new(path: Path, parts: Box<[Node]>) -> Self {
        let mut by_text: AHashMap<Box<str>, Vec<usize>> = AHashMap::new();
        let mut rest = Vec::new();
        for (place, part) in parts.iter().enumerate() {
            match asked(part).into_iter().find(|(asked, _)| **asked == path) {
                Some((_, texts)) => {
                    for text in texts {
                        by_text.entry(text.into()).or_default().push(place);
                    }
                }
                None => rest.push(place),
            }
        }
        Self { path, parts, by_text, rest }
    }

    /// Returns the alternatives, in the order of the text.
    pub fn parts(&self) -> &[Node] {
        &self.parts
    }

    /// Returns `true` if one of the alternatives holds.
    pub fn holds<'t>(&self, event: &impl Lookup<'t>) -> bool {
        let text = event.lookup(&self.path).and_then(Json::as_str);
        let asked = text.and_then(|text| self.by_text.get(text));
        let mut possible = asked.into_iter().flatten().chain(&self.rest);
        possible.any(|&place| self.parts[place].holds(event))
    }
}

#[cfg(test)]
mod tests {
    use crate::event::{Event, Members};
    use crate::fql::Expr;
    use crate::json::document::with_json;
    use proptest::prelude::*;

    fn holds(source: &str, event: &str) -> bool {
        let expr = Expr::compile(source).unwrap().expr;
        with_json(event, |json| expr.holds(&Event::new(json, &Members::of(json))))
    }

    fn is_indexed(source: &str) -> bool {
        format!("{:?}", Expr::compile(source).unwrap().expr).contains("Cases")
    }

    fn joined(operator: &str, count: usize, part: impl Fn(usize) -> String) -> String {
        (0..count).map(part).collect::<Vec<_>>().join(operator)
    }

    #[test]
    fn long_lists_are_indexed_and_short_ones_are_not() {
        let equal = |n: usize| format!("event = 'E{n}'");
        assert!(!is_indexed(&joined(" or ", 7, equal)));
        assert!(is_indexed(&joined(" or ", 8, equal)));
        assert!(!is_indexed(&joined(" or ", 50, |_| "event = 'E'".to_owned())));
        assert!(is_indexed(&joined(" and ", 8, |n| format!("event != 'E{n}'"))));
        assert!(is_indexed(&joined(" and ", 8, |n| format!("!(event = 'E{n}')"))));
        let both = |n: usize| format!("(type = 'track' and properties.plan = 'P{n}')");
        assert!(is_indexed(&joined(" or ", 8, both)));
    }

    #[test]
    fn what_asks_for_nothing_of_the_path_is_always_tried() {
        let source =
            joined(" or ", 20, |n| format!("event = 'E{n}'")) + " or contains(event, 'Trial')";
        assert!(is_indexed(&source));
        assert!(holds(&source, r#"{"event":"E7"}"#));
        assert!(holds(&source, r#"{"event":"Trial Started"}"#));
        assert!(!holds(&source, r#"{"event":"E77"}"#));
        assert!(!holds(&source, r#"{"event":7}"#));
        assert!(!holds(&source, "{}"));
    }

    proptest! {
        #[test]
        fn an_index_changes_no_verdict(
            picks in proptest::collection::vec((0..6u8, 0..12u8, 0..3u8), 9..40),
            event in proptest::option::of(0..14u8),
            plan in proptest::option::of(0..4u8),
            all in any::<bool>(),
        ) {
            let part = |&(kind, name, plan): &(u8, u8, u8)| match kind {
                0 => format!("event = 'E{name}'"),
                1 => format!("event != 'E{name}'"),
                2 => format!("(event = 'E{name}' and properties.plan = 'P{plan}')"),
                3 => format!("event in ['E{name}', 'E{plan}']"),
                4 => format!("!(event = 'E{name}')"),
                _ => format!("properties.plan = 'P{plan}'"),
            };
            let parts: Vec<String> = picks.iter().map(part).collect();
            let event = serde_json::json!({
                "event": event.map(|n| format!("E{n}")),
                "properties": { "plan": plan.map(|n| format!("P{n}")) },
            }).to_string();
            let mut each = parts.iter().map(|part| holds(part, &event));
            let (operator, expected) =
                if all { (" and ", each.all(|holds| holds)) } else { (" or ", each.any(|holds| holds)) };
            prop_assert_eq!(holds(&parts.join(operator), &event), expected);
        }
    }
}
