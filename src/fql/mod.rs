//! Segment's Filter Query Language: text to expression to verdict.

pub mod glob;

use crate::diagnostic::Diagnostic;
use crate::event::CallType;
use crate::event::path::Lookup;

/// A compiled expression.
#[derive(Clone, Debug)]
pub struct Expr {}

/// An expression that compiled, with what is doubtful about it.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The expression.
    pub expr: Expr,
    /// Its warnings; spans are bytes of the expression's text.
    pub warnings: Vec<Diagnostic>,
}

/// What every event that an expression takes must have, read off its `event =`, `type =` and `in`
/// conjuncts; `None` where the expression demands nothing. An index over many expressions uses it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Demand {
    /// The event is called one of these.
    pub events: Option<Vec<Box<str>>>,
    /// The call is one of these.
    pub calls: Option<Vec<CallType>>,
}

impl Expr {
    /// Compiles `source`.
    ///
    /// # Errors
    /// Everything wrong with it, spans in bytes of `source`.
    pub fn compile(source: &str) -> Result<Compiled, Vec<Diagnostic>> {
        let _ = source;
        Ok(Compiled { expr: Self {}, warnings: Vec::new() })
    }

    /// Whether the expression is true of `event`.
    pub fn holds<'t>(&self, event: &impl Lookup<'t>) -> bool {
        let _ = event;
        false
    }

    /// What every event that this takes must have.
    pub fn demand(&self) -> Demand {
        Demand::default()
    }
}
