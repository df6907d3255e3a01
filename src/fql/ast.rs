//! The syntax tree of an expression, with the place of every part.

use std::ops::Range;

use super::function::Function;
use super::lex::Compare;
use crate::event::path::Path;
use crate::json::Number;

/// One part of an expression.
#[derive(Clone, Debug)]
pub(super) struct Ast {
    pub kind: AstKind,
    /// The bytes it takes; parentheses around it are left out.
    pub span: Range<usize>,
    /// Whether it stands in parentheses of its own.
    pub grouped: bool,
}

/// What a part is.
#[derive(Clone, Debug)]
pub(super) enum AstKind {
    /// Something that was already reported.
    Bad,
    Null,
    Bool(bool),
    Number(Number),
    Text(Box<str>),
    Path(Path),
    List(Vec<Ast>),
    Call {
        name: Range<usize>,
        /// `None` where no function has the name.
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

    /// The parts it is made of, in the order of the text.
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
