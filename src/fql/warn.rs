//! What is likely not meant, though it compiles: `and` mixed with `or`, comparisons that never
//! hold, and fields that no event has.

use super::ast::{Ast, AstKind};
use super::compile::Node;
use super::function::{Function, Types};
use super::lex::{self, Compare, Keyword};
use crate::diagnostic::{Diagnostic, MAX_SHOWN};
use crate::event::path::Path;
use crate::event::{CallType, Member};
use crate::nearest::nearest;

/// What is doubtful in `ast`, the tree of `source`.
pub(super) fn warnings(source: &str, ast: &Ast) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    visit(source, ast, Role::Other, &mut found);
    found.sort_by_key(|warning| warning.span.start);
    found
}

/// What every warning says of a part that is never true.
const NEVER: &str = "never holds";

/// A warning where `root`, the whole of `source`, is true of every event or of none, though it asks
/// for something, and nothing of `found` says so already.
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

/// What a part is to the one around it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// What something is compared with, where a path is likely a text without its quotes.
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
            // Past what is shown no one asks for the nearest name.
            let is_shown = found.len() < MAX_SHOWN;
            let help = || is_shown.then(|| meant(source, ast, path, role));
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

/// `a and b or c` without parentheses.
fn mixed(source: &str, parts: &[Ast]) -> Option<Diagnostic> {
    let group = parts.iter().find(|part| matches!(part.kind, AstKind::And(_)) && !part.grouped)?;
    let message = "`and` and `or` are mixed without parentheses: this reads the `and` first";
    Some(
        Diagnostic::warning(group.span.clone(), message)
            .with_help(format!("write `({})` if that is meant", excerpt(source, group))),
    )
}

/// The text of a part that is short enough to repeat.
fn excerpt<'s>(source: &'s str, ast: &Ast) -> &'s str {
    const LONGEST: usize = 60;
    let text = &source[ast.span.clone()];
    if text.len() <= LONGEST && !text.contains('\n') { text } else { "… and …" }
}

/// A comparison of which the types of its sides alone say that it is never true.
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

/// A comparison with a name that is none of the names there are: of a call, or of a type.
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

/// What `typeof` can give.
const TYPE_NAMES: [&str; 6] = ["string", "number", "list", "bool", "null", "object"];

/// A path of which the first name is no field of any event; `help` is what may be meant.
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

/// What may be meant by a path of which the first name is no field of any event.
fn meant(source: &str, ast: &Ast, path: &Path, role: Role) -> String {
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

/// A number that is written with an exponent or with `_` between its digits, as FQL writes it.
fn plain_number(written: &str) -> Option<String> {
    if !written.starts_with(|char: char| char.is_ascii_digit() || char == '-') {
        return None;
    }
    let number: f64 = written.replace('_', "").parse().ok()?;
    number.is_finite().then(|| number.to_string())
}

/// Some senders put the e-mail address at the top level, where it is read too.
const EMAIL: &str = "email";

/// The types that a part can have.
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
