//! The resources that a document of Terraform declares or holds.
//!
//! Read are Terraform's configuration in HCL and in JSON, the output of `terraform show -json` for
//! a state and for a plan ("JSON Output Format" of Terraform's documentation), and a state file as
//! it is stored (`terraform state pull`).

use std::borrow::Cow;

use super::hcl;
use super::tree::{Entry, Node, Value};
use crate::diagnostic::Diagnostic;

/// One resource.
#[derive(Clone, Debug)]
pub struct Resource<'a> {
    /// Its type, such as `segment_destination_filter`.
    pub kind: &'a str,
    /// Its address, such as `segment_destination_filter.no_free_plans`.
    pub address: String,
    /// Whether it is managed or only read.
    pub mode: Mode,
    /// Its attributes.
    pub body: &'a Node,
}

/// What Terraform does with a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It keeps it as it is declared (`resource`).
    Managed,
    /// It reads it alone (`data`).
    Data,
}

/// Members that no other document has at its top.
const SIGNS: [&str; 4] = ["terraform_version", "planned_values", "resource", "terraform"];

/// Reads a text that may be a document of Terraform: JSON where it begins with `{` or `[`, else HCL.
///
/// # Errors
/// Where the text is neither.
pub fn parse(text: &str) -> Result<Node, Vec<Diagnostic>> {
    if text.trim_start().starts_with(['{', '[']) {
        Node::parse_json(text)
    } else {
        hcl::parse(text)
    }
}

/// The resources of the document `root`, in the order of the text; `None` where it is no document
/// of Terraform.
pub fn resources(root: &Node) -> Option<Vec<Resource<'_>>> {
    let entries = entries(root)?;
    let has = |key: &str| entries.iter().any(|entry| entry.key == key);
    let is_shown = has("format_version") && (entries.len() == 1 || has("values"));
    if !is_shown && !SIGNS.iter().any(|sign| has(sign)) {
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

/// What a text of JSON in a document holds, since a state keeps what `jsonencode` gave as a text;
/// everything in it stands where the text stands. Any other node is given as it is.
///
/// # Errors
/// Where a text is no JSON.
pub fn decoded(node: &Node) -> Result<Cow<'_, Node>, Diagnostic> {
    let Value::Text(text) = &node.value else { return Ok(Cow::Borrowed(node)) };
    let not_json = || Diagnostic::error(node.span.clone(), "expected a text of JSON");
    let mut inner = Node::parse_json(text).map_err(|_| not_json())?;
    inner.stand_at(&node.span);
    Ok(Cow::Owned(inner))
}

/// Resources as configuration declares them: by type, then by name.
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

/// Resources of a module and of those in it, as `terraform show -json` gives them.
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

/// A resource of a state file, once for each of its instances.
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

/// How many of a declared resource there are, where the file says so.
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

    /// The addresses and titles of the resources of a text.
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
