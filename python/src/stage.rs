//! The stages of the engine on Arrow batches: `backtrail::engine::bucket` for Python.

use arrow_array::RecordBatch;
use arrow_array::ffi_stream::RecordBatchStreamReader;
use arrow_pyarrow::FromPyArrow;
use arrow_schema::SchemaRef;
use backtrail::emit::Table as OutputTable;
use backtrail::emit::arrow::{Types, schema as table_schema};
use backtrail::engine::bucket;
use backtrail::engine::bucket::counts::Counts;
use backtrail::engine::bucket::forget::Forgettable;
use backtrail::engine::bucket::leads::LeadParts;
use backtrail::engine::bucket::links::Linkable;
use backtrail::engine::bucket::resolve::Resolvable;
use backtrail::engine::exchange::arrow::{
    ExchangeError, contenders, counts, email_ties as ties, event_rows, group_names, id_links,
    lead_parts, row_owners, sightings, wanted_ids,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::error::of_stage;
use crate::job::Job;
use crate::table::Table;

/// Batches as Python has them: a table or a stream, a batch, or an iterable of these.
pub struct Batches(pub Vec<RecordBatch>);

impl<'py> FromPyObject<'_, 'py> for Batches {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let mut batches = Vec::new();
        gather(&value, &mut batches)?;
        Ok(Self(batches))
    }
}

fn gather(value: &Bound<'_, PyAny>, batches: &mut Vec<RecordBatch>) -> PyResult<()> {
    if value.hasattr("__arrow_c_stream__")? {
        for batch in RecordBatchStreamReader::from_pyarrow_bound(value)? {
            batches.push(batch.map_err(|error| PyValueError::new_err(error.to_string()))?);
        }
    } else if value.hasattr("__arrow_c_array__")? {
        batches.push(RecordBatch::from_pyarrow_bound(value)?);
    } else {
        for part in value.try_iter()? {
            gather(&part?, batches)?;
        }
    }
    Ok(())
}

type Given = Result<Vec<RecordBatch>, ExchangeError>;

/// Does `work` without the interpreter, for a table of this schema.
fn staged(
    py: Python<'_>,
    schema: SchemaRef,
    work: impl FnOnce() -> Given + Send,
) -> PyResult<Table> {
    let done = py.detach(work);
    done.map(|batches| Table::new(schema, batches)).map_err(|error| of_stage(py, &error))
}

/// The same rows with the fate ``duplicate`` where they are copies; all rows of a ``copies_bucket``
/// belong together.
#[pyfunction]
pub fn dedup(py: Python<'_>, job: &Job, rows: Batches) -> PyResult<Table> {
    staged(py, event_rows::schema(), || bucket::dedup::dedup(&job.inner, &rows.0))
}

/// The links that rows make and that other buckets may ask for; of rows of ``divided`` buckets all.
#[pyfunction]
#[pyo3(signature = (job, rows, deletions=None, divided=Vec::new()))]
pub fn links(
    py: Python<'_>,
    job: &Job,
    rows: Batches,
    deletions: Option<Batches>,
    divided: Vec<u32>,
) -> PyResult<Table> {
    let deletions = given(deletions);
    let given = Linkable { rows: &rows.0, deletions: &deletions, divided: &divided };
    staged(py, id_links::schema(), || bucket::links::links(&job.inner, given))
}

/// Links without redundant ones; all links of a ``bucket`` belong together.
#[pyfunction]
pub fn settle_links(py: Python<'_>, job: &Job, links: Batches) -> PyResult<Table> {
    staged(py, id_links::schema(), || bucket::links::settle_links(&job.inner, &links.0))
}

/// The user ids whose links the buckets of rows and settled links need first.
#[pyfunction]
pub fn wanted(py: Python<'_>, job: &Job, rows: Batches, links: Batches) -> PyResult<Table> {
    let work = || bucket::links::wanted(&job.inner, &rows.0, &links.0);
    staged(py, wanted_ids::schema(), work)
}

/// The same rows with the fate ``forgotten`` where a deletion request covers them; all rows and links
/// of a ``bucket`` belong together.
#[pyfunction]
pub fn forget(
    py: Python<'_>,
    job: &Job,
    rows: Batches,
    links: Batches,
    deletions: Batches,
) -> PyResult<Table> {
    let given = Forgettable { rows: &rows.0, links: &links.0, deletions: &deletions.0 };
    staged(py, event_rows::schema(), || bucket::forget::forget(&job.inner, given))
}

/// Rows with their owners, and sightings; all rows of a ``bucket`` belong together, with the links that it needs.
#[pyfunction]
#[pyo3(signature = (job, rows, links, lead_names=None, deletions=None))]
pub fn resolve(
    py: Python<'_>,
    job: &Job,
    rows: Batches,
    links: Batches,
    lead_names: Option<Batches>,
    deletions: Option<Batches>,
) -> PyResult<(Table, Table)> {
    let (lead_names, deletions) = (given(lead_names), given(deletions));
    let given = Resolvable {
        rows: &rows.0,
        links: &links.0,
        lead_names: &lead_names,
        deletions: &deletions,
    };
    let resolved = py.detach(|| bucket::resolve::resolve(&job.inner, given));
    let resolved = resolved.map_err(|error| of_stage(py, &error))?;
    Ok((
        Table::new(row_owners::schema(), resolved.rows),
        Table::new(sightings::schema(), resolved.sightings),
    ))
}

