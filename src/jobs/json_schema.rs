//! The JSON Schemas (draft 2020-12) of the reports that jobs write, made from the reports' own types.

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};

/// The name of each report, and its schema.
pub fn all() -> Vec<(&'static str, Schema)> {
    vec![
        ("run", of::<crate::report::Report>()),
        ("audit", of::<super::audit::report::Report>()),
        ("queue", of::<super::queue::report::Report>()),
        ("explain", of::<super::explain::report::Report>()),
        ("check", super::check::report::json_schema()),
    ]
}

/// The schema of what is written of a `T`.
pub(super) fn of<T: JsonSchema>() -> Schema {
    SchemaGenerator::new(SchemaSettings::draft2020_12().for_serialize()).into_root_schema_for::<T>()
}
