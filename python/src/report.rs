//! What stages counted, as a report.

use std::time::Duration;

use backtrail::engine::bucket;
use backtrail::engine::bucket::census::SharedId;
use backtrail::engine::bucket::counts::Counts;
use backtrail::engine::exchange::arrow::counts;
use backtrail::error::Error;
use backtrail::jobs::run::{Merged, merged_report};
use backtrail::report::{Fault, Input};
use pyo3::prelude::*;

use crate::error::{exception, of_stage};
use crate::job::Job;
use crate::stage::Batches;
use crate::table::Table;

/// A kind of id, the id, and to how many e-mails it leads.
type Shared = (String, String, u32);

/// Counts of visitors, and shared ids, of all sightings of a ``bucket``.
#[pyfunction]
pub fn census(py: Python<'_>, job: &Job, sightings: Batches) -> PyResult<(Table, Vec<Shared>)> {
    let census = py.detach(|| bucket::census::census(&job.inner, &sightings.0));
    let census = census.map_err(|error| of_stage(py, &error))?;
    let shared = census.shared.into_iter().map(|id| (id.kind, id.id, id.emails)).collect();
    Ok((Table::new(counts::schema(), census.counts), shared))
}

/// What a report is made of besides counts.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Told {
    deleted_users: Vec<String>,
    shared: Vec<Shared>,
    merged_emails: u64,
    merge_refused: Vec<(u64, Vec<String>)>,
    scores: Option<(i64, i64)>,
    lost_leads: Vec<String>,
    inputs: Vec<(String, Option<u64>, u64)>,
    faults: Vec<(String, Option<u64>, String)>,
    skipped: Vec<String>,
    bytes_read: u64,
    elapsed_seconds: f64,
}

/// ``report.json`` of a job, of the counts of all its stages and what is no count.
#[pyfunction]
pub fn report(py: Python<'_>, job: &Job, counts: Batches, told: Told) -> PyResult<String> {
    let counts = Counts::read(&job.inner, &counts.0).map_err(|error| of_stage(py, &error))?;
    let shared = |(kind, id, emails)| SharedId { kind, id, emails };
    let input = |(path, bytes, records)| Input { path, bytes, records };
    let fault = |(path, offset, message)| Fault { path, offset, message };
    let merged = Merged {
        counts,
        deleted_users: told.deleted_users.into_iter().collect(),
        shared: told.shared.into_iter().map(shared).collect(),
        merged_emails: told.merged_emails,
        merge_refused: told.merge_refused,
        scores: told.scores,
        lost_leads: told.lost_leads,
        inputs: told.inputs.into_iter().map(input).collect(),
        faults: told.faults.into_iter().map(fault).collect(),
        skipped: told.skipped,
        bytes_read: told.bytes_read,
        rules_file: job.rules_file.clone(),
        filters_file: job.filters_file.clone(),
        warnings: job.warnings.clone(),
        elapsed: Duration::try_from_secs_f64(told.elapsed_seconds).unwrap_or_default(),
    };
    let report = merged_report(&job.inner, merged);
    serde_json::to_string(&report).map_err(|error| exception(py, &Error::Setup(error.to_string())))
}
