//! Reading of plan files, in any format, into drafts of rules.

use serde_json::Value;

use super::document::{Document, Source};
use super::normal::{Shape, is_schema};
use super::{Origin, RuleType, Version, config_api, lone, public_api};
use crate::config::tree::Node;
use crate::diagnostic::Diagnostic;

/// A rule that is not compiled yet.
pub(super) struct Draft {
    pub rule_type: RuleType,
    pub key: String,
    pub version: Version,
    pub schema: Value,
    /// The position of the schema.
    pub schema_origin: Origin,
    /// The part of the event that the schema describes.
    pub shape: Shape,
    /// The position of the rule.
    pub origin: Origin,
    /// How the key is compared with the names of events.
    pub naming: Naming,
}

/// How the key of a rule is compared with the names of events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Naming {
    /// Exactly.
    #[default]
    Exact,
    /// Ignoring case and all characters other than letters and digits, because the key is the name
    /// of a file.
    Loose,
}

/// A part of a plan that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The position of the part.
    pub origin: Origin,
    /// The rule that contains the part.
    pub rule: Option<String>,
    /// What is wrong.
    pub message: String,
}

/// The error for files that are not a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanError {
    /// The index of the file, starting at 0.
    pub file: usize,
    /// What is wrong, what was expected, and advice.
    pub fault: Diagnostic,
}

/// How the files belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// A single file that is the whole plan.
    File,
    /// The files of a folder, each of which is a plan, a rule or the schema of an event.
    Folder,
}

pub(super) const FORMATS: &str = "expected a tracking plan: the answers of Segment's Public API to \
    `/tracking-plans/{id}/rules`, a plan of its Config API, typewriter's or RudderTyper's \
    plan.json, the CSV file that Segment's app downloads, Terraform's files or the output of \
    `terraform show -json`, or a folder with one JSON schema an event";
const ONE_SCHEMA: &str = "this is one JSON schema, not a plan";
const ONE_RULE: &str = "`rules` is a schema, not rules: this is one rule of a plan";
const LONE_RULE: &str = "this is one rule of a plan, not a plan";
const LONE_HELP: &str = "put the rules into a list, or each of them into a file of its own in a \
    folder and give that: `--tracking-plan DIR`";
const RUDDER_CLI: &str = "this is part of a project of the Rudder CLI, whose plans refer to other \
    files";
const RUDDER_CLI_HELP: &str = "give the plan.json that RudderTyper writes, or the answers of \
    RudderStack's Data Catalog API to `/tracking-plans/{id}/events/{event}`, which hold the schemas";

/// The drafts and faults collected so far.
#[derive(Default)]
pub(super) struct Gathered {
    pub drafts: Vec<Draft>,
    pub broken: Vec<Broken>,
    /// Whether any part of the current file is a plan.
    found: bool,
}

impl Gathered {
    pub(super) fn fault(&mut self, origin: Origin, rule: Option<&str>, message: impl Into<String>) {
        let rule = rule.map(ToOwned::to_owned);
        self.broken.push(Broken { origin, rule, message: message.into() });
    }
}

/// The result of reading all files.
#[derive(Default)]
pub(super) struct Read {
    pub drafts: Vec<Draft>,
    pub broken: Vec<Broken>,
    /// For each file, its values with their spans; `None` if the file is JSON.
    pub trees: Vec<Option<Node>>,
    /// The indices of the files that contain no plan.
    pub skipped: Vec<usize>,
}

/// Whether a value is the whole plan or one part of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Whole,
    Part,
}

/// Reads `files`.
pub(super) fn read(files: &[Source<'_>], layout: Layout) -> Result<Read, PlanError> {
    let mut gathered = Gathered::default();
    let mut read = Read::default();
    let mut no_plan = None;
    for (file, source) in files.iter().enumerate() {
        let failed = |fault| PlanError { file, fault };
        let Document { values, tree, language } = Document::read(source).map_err(failed)?;
        let is_whole = layout == Layout::File && values.len() == 1;
        let form = if is_whole { Form::Whole } else { Form::Part };
        gathered.found = false;
        for (value, json) in values.into_iter().enumerate() {
            let origin = Origin { file, value, pointer: String::new() };
            value_of_plan(json, &origin, form, source.name, &mut gathered).map_err(failed)?;
        }
        if !gathered.found {
            no_plan.get_or_insert(PlanError { file, fault: language.no_plan() });
            read.skipped.push(file);
        }
        read.trees.push(tree);
    }
    if let Some(error) = no_plan
        && read.skipped.len() == files.len()
    {
        return Err(error);
    }
    read.drafts = gathered.drafts;
    read.broken = gathered.broken;
    public_api::settle_shapes(&mut read.drafts);
    Ok(read)
}

fn value_of_plan(
    value: Value,
    origin: &Origin,
    form: Form,
    name: &str,
    gathered: &mut Gathered,
) -> Result<(), Diagnostic> {
    match value {
        Value::Array(items) => {
            gathered.found |= items.is_empty();
            for (index, item) in items.into_iter().enumerate() {
                value_of_plan(item, &origin.item(index), Form::Part, "", gathered)?;
            }
            Ok(())
        }
        Value::Object(_) => {
            let alone = |message| Err(Diagnostic::error(0..0, message).with_help(LONE_HELP));
            let is_rule = public_api::is_rule(&value);
            if !is_rule && !config_api::is_event(&value) && !is_schema(&value) {
                return object(value, origin, name, gathered);
            }
            if form == Form::Whole {
                return alone(match (is_rule, value.get("rules")) {
                    (true, _) => LONE_RULE,
                    (false, Some(_)) => ONE_RULE,
                    (false, None) => ONE_SCHEMA,
                });
            }
            gathered.found = true;
            if is_rule {
                public_api::rule(value, origin.clone(), gathered);
            } else if value.get("rules").is_some() {
                config_api::event(value, origin.clone(), gathered);
            } else {
                lone::schema(value, origin.clone(), name, gathered);
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Reads an object that is a plan, a page of one, or a wrapper around one.
fn object(
    mut value: Value,
    origin: &Origin,
    name: &str,
    gathered: &mut Gathered,
) -> Result<(), Diagnostic> {
    let Value::Object(object) = &mut value else { return Ok(()) };
    let version = object.get("version").and_then(Value::as_str).unwrap_or_default();
    if object.contains_key("kind") && version.starts_with("rudder/") {
        return Err(Diagnostic::error(0..0, RUDDER_CLI).with_help(RUDDER_CLI_HELP));
    }
    for wrapper in ["data", "trackingPlan", "tracking_plan", "tracking_plans"] {
        if let Some(inner @ (Value::Object(_) | Value::Array(_))) = object.remove(wrapper) {
            value_of_plan(inner, &origin.member(wrapper), Form::Part, name, gathered)?;
        }
    }
    match object.remove("rules") {
        Some(Value::Array(rules)) => {
            gathered.found = true;
            let origin = origin.member("rules");
            for (index, rule) in rules.into_iter().enumerate() {
                let origin = origin.item(index);
                if config_api::is_event(&rule) {
                    config_api::event(rule, origin, gathered);
                } else {
                    public_api::rule(rule, origin, gathered);
                }
            }
        }
        Some(Value::Object(rules)) => {
            gathered.found = true;
            config_api::rules(rules, &origin.member("rules"), gathered);
        }
        _ => {}
    }
    Ok(())
}
