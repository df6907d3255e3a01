//! Warnings about expressions that compile but are likely not meant: `and` mixed with `or`,
//! comparisons that never hold, and unknown fields.

use super::ast::{Ast, AstKind};
use super::compile::Node;
use super::function::{Function, Types};
use super::lex::{self, Compare, Keyword};
use crate::diagnostic::{Diagnostic, MAX_SHOWN};
use crate::event::path::Path;
use crate::event::{CallType, Member};
use crate::nearest::nearest;

/// Returns the warnings about `ast`, the tree of `source`.
pub(super) fn warnings(source: &str, ast: &Ast) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    visit(source, ast, Role::Other, &mut found);
    found.sort_by_key(|warning| warning.span.start);
    found
}

/// The phrase that every warning about a part that is never true contains.
const NEVER: &str = "never holds";

/// Returns a warning if `root`, the whole of `source`, is always or never true although it reads
/// fields, unless `found` already has such a warning.
pub(super) fn constant(source: &str, root: &Node, found: &[Diagnostic]) -> Option<Diagnostic> {
    if root.all_paths(&|_| false) {
        return None;
    }
    let whole = 0..source.trim_end_matches(lex::is_blank).len();
    if root.constant()? {
        let message = "this condition is always true";
        let help = "write `all` if every event is meant; where several values are to be ruled out, \
            join them with `and`: `a != 'x' and a != 'y'`";
        return Some(Diagnostic::warning(whole, message).with_help(help));
    }
    let is_told = found.iter().any(|warning| warning.message.contains(NEVER));
    let message = format!("this {NEVER}, whatever the event: its parts contradict each other");
    (!is_told).then(|| {
        Diagnostic::warning(whole, message)
            .with_help("where one of several values is meant, join them with `or`")
    })
}

/// The role of a part within its parent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// The value that something is compared with: a path here is likely a text without quotes.
    Value,
    Other,
}

fn visit(source: &str, ast: &Ast, role: Role, found: &mut Vec<Diagnostic>) {
    match &ast.kind {
        AstKind::Or(parts) => found.extend(mixed(source, parts)),
        AstKind::Compare(operator, sides) => found.extend(
            never_by_type(*operator, ast, sides).or_else(|| never_by_name(*operator, sides)),
        ),
        AstKind::In(sides) if !types(&sides[1]).meets(Types::LIST) => {
            let message = "expected a list after `in`: this never holds";
            found.push(
                Diagnostic::warning(sides[1].span.clone(), message)
                    .with_help("write a list, `['a', 'b']`, or a path to one"),
            );
        }
        AstKind::Path(path) => {
            // A warning past the limit is not shown, so it needs no advice.
            let is_shown = found.len() < MAX_SHOWN;
            let help = || is_shown.then(|| advice(source, ast, path, role));
            found.extend(unknown_field(ast, path, help));
        }
        _ => {}
    }
    for (place, part) in ast.parts().iter().enumerate() {
        let is_value = match &ast.kind {
            AstKind::Compare(..) => place == 1,
            AstKind::List(_) => true,
            _ => false,
        };
        visit(source, part, if is_value { Role::Value } else { Role::Other }, found);
    }
}

/// Warns about `a and b or c` without parentheses.
fn mixed(source: &str, parts: &[Ast]) -> Option<Diagnostic> {
    let group = parts.iter().find(|part| matches!(part.kind, AstKind::And(_)) && !part.grouped)?;
    let message = "`and` and `or` are mixed without parentheses: this reads the `and` first";
    Some(
        Diagnostic::warning(group.span.clone(), message)
            .with_help(format!("write `({})` if that is meant", excerpt(source, group))),
    )
}

/// Returns the text of a part, or a placeholder if it is too long to repeat.
fn excerpt<'s>(source: &'s str, ast: &Ast) -> &'s str {
    const MAX_BYTES: usize = 60;
    let text = &source[ast.span.clone()];
    if text.len() <= MAX_BYTES && !text.contains('\n') { text } else { "… and …" }
}

