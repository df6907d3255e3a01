//! Segment's Filter Query Language (FQL): compiles expressions and evaluates them on events.
//!
//! `lex` splits the text into tokens, `parse` builds a tree, `compile` looks up functions and
//! compiles patterns, and `eval` evaluates the result on each event. The language is defined by
//! Segment's public reference of the Destination Filter Query Language.

pub mod glob;

mod ast;
mod cases;
mod compile;
mod convert;
mod demand;
mod eval;
mod function;
mod imply;
mod lex;
mod number;
mod parse;
mod parts;
mod refute;
mod value;
mod warn;

#[cfg(test)]
mod tests;

pub use demand::Demand;
pub use parts::{Part, Parts};

use crate::diagnostic::Diagnostic;
use crate::event::path::{Lookup, Path};
use compile::Node;

/// The expression that holds for every event.
const ALL: &str = "all";

/// A compiled expression.
#[derive(Clone, Debug)]
pub struct Expr {
    root: Node,
}

/// A compiled expression and its warnings.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The expression.
    pub expr: Expr,
    /// The warnings; spans are byte ranges of the expression's text.
    pub warnings: Vec<Diagnostic>,
}

impl Expr {
    /// Compiles `source`.
    ///
    /// # Errors
    /// Returns all errors of `source`; spans are byte ranges of `source`.
    pub fn compile(source: &str) -> Result<Compiled, Vec<Diagnostic>> {
        if source.trim_matches(lex::is_blank) == ALL {
            return Ok(Compiled { expr: Self { root: Node::Bool(true) }, warnings: Vec::new() });
        }
        let (ast, mut errors) = parse::parse(source);
        let root = compile::compile(source, &ast, &mut errors);
        if errors.is_empty() {
            let mut warnings = warn::warnings(source, &ast);
            warnings.extend(warn::constant(source, &root, &warnings));
            return Ok(Compiled { expr: Self { root }, warnings });
        }
        errors.sort_by_key(|error| error.span.start);
        Err(errors)
    }

    /// Returns `true` if the expression holds for `event`.
    pub fn holds<'t>(&self, event: &impl Lookup<'t>) -> bool {
        self.root.holds(event)
    }

    /// Returns `true` if the expression is trivially true, as `all` is.
    pub fn is_all(&self) -> bool {
        matches!(self.root, Node::Bool(true))
    }

    /// Returns `Some(true)` if the expression provably holds for every event, `Some(false)` if it
    /// provably holds for none, and `None` otherwise.
    pub fn constant(&self) -> Option<bool> {
        self.root.constant()
    }

    /// Returns what every event must have for the expression to hold.
    pub fn demand(&self) -> Demand {
        Demand::of(&self.root)
    }

    /// Returns `true` if `holds` is true of every path that the expression reads.
    pub fn reads_only(&self, holds: impl Fn(&Path) -> bool) -> bool {
        self.root.all_paths(&holds)
    }

    /// Returns `true` if the expression provably holds for no event.
    pub fn takes_nothing(&self) -> bool {
        let Demand { events, calls } = self.demand();
        events.is_some_and(|events| events.is_empty())
            || calls.is_some_and(|calls| calls.is_empty())
            || self.constant() == Some(false)
    }

    /// Returns `true` if `other` provably holds for every Segment event for which this expression
    /// holds.
    pub fn implies(&self, other: &Self) -> bool {
        self.root.implies(&other.root)
    }
}
