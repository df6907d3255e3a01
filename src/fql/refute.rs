//! Whether an expression holds for every event, or for none, read off the expression alone.
//!
//! An expression never holds where assuming that it does leads to a contradiction, and always holds
//! where its negation never does. What is assumed is gathered conjunct by conjunct: a path has one
//! value for an event, so it cannot equal two texts at once, or be greater than 5 and less than 3.
//! Of alternatives each must be contradictory. Where it cannot be told within a bounded number of
//! steps, nothing is claimed.

mod facts;

use super::compile::Node;
use super::lex::Compare;
use super::number;
use crate::event::path::{Lookup, Path};
use crate::json::{Json, Number};
use facts::{Facts, Literal};

/// So many steps are spent on one question.
const MOST_STEPS: usize = 20_000;
/// So many alternatives are tried one inside another.
const MOST_DEPTH: usize = 32;

/// An event without anything.
struct Nothing;

impl<'t> Lookup<'t> for Nothing {
    fn lookup(&self, _: &Path) -> Option<Json<'t>> {
        None
    }
}

/// A part of an expression that is assumed to hold, or not to hold.
type Assumption<'n> = (&'n Node, bool);

impl Node {
    /// Whether this holds for every event (`true`) or for none (`false`); `None` where neither can
    /// be told.
    pub(super) fn constant(&self) -> Option<bool> {
        if is_impossible(self, true) {
            return Some(false);
        }
        is_impossible(self, false).then_some(true)
    }
}

/// Whether there is no event for which `node` is `holds`.
fn is_impossible(node: &Node, holds: bool) -> bool {
    let mut steps = MOST_STEPS;
    contradicts(Facts::of_any_event(), vec![(node, holds)], Vec::new(), &mut steps, 0)
}

/// Whether `assumed` and the alternatives `open` contradict each other or `facts`.
fn contradicts<'n>(
    mut facts: Facts<'n>,
    mut assumed: Vec<Assumption<'n>>,
    mut open: Vec<Assumption<'n>>,
    steps: &mut usize,
    depth: usize,
) -> bool {
    while let Some((node, holds)) = assumed.pop() {
        let Some(left) = steps.checked_sub(1) else { return false };
        *steps = left;
        match (node, holds) {
            (Node::Not(inner), _) => assumed.push((inner, !holds)),
            (Node::And(parts), true) | (Node::Or(parts), false) => {
                assumed.extend(parts.iter().map(|part| (part, holds)));
            }
            (Node::Cases(cases), false) => {
                assumed.extend(cases.parts().iter().map(|part| (part, holds)));
            }
            (Node::And(_), false) | (Node::Or(_) | Node::Cases(_), true) => {
                open.push((node, holds));
            }
            _ => {
                if !assume(&mut facts, node, holds, steps) {
                    return true;
                }
            }
        }
    }
    let Some((node, holds)) = open.pop() else { return false };
    let parts = match node {
        Node::And(parts) | Node::Or(parts) => parts,
        Node::Cases(cases) => cases.parts(),
        _ => return false,
    };
    depth < MOST_DEPTH
        && parts.iter().all(|part| {
            let cost = facts.len() + open.len();
            let Some(left) = steps.checked_sub(cost) else { return false };
            *steps = left;
            contradicts(facts.clone(), vec![(part, holds)], open.clone(), steps, depth + 1)
        })
}

/// Adds that `node`, which is no combination of others, is `holds`; returns whether it can be.
fn assume<'n>(facts: &mut Facts<'n>, node: &'n Node, holds: bool, steps: &mut usize) -> bool {
    if node.all_paths(&|_| false) {
        return node.holds(&Nothing) == holds;
    }
    if let Some((subject, values)) = membership(node) {
        let wanted = holds != matches!(node, Node::Compare(Compare::NotEqual, _));
        return facts.assume_among(subject, values, wanted, steps);
    }
    match node {
        // A value that is not `true` counts as false.
        Node::Path(_) => facts.assume_among(node, vec![Literal::Bool(true)], holds, steps),
        Node::Compare(operator, sides) if holds => match bound(*operator, sides) {
            Some((subject, operator, number)) => {
                facts.assume_bound(subject, operator, number, steps)
                    && facts.assume_opaque(node, holds, steps)
            }
            None => facts.assume_opaque(node, holds, steps),
        },
        _ => facts.assume_opaque(node, holds, steps),
    }
}

/// What a comparison or `in` asks to be one of some values.
fn membership(node: &Node) -> Option<(&Node, Vec<Literal<'_>>)> {
    match node {
        Node::Compare(Compare::Equal | Compare::NotEqual, sides) => match &**sides {
            [subject, value] | [value, subject] if Literal::of(value).is_some() => {
                Some((subject, vec![Literal::of(value)?]))
            }
            _ => None,
        },
        Node::In(sides) => match &**sides {
            [subject, Node::List(items)] => {
                Some((subject, items.iter().map(Literal::of).collect::<Option<_>>()?))
            }
            _ => None,
        },
        Node::OneOf(subject, texts) => {
            Some((subject, texts.iter().map(|text| Literal::Text(text)).collect()))
        }
        _ => None,
    }
}

/// A comparison with a number as one of what stands beside it: `5 < x` as `x > 5`.
fn bound(operator: Compare, sides: &[Node; 2]) -> Option<(&Node, Compare, Number)> {
    let turned = match operator {
        Compare::Greater => Compare::Less,
        Compare::GreaterEqual => Compare::LessEqual,
        Compare::Less => Compare::Greater,
        Compare::LessEqual => Compare::GreaterEqual,
        Compare::Equal | Compare::NotEqual => return None,
    };
    match sides {
        [subject, Node::Number(number)] => Some((subject, operator, *number)),
        [Node::Number(number), subject] => Some((subject, turned, *number)),
        _ => None,
    }
}

/// Whether `value` compares to `limit` as `operator` says.
fn meets(value: Number, operator: Compare, limit: Number) -> bool {
    number::compare(value, limit).is_some_and(|order| match operator {
        Compare::Greater => order.is_gt(),
        Compare::GreaterEqual => order.is_ge(),
        Compare::Less => order.is_lt(),
        Compare::LessEqual => order.is_le(),
        Compare::Equal => order.is_eq(),
        Compare::NotEqual => order.is_ne(),
    })
}

#[cfg(test)]
mod tests;