/// Warns about a comparison that is never true because of the types of its sides.
fn never_by_type(operator: Compare, ast: &Ast, sides: &[Ast; 2]) -> Option<Diagnostic> {
    let [left, right] = [types(&sides[0]), types(&sides[1])];
    let warning = |message| Some(Diagnostic::warning(ast.span.clone(), message));
    match operator {
        Compare::NotEqual => None,
        Compare::Equal if left.meets(right) => None,
        Compare::Equal => warning("this never holds: its two sides are never of one type"),
        _ if left.meets(Types::NUMBER) && right.meets(Types::NUMBER) => None,
        _ => warning("this never holds: only numbers are greater or less than one another").map(
            |warning| match sides.iter().find_map(quoted_number) {
                Some(number) => warning.with_help(format!("write {number} without quotes")),
                None => warning,
            },
        ),
    }
}

fn quoted_number(side: &Ast) -> Option<&str> {
    match &side.kind {
        AstKind::Text(text) if super::number::parse_literal(text).is_some() => Some(text),
        _ => None,
    }
}

/// Warns about a comparison with an unknown name of a call or of a type.
fn never_by_name(operator: Compare, [left, right]: &[Ast; 2]) -> Option<Diagnostic> {
    if operator != Compare::Equal {
        return None;
    }
    let (side, literal, text) = match (&left.kind, &right.kind) {
        (_, AstKind::Text(text)) => (left, right, text),
        (AstKind::Text(text), _) => (right, left, text),
        _ => return None,
    };
    let names = match &side.kind {
        AstKind::Path(path) if path.is_member(Member::Type) => {
            CallType::ALL.map(CallType::name).to_vec()
        }
        AstKind::Call { function: Some(Function::Typeof), .. } => TYPE_NAMES.to_vec(),
        _ => return None,
    };
    if names.contains(&&**text) {
        return None;
    }
    let message = "this never holds: there is no type of this name";
    let help = match nearest(text, names.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("the names are {}", names.join(", ")),
    };
    Some(Diagnostic::warning(literal.span.clone(), message).with_help(help))
}

/// The results of `typeof`.
const TYPE_NAMES: [&str; 6] = ["string", "number", "list", "bool", "null", "object"];

/// Warns about a path whose first name is not a field of any event; `help` returns the advice.
fn unknown_field(
    ast: &Ast,
    path: &Path,
    help: impl FnOnce() -> Option<String>,
) -> Option<Diagnostic> {
    let head = path.head();
    if path.member().is_some() || head == EMAIL {
        return None;
    }
    let message = format!("no event has a top-level field `{head}`");
    Some(Diagnostic { help: help(), ..Diagnostic::warning(ast.span.clone(), message) })
}

/// Returns advice for a path whose first name is not a field of any event.
fn advice(source: &str, ast: &Ast, path: &Path, role: Role) -> String {
    let head = path.head();
    let keyword = head.to_ascii_lowercase();
    let fields = Member::ALL.iter().map(|member| member.key()).chain([EMAIL]);
    if let Some(number) = plain_number(&source[ast.span.clone()]) {
        format!("write the number as digits: `{number}`")
    } else if head == "all" {
        "`all` takes every event only where it is the whole expression".to_owned()
    } else if Keyword::from_name(&keyword).is_some() {
        format!("keywords are lower case: `{keyword}`")
    } else if role == Role::Value && path.names().nth(1).is_none() {
        format!("write `'{head}'` in quotes if the text is meant")
    } else if let Some(name) = nearest(head, fields) {
        format!("did you mean `{name}`?")
    } else {
        format!("fields of your own are in `properties` or `traits`, such as `properties.{path}`")
    }
}

/// Returns a number that is written with an exponent or with `_` between its digits in FQL's
/// notation.
fn plain_number(written: &str) -> Option<String> {
    if !written.starts_with(|char: char| char.is_ascii_digit() || char == '-') {
        return None;
    }
    let number: f64 = written.replace('_', "").parse().ok()?;
    number.is_finite().then(|| number.to_string())
}

/// A field that some senders put at the top level, where it is read too.
const EMAIL: &str = "email";

/// Returns the types that a part can have.
fn types(ast: &Ast) -> Types {
    match &ast.kind {
        AstKind::Bad | AstKind::Path(_) => Types::ANY,
        AstKind::Null => Types::NULL,
        AstKind::Number(_) => Types::NUMBER,
        AstKind::Text(_) => Types::STRING,
        AstKind::List(_) => Types::LIST,
        AstKind::Call { function, .. } => function.map_or(Types::ANY, Function::result),
        AstKind::Bool(_)
        | AstKind::Not(_)
        | AstKind::And(_)
        | AstKind::Or(_)
        | AstKind::Compare(..)
        | AstKind::In(_) => Types::BOOL,
    }
}
