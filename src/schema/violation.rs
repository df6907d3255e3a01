//! Violations of a schema by an event, with messages of our own: the library's messages quote
//! values, which may be personal data.

use std::fmt::Write as _;

use ahash::AHashSet;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{JsonType, ValidationError};
use serde_json::Value;

use super::cost::MAX_EVALUATIONS;
use super::{PlanRule, nearest, pointer};

/// The maximum number of choices of an enum in a message.
const MAX_CHOICES: usize = 8;
/// The maximum number of breaches of one rule by one event that are reported; the last one mentions
/// how many more there are.
const MAX_BREACHES: usize = 100;
/// The places whose property names the plan defines; all other names of an event are Segment's.
const PLANNED: [&str; 3] = ["/properties", "/traits", "/context/traits"];
/// The maximum length of a choice or a pattern in a message, in characters.
const MAX_TEXT_CHARS: usize = 80;

/// The kinds of breaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BreachKind {
    /// A member that the rule does not name and does not allow.
    UnplannedProperty,
    /// A property that the rule does not name but does not forbid either.
    UnnamedProperty,
    /// A required member is absent.
    MissingRequired,
    /// A value of another type.
    InvalidType,
    /// A value outside of an enum, a pattern, a format or a range.
    InvalidValue,
}

/// One violation of a rule by an event.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Breach {
    /// The kind.
    pub kind: BreachKind,
    /// The pointer to the member, or to where the missing member should be.
    pub pointer: String,
    /// What was found, and what was expected.
    pub message: String,
}

/// The error for a schema whose parts refer to each other so often that an event is not checked
/// against it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooCostly;

impl TooCostly {
    /// Returns the explanation for the user.
    pub fn message(self) -> String {
        format!(
            "`$ref`s in it lead to its parts so often that an event would be checked against them over \
             {MAX_EVALUATIONS} times, or without end, so it was not; name each part once"
        )
    }
}

impl PlanRule {
    /// Returns the violations of this rule by `event`, without duplicates; empty if the schema
    /// cannot be used.
    ///
    /// # Errors
    /// Returns an error if checking this event would follow references too often.
    pub fn breaches(&self, event: &Value) -> Result<Vec<Breach>, TooCostly> {
        let Some(validator) = &self.validator else { return Ok(Vec::new()) };
        if self.referring.as_ref().is_some_and(|schema| !schema.is_bounded(event)) {
            return Err(TooCostly);
        }
        if self.takes_all || validator.is_valid(event) {
            return Ok(Vec::new());
        }
        let (mut breaches, mut known, mut more) = (Vec::new(), AHashSet::new(), 0_u64);
        let mut found = Vec::new();
        for error in validator.iter_errors(event) {
            self.breach(&error, &mut found);
            for breach in found.drain(..) {
                if breaches.len() == MAX_BREACHES {
                    more += u64::from(!known.contains(&breach));
                } else if known.insert(breach.clone()) {
                    breaches.push(breach);
                }
            }
        }
        if let Some(last) = breaches.last_mut().filter(|_| more > 0) {
            let _ = write!(last.message, " (and {more} more in this event)");
        }
        Ok(breaches)
    }

    /// Returns the properties of `event` that neither this rule nor one of `common` names, in
    /// objects of which this rule names other properties.
    pub fn unnamed(&self, event: &Value, common: &[&Self]) -> Vec<Breach> {
        let mut breaches = Vec::new();
        for root in PLANNED {
            let (Some(named), Some(value)) = (self.named.at(root), event.pointer(root)) else {
                continue;
            };
            for (parent, name) in named.unnamed(value, root) {
                let pointer = pointer::join(&parent, &name);
                if common.iter().all(|rule| rule.named.at(&pointer).is_none()) {
                    let kind = BreachKind::UnnamedProperty;
                    breaches.push(Breach { kind, ..self.unplanned(&parent, &name) });
                }
            }
        }
        breaches
    }

