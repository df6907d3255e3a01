//! The text of one file of a plan to JSON values, whichever language it is written in.

use serde_json::{Deserializer, Value};

use super::read::FORMATS;
use super::{csv, terraform, yaml};
use crate::config::tree::Node;
use crate::diagnostic::Diagnostic;

/// A file of a plan.
#[derive(Clone, Copy, Debug)]
pub struct Source<'t> {
    /// Its name without its folder; a schema may have the name of its event from there.
    pub name: &'t str,
    /// What it says.
    pub text: &'t str,
}

/// What a file holds.
#[derive(Debug)]
pub(super) struct Document {
    /// Its values.
    pub values: Vec<Value>,
    /// The place of everything in them; `None` for JSON, whose text is walked when somebody asks.
    pub tree: Option<Node>,
    /// What it is written in.
    pub language: Language,
}

/// What the files of plans are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    /// JSON, of which YAML is another spelling.
    Json,
    /// Terraform's configuration, or what it shows of it.
    Terraform,
    /// A table.
    Csv,
}

impl Language {
    /// What is wrong with a file that holds nothing of a plan.
    pub fn no_plan(self) -> Diagnostic {
        match self {
            Self::Json | Self::Csv => {
                Diagnostic::error(0..0, "this is no tracking plan").with_help(FORMATS)
            }
            Self::Terraform => {
                let message = "this is a document of Terraform without a `segment_tracking_plan`";
                Diagnostic::error(0..0, message).with_help(terraform::WAY_TO_JSON)
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

/// Reads JSON values, one behind another.
fn of_json(text: &str) -> Result<Document, Diagnostic> {
    let values = Deserializer::from_str(text).into_iter::<Value>().collect::<Result<_, _>>();
    let values = values.map_err(|error| not_json(text, &error))?;
    Ok(Document { values, tree: None, language: Language::Json })
}

/// The parser's own text may quote the file.
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

/// The byte of `text` that `error` is about.
pub(crate) fn offset_of(text: &str, error: &serde_json::Error) -> usize {
    let before = error.line().saturating_sub(1);
    let start: usize = text.split_inclusive('\n').take(before).map(str::len).sum();
    let mut offset = (start + error.column().saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}
