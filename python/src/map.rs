//! Files to rows.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::RecordBatch;
use backtrail::engine::bucket;
use backtrail::engine::bucket::map::{FileMap, InputFile, MapSums};
use backtrail::engine::exchange::arrow::{ExchangeError, counts, deletions, event_rows, sightings};
use backtrail::error::Error;
use backtrail::store::Stores;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

use crate::error::{exception, of_stage};
use crate::input::Place;
use crate::job::Job;
use crate::table::Table;

/// So many parts wait for whoever takes them.
const WAITING: usize = 2;

/// What the thread that reads hands over.
enum Part {
    Rows(Vec<RecordBatch>),
    Sums(Box<MapSums>),
}

/// The rows of files, as an iterator of tables, while they are read on a thread of its own; then
/// ``sums``.
#[pyclass(frozen, module = "backtrail")]
pub struct Mapping {
    parts: Mutex<Receiver<Result<Part, ExchangeError>>>,
    sums: Mutex<Option<MapSums>>,
}

/// Maps ``files`` to rows. Each is the number of a file among all inputs, and a path, a URL, or an
/// ``Input``, which must be the content that was listed.
#[pyfunction]
pub fn map(py: Python<'_>, job: &Job, files: Vec<(u32, Place)>) -> PyResult<Mapping> {
    let files = py.detach(|| found(&job.stores, files)).map_err(|error| exception(py, &error))?;
    let (sender, receiver) = sync_channel(WAITING);
    let job = Arc::clone(&job.inner);
    let thread = std::thread::Builder::new().name("map".into());
    thread
        .spawn(move || read(&job, files, &sender))
        .map_err(|error| exception(py, &Error::Setup(error.to_string())))?;
    Ok(Mapping { parts: Mutex::new(receiver), sums: Mutex::new(None) })
}

fn found(stores: &Stores, files: Vec<(u32, Place)>) -> Result<Vec<InputFile>, Error> {
    let mut found = Vec::with_capacity(files.len());
    for (number, place) in files {
        let inputs = place.find(stores)?;
        found.extend(inputs.iter().map(|input| InputFile { number, input }));
    }
    Ok(found)
}

/// Reads until there is no more, or nobody takes it.
fn read(
    job: &bucket::Job,
    files: Vec<InputFile>,
    sender: &SyncSender<Result<Part, ExchangeError>>,
) {
    let mut map = FileMap::new(job, files);
    loop {
        let (part, is_last) = match map.next_rows() {
            Ok(Some(rows)) => (Ok(Part::Rows(rows)), false),
            Ok(None) => break,
            Err(error) => (Err(error), true),
        };
        if sender.send(part).is_err() || is_last {
            return;
        }
    }
    // Nobody may be left to take them.
    let _ = sender.send(map.finish().map(|sums| Part::Sums(Box::new(sums))));
}

#[pymethods]
impl Mapping {
    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Table>> {
        let part = py.detach(|| {
            let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
            parts.recv()
        });
        match part {
            Ok(Ok(Part::Rows(rows))) => Ok(Some(Table::new(event_rows::schema(), rows))),
            Ok(Ok(Part::Sums(sums))) => {
                *self.sums.lock().unwrap_or_else(PoisonError::into_inner) = Some(*sums);
                Ok(None)
            }
            Ok(Err(error)) => Err(of_stage(py, &error)),
            // The thread has gone: all was taken before.
            Err(_) => Ok(None),
        }
    }

    /// What the files came to, once the iterator has ended: ``counts``, ``deletions`` and ``sightings`` as
    /// tables,
    /// ``rejects`` as lines of ``rejects.ndjson``, ``faults`` as dicts, ``skipped`` as warnings, ``bytes_read``. None before.
    fn sums<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        let sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(sums) = &*sums else { return Ok(None) };
        let told = PyDict::new(py);
        told.set_item("counts", Table::new(counts::schema(), sums.counts.clone()))?;
        told.set_item("deletions", Table::new(deletions::schema(), sums.deletions.clone()))?;
        told.set_item("sightings", Table::new(sightings::schema(), sums.sightings.clone()))?;
        told.set_item("rejects", PyBytes::new(py, &sums.rejects))?;
        let faults = PyList::empty(py);
        for fault in &sums.faults {
            let entry = PyDict::new(py);
            entry.set_item("path", &fault.display)?;
            entry.set_item("offset", fault.offset)?;
            entry.set_item("message", &fault.message)?;
            faults.append(entry)?;
        }
        told.set_item("faults", faults)?;
        told.set_item("skipped", &sums.skipped)?;
        told.set_item("bytes_read", sums.bytes_read)?;
        Ok(Some(told))
    }
}
