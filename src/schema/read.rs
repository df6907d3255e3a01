//! The text of a plan to drafts of its rules, whichever format it has.

use serde_json::{Deserializer, Value};

use super::normal::Shape;
use super::{Origin, RuleType, Version, config_api, public_api};

/// A rule as its format holds it.
pub(super) struct Draft {
    pub rule_type: RuleType,
    pub key: String,
    pub version: Version,
    pub schema: Value,
    /// Where the schema stands.
    pub schema_origin: Origin,
    /// What the schema describes.
    pub shape: Shape,
    /// Where the rule stands.
    pub origin: Origin,
}

/// A part of a plan that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Where it stands.
    pub origin: Origin,
    /// The rule that it belongs to.
    pub rule: Option<String>,
    /// What is wrong.
    pub message: String,
}

/// A text that is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PlanError {
    /// Byte offset into the text.
    pub offset: usize,
    /// What is wrong, and what was expected.
    pub message: String,
}

const FORMATS: &str = "expected a tracking plan: the answers of Segment's Public API to \
    `/tracking-plans/{id}/rules`, a plan of its Config API, or typewriter's plan.json";

/// Where drafts and faults are gathered.
#[derive(Default)]
pub(super) struct Gathered {
    pub drafts: Vec<Draft>,
    pub broken: Vec<Broken>,
    /// Whether anything was a plan at all.
    pub found: bool,
}

impl Gathered {
    pub(super) fn fault(&mut self, origin: Origin, rule: Option<&str>, message: impl Into<String>) {
        let rule = rule.map(ToOwned::to_owned);
        self.broken.push(Broken { origin, rule, message: message.into() });
    }
}

/// Reads `text`: one or more JSON values, each a plan, a page of one, or a list of these.
pub(super) fn read(text: &str) -> Result<(Vec<Draft>, Vec<Broken>), PlanError> {
    let mut gathered = Gathered::default();
    let mut values = Deserializer::from_str(text).into_iter::<Value>();
    for number in 0.. {
        let origin = Origin { value: number, pointer: String::new() };
        match values.next() {
            None => break,
            Some(Ok(value)) => value_of_plan(value, &origin, &mut gathered),
            Some(Err(error)) => return Err(no_json(text, &error)),
        }
    }
    let Gathered { mut drafts, broken, found } = gathered;
    if !found {
        return Err(PlanError { offset: 0, message: FORMATS.into() });
    }
    public_api::settle_shapes(&mut drafts);
    Ok((drafts, broken))
}

/// The parser's own text may quote the file.
fn no_json(text: &str, error: &serde_json::Error) -> PlanError {
    let offset = offset_of(text, error);
    let message = if error.is_eof() {
        "not JSON: expected more, found the end"
    } else if text.trim_start().starts_with(['{', '[']) {
        "not JSON: expected a value, a name, `,`, `:` or the end of an object or list here"
    } else {
        "not JSON"
    };
    PlanError { offset, message: format!("{message}; {FORMATS}") }
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

fn value_of_plan(value: Value, origin: &Origin, gathered: &mut Gathered) {
    match value {
        Value::Array(items) => {
            if items.is_empty() {
                gathered.found = true;
            }
            for (index, item) in items.into_iter().enumerate() {
                let origin = origin.item(index);
                if public_api::is_rule(&item) {
                    gathered.found = true;
                    public_api::rule(item, origin, gathered);
                } else {
                    value_of_plan(item, &origin, gathered);
                }
            }
        }
        Value::Object(mut object) => {
            for wrapper in ["data", "trackingPlan", "tracking_plan", "tracking_plans"] {
                if let Some(inner @ (Value::Object(_) | Value::Array(_))) = object.remove(wrapper) {
                    value_of_plan(inner, &origin.member(wrapper), gathered);
                }
            }
            match object.remove("rules") {
                Some(Value::Array(rules)) => {
                    gathered.found = true;
                    let origin = origin.member("rules");
                    for (index, rule) in rules.into_iter().enumerate() {
                        public_api::rule(rule, origin.item(index), gathered);
                    }
                }
                Some(Value::Object(rules)) => {
                    gathered.found = true;
                    config_api::rules(rules, &origin.member("rules"), gathered);
                }
                _ => {}
            }
        }
        _ => {}
    }
}
