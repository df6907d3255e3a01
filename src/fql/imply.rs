//! Implication between expressions, derived from the expressions alone.

use std::cell::Cell;

use super::compile::Node;
use super::lex::Compare;
use crate::event::path::Path;
use crate::event::{CallType, Member};

/// The maximum number of steps to find out whether one expression implies another. Expressions of a
/// few lines take few steps; the limit avoids comparing two lists of thousands item by item.
const MAX_STEPS: u32 = 100_000;

/// The number of steps that are left.
struct Steps(Cell<u32>);

impl Steps {
    /// Uses up one step. Returns `false` if none is left.
    fn take(&self) -> bool {
        let left = self.0.get().checked_sub(1);
        self.0.set(left.unwrap_or(0));
        left.is_some()
    }
}

impl Node {
    /// Returns `true` if every Segment event for which `self` holds is one for which `other` holds,
    /// and `false` if this does not follow from the expressions within a bounded number of steps.
    ///
    /// Only track calls have an `event` (Segment Spec), so a condition on `event` implies a track
    /// call.
    pub(super) fn implies(&self, other: &Self) -> bool {
        self.implies_within(other, &Steps(Cell::new(MAX_STEPS)))
    }

    fn implies_within(&self, other: &Self, steps: &Steps) -> bool {
        if !steps.take() {
            return false;
        }
        match (self, other) {
            (_, Self::Bool(true)) | (Self::Bool(false), _) => true,
            // Each alternative of the left side must imply the right side, and the left side must
            // imply each conjunct of the right side.
            (Self::Or(ways), _) => ways.iter().all(|way| way.implies_within(other, steps)),
            (_, Self::And(parts)) => parts.iter().all(|part| self.implies_within(part, steps)),
            (Self::And(parts), _) if parts.iter().any(|part| part.implies_within(other, steps)) => {
                true
            }
            (_, Self::Or(ways)) => {
                ways.iter().any(|way| self.implies_within(way, steps))
                    || self.implies_each_text(other, steps)
            }
            _ => self.same(other) || self.implies_each_text(other, steps),
        }
    }

    /// Returns `true` if the node requires one of several texts at a path, and `other` accepts each
    /// of them.
    fn implies_each_text(&self, other: &Self, steps: &Steps) -> bool {
        self.texts()
            .is_some_and(|(path, texts)| texts.iter().all(|text| other.takes(path, text, steps)))
    }

    /// Returns `true` if the node holds for every event with `text` at `path`.
    fn takes(&self, path: &Path, text: &str, steps: &Steps) -> bool {
        if !steps.take() {
            return false;
        }
        let wanted = |own: &Path| {
            let is_track = path.is_member(Member::Event) && own.is_member(Member::Type);
            let wanted = if is_track { CallType::Track.name() } else { text };
            (is_track || own == path).then_some(wanted)
        };
        match self {
            Self::Bool(takes) => *takes,
            Self::And(parts) => parts.iter().all(|part| part.takes(path, text, steps)),
            Self::Or(ways) => ways.iter().any(|way| way.takes(path, text, steps)),
            Self::OneOf(item, texts) => match &**item {
                Self::Path(own) => wanted(own)
                    .is_some_and(|text| texts.binary_search_by(|own| (**own).cmp(text)).is_ok()),
                _ => false,
            },
            _ => self.texts().is_some_and(|(own, texts)| {
                wanted(own).is_some_and(|wanted| texts.contains(&wanted))
            }),
        }
    }

    /// Returns the path and the texts of which the node requires one at that path.
    fn texts(&self) -> Option<(&Path, Vec<&str>)> {
        match self {
            Self::Compare(Compare::Equal, sides) => match &**sides {
                [Self::Path(path), Self::Text(text)] | [Self::Text(text), Self::Path(path)] => {
                    Some((path, vec![text]))
                }
                _ => None,
            },
            Self::In(sides) => match &**sides {
                [Self::Path(path), Self::List(items)] => {
                    let texts = items.iter().map(|item| match item {
                        Self::Text(text) => Some(&**text),
                        _ => None,
                    });
                    Some((path, texts.collect::<Option<_>>()?))
                }
                _ => None,
            },
            Self::OneOf(item, texts) => match &**item {
                Self::Path(path) => Some((path, texts.iter().map(|text| &**text).collect())),
                _ => None,
            },
            _ => None,
        }
    }

