//! Segment's Filter Query Language: text to expression to verdict.
//!
//! `lex` makes tokens, `parse` a tree, `compile` looks up functions and patterns, `eval` runs what
//! came out on one event after another. The language is that of Segment's public reference of the
//! Destination Filter Query Language.

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

/// The expression that takes every event.
const ALL: &str = "all";

/// A compiled expression.
#[derive(Clone, Debug)]
pub struct Expr {
    root: Node,
}

/// An expression that compiled, with what is doubtful about it.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The expression.
    pub expr: Expr,
    /// Its warnings; spans are bytes of the expression's text.
    pub warnings: Vec<Diagnostic>,
}

impl Expr {
    /// Compiles `source`.
    ///
    /// # Errors
    /// Everything wrong with it, spans in bytes of `source`.
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

    /// Whether the expression is true of `event`.
    pub fn holds<'t>(&self, event: &impl Lookup<'t>) -> bool {
        self.root.holds(event)
    }

    /// Whether this is true of every event, as `all` is.
    pub fn is_all(&self) -> bool {
        matches!(self.root, Node::Bool(true))
    }

    /// Whether this holds for every event (`true`) or for none (`false`), whatever it has; `None`
    /// where neither can be told from how it is written.
    pub fn constant(&self) -> Option<bool> {
        self.root.constant()
    }

    /// What every event that this takes must have.
    pub fn demand(&self) -> Demand {
        Demand::of(&self.root)
    }

    /// Whether `holds` is true of every path that this reads.
    pub fn reads_only(&self, holds: impl Fn(&Path) -> bool) -> bool {
        self.root.all_paths(&holds)
    }

    /// Whether no event at all is taken; `false` where that cannot be told from how it is written.
    pub fn takes_nothing(&self) -> bool {
        let Demand { events, calls } = self.demand();
        events.is_some_and(|events| events.is_empty())
            || calls.is_some_and(|calls| calls.is_empty())
            || self.constant() == Some(false)
    }

    /// Whether every Segment event that this takes `other` takes too; `false` where that cannot be
    /// told from how they are written.
    pub fn implies(&self, other: &Self) -> bool {
        self.root.implies(&other.root)
    }
}
