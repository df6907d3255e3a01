//! The accepted shapes of a file of destination filters, and recognition of other files.

use crate::config::read::{Faults, Table};
use crate::config::terraform::{self, Mode};
use crate::config::tree::{Node, Value};
use crate::diagnostic::Diagnostic;

/// The type of Terraform resources that are destination filters.
const RESOURCE: &str = "segment_destination_filter";

/// The accepted shapes of a file, for messages.
pub(super) const SHAPES: &str = "a destination filter (an object with `if` and `actions`), a list of them, \
    an answer of Segment's API (`{\"data\": {\"filters\": […]}}`), or a document of Terraform with \
    resources `segment_destination_filter`";

/// Parses JSON, or HCL if the text does not begin like JSON.
pub(super) fn document(source: &str) -> Result<Node, Faults> {
    if is_json(source) || source.trim().is_empty() {
        return Node::parse_json(source);
    }
    let explained = |Diagnostic { span, message, .. }| {
        Diagnostic::error(span, format!("not JSON, and {message}"))
            .with_help(format!("expected {SHAPES}"))
    };
    terraform::parse(source).map_err(|faults| faults.into_iter().map(explained).collect())
}

fn is_json(source: &str) -> bool {
    source.trim_start().starts_with(['{', '['])
}

/// Returns the attributes of the destination filters in a Terraform document, or `None` for any
/// other document.
pub(super) fn resources<'n>(source: &str, root: &'n Node) -> Option<Vec<&'n Node>> {
    let resources = match terraform::resources(root) {
        Some(resources) => resources,
        // HCL is only used by Terraform.
        None if !is_json(source) => Vec::new(),
        None => return None,
    };
    let wanted = resources
        .into_iter()
        .filter(|resource| resource.kind == RESOURCE && resource.mode == Mode::Managed);
    Some(wanted.map(|resource| resource.body).collect())
}

/// Returns `true` if a document has a shape that holds filters.
pub(super) fn holds_filters(source: &str, root: &Node) -> bool {
    if let Some(resources) = resources(source, root) {
        return !resources.is_empty();
    }
    match &root.value {
        Value::List(items) => items.iter().any(|item| holds_filters(source, item)),
        Value::Table(entries) => {
            let get = |key: &str| entries.iter().find(|entry| entry.key == key);
            let inner = ["data", "filters", "filter"].iter().find_map(|key| get(key));
            (get("if").is_some() && get("actions").is_some())
                || inner.is_some_and(|inner| holds_filters(source, &inner.node))
        }
        _ => false,
    }
}

/// Returns the error for a table that is not a filter and holds none, with its kind if that is
/// known.
pub(super) fn unknown_shape(table: &Table<'_>) -> Diagnostic {
    let fault = |message: String| Diagnostic::error(table.span.clone(), message);
    // The settings of Analytics.js hold filters in a compiled form.
    let is_settings = table.get("middlewareSettings").is_some()
        || table.get("routingRules").is_some()
        || (table.get("integrations").is_some() && table.get("plan").is_some());
    if is_settings {
        let found = "found the settings that Analytics.js loads, whose `routingRules` are compiled";
        return fault(format!("expected {SHAPES}, {found}")).with_help(
            "ask Segment's Public API for the filters: `GET /destination/{destinationId}/filters`",
        );
    }
    fault(format!("expected {SHAPES}"))
}
