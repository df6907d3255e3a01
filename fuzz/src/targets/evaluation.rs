//! Expressions of FQL against an evaluator that walks their tree over `serde_json`'s values.

use backtrail::event::{Event, Members};
use backtrail::fql::Expr;
use backtrail::json::document::Document;
use serde_json::Value;

use super::fql::EVENTS;
use super::globs;

const PATHS: [&str; 14] = [
    "event",
    "type",
    "name",
    "properties",
    "properties.plan",
    "properties.seats",
    "properties.price",
    "properties.items",
    "properties.items.0.sku",
    "properties.items.1",
    "properties.a\\ b",
    "context.page.url",
    "traits.email",
    "nothing.here",
];
const TEXTS: [&str; 8] =
    ["track", "page", "Signed Up", "pro", "", "60", "a", "https://acme.example/"];
const PATTERNS: [&str; 6] = ["*", "S?gned*", "[a-t]*", "https://*", "p*o", "[^p]*"];
const NUMBERS: [&str; 7] = ["0", "1", "-1", "1.5", "60", "60.0", "2"];
const COMPARES: [&str; 6] = ["=", "!=", ">", ">=", "<", "<="];
const CALLS: [&str; 10] = [
    "length",
    "lowercase",
    "uppercase",
    "snakecase",
    "kebabcase",
    "titlecase",
    "typeof",
    "bool",
    "number",
    "string",
];

