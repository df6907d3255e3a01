//! Detects expressions that hold for every event or for none, from the expression alone.
//!
//! An expression never holds if assuming it leads to a contradiction, and always holds if its
//! negation never does. Assumptions are collected conjunct by conjunct: a path has one value for
//! each event, so it cannot equal two texts at once, or be both greater than 5 and less than 3. Of
//! alternatives, each must be contradictory. If the question cannot be decided within a bounded
//! number of steps, nothing is claimed.

mod facts;

use super::compile::Node;
use super::lex::Compare;
use super::number;
use crate::event::path::{Lookup, Path};
use crate::json::{Json, Number};
use facts::{Facts, Literal};

/// The maximum number of steps for one question.
const MAX_STEPS: usize = 20_000;
/// The maximum number of nested alternatives that are tried.
const MAX_DEPTH: usize = 32;

/// An event without any fields.
struct Nothing;

impl<'t> Lookup<'t> for Nothing {
    fn lookup(&self, _: &Path) -> Option<Json<'t>> {
        None
    }
}

/// A part of an expression, and whether it is assumed to hold.
type Assumption<'n> = (&'n Node, bool);

impl Node {
    /// Returns `Some(true)` if the node holds for every event, `Some(false)` if it holds for none,
    /// and `None` if neither could be proved.
    pub(super) fn constant(&self) -> Option<bool> {
        if is_impossible(self, true) {
            return Some(false);
        }
        is_impossible(self, false).then_some(true)
    }
}

/// Returns `true` if there is no event for which the truth of `node` is `holds`.
fn is_impossible(node: &Node, holds: bool) -> bool {
    let mut steps = MAX_STEPS;
    contradicts(Facts::of_any_event(), vec![(node, holds)], Vec::new(), &mut steps, 0)
}

/// Returns `true` if `assumed` and the alternatives `open` contradict each other or `facts`.
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
    depth < MAX_DEPTH
        && parts.iter().all(|part| {
            let cost = facts.len() + open.len();
            let Some(left) = steps.checked_sub(cost) else { return false };
            *steps = left;
            contradicts(facts.clone(), vec![(part, holds)], open.clone(), steps, depth + 1)
        })
}

/// Adds the assumption that the truth of `node`, which is not a combination of others, is `holds`.
/// Returns `false` if that contradicts `facts`.
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

/// Returns the subject of a comparison or `in`, and the literals that it is compared with.
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

/// Returns a comparison with a number with the number on the right: `5 < x` as `x > 5`.
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

/// Returns `true` if the comparison of `value` with `limit` by `operator` holds.
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
