//! The resources in Terraform documents.
//!
//! Supported are Terraform's configuration in HCL and in JSON, the output of `terraform show -json`
//! for a state and for a plan ("JSON Output Format" of Terraform's documentation), and stored state
//! files (`terraform state pull`).

use std::borrow::Cow;

use super::hcl;
use super::tree::{Entry, Node, Value};
use crate::diagnostic::Diagnostic;

/// One resource of a Terraform document.
#[derive(Clone, Debug)]
pub struct Resource<'a> {
    /// The type, such as `segment_destination_filter`.
    pub kind: &'a str,
    /// The address, such as `segment_destination_filter.no_free_plans`.
    pub address: String,
    /// Whether Terraform manages the resource or only reads it.
    pub mode: Mode,
    /// The attributes.
    pub body: &'a Node,
}

/// How Terraform treats a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Terraform creates and updates it as declared (`resource`).
    Managed,
    /// Terraform only reads it (`data`).
    Data,
}

/// Top-level members that only Terraform documents have.
const TERRAFORM_MEMBERS: [&str; 4] =
    ["terraform_version", "planned_values", "resource", "terraform"];

/// Parses a text that may be a Terraform document: as JSON if it begins with `{` or `[`, else as
/// HCL.
///
/// # Errors
/// Returns diagnostics if the text is not in that format.
pub fn parse(text: &str) -> Result<Node, Vec<Diagnostic>> {
    if text.trim_start().starts_with(['{', '[']) {
        Node::parse_json(text)
    } else {
        hcl::parse(text)
    }
}

/// Returns the resources of the document `root` in the order of the text, or `None` if it is not a
/// Terraform document.
pub fn resources(root: &Node) -> Option<Vec<Resource<'_>>> {
    let entries = entries(root)?;
    let has = |key: &str| entries.iter().any(|entry| entry.key == key);
    let is_shown = has("format_version") && (entries.len() == 1 || has("values"));
    if !is_shown && !TERRAFORM_MEMBERS.iter().any(|name| has(name)) {
        return None;
    }
    let mut found = Vec::new();
    for Entry { key, node, .. } in entries {
        match key.as_str() {
            "resource" => declared(node, Mode::Managed, &mut found),
            "data" => declared(node, Mode::Data, &mut found),
            "values" | "planned_values" => {
                if let Some(module) = member(node, "root_module") {
                    of_module(module, &mut found);
                }
            }
            "resources" => items(node).for_each(|resource| stored(resource, &mut found)),
            _ => {}
        }
    }
    Some(found)
}

/// Parses a text node as JSON, since a state stores the result of `jsonencode` as a text. Every
/// node inside gets the span of the text. Returns any other node unchanged.
///
/// # Errors
/// Returns a diagnostic if a text is not JSON.
pub fn decoded(node: &Node) -> Result<Cow<'_, Node>, Diagnostic> {
    let Value::Text(text) = &node.value else { return Ok(Cow::Borrowed(node)) };
    let not_json = || Diagnostic::error(node.span.clone(), "expected a text of JSON");
    let mut inner = Node::parse_json(text).map_err(|_| not_json())?;
    inner.set_span(&node.span);
    Ok(Cow::Owned(inner))
}

/// Collects the resources of a configuration, which are nested by type and name.
fn declared<'a>(node: &'a Node, mode: Mode, found: &mut Vec<Resource<'a>>) {
    for kind in entries(node).into_iter().flatten() {
        for name in entries(&kind.node).into_iter().flatten() {
            // Terraform's JSON syntax may put the body of a block into a list.
            let bodies = match &name.node.value {
                Value::List(bodies) => bodies.as_slice(),
                _ => std::slice::from_ref(&name.node),
            };
            let prefix = if mode == Mode::Data { "data." } else { "" };
            let address = format!("{prefix}{}.{}", kind.key, name.key);
            let resource =
                |body| Resource { kind: &kind.key, address: address.clone(), mode, body };
            let is_there = |body: &&Node| !matches!(count(body), Some(0));
            found.extend(bodies.iter().filter(is_there).map(resource));
        }
    }
}

/// Collects the resources of a module and its child modules from the output of
/// `terraform show -json`.
fn of_module<'a>(module: &'a Node, found: &mut Vec<Resource<'a>>) {
    for resource in member(module, "resources").into_iter().flat_map(items) {
        let body = member(resource, "values");
        let (Some(kind), Some(body)) = (text(resource, "type"), body) else { continue };
        let address = text(resource, "address").unwrap_or(kind).to_owned();
        found.push(Resource { kind, address, mode: mode(resource), body });
    }
    member(module, "child_modules")
        .into_iter()
        .flat_map(items)
        .for_each(|child| of_module(child, found));
}

