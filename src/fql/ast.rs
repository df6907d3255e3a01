//! The syntax tree of an expression, with the span of every part.

use std::ops::Range;

use super::function::Function;
use super::lex::Compare;
use crate::event::path::Path;
use crate::json::Number;

/// One part of an expression.
#[derive(Clone, Debug)]
pub(super) struct Ast {
    pub kind: AstKind,
    /// The bytes of the part, without parentheses around it.
    pub span: Range<usize>,
    /// Whether the part is in parentheses.
    pub grouped: bool,
}

/// The kind of a part.
#[derive(Clone, Debug)]
pub(super) enum AstKind {
    /// A part whose error has been reported.
    Bad,
    Null,
    Bool(bool),
    Number(Number),
    Text(Box<str>),
    Path(Path),
    List(Vec<Ast>),
    Call {
        name: Range<usize>,
        /// `None` if there is no function of that name.
        function: Option<Function>,
        args: Vec<Ast>,
    },
    Not(Box<Ast>),
    And(Vec<Ast>),
    Or(Vec<Ast>),
    Compare(Compare, Box<[Ast; 2]>),
    In(Box<[Ast; 2]>),
}

impl Ast {
    pub(super) fn new(kind: AstKind, span: Range<usize>) -> Self {
        Self { kind, span, grouped: false }
    }

    /// Returns the direct children, in the order of the text.
    pub(super) fn parts(&self) -> &[Ast] {
        match &self.kind {
            AstKind::List(parts) | AstKind::And(parts) | AstKind::Or(parts) => parts,
            AstKind::Call { args, .. } => args,
            AstKind::Not(part) => std::slice::from_ref(part),
            AstKind::Compare(_, sides) | AstKind::In(sides) => &sides[..],
            AstKind::Bad
            | AstKind::Null
            | AstKind::Bool(_)
            | AstKind::Number(_)
            | AstKind::Text(_)
            | AstKind::Path(_) => &[],
        }
    }
}