/// An expression.
#[derive(Clone, Debug)]
enum Ast {
    Literal(String, Value),
    Path(&'static str),
    List(Vec<Ast>),
    Not(Box<Ast>),
    All(Vec<Ast>),
    Any(Vec<Ast>),
    Compare(&'static str, Box<[Ast; 2]>),
    In(Box<[Ast; 2]>),
    Call(&'static str, Box<Ast>),
    Contains(Box<[Ast; 2]>),
    Match(Box<Ast>, &'static str),
}

/// Makes an expression of `data` and evaluates it both ways.
///
/// # Panics
/// If they differ, or the expression does not compile.
pub fn target(data: &[u8]) {
    let ast = condition(&mut Choices(data), 4);
    let source = ast.written();
    let expr = match Expr::compile(&source) {
        Ok(compiled) => compiled.expr,
        Err(errors) => panic!("{source}: {errors:?}"),
    };
    for text in EVENTS {
        let event: Value = serde_json::from_str(text).unwrap();
        let expected = ast.value(&event) == Value::Bool(true);
        Document::default().read(text.as_bytes(), |json| {
            let json = json.unwrap();
            let members = Members::of(json);
            let found = expr.holds(&Event::new(json, &members));
            assert_eq!(found, expected, "{source} on {text}");
        });
    }
}

/// The bytes that choose, then zeros.
struct Choices<'d>(&'d [u8]);

impl Choices<'_> {
    fn below(&mut self, end: usize) -> usize {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        usize::from(first) % end
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// Something that is true or false.
fn condition(choices: &mut Choices<'_>, depth: usize) -> Ast {
    let two =
        |choices: &mut Choices<'_>| Box::new([operand(choices, depth), operand(choices, depth)]);
    match choices.below(if depth == 0 { 5 } else { 9 }) {
        0 => Ast::Compare(choices.of(&COMPARES), two(choices)),
        1 => {
            let item = operand(choices, depth);
            let list = if choices.below(3) == 0 { path(choices) } else { list(choices) };
            Ast::In(Box::new([item, list]))
        }
        2 => Ast::Contains(two(choices)),
        3 => Ast::Match(Box::new(operand(choices, depth)), choices.of(&PATTERNS)),
        4 => path(choices),
        5 => Ast::Not(Box::new(condition(choices, depth - 1))),
        6 | 7 => {
            Ast::All((0..2 + choices.below(3)).map(|_| condition(choices, depth - 1)).collect())
        }
        _ => Ast::Any((0..2 + choices.below(3)).map(|_| condition(choices, depth - 1)).collect()),
    }
}

fn path(choices: &mut Choices<'_>) -> Ast {
    Ast::Path(choices.of(&PATHS))
}

fn literal(choices: &mut Choices<'_>) -> Ast {
    match choices.below(5) {
        0 | 1 => {
            let text = choices.of(&TEXTS);
            let quote = choices.of(&['\'', '"']);
            Ast::Literal(format!("{quote}{text}{quote}"), text.into())
        }
        2 => {
            let text = choices.of(&NUMBERS);
            Ast::Literal(text.into(), serde_json::from_str(text).unwrap())
        }
        3 => {
            let text = choices.of(&["true", "false"]);
            Ast::Literal(text.into(), (text == "true").into())
        }
        _ => Ast::Literal("null".into(), Value::Null),
    }
}

fn list(choices: &mut Choices<'_>) -> Ast {
    Ast::List((0..choices.below(5)).map(|_| literal(choices)).collect())
}

fn operand(choices: &mut Choices<'_>, depth: usize) -> Ast {
    match choices.below(8) {
        0..3 => path(choices),
        3..6 => literal(choices),
        6 => list(choices),
        _ if depth == 0 => path(choices),
        _ => Ast::Call(choices.of(&CALLS), Box::new(operand(choices, depth - 1))),
    }
}

impl Ast {
    fn written(&self) -> String {
        let all = |parts: &[Self], joint: &str| {
            let parts: Vec<_> = parts.iter().map(Self::in_parentheses).collect();
            parts.join(joint)
        };
        match self {
            Self::Literal(text, _) => text.clone(),
            Self::Path(path) => (*path).to_owned(),
            Self::List(items) => {
                format!("[{}]", items.iter().map(Self::written).collect::<Vec<_>>().join(", "))
            }
            Self::Not(inner) => format!("!{}", inner.in_parentheses()),
            Self::All(parts) => all(parts, " and "),
            Self::Any(parts) => all(parts, " or "),
            Self::Compare(operator, sides) => {
                format!("{} {operator} {}", sides[0].written(), sides[1].written())
            }
            Self::In(sides) => format!("{} in {}", sides[0].written(), sides[1].written()),
            Self::Call(name, argument) => format!("{name}({})", argument.written()),
            Self::Contains(sides) => {
                format!("contains({}, {})", sides[0].written(), sides[1].written())
            }
            Self::Match(text, pattern) => format!("match({}, '{pattern}')", text.written()),
        }
    }

    fn in_parentheses(&self) -> String {
        match self {
            Self::Path(_) | Self::Contains(_) | Self::Match(..) => self.written(),
            _ => format!("({})", self.written()),
        }
    }

    fn value(&self, event: &Value) -> Value {
        let is_true = |part: &Self| part.value(event) == Value::Bool(true);
        match self {
            Self::Literal(_, value) => value.clone(),
            Self::Path(path) => lookup(event, path),
            Self::List(items) => items.iter().map(|item| item.value(event)).collect(),
            Self::Not(inner) => (!is_true(inner)).into(),
            Self::All(parts) => parts.iter().all(is_true).into(),
            Self::Any(parts) => parts.iter().any(is_true).into(),
            Self::Compare(operator, sides) => {
                compare(operator, &sides[0].value(event), &sides[1].value(event)).into()
            }
            Self::In(sides) => {
                let item = sides[0].value(event);
                let list = sides[1].value(event);
                list.as_array()
                    .is_some_and(|list| list.iter().any(|other| equal(other, &item)))
                    .into()
            }
            Self::Call(name, argument) => call(name, argument.value(event)),
            Self::Contains(sides) => {
                let sides = [sides[0].value(event), sides[1].value(event)];
                let both = sides[0].as_str().zip(sides[1].as_str());
                both.is_some_and(|(text, part)| text.contains(part)).into()
            }
            Self::Match(text, pattern) => {
                text.value(event).as_str().is_some_and(|text| globs::takes(pattern, text)).into()
            }
        }
    }
}

fn lookup(event: &Value, path: &str) -> Value {
    let found = path.split('.').try_fold(event, |value, name| {
        let name = name.replace('\\', "");
        match value {
            Value::Array(items) => items.get(name.parse::<usize>().ok()?),
            other => other.get(&name),
        }
    });
    found.cloned().unwrap_or_default()
}

fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.as_f64() == right.as_f64(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len()
                && left.iter().zip(right).all(|(left, right)| equal(left, right))
        }
        _ => left == right,
    }
}

fn compare(operator: &str, left: &Value, right: &Value) -> bool {
    let numbers = left.as_f64().zip(right.as_f64());
    match operator {
        "=" => equal(left, right),
        "!=" => !equal(left, right),
        ">" => numbers.is_some_and(|(left, right)| left > right),
        ">=" => numbers.is_some_and(|(left, right)| left >= right),
        "<" => numbers.is_some_and(|(left, right)| left < right),
        _ => numbers.is_some_and(|(left, right)| left <= right),
    }
}

fn call(name: &str, value: Value) -> Value {
    let text = value.as_str().map(str::to_owned);
    match (name, &value) {
        ("length", Value::Null) => 0.into(),
        ("length", Value::Array(items)) => items.len().into(),
        ("length", Value::String(text)) => text.len().into(),
        ("typeof", Value::Null) => "null".into(),
        ("typeof", Value::Bool(_)) => "bool".into(),
        ("typeof", Value::Number(_)) => "number".into(),
        ("typeof", Value::String(_)) => "string".into(),
        ("typeof", Value::Array(_)) => "list".into(),
        ("typeof", Value::Object(_)) => "object".into(),
        ("bool", Value::Null) => false.into(),
        ("bool", Value::Bool(value)) => (*value).into(),
        ("bool", Value::Number(number)) => (number.as_f64() != Some(0.0)).into(),
        ("bool", Value::String(text)) => (!["", "0", "false"].contains(&&**text)).into(),
        ("bool", Value::Array(items)) => (!items.is_empty()).into(),
        ("bool", Value::Object(_)) => true.into(),
        ("number", Value::Number(_)) | ("string", Value::String(_)) => value,
        ("number", Value::String(text)) => text.parse::<f64>().map_or(Value::Null, Value::from),
        ("string", Value::Null) => "".into(),
        // Compact JSON; numbers in their shortest form.
        ("string", other) => super::canonical::canonical(other).into(),
        ("lowercase", _) => text.map(|text| text.to_lowercase()).into(),
        ("uppercase", _) => text.map(|text| text.to_uppercase()).into(),
        ("snakecase", _) => text.map(|text| text.replace(' ', "_")).into(),
        ("kebabcase", _) => text.map(|text| text.replace(' ', "-")).into(),
        ("titlecase", _) => text.map(|text| titlecase(&text)).into(),
        _ => Value::Null,
    }
}

/// The first letter of each word as a capital.
fn titlecase(text: &str) -> String {
    let words = text.split(' ').map(|word| {
        let mut chars = word.chars();
        let first: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
        first + chars.as_str()
    });
    words.collect::<Vec<_>>().join(" ")
}