/// What rows tell of e-mails that share a user id, for ``lead_names``.
#[pyfunction]
pub fn email_ties(py: Python<'_>, job: &Job, rows: Batches) -> PyResult<Table> {
    staged(py, ties::schema(), || bucket::merge::email_ties(&job.inner, &rows.0))
}

/// E-mails that are too many to be one lead: how many, and the user ids that they share.
type Refused = Vec<(u64, Vec<String>)>;

/// The names of leads of several e-mails, by the ties of all rows; how many e-mails they join, and
/// what was not joined.
#[pyfunction]
pub fn lead_names(py: Python<'_>, job: &Job, ties: Batches) -> PyResult<(Table, u64, Refused)> {
    let named = py.detach(|| bucket::merge::lead_names(&job.inner, &ties.0));
    let named = named.map_err(|error| of_stage(py, &error))?;
    Ok((Table::new(ties::name_schema(), named.names), named.joined, named.refused))
}

/// The signals among resolved rows, as the table of signals.
#[pyfunction]
pub fn signals(py: Python<'_>, job: &Job, resolved: Batches) -> PyResult<Table> {
    let schema = signals_schema(job);
    staged(py, schema, || bucket::signals::signals(&job.inner, &resolved.0, Types::Plain))
}

fn signals_schema(job: &Job) -> SchemaRef {
    let engine = &job.inner.engine;
    let columns = &engine.rules.columns;
    let table = match engine.redaction {
        None => OutputTable::Signals(columns),
        Some(_) => OutputTable::RedactedSignals(columns),
    };
    table_schema(table, Types::Plain)
}

/// Parts of leads, names of groups, contenders, sightings and counts, of resolved rows; ``counts`` are all those
/// that maps gave.
#[pyfunction]
pub fn fold(
    py: Python<'_>,
    job: &Job,
    resolved: Batches,
    counts: Batches,
) -> PyResult<(Table, Table, Table, Table, Table)> {
    let folded = py.detach(|| {
        let timeframe = Counts::read(&job.inner, &counts.0)?.timeframe(&job.inner);
        bucket::fold::fold(&job.inner, &timeframe, &resolved.0)
    });
    let folded = folded.map_err(|error| of_stage(py, &error))?;
    Ok((
        Table::new(lead_parts::schema(), folded.parts),
        Table::new(group_names::schema(), folded.group_names),
        Table::new(contenders::schema(), folded.contenders),
        Table::new(sightings::schema(), folded.sightings),
        Table::new(counts::schema(), folded.counts),
    ))
}

/// Parts of the leads, and counts, that all contenders come to.
#[pyfunction]
pub fn decide(
    py: Python<'_>,
    job: &Job,
    contenders: Batches,
    counts: Batches,
) -> PyResult<(Table, Table)> {
    let decided = py.detach(|| {
        let timeframe = Counts::read(&job.inner, &counts.0)?.timeframe(&job.inner);
        bucket::decide::decide(&job.inner, &timeframe.ledger, &contenders.0)
    });
    let decided = decided.map_err(|error| of_stage(py, &error))?;
    Ok((
        Table::new(lead_parts::schema(), decided.parts),
        Table::new(counts::schema(), decided.counts),
    ))
}

/// The table of leads, of all parts of some e-mails and the names of their groups; counts; and the
/// e-mails of leads that the service would not have made.
#[pyfunction]
#[pyo3(signature = (job, parts, group_names=None))]
pub fn leads(
    py: Python<'_>,
    job: &Job,
    parts: Batches,
    group_names: Option<Batches>,
) -> PyResult<(Table, Table, Vec<String>)> {
    let group_names = given(group_names);
    let table = match job.inner.engine.redaction {
        None => OutputTable::Leads,
        Some(_) => OutputTable::RedactedLeads,
    };
    let given = LeadParts { parts: &parts.0, group_names: &group_names };
    let made = py.detach(|| bucket::leads::leads(&job.inner, given, Types::Plain));
    let made = made.map_err(|error| of_stage(py, &error))?;
    Ok((
        Table::new(table_schema(table, Types::Plain), made.rows),
        Table::new(counts::schema(), made.counts),
        made.lost,
    ))
}

fn given(batches: Option<Batches>) -> Vec<RecordBatch> {
    batches.map_or_else(Vec::new, |batches| batches.0)
}

/// An empty table of each kind that stages take or give.
#[pyfunction]
pub fn schemas(job: &Job) -> Vec<(&'static str, Table)> {
    let leads = match job.inner.engine.redaction {
        None => OutputTable::Leads,
        Some(_) => OutputTable::RedactedLeads,
    };
    let empty = |schema| Table::new(schema, Vec::new());
    vec![
        ("rows", empty(event_rows::schema())),
        ("links", empty(id_links::schema())),
        ("wanted", empty(wanted_ids::schema())),
        ("resolved", empty(row_owners::schema())),
        ("email_ties", empty(ties::schema())),
        ("lead_names", empty(ties::name_schema())),
        ("parts", empty(lead_parts::schema())),
        ("group_names", empty(group_names::schema())),
        ("contenders", empty(contenders::schema())),
        ("counts", empty(counts::schema())),
        ("sightings", empty(sightings::schema())),
        ("deletions", empty(backtrail::engine::exchange::arrow::deletions::schema())),
        ("signals", empty(signals_schema(job))),
        ("leads", empty(table_schema(leads, Types::Plain))),
    ]
}
