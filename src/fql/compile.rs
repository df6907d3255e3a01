//! Compiles the syntax tree: looks up functions and compiles literal patterns.

use std::ops::Range;

use super::ast::{Ast, AstKind};
use super::cases::{self, Cases};
use super::function::Function;
use super::glob::{Glob, GlobError};
use super::lex::Compare;
use crate::diagnostic::{Diagnostic, MAX_SHOWN};
use crate::event::path::Path;
use crate::json::Number;
use crate::nearest::nearest;

/// The minimum length of a list of strings that is searched instead of compared one by one.
const MIN_SEARCHED_TEXTS: usize = 8;

/// One part of a compiled expression.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Null,
    Bool(bool),
    Number(Number),
    Text(Box<str>),
    Path(Path),
    List(Box<[Node]>),
    Not(Box<Node>),
    /// Holds if all of them hold.
    And(Box<[Node]>),
    /// Holds if one of them holds.
    Or(Box<[Node]>),
    /// Holds if one of them holds; indexed by a text.
    Cases(Box<Cases>),
    Compare(Compare, Box<[Node; 2]>),
    In(Box<[Node; 2]>),
    /// Holds if the value is one of these strings, which are sorted.
    OneOf(Box<Node>, Box<[Box<str>]>),
    /// `match` with a literal pattern.
    Match(Box<Node>, Glob),
    /// A function of one argument.
    Call1(Function, Box<Node>),
    /// A function of two arguments.
    Call2(Function, Box<[Node; 2]>),
}

impl Node {
    /// Returns `true` if `holds` is true of every path that the node reads.
    pub(super) fn all_paths(&self, holds: &impl Fn(&Path) -> bool) -> bool {
        let all = |nodes: &[Self]| nodes.iter().all(|node| node.all_paths(holds));
        match self {
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) => true,
            Self::Path(path) => holds(path),
            Self::Not(node)
            | Self::OneOf(node, _)
            | Self::Match(node, _)
            | Self::Call1(_, node) => node.all_paths(holds),
            Self::List(nodes) | Self::And(nodes) | Self::Or(nodes) => all(nodes),
            Self::Cases(cases) => all(cases.parts()),
            Self::Compare(_, nodes) | Self::In(nodes) | Self::Call2(_, nodes) => all(&nodes[..]),
        }
    }
}

/// Compiles `ast`, the tree of `source`, and adds its errors to `errors`.
pub(super) fn compile(source: &str, ast: &Ast, errors: &mut Vec<Diagnostic>) -> Node {
    Compiler { source, errors }.node(ast)
}

struct Compiler<'s> {
    source: &'s str,
    errors: &'s mut Vec<Diagnostic>,
}

impl Compiler<'_> {
    fn node(&mut self, ast: &Ast) -> Node {
        match &ast.kind {
            AstKind::Bad | AstKind::Null => Node::Null,
            AstKind::Bool(value) => Node::Bool(*value),
            AstKind::Number(value) => Node::Number(*value),
            AstKind::Text(text) => Node::Text(text.clone()),
            AstKind::Path(path) => Node::Path(path.clone()),
            AstKind::List(items) => Node::List(self.nodes(items)),
            AstKind::Not(inner) => Node::Not(Box::new(self.node(inner))),
            AstKind::And(parts) => cases::all_of(self.nodes(parts)),
            AstKind::Or(parts) => cases::any_of(self.nodes(parts)),
            AstKind::Compare(operator, sides) => {
                Node::Compare(*operator, Box::new(self.pair(sides)))
            }
            AstKind::In(sides) => self.membership(sides),
            AstKind::Call { name, function: None, args } => {
                self.nodes(args);
                self.unknown(name.clone());
                Node::Null
            }
            AstKind::Call { function: Some(function), args, .. } => self.call(*function, ast, args),
        }
    }

    fn nodes(&mut self, parts: &[Ast]) -> Box<[Node]> {
        parts.iter().map(|part| self.node(part)).collect()
    }

    fn pair(&mut self, [left, right]: &[Ast; 2]) -> [Node; 2] {
        [self.node(left), self.node(right)]
    }

    fn membership(&mut self, sides: &[Ast; 2]) -> Node {
        let AstKind::List(items) = &sides[1].kind else {
            return Node::In(Box::new(self.pair(sides)));
        };
        let texts: Option<Vec<Box<str>>> = items
            .iter()
            .map(|item| match &item.kind {
                AstKind::Text(text) => Some(text.clone()),
                _ => None,
            })
            .collect();
        match texts {
            Some(mut texts) if texts.len() >= MIN_SEARCHED_TEXTS => {
                texts.sort_unstable();
                Node::OneOf(Box::new(self.node(&sides[0])), texts.into())
            }
            _ => Node::In(Box::new(self.pair(sides))),
        }
    }

    fn call(&mut self, function: Function, call: &Ast, args: &[Ast]) -> Node {
        let nodes = self.nodes(args);
        if nodes.len() != function.arity() {
            self.wrong_arity(function, call.span.clone(), nodes.len());
            return Node::Null;
        }
        let mut nodes = nodes.into_iter();
        match (nodes.next(), nodes.next()) {
            (Some(text), Some(Node::Text(pattern))) if function == Function::Match => {
                match Glob::new(&pattern) {
                    Ok(glob) => Node::Match(Box::new(text), glob),
                    Err(error) => {
                        // The pattern begins after the quote.
                        self.malformed(&pattern, &error, args[1].span.start + 1);
                        Node::Null
                    }
                }
            }
            (Some(left), Some(right)) => Node::Call2(function, Box::new([left, right])),
            (Some(argument), None) => Node::Call1(function, Box::new(argument)),
            _ => Node::Null,
        }
    }

    fn unknown(&mut self, name: Range<usize>) {
        let text = &self.source[name.clone()];
        let message = format!("expected the name of a function, found `{text}`");
        if self.errors.len() >= MAX_SHOWN {
            // The error will not be shown, so a search for the nearest name would be wasted.
            return self.errors.push(Diagnostic::error(name, message));
        }
        let names = Function::ALL.map(Function::name);
        let help = match (Function::advice(text), nearest(text, names)) {
            (Some(advice), _) => advice.to_owned(),
            (None, Some(name)) => format!("did you mean `{name}`?"),
            (None, None) => format!("the functions are {}", names.join(", ")),
        };
        self.errors.push(Diagnostic::error(name, message).with_help(help));
    }

    fn wrong_arity(&mut self, function: Function, span: Range<usize>, found: usize) {
        let (name, arity) = (function.name(), function.arity());
        let plural = if arity == 1 { "" } else { "s" };
        let message = format!("expected {arity} argument{plural} to `{name}`, found {found}");
        let help = format!("it is written `{}`", function.usage());
        self.errors.push(Diagnostic::error(span, message).with_help(help));
    }

    /// Reports an error in a literal pattern that begins at the byte `start` of the source.
    fn malformed(&mut self, pattern: &str, error: &GlobError, start: usize) {
        let wrong = pattern[error.offset..].chars().next().map_or(0, char::len_utf8);
        let at = start + error.offset;
        self.errors.push(
            Diagnostic::error(at..at + wrong, error.message)
                .with_help("in a pattern a backslash makes the next character literal"),
        );
    }
}
