//! Plans in Terraform documents: the resources `segment_tracking_plan` and
//! `segment_tracking_plan_rules` of Segment's provider, from configuration (in HCL, which Segment's
//! Git Sync writes, or in JSON) and from the output of `terraform show -json`.

use super::document::Source;
use crate::config::hcl;
use crate::config::terraform::{Resource, decoded, resources};
use crate::config::tree::{Entry, Node, Value};
use crate::diagnostic::Diagnostic;

/// The types of resources that hold rules.
const KINDS: [&str; 2] = ["segment_tracking_plan", "segment_tracking_plan_rules"];
/// The first characters of lines that open a block in HCL.
const BLOCKS: [&str; 9] = [
    "resource \"",
    "data \"",
    "provider \"",
    "variable \"",
    "module \"",
    "output \"",
    "import {",
    "terraform {",
    "locals {",
];
/// The member of a rule that has its schema.
const SCHEMA: &str = "json_schema";
/// Advice on how to get a document in which all values are literals.
pub(super) const SHOW_JSON_HELP: &str = "`terraform show -json` gives a state or a plan as JSON, in which every value \
    is written out";

/// Returns `true` if `source` is configuration in HCL.
pub(super) fn is_hcl(source: &Source<'_>) -> bool {
    let by_name = [".tf", ".hcl"].iter().any(|end| source.name.ends_with(end));
    by_name || source.text.lines().any(|line| BLOCKS.iter().any(|block| line.starts_with(block)))
}

/// Returns the plans in an HCL text, as a list.
pub(super) fn of_hcl(text: &str) -> Result<Node, Diagnostic> {
    let root = hcl::parse(text).map_err(|faults| first(faults).with_help(SHOW_JSON_HELP))?;
    plans(&resources(&root).unwrap_or_default(), &root)
}

/// Returns the plans in a JSON text, as a list, if it is a Terraform document.
pub(super) fn of_json(text: &str) -> Result<Option<Node>, Diagnostic> {
    if !text.contains("segment_") && !text.contains("terraform") {
        return Ok(None);
    }
    // Invalid JSON is reported by the code that reads it as a plan.
    let Ok(root) = Node::parse_json(text) else { return Ok(None) };
    match resources(&root) {
        Some(resources) => plans(&resources, &root).map(Some),
        None => Ok(None),
    }
}

fn first(faults: Vec<Diagnostic>) -> Diagnostic {
    faults.into_iter().next().unwrap_or_else(|| Diagnostic::error(0..0, "cannot be read"))
}

/// Returns each plan among `resources` as an object with its rules in `rules`, or null if there are
/// no plans.
fn plans(resources: &[Resource<'_>], root: &Node) -> Result<Node, Diagnostic> {
    let is_plan = |resource: &&Resource<'_>| KINDS.contains(&resource.kind);
    if !resources.iter().any(|resource| is_plan(&resource)) {
        return Ok(Node { span: root.span.clone(), value: Value::Null });
    }
    let mut plans = Vec::new();
    for resource in resources.iter().filter(is_plan) {
        let Value::Table(entries) = &resource.body.value else { continue };
        for entry in entries.iter().filter(|entry| entry.key == "rules" && !entry.node.is_null()) {
            let node = rules(&entry.node)?;
            let rules = vec![Entry { node, ..entry.clone() }];
            plans.push(Node { span: resource.body.span.clone(), value: Value::Table(rules) });
        }
    }
    Ok(Node { span: root.span.clone(), value: Value::List(plans) })
}

/// Returns a list of rules with their schemas decoded.
fn rules(list: &Node) -> Result<Node, Diagnostic> {
    let mut list = list.clone();
    if let Value::List(rules) = &mut list.value {
        for rule in rules {
            let Value::Table(members) = &mut rule.value else { continue };
            for member in members.iter_mut().filter(|member| member.key == SCHEMA) {
                member.node = decoded(&member.node)?.into_owned();
            }
        }
    }
    match expression(&list) {
        None => Ok(list),
        Some(node) => {
            let message = "only Terraform knows what this expression gives";
            Err(Diagnostic::error(node.span.clone(), message).with_help(SHOW_JSON_HELP))
        }
    }
}

/// Returns the first part of `node` whose value is not a literal.
fn expression(node: &Node) -> Option<&Node> {
    match &node.value {
        Value::Expression => Some(node),
        Value::List(items) => items.iter().find_map(expression),
        Value::Table(entries) => entries.iter().find_map(|entry| expression(&entry.node)),
        _ => None,
    }
}