/// Collects each instance of a resource in a state file.
fn stored<'a>(resource: &'a Node, found: &mut Vec<Resource<'a>>) {
    let Some(kind) = text(resource, "type") else { return };
    let address = format!("{kind}.{}", text(resource, "name").unwrap_or_default());
    for instance in member(resource, "instances").into_iter().flat_map(items) {
        if let Some(body) = member(instance, "attributes") {
            found.push(Resource { kind, address: address.clone(), mode: mode(resource), body });
        }
    }
}

fn mode(resource: &Node) -> Mode {
    if text(resource, "mode") == Some("data") { Mode::Data } else { Mode::Managed }
}

/// Returns the `count` of a declared resource if it is a literal.
fn count(body: &Node) -> Option<i64> {
    match member(body, "count")?.value {
        Value::Integer(count) => Some(count),
        _ => None,
    }
}

fn entries(node: &Node) -> Option<&[Entry]> {
    match &node.value {
        Value::Table(entries) => Some(entries),
        _ => None,
    }
}

fn member<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    entries(node)?.iter().rev().find(|entry| entry.key == key).map(|entry| &entry.node)
}

fn text<'a>(node: &'a Node, key: &str) -> Option<&'a str> {
    match &member(node, key)?.value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

fn items(node: &Node) -> impl Iterator<Item = &Node> {
    match &node.value {
        Value::List(items) => items.iter(),
        _ => [].iter(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the addresses and titles of the resources of a text.
    fn titles(source: &str) -> Option<Vec<(String, String)>> {
        let root = parse(source).unwrap();
        let title = |resource: Resource<'_>| {
            let title = text(resource.body, "title").unwrap_or_default().to_owned();
            (resource.address, title)
        };
        resources(&root).map(|found| found.into_iter().map(title).collect())
    }

    fn pair(address: &str, title: &str) -> (String, String) {
        (address.to_owned(), title.to_owned())
    }

    #[test]
    fn configuration_is_read_in_either_syntax() {
        let hcl = "terraform {}\nresource \"f\" \"a\" {\n title = \"A\"\n}\nresource \"f\" \"b\" {\n title = \"B\"\n}\ndata \"f\" \"c\" {}\n";
        let expected = [pair("f.a", "A"), pair("f.b", "B"), pair("data.f.c", "")];
        assert_eq!(titles(hcl).unwrap(), expected);
        let json =
            r#"{"resource":{"f":{"a":{"title":"A"},"b":[{"title":"B"}]}},"data":{"f":{"c":{}}}}"#;
        assert_eq!(titles(json).unwrap(), expected);
    }

    #[test]
    fn a_resource_that_is_counted_to_none_is_not_there() {
        let hcl =
            "resource \"f\" \"a\" {\n count = 0\n}\nresource \"f\" \"b\" {\n count = var.n\n}\n";
        assert_eq!(titles(hcl).unwrap(), [pair("f.b", "")]);
    }

    #[test]
    fn states_and_plans_are_read_with_their_child_modules() {
        let module = r#"{"root_module":{"resources":[{"address":"f.a","mode":"managed","type":"f","name":"a","values":{"title":"A"}}],
            "child_modules":[{"address":"module.m","child_modules":[{"resources":[{"address":"module.m.module.n.f.b","type":"f","values":{"title":"B"}}]}]}]}}"#;
        let expected = [pair("f.a", "A"), pair("module.m.module.n.f.b", "B")];
        let state =
            format!(r#"{{"format_version":"1.0","terraform_version":"1.9.0","values":{module}}}"#);
        assert_eq!(titles(&state).unwrap(), expected);
        let plan = format!(
            r#"{{"format_version":"1.2","planned_values":{module},"prior_state":{{"values":{module}}},"resource_changes":[]}}"#
        );
        assert_eq!(titles(&plan).unwrap(), expected, "the state before is not the plan");
        assert_eq!(titles(r#"{"format_version":"1.0"}"#).unwrap(), []);
    }

    #[test]
    fn a_stored_state_is_read_instance_by_instance() {
        let state = r#"{"version":4,"terraform_version":"1.9.0","resources":[
            {"mode":"managed","type":"f","name":"a","instances":[{"index_key":0,"attributes":{"title":"A"}},{"attributes":{"title":"B"}}]}]}"#;
        assert_eq!(titles(state).unwrap(), [pair("f.a", "A"), pair("f.a", "B")]);
    }

    #[test]
    fn other_documents_are_none_of_terraforms() {
        for text in [
            r#"{"data":{"filters":[]}}"#,
            r#"{"if":"all","actions":[]}"#,
            r#"{"rules":[],"values":{}}"#,
            "[]",
        ] {
            assert!(titles(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_text_of_json_is_decoded_where_it_stands() {
        let root = Node::parse_json(r#"{"fields":"{\"a\":[\"b\"]}","no":"{"}"#).unwrap();
        let fields = member(&root, "fields").unwrap();
        let inner = decoded(fields).unwrap();
        let list = member(&inner, "a").unwrap();
        assert_eq!(list.to_json(), serde_json::json!(["b"]));
        assert_eq!(list.span, fields.span);
        assert!(decoded(member(&root, "no").unwrap()).is_err());
    }
}
