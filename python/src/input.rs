//! Lists of inputs, which other processes read.

use std::ffi::OsString;
use std::path::PathBuf;

use backtrail::cli::resolve::{self, Surroundings};
use backtrail::error::Error;
use backtrail::source::{DiscoverError, Input, Inputs, Listed, Origin, Remote, discover_with};
use backtrail::store::Stores;
use pyo3::prelude::*;

use crate::error::{exception, made_of_fault};
use crate::job::Job;

/// The path or URL of an input, its size and its tag, and whether it was named.
type Entry = (OsString, Option<u64>, Option<String>, bool);

/// The inputs that arguments name, in order, and what is said of those that were skipped.
#[pyfunction]
pub fn inputs(
    py: Python<'_>,
    job: &Job,
    args: Vec<OsString>,
) -> PyResult<(Vec<Entry>, Vec<String>)> {
    let window = job.inner.engine.window;
    let found = py.detach(|| resolve::inputs(&args, &job.stores, window, Surroundings::read()));
    let found = found.map_err(|error| exception(py, &error))?;
    if let Some(fault) = found.faults.first() {
        return Err(made_of_fault(py, fault));
    }
    let entry = |input: Input| {
        let Listed { place, size, tag, origin } = Listed::new(&input);
        (place, size, tag, origin == Origin::Named)
    };
    Ok((found.inputs.iter().map(entry).collect(), found.skipped))
}

/// An input of ``map``: an entry of a list, or a path or URL that is looked up.
#[derive(FromPyObject)]
pub enum Place {
    Listed(Entry),
    Named(PathBuf),
}

impl Place {
    /// Finds the input; a folder has several.
    pub fn find(self, stores: &Stores) -> Result<Inputs, Error> {
        let found: Result<_, DiscoverError> = match self {
            Self::Listed((place, size, tag, named)) => {
                let origin = if named { Origin::Named } else { Origin::Found };
                let listed = Listed { place, size, tag, origin };
                listed.find(stores).map(|input| [input].into_iter().collect())
            }
            Self::Named(place) => {
                let remote = Remote { stores, window: (None, None) };
                discover_with(&[place.into()], true, &remote).map(|found| found.inputs)
            }
        };
        Ok(found?)
    }
}
