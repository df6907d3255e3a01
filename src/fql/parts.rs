//! The conditions that an expression joins by `and`, evaluated separately to explain why it does
//! not hold for an event.

use std::ops::Range;

use super::ast::{Ast, AstKind};
use super::compile::{Node, compile};
use super::lex;
use super::{ALL, parse};
use crate::event::path::{Lookup, Path};

/// The conditions of an expression, all of which must hold.
#[derive(Clone, Debug, Default)]
pub struct Parts {
    parts: Vec<Part>,
}

/// One condition of an expression.
#[derive(Clone, Debug)]
pub struct Part {
    text: Box<str>,
    node: Node,
    /// The first path that the condition reads.
    path: Option<Path>,
}

impl Parts {
    /// Returns the conditions of `source`; empty for `all` and for an expression that does not
    /// compile.
    pub fn new(source: &str) -> Self {
        let mut parts = Self::default();
        let (ast, mut errors) = parse::parse(source);
        if errors.is_empty() && source.trim_matches(lex::is_blank) != ALL {
            parts.add(source, &ast, &mut errors);
        }
        parts
    }

    fn add(&mut self, source: &str, ast: &Ast, errors: &mut Vec<crate::diagnostic::Diagnostic>) {
        if let AstKind::And(parts) = &ast.kind {
            return parts.iter().for_each(|part| self.add(source, part, errors));
        }
        let text = closed(source, ast.span.clone()).into();
        let node = compile(source, ast, errors);
        self.parts.push(Part { text, node, path: first_path(ast).cloned() });
    }

    /// Returns the first condition that does not hold for `event`, or `None` if all hold.
    pub fn first_failed<'t>(&self, event: &impl Lookup<'t>) -> Option<&Part> {
        self.parts.iter().find(|part| !part.node.holds(event))
    }
}

impl Part {
    /// Returns the text of the condition.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the first path that the condition reads, if any.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_ref()
    }
}

/// Extends the text at `span` by the closing parentheses of those opened in it: a span ends with
/// the last operand and leaves out parentheses around that.
fn closed(source: &str, span: Range<usize>) -> &str {
    let (mut open, mut quote) = (0_usize, None);
    for (at, char) in source[span.start..].char_indices() {
        match (quote, char) {
            (Some(own), _) if own == char => quote = None,
            (None, '"' | '\'') => quote = Some(char),
            (None, '(') => open += 1,
            (None, ')') => open = open.saturating_sub(1),
            _ => {}
        }
        let end = span.start + at + char.len_utf8();
        if end >= span.end && open == 0 {
            return &source[span.start..end];
        }
    }
    &source[span]
}

fn first_path(ast: &Ast) -> Option<&Path> {
    match &ast.kind {
        AstKind::Path(path) => Some(path),
        _ => ast.parts().iter().find_map(first_path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::document::with_json;

    fn failed(source: &str, event: &str) -> Option<(String, Option<String>)> {
        let parts = Parts::new(source);
        with_json(event, |event| {
            let part = parts.first_failed(&event)?;
            Some((part.text().to_owned(), part.path().map(ToString::to_string)))
        })
    }

    #[test]
    fn the_first_condition_that_fails_is_told_as_it_is_written() {
        let event = r#"{"event":"A","properties":{"value":480,"plan":"Team"}}"#;
        let source =
            "event = \"A\" and (properties.plan = \"Team\" and length(properties.note) > 3)";
        assert_eq!(
            failed(source, event),
            Some(("length(properties.note) > 3".into(), Some("properties.note".into())))
        );
        let either = "event = 'A' and (properties.value >= 500 or properties.plan = 'Outfitter')";
        assert_eq!(
            failed(either, event),
            Some((
                "properties.value >= 500 or properties.plan = 'Outfitter'".into(),
                Some("properties.value".into())
            ))
        );
        assert_eq!(
            failed("event = 'A' and !(event = 'A') and properties.value > 1", event),
            Some(("!(event = 'A')".into(), Some("event".into())))
        );
        assert_eq!(
            failed("(event = 'A' and !(match(event, '(A*')or event = 'A'))", event),
            Some(("!(match(event, '(A*')or event = 'A')".into(), Some("event".into())))
        );
        assert_eq!(failed("event = 'A'", event), None);
        assert_eq!(failed("all", event), None);
        assert_eq!(failed("false", event), Some(("false".into(), None)));
    }
}
