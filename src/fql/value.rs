//! The values of parts of an expression, borrowed from the event or the expression.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::compile::Node;
use super::number;
use crate::event::path::Lookup;
use crate::json::{Json, Kind, Number};

/// A value.
#[derive(Clone, Debug)]
pub(super) enum Value<'v> {
    Null,
    Bool(bool),
    Number(Number),
    Text(Cow<'v, str>),
    /// A list of the event.
    Array(Json<'v>),
    /// An object of the event.
    Object(Json<'v>),
    /// A list literal of the expression, whose items are not evaluated yet.
    List(&'v [Node]),
}

impl<'v> From<Json<'v>> for Value<'v> {
    #[inline]
    fn from(json: Json<'v>) -> Self {
        match json.kind() {
            Kind::Null => Self::Null,
            Kind::Bool(value) => Self::Bool(value),
            Kind::Number(value) => Self::Number(value),
            Kind::String(text) => Self::Text(Cow::Borrowed(text)),
            Kind::Array(_) => Self::Array(json),
            Kind::Object(_) => Self::Object(json),
        }
    }
}

impl<'v> Value<'v> {
    pub(super) fn integer(value: usize) -> Self {
        Self::Number(Number::Int(i64::try_from(value).unwrap_or(i64::MAX)))
    }

    /// Returns the name of the type as `typeof` does.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Number(_) => "number",
            Self::Text(_) => "string",
            Self::Array(_) | Self::List(_) => "list",
            Self::Object(_) => "object",
        }
    }

    /// Applies `change` to a string; any other value becomes null.
    pub(super) fn map_text(self, change: impl FnOnce(Cow<'v, str>) -> Cow<'v, str>) -> Self {
        match self {
            Self::Text(text) => Self::Text(change(text)),
            _ => Self::Null,
        }
    }

    /// Returns `true` if both values have the same type and content: lists are compared item by
    /// item, objects member by member in any order, numbers by value.
    pub(super) fn equals<'t>(&self, other: &Self, event: &impl Lookup<'t>) -> bool {
        match (self, other) {
            (Self::Null, Value::Null) => true,
            (Self::Bool(left), Value::Bool(right)) => left == right,
            (Self::Number(left), Value::Number(right)) => number::equal(*left, *right),
            (Self::Text(left), Value::Text(right)) => left == right,
            (Self::Array(left), Value::Array(right))
            | (Self::Object(left), Value::Object(right)) => json_equals(*left, *right),
            (Self::List(nodes), Value::Array(array)) | (Self::Array(array), Value::List(nodes)) => {
                nodes.len() == item_count(*array)
                    && nodes.iter().zip(array.items()).all(|(node, element)| {
                        node.value(event).equals(&Value::from(element), event)
                    })
            }
            (Self::List(left), Value::List(right)) => {
                left.len() == right.len()
                    && left
                        .iter()
                        .zip(right.iter())
                        .all(|(left, right)| left.value(event).equals(&right.value(event), event))
            }
            _ => false,
        }
    }
}

/// Returns the number of items of a list of the event.
pub(super) fn item_count(array: Json<'_>) -> usize {
    match array.kind() {
        Kind::Array(length) => length,
        _ => 0,
    }
}

fn json_equals(left: Json<'_>, right: Json<'_>) -> bool {
    match (left.kind(), right.kind()) {
        (Kind::Null, Kind::Null) => true,
        (Kind::Bool(left), Kind::Bool(right)) => left == right,
        (Kind::Number(left), Kind::Number(right)) => number::equal(left, right),
        (Kind::String(left), Kind::String(right)) => left == right,
        (Kind::Array(length), Kind::Array(other)) => {
            length == other
                && left.items().zip(right.items()).all(|(left, right)| json_equals(left, right))
        }
        (Kind::Object(_), Kind::Object(_)) => {
            // If a name occurs twice the last member counts, so the member counts cannot be
            // compared first.
            let left: BTreeMap<_, _> = left.entries().collect();
            let right: BTreeMap<_, _> = right.entries().collect();
            left.len() == right.len()
                && left.iter().zip(&right).all(|((name, value), (other, second))| {
                    name == other && json_equals(*value, *second)
                })
        }
        _ => false,
    }
}
