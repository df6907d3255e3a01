//! The time of a delivery.

use crate::json::Json;
use crate::time::Time;

/// Returns the first of `values` that is a time.
pub(super) fn first<'t>(values: impl IntoIterator<Item = Option<Json<'t>>>) -> Time {
    values.into_iter().flatten().find_map(Time::from_json).unwrap_or(Time::MISSING)
}
