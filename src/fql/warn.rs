//! What is likely not meant, though it compiles: `and` mixed with `or`, comparisons that never
//! hold, and fields that no event has.

use super::ast::{Ast, AstKind};
use super::function::{Function, Types};
use super::lex::{Compare, Keyword};
use super::nearest;
use crate::diagnostic::{Diagnostic, MOST_SHOWN};
use crate::event::path::Path;
use crate::event::{CallType, Member};

/// What is doubtful in `ast`, the tree of `source`.
pub(super) fn warnings(source: &str, ast: &Ast) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    visit(source, ast, &mut found);
    found.sort_by_key(|warning| warning.span.start);
    found
}

fn visit(source: &str, ast: &Ast, found: &mut Vec<Diagnostic>) {
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
            let is_shown = found.len() < MOST_SHOWN;
            found.extend(unknown_field(ast, path, is_shown));
        }
        _ => {}
    }
    for part in ast.parts() {
        visit(source, part, found);
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
    let help = match nearest::nearest(text, names.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("the names are {}", names.join(", ")),
    };
    Some(Diagnostic::warning(literal.span.clone(), message).with_help(help))
}

/// What `typeof` can give.
const TYPE_NAMES: [&str; 6] = ["string", "number", "list", "bool", "null", "object"];

/// A path of which the first name is no field of any event.
fn unknown_field(ast: &Ast, path: &Path, with_help: bool) -> Option<Diagnostic> {
    let head = path.head();
    if path.member().is_some() || head == EMAIL {
        return None;
    }
    let message = format!("no event has a top-level field `{head}`");
    if !with_help {
        return Some(Diagnostic::warning(ast.span.clone(), message));
    }
    let fields = Member::ALL.iter().map(|member| member.key()).chain([EMAIL]);
    let help = if head == "all" {
        "`all` takes every event only where it is the whole expression".to_owned()
    } else if Keyword::from_name(&head.to_ascii_lowercase()).is_some() {
        format!("keywords are lower case: `{}`", head.to_ascii_lowercase())
    } else if let Some(name) = nearest::nearest(head, fields) {
        format!("did you mean `{name}`?")
    } else {
        format!("fields of your own are in `properties` or `traits`, such as `properties.{path}`")
    };
    Some(Diagnostic::warning(ast.span.clone(), message).with_help(help))
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
