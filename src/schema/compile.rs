//! Compilation of schemas to validators. Schemas are checked against their meta-schema, nothing is
//! fetched, and patterns run in linear time where possible.

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, PatternOptions, ValidationError, Validator};
use serde_json::Value;

use super::violation;

/// The maximum number of backtracking steps, on one value, of a pattern that only a backtracking
/// engine supports.
const BACKTRACK_LIMIT: usize = 100_000;
/// The maximum size of a compiled pattern, in bytes.
const PATTERN_BYTES: usize = 4 << 20;

/// The reason why a schema cannot be used.
pub(super) struct Fault {
    /// The JSON pointer to the faulty part of the schema.
    pub pointer: String,
    /// What is wrong with it.
    pub message: String,
}

/// Compiles `schema`. Patterns run in linear time, except the few with look-around or
/// back-references, which no linear-time engine supports: they may backtrack up to a limit.
pub(super) fn compile(schema: &Value) -> Result<Validator, Fault> {
    let draft = match schema.get("$schema").and_then(Value::as_str) {
        Some(uri) if uri.contains("draft-04") => Draft::Draft4,
        Some(uri) if uri.contains("draft-06") => Draft::Draft6,
        Some(uri) if uri.contains("2019-09") => Draft::Draft201909,
        Some(uri) if uri.contains("2020-12") => Draft::Draft202012,
        _ => Draft::Draft7,
    };
    let mut schema = schema.clone();
    // The URI of an unknown draft would have to be fetched.
    schema.as_object_mut().and_then(|keywords| keywords.remove("$schema"));
    let options =
        || jsonschema::options().with_draft(draft).should_validate_formats(true).offline();
    let linear = PatternOptions::regex().size_limit(PATTERN_BYTES);
    let error = match options().with_pattern_options(linear).build(&schema) {
        Ok(validator) => return Ok(validator),
        Err(error) => error,
    };
    if matches!(error.kind(), ValidationErrorKind::Format { format } if format == "regex") {
        let limited = PatternOptions::fancy_regex()
            .backtrack_limit(BACKTRACK_LIMIT)
            .size_limit(PATTERN_BYTES);
        if let Ok(validator) = options().with_pattern_options(limited).build(&schema) {
            return Ok(validator);
        }
    }
    Err(fault(&error, &schema))
}

fn fault(error: &ValidationError<'_>, schema: &Value) -> Fault {
    let pointer = error.instance_path().as_str().to_owned();
    let message = match error.kind() {
        ValidationErrorKind::Referencing(error) => {
            return Fault {
                pointer: reference(schema).unwrap_or(pointer),
                message: unresolved(error),
            };
        }
        ValidationErrorKind::Format { format } if format == "regex" => {
            "expected a regular expression of ECMA 262 that can be matched in bounded time".into()
        }
        _ if pointer.ends_with("/type") && error.instance().is_string() => {
            format!("{} is no type of JSON Schema", error.instance())
        }
        kind => format!("not a JSON schema: {}", violation::describe(kind, error.instance())),
    };
    Fault { pointer, message }
}

fn unresolved(error: &jsonschema::ReferencingError) -> String {
    use jsonschema::ReferencingError as Error;
    match error {
        Error::Unretrievable { uri, .. } => format!(
            "`$ref` to `{uri}`, which is not in the plan; references are never fetched, so put what \
             it names under `definitions`"
        ),
        Error::PointerToNowhere { pointer } => {
            format!("`$ref` to `#{pointer}`, where the schema has nothing")
        }
        _ => "`$ref` that leads nowhere in this schema".into(),
    }
}

/// Returns the pointer to the first reference that leaves the schema or does not resolve.
fn reference(schema: &Value) -> Option<String> {
    let mut open = vec![(String::new(), schema)];
    while let Some((pointer, value)) = open.pop() {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(target)) = members.get("$ref") {
                    let inside = target.strip_prefix('#').map(|inside| schema.pointer(inside));
                    if !matches!(inside, Some(Some(_))) {
                        return Some(format!("{pointer}/$ref"));
                    }
                }
                let inner = members.iter().rev();
                open.extend(
                    inner.map(|(name, value)| (super::pointer::join(&pointer, name), value)),
                );
            }
            Value::Array(items) => {
                let inner = items.iter().enumerate().rev();
                open.extend(inner.map(|(index, value)| (format!("{pointer}/{index}"), value)));
            }
            _ => {}
        }
    }
    None
}