    fn breach(&self, error: &ValidationError<'_>, breaches: &mut Vec<Breach>) {
        let at = error.instance_path().as_str();
        let kind = error.kind();
        match kind {
            ValidationErrorKind::AdditionalProperties { unexpected }
            | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
                breaches.extend(unexpected.iter().map(|name| self.unplanned(at, name)));
            }
            ValidationErrorKind::FalseSchema => {
                let parent = at.rsplit_once('/').map_or("", |(parent, _)| parent);
                let name = pointer::steps(at).last().unwrap_or_default();
                breaches.push(self.unplanned(parent, &name));
            }
            ValidationErrorKind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                let message = format!("`{name}` is missing; `{}` requires it", self.label());
                breaches.push(Breach {
                    kind: BreachKind::MissingRequired,
                    pointer: pointer::join(at, name),
                    message,
                });
            }
            _ => {
                let message = format!("{}: {}", shown_name(at), describe(kind, error.instance()));
                let kind = if is_of_type(kind) {
                    BreachKind::InvalidType
                } else {
                    BreachKind::InvalidValue
                };
                breaches.push(Breach { kind, pointer: at.to_owned(), message });
            }
        }
    }

    fn unplanned(&self, parent: &str, name: &str) -> Breach {
        let planned = self.named.at(parent);
        let meant = planned.and_then(|planned| nearest(name, planned.names()));
        let hint = meant.map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"));
        Breach {
            kind: BreachKind::UnplannedProperty,
            pointer: pointer::join(parent, name),
            message: format!("`{name}` is not in the plan of `{}`{hint}", self.label()),
        }
    }
}

/// Returns the last name of a pointer, or the name of the list and the index for an item of a list.
fn shown_name(at: &str) -> String {
    let mut shown = String::new();
    for step in pointer::steps(at) {
        let is_index = !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit());
        if is_index && !shown.is_empty() {
            shown = format!("{shown}[{step}]");
        } else {
            shown = step.into_owned();
        }
    }
    if shown.is_empty() { "the event".to_owned() } else { format!("`{shown}`") }
}

/// Returns `true` if the type is wrong, or if each of several choices fails because of the type.
fn is_of_type(kind: &ValidationErrorKind) -> bool {
    match kind {
        ValidationErrorKind::Type { .. } => true,
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            choice_types(context).is_some()
        }
        _ => false,
    }
}

