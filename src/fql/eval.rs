//! Evaluates a compiled expression on an event. It only allocates in functions that return a new
//! string, in `match` with a pattern from the event, and when it compares two objects.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::compile::Node;
use super::function::Function;
use super::glob::Glob;
use super::lex::Compare;
use super::value::{Value, item_count};
use super::{convert, number};
use crate::event::path::Lookup;

impl Node {
    /// Returns `true` if the value is `true`.
    pub(super) fn holds<'t>(&self, event: &impl Lookup<'t>) -> bool {
        match self {
            Self::Bool(value) => *value,
            Self::Not(inner) => !inner.holds(event),
            Self::And(parts) => parts.iter().all(|part| part.holds(event)),
            Self::Or(parts) => parts.iter().any(|part| part.holds(event)),
            Self::Cases(cases) => cases.holds(event),
            Self::Compare(operator, sides) => compare(*operator, sides, event),
            Self::In(sides) => is_in(sides, event),
            Self::OneOf(item, texts) => item
                .with_text(event, |item| texts.binary_search_by(|text| (**text).cmp(item)).is_ok()),
            Self::Match(text, glob) => text.with_text(event, |text| glob.matches(text)),
            Self::Call2(function, sides) => call2(*function, sides, event),
            Self::Path(_) | Self::Call1(..) => matches!(self.value(event), Value::Bool(true)),
            Self::Null | Self::Number(_) | Self::Text(_) | Self::List(_) => false,
        }
    }

    /// Returns the value for `event`; a missing field is null.
    pub(super) fn value<'v, 't: 'v>(&'v self, event: &impl Lookup<'t>) -> Value<'v> {
        match self {
            Self::Null => Value::Null,
            Self::Number(number) => Value::Number(*number),
            Self::Text(text) => Value::Text(Cow::Borrowed(text)),
            Self::Path(path) => event.lookup(path).map_or(Value::Null, Value::from),
            Self::List(items) => Value::List(items),
            Self::Call1(function, argument) => call1(*function, argument, event),
            Self::Bool(_)
            | Self::Not(_)
            | Self::And(_)
            | Self::Or(_)
            | Self::Cases(_)
            | Self::Compare(..)
            | Self::In(_)
            | Self::OneOf(..)
            | Self::Match(..)
            | Self::Call2(..) => Value::Bool(self.holds(event)),
        }
    }

    /// Returns `true` if the value is a string that `accepts` returns `true` for.
    fn with_text<'t>(&self, event: &impl Lookup<'t>, accepts: impl FnOnce(&str) -> bool) -> bool {
        match self.value(event) {
            Value::Text(text) => accepts(&text),
            _ => false,
        }
    }
}

fn compare<'t>(operator: Compare, [left, right]: &[Node; 2], event: &impl Lookup<'t>) -> bool {
    let (left, right) = (left.value(event), right.value(event));
    match operator {
        Compare::Equal => left.equals(&right, event),
        Compare::NotEqual => !left.equals(&right, event),
        Compare::Greater => order(&left, &right) == Some(Ordering::Greater),
        Compare::Less => order(&left, &right) == Some(Ordering::Less),
        Compare::GreaterEqual => order(&left, &right).is_some_and(Ordering::is_ge),
        Compare::LessEqual => order(&left, &right).is_some_and(Ordering::is_le),
    }
}

/// Returns the order of two numbers, or `None` for other values.
fn order(left: &Value<'_>, right: &Value<'_>) -> Option<Ordering> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => number::compare(*left, *right),
        _ => None,
    }
}

fn is_in<'t>([item, list]: &[Node; 2], event: &impl Lookup<'t>) -> bool {
    let item = item.value(event);
    match list.value(event) {
        Value::List(nodes) => nodes.iter().any(|node| item.equals(&node.value(event), event)),
        Value::Array(array) => {
            array.items().any(|element| item.equals(&Value::from(element), event))
        }
        _ => false,
    }
}

fn call2<'t>(function: Function, [left, right]: &[Node; 2], event: &impl Lookup<'t>) -> bool {
    let (Value::Text(left), Value::Text(right)) = (left.value(event), right.value(event)) else {
        return false;
    };
    match function {
        Function::Contains => memchr::memmem::find(left.as_bytes(), right.as_bytes()).is_some(),
        Function::Match => Glob::new(&right).is_ok_and(|glob| glob.matches(&left)),
        _ => false,
    }
}

fn call1<'v, 't: 'v>(function: Function, argument: &'v Node, event: &impl Lookup<'t>) -> Value<'v> {
    let value = argument.value(event);
    match function {
        Function::Length => match value {
            Value::Null => Value::integer(0),
            Value::Text(text) => Value::integer(text.len()),
            Value::Array(array) => Value::integer(item_count(array)),
            Value::List(items) => Value::integer(items.len()),
            Value::Bool(_) | Value::Number(_) | Value::Object(_) => Value::Null,
        },
        Function::Lowercase => value.map_text(convert::lowercase),
        Function::Uppercase => value.map_text(convert::uppercase),
        Function::Snakecase => value.map_text(|text| convert::replace_blanks(text, "_")),
        Function::Kebabcase => value.map_text(|text| convert::replace_blanks(text, "-")),
        Function::Titlecase => value.map_text(|text| Cow::Owned(convert::titlecase(&text))),
        Function::Typeof => Value::Text(Cow::Borrowed(value.type_name())),
        Function::Bool => Value::Bool(convert::to_bool(&value)),
        Function::String => Value::Text(convert::to_text(value, event)),
        Function::Number => convert::to_number(&value).map_or(Value::Null, Value::Number),
        // These take two arguments; the compiler rejects calls with one.
        Function::Contains | Function::Match => Value::Null,
    }
}
