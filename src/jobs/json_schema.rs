//! The JSON Schemas (draft 2020-12) of the reports that jobs write, generated from the reports'
//! types.

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};

/// Returns the name and the schema of each report.
pub fn all() -> Vec<(&'static str, Schema)> {
    vec![
        ("run", of::<crate::report::Report>()),
        ("audit", of::<super::audit::report::Report>()),
        ("queue", of::<super::queue::report::Report>()),
        ("explain", of::<super::explain::report::Report>()),
        ("check", super::check::report::json_schema()),
    ]
}

/// Returns the schema of a serialized `T`.
pub(super) fn of<T: JsonSchema>() -> Schema {
    SchemaGenerator::new(SchemaSettings::draft2020_12().for_serialize()).into_root_schema_for::<T>()
}