/// Returns the types that the choices require, if each of them fails because of the type of the
/// value itself.
fn choice_types(context: &[Vec<ValidationError<'static>>]) -> Option<Vec<JsonType>> {
    let mut types = Vec::new();
    // The paths are relative to the value that the choices apply to.
    let at = context.first()?.first()?.instance_path().as_str();
    for errors in context {
        let fits = |error: &&ValidationError<'_>| error.instance_path().as_str() == at;
        let kind = errors.iter().filter(fits).find_map(|error| match error.kind() {
            ValidationErrorKind::Type { kind } => Some(kind),
            _ => None,
        })?;
        types.extend(types_of(kind));
    }
    Some(types)
}

fn types_of(kind: &TypeKind) -> Vec<JsonType> {
    match kind {
        TypeKind::Single(kind) => vec![*kind],
        TypeKind::Multiple(kinds) => kinds.iter().collect(),
    }
}

/// Returns what the keyword of `kind` expected, and the type of `found`.
pub(super) fn describe(kind: &ValidationErrorKind, found: &Value) -> String {
    use ValidationErrorKind as Kind;
    match kind {
        Kind::Type { kind } => format!("expected {}, found {}", either(&types_of(kind)), name(found)),
        Kind::Enum { options } => match options.as_array() {
            Some(options) => format!("expected one of {}, found {}", choices(options), another(found)),
            None => "expected one of the plan's values".into(),
        },
        Kind::Constant { expected_value } => {
            format!("expected {}, found {}", literal(expected_value), another(found))
        }
        Kind::Pattern { pattern } => {
            format!("expected a text that matches the pattern `{}`", cut(pattern))
        }
        Kind::BacktrackLimitExceeded { .. } | Kind::RegexEngineFailure { .. } => {
            "the plan's pattern takes too long on this text; write it without looking around or back"
                .into()
        }
        Kind::Format { format } => format!("expected a text of the format `{}`", cut(format)),
        Kind::Minimum { limit } => format!("expected a number of {limit} or more"),
        Kind::Maximum { limit } => format!("expected a number of {limit} or less"),
        Kind::ExclusiveMinimum { limit } => format!("expected a number above {limit}"),
        Kind::ExclusiveMaximum { limit } => format!("expected a number below {limit}"),
        Kind::MultipleOf { multiple_of } => format!("expected a multiple of {multiple_of}"),
        Kind::MinLength { limit } => format!("expected {limit} characters or more, found {}", size(found)),
        Kind::MaxLength { limit } => format!("expected at most {limit} characters, found {}", size(found)),
        Kind::MinItems { limit } => format!("expected {limit} items or more, found {}", size(found)),
        Kind::MaxItems { limit } => format!("expected at most {limit} items, found {}", size(found)),
        Kind::AdditionalItems { limit } => {
            format!("expected at most {limit} items, found {}", size(found))
        }
        Kind::MinProperties { limit } => format!("expected {limit} members or more, found {}", size(found)),
        Kind::MaxProperties { limit } => format!("expected at most {limit} members, found {}", size(found)),
        Kind::UniqueItems => "expected no item twice".into(),
        Kind::Contains => "expected an item that fits the plan, found none".into(),
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => match choice_types(context) {
            Some(types) => format!("expected {}, found {}", either(&types), name(found)),
            None => format!("fits none of the {} choices of the plan", context.len()),
        },
        Kind::OneOfMultipleValid { .. } => "fits more than one of the plan's choices".into(),
        Kind::Not { .. } => "is what the plan rules out".into(),
        Kind::PropertyNames { .. } => "has a member whose name the plan does not allow".into(),
        Kind::Required { property } => format!("{} is missing", literal(property)),
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            format!("has members that are not expected: {}", cut(&unexpected.join(", ")))
        }
        Kind::ContentEncoding { content_encoding } => format!("expected a text in {content_encoding}"),
        Kind::ContentMediaType { content_media_type } => {
            format!("expected a text of the type {content_media_type}")
        }
        _ => "does not fit the plan".into(),
    }
}

fn either(types: &[JsonType]) -> String {
    let mut names: Vec<&str> = types.iter().map(|kind| kind.as_str()).collect();
    let mut seen = Vec::new();
    names.retain(|name| {
        !seen.contains(name) && {
            seen.push(*name);
            true
        }
    });
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => "nothing".into(),
    }
}

/// Returns the type of a value.
fn name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(text) if text.is_empty() => "an empty string",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Describes an unexpected value by its type, because the value itself belongs to the event.
fn another(value: &Value) -> String {
    match value {
        Value::String(text) if !text.is_empty() => "another string".into(),
        Value::Number(_) => "another number".into(),
        Value::Bool(value) => value.to_string(),
        value => name(value).to_owned(),
    }
}

/// Returns the length of a value.
fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.chars().count(),
        Value::Array(items) => items.len(),
        Value::Object(members) => members.len(),
        _ => 0,
    }
}

fn choices(options: &[Value]) -> String {
    let mut shown: Vec<String> = options.iter().take(MAX_CHOICES).map(literal).collect();
    if options.len() > MAX_CHOICES {
        shown.push(format!("{} more", options.len() - MAX_CHOICES));
    }
    shown.join(", ")
}

/// Returns a value of the plan in short form.
fn literal(value: &Value) -> String {
    match value {
        Value::String(text) => format!("`{}`", cut(text)),
        Value::Array(_) => "a list of the plan".into(),
        Value::Object(_) => "an object of the plan".into(),
        value => format!("`{value}`"),
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
