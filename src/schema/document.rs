//! Reading of one plan file into JSON values, whatever its language.

use serde_json::{Deserializer, Value};

use super::read::FORMATS;
use super::{csv, terraform, yaml};
use crate::config::tree::Node;
use crate::diagnostic::{Diagnostic, char_boundary};

/// A file of a plan.
#[derive(Clone, Copy, Debug)]
pub struct Source<'t> {
    /// The file name without its folder; the name of a schema's event may come from it.
    pub name: &'t str,
    /// The content of the file.
    pub text: &'t str,
}

/// The content of a file.
#[derive(Debug)]
pub(super) struct Document {
    /// The values in the file.
    pub values: Vec<Value>,
    /// The values with their spans; `None` for JSON, whose spans are found in the text on demand.
    pub tree: Option<Node>,
    /// The language of the file.
    pub language: Language,
}

/// The languages of plan files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    /// JSON, or YAML with the same structure.
    Json,
    /// Terraform's configuration, or the output of `terraform show -json`.
    Terraform,
    /// A table in CSV.
    Csv,
}

impl Language {
    /// Returns the error for a file that contains no plan.
    pub fn no_plan(self) -> Diagnostic {
        match self {
            Self::Json | Self::Csv => {
                Diagnostic::error(0..0, "this is no tracking plan").with_help(FORMATS)
            }
            Self::Terraform => {
                let message = "this is a document of Terraform without a `segment_tracking_plan`";
                Diagnostic::error(0..0, message).with_help(terraform::SHOW_JSON_HELP)
            }
        }
    }
}

impl Document {
    /// Reads `source`.
    pub fn read(source: &Source<'_>) -> Result<Self, Diagnostic> {
        let text = source.text.trim_start();
        if text.is_empty() || text.starts_with(['{', '[']) {
            return match terraform::of_json(source.text)? {
                Some(tree) => Ok(Self::of_tree(tree, Language::Terraform)),
                None => of_json(source.text),
            };
        }
        if terraform::is_hcl(source) {
            let tree = terraform::of_hcl(source.text)?;
            return Ok(Self::of_tree(tree, Language::Terraform));
        }
        match csv::read(source.text) {
            Some(table) => Ok(Self::of_tree(table?, Language::Csv)),
            None => Ok(Self::of_tree(yaml::read(source.text)?, Language::Json)),
        }
    }

    fn of_tree(tree: Node, language: Language) -> Self {
        Self { values: vec![tree.to_json()], tree: Some(tree), language }
    }
}

/// Reads a sequence of JSON values.
fn of_json(text: &str) -> Result<Document, Diagnostic> {
    let values = Deserializer::from_str(text).into_iter::<Value>().collect::<Result<_, _>>();
    let values = values.map_err(|error| not_json(text, &error))?;
    Ok(Document { values, tree: None, language: Language::Json })
}

/// Creates the error for invalid JSON. The parser's own message is not used because it may quote
/// the file.
fn not_json(text: &str, error: &serde_json::Error) -> Diagnostic {
    let offset = offset_of(text, error);
    let message = if error.is_eof() {
        "not JSON: expected more, found the end"
    } else {
        "not JSON: expected a value, a name, `,`, `:` or the end of an object or list here"
    };
    let end = (offset + 1).min(text.len().max(offset));
    Diagnostic::error(offset..end, message).with_help(FORMATS)
}

/// Returns the byte offset in `text` that `error` refers to.
pub(crate) fn offset_of(text: &str, error: &serde_json::Error) -> usize {
    let before = error.line().saturating_sub(1);
    let start: usize = text.split_inclusive('\n').take(before).map(str::len).sum();
    char_boundary(text, start + error.column().saturating_sub(1))
}
