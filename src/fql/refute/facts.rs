//! The facts assumed about the values of an event.

use ahash::{AHashMap, AHashSet};

use super::meets;
use crate::event::path::Path;
use crate::event::{CallType, Member};
use crate::fql::compile::Node;
use crate::fql::lex::Compare;
use crate::json::Number;

/// A literal value in an expression. Two literals are equal if FQL compares them as equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Literal<'n> {
    Null,
    Bool(bool),
    Integer(i128),
    /// The bits of a number that is not a whole number below 10^30.
    Float(u64),
    Text(&'n str),
}

impl<'n> Literal<'n> {
    pub(super) fn of(node: &'n Node) -> Option<Self> {
        Some(match node {
            Node::Null => Self::Null,
            Node::Bool(value) => Self::Bool(*value),
            Node::Text(text) => Self::Text(text),
            Node::Number(Number::Int(value)) => Self::Integer((*value).into()),
            Node::Number(Number::Uint(value)) => Self::Integer((*value).into()),
            Node::Number(Number::Float(value)) => Self::of_float(*value),
            _ => return None,
        })
    }

    #[allow(clippy::cast_possible_truncation)] // it is whole and far below 2^127
    fn of_float(value: f64) -> Self {
        const MAX_INTEGER: f64 = 1e30;
        if value.fract() == 0.0 && value.abs() < MAX_INTEGER {
            Self::Integer(value as i128)
        } else {
            Self::Float(value.to_bits())
        }
    }

    /// Returns the value as a number, if it is one that fits.
    fn number(self) -> Option<Number> {
        match self {
            Self::Integer(value) => i64::try_from(value)
                .map(Number::Int)
                .or_else(|_| u64::try_from(value).map(Number::Uint))
                .ok(),
            Self::Float(bits) => Some(Number::Float(f64::from_bits(bits))),
            Self::Null | Self::Bool(_) | Self::Text(_) => None,
        }
    }
}

/// The possible values of a path or another part of an expression.
#[derive(Clone, Default)]
struct Domain<'n> {
    /// The value is one of these, if known.
    among: Option<AHashSet<Literal<'n>>>,
    /// The value is none of these.
    denied: AHashSet<Literal<'n>>,
    /// The value is a number for which each of these comparisons holds.
    bounds: Vec<(Compare, Number)>,
}

impl<'n> Domain<'n> {
    /// Restricts the value to `values`, or excludes them. Returns `false` if no value is left.
    fn narrow(&mut self, values: Vec<Literal<'n>>, wanted: bool) -> bool {
        let values: AHashSet<Literal<'n>> = values.into_iter().collect();
        if wanted {
            self.among = Some(match self.among.take() {
                Some(known) => known.intersection(&values).copied().collect(),
                None => values.difference(&self.denied).copied().collect(),
            });
        } else if let Some(known) = &mut self.among {
            known.retain(|value| !values.contains(value));
        } else {
            self.denied.extend(values);
        }
        self.has_value()
    }

    /// Adds that the value is a number for which the comparison with `limit` holds. Returns `false`
    /// if no value is left.
    fn bind(&mut self, operator: Compare, limit: Number) -> bool {
        self.bounds.push((operator, limit));
        // It is enough to compare each upper limit with each lower limit.
        let is_met = |&(other, bound): &(Compare, Number)| {
            let faces = |low, high| {
                matches!(
                    (low, high),
                    (Compare::Greater | Compare::GreaterEqual, Compare::Less | Compare::LessEqual)
                )
            };
            let (low, high) = if faces(operator, other) {
                ((operator, limit), (other, bound))
            } else if faces(other, operator) {
                ((other, bound), (operator, limit))
            } else {
                return true;
            };
            let is_open = low.0 == Compare::Greater || high.0 == Compare::Less;
            meets(low.1, if is_open { Compare::Less } else { Compare::LessEqual }, high.1)
        };
        self.bounds.iter().all(is_met) && self.has_value()
    }

    /// Returns `true` if a value is left, or if the possible values are not known.
    fn has_value(&mut self) -> bool {
        let Some(known) = &mut self.among else { return true };
        for (operator, limit) in &self.bounds {
            // An integer past 64 bits is not compared.
            known.retain(|value| match value {
                Literal::Integer(_) | Literal::Float(_) => {
                    value.number().is_none_or(|value| meets(value, *operator, *limit))
                }
                Literal::Null | Literal::Bool(_) | Literal::Text(_) => false,
            });
        }
        !known.is_empty()
    }
}

/// All facts assumed.
#[derive(Clone, Default)]
pub(super) struct Facts<'n> {
    paths: AHashMap<&'n Path, Domain<'n>>,
    others: Vec<(&'n Node, Domain<'n>)>,
    /// Parts that are not analysed further, and whether they hold.
    opaque: Vec<(&'n Node, bool)>,
}

impl<'n> Facts<'n> {
    /// Returns the facts that hold for every event.
    pub(super) fn of_any_event() -> Self {
        Self::default()
    }

    /// Returns the number of entries, as a measure of the cost of copying.
    pub(super) fn len(&self) -> usize {
        self.paths.len() + self.others.len() + self.opaque.len() + 1
    }

    /// Assumes that `subject` is one of `values`, or none of them. Returns `false` on a
    /// contradiction.
    pub(super) fn assume_among(
        &mut self,
        subject: &'n Node,
        values: Vec<Literal<'n>>,
        wanted: bool,
        steps: &mut usize,
    ) -> bool {
        *steps = steps.saturating_sub(values.len());
        self.domain(subject, steps).is_none_or(|domain| domain.narrow(values, wanted))
    }

    /// Assumes that `subject` is a number for which the comparison with `limit` holds. Returns
    /// `false` on a contradiction.
    pub(super) fn assume_bound(
        &mut self,
        subject: &'n Node,
        operator: Compare,
        limit: Number,
        steps: &mut usize,
    ) -> bool {
        self.domain(subject, steps).is_none_or(|domain| domain.bind(operator, limit))
    }

    /// Assumes that the truth of `node` is `holds`. Returns `false` on a contradiction.
    pub(super) fn assume_opaque(&mut self, node: &'n Node, holds: bool, steps: &mut usize) -> bool {
        let Some(left) = steps.checked_sub(self.opaque.len()) else { return true };
        *steps = left;
        if let Some((_, known)) = self.opaque.iter().find(|(known, _)| known.same(node)) {
            return *known == holds;
        }
        self.opaque.push((node, holds));
        true
    }

    /// Returns the domain of `subject`, or `None` if finding it would take too many steps.
    fn domain(&mut self, subject: &'n Node, steps: &mut usize) -> Option<&mut Domain<'n>> {
        if let Node::Path(path) = subject {
            return Some(self.paths.entry(path).or_insert_with(|| of_path(path)));
        }
        *steps = steps.checked_sub(self.others.len())?;
        let known = self.others.iter().position(|(known, _)| known.same(subject));
        let place = known.unwrap_or_else(|| {
            self.others.push((subject, Domain::default()));
            self.others.len() - 1
        });
        Some(&mut self.others[place].1)
    }
}

/// Returns the possible values of a path in any event: `type` is one of the calls.
fn of_path<'n>(path: &Path) -> Domain<'n> {
    let calls = || CallType::ALL.iter().map(|call| Literal::Text(call.name())).collect();
    Domain { among: path.is_member(Member::Type).then(calls), ..Domain::default() }
}