    /// Returns `true` if both nodes are written the same way, except for whitespace and
    /// parentheses.
    pub(super) fn same(&self, other: &Self) -> bool {
        let all = |left: &[Self], right: &[Self]| {
            left.len() == right.len() && left.iter().zip(right).all(|(a, b)| a.same(b))
        };
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(left), Self::Bool(right)) => left == right,
            (Self::Number(left), Self::Number(right)) => left == right,
            (Self::Text(left), Self::Text(right)) => left == right,
            (Self::Path(left), Self::Path(right)) => left == right,
            (Self::List(left), Self::List(right))
            | (Self::And(left), Self::And(right))
            | (Self::Or(left), Self::Or(right)) => all(left, right),
            (Self::Not(left), Self::Not(right)) => left.same(right),
            (Self::Compare(left, sides), Self::Compare(right, others)) => {
                left == right && all(&sides[..], &others[..])
            }
            (Self::In(left), Self::In(right)) => all(&left[..], &right[..]),
            (Self::OneOf(left, texts), Self::OneOf(right, others)) => {
                left.same(right) && texts == others
            }
            (Self::Match(left, glob), Self::Match(right, other)) => {
                left.same(right) && glob == other
            }
            (Self::Call1(left, argument), Self::Call1(right, other)) => {
                left == right && argument.same(other)
            }
            (Self::Call2(left, sides), Self::Call2(right, others)) => {
                left == right && all(&sides[..], &others[..])
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::event::{Event, Members};
    use crate::fql::Expr;
    use crate::json::document::with_json;
    use proptest::prelude::*;

    fn implies(left: &str, right: &str) -> bool {
        let compile = |source| Expr::compile(source).unwrap().expr;
        compile(left).implies(&compile(right))
    }

    #[test]
    fn what_is_written_narrower_implies_the_wider() {
        for (narrow, wide) in [
            ("event = 'A'", "all"),
            ("event = 'A'", "( event  = \"A\" )"),
            ("event = 'A' and properties.n > 1", "event = 'A'"),
            ("properties.n > 1 and event = 'A'", "event = 'A' and properties.n > 1"),
            ("event = 'A'", "event in ['B', 'A']"),
            ("event in ['A', 'B']", "event = 'B' or event = 'A'"),
            ("event = 'A' or event = 'B'", "event in ['A', 'B', 'C']"),
            ("event = 'A'", "type = 'track'"),
            ("match(event, 'A*') and userId = null", "match(event, 'A*')"),
            ("!(userId = null)", "!(userId = null)"),
        ] {
            assert!(implies(narrow, wide), "{narrow} => {wide}");
        }
    }

    #[test]
    fn nothing_is_claimed_that_need_not_hold() {
        for (left, right) in [
            ("all", "event = 'A'"),
            ("event = 'A'", "event = 'A' and properties.n > 1"),
            ("event in ['A', 'B']", "event = 'A'"),
            ("event = 'A'", "type = 'page'"),
            ("type = 'track'", "event = 'A'"),
            ("properties.event = 'A'", "type = 'track'"),
            ("userId != null", "userId = null"),
            ("match(event, 'A*')", "match(event, 'B*')"),
            ("event = 'A' or type = 'page'", "event = 'A'"),
        ] {
            assert!(!implies(left, right), "{left} => {right}");
        }
    }

    #[test]
    fn two_giant_expressions_are_not_compared_each_with_each() {
        let ways = |from: usize| {
            let ways = (from..from + 20_000).map(|n| format!("properties.p{n} = {n}"));
            ways.collect::<Vec<_>>().join(" or ")
        };
        assert!(!implies(&ways(0), &ways(10_000)));
        // Comparing all pairs would take minutes.
    }

    fn expressions() -> impl Strategy<Value = String> {
        let leaf = prop::sample::select(
            &[
                "event = 'A'",
                "event in ['A', 'B']",
                "type = 'track'",
                "type in ['page', 'track']",
                "userId = 'A'",
                "userId != 'A'",
                "match(userId, 'A*')",
                "all",
            ][..],
        )
        .prop_map(|leaf| if leaf == "all" { "true".to_owned() } else { leaf.to_owned() });
        leaf.prop_recursive(3, 16, 3, |inner| {
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
        fn no_event_contradicts_what_is_claimed(
            left in expressions(),
            right in expressions(),
            (event, call) in prop::sample::select(&[
                ("\"A\"", "\"track\""), ("\"B\"", "\"track\""), ("\"C\"", "\"track\""),
                ("null", "\"page\""), ("null", "\"identify\""),
            ][..]),
            user in prop::sample::select(&["\"A\"", "\"AB\"", "null"][..]),
        ) {
            let (narrow, wide) = (Expr::compile(&left).unwrap().expr, Expr::compile(&right).unwrap().expr);
            if narrow.implies(&wide) {
                let text = format!(r#"{{"event":{event},"type":{call},"userId":{user}}}"#);
                with_json(&text, |json| {
                    let members = Members::of(json);
                    let event = Event::new(json, &members);
                    prop_assert!(!narrow.holds(&event) || wide.holds(&event));
                    Ok(())
                })?;
            }
        }
    }
}
