//! What all stages of a job have in common.

use std::ffi::OsString;
use std::sync::Arc;

use backtrail::cli::resolve::{self, Surroundings};
use backtrail::engine::bucket;
use backtrail::engine::compile::Compiled;
use backtrail::store::Stores;
use pyo3::prelude::*;

use crate::error::{exception, usage};
use crate::run::{parsed, told};

/// Rules, filters and settings, compiled, and into how many buckets visitors are divided.
///
/// ``args`` are those of ``backtrail run``; inputs and outputs among them are not looked at. ``texts``
/// name all that processes must have in common, each with its name.
#[pyclass(frozen, module = "backtrail")]
pub struct Job {
    pub inner: Arc<bucket::Job>,
    /// What inputs in object stores are reached with.
    pub stores: Stores,
    pub warnings: Vec<String>,
    pub rules_file: Option<String>,
    pub filters_file: Option<String>,
}

#[pymethods]
impl Job {
    #[new]
    fn new(
        py: Python<'_>,
        args: Vec<OsString>,
        buckets: u32,
        texts: Vec<(String, String)>,
    ) -> PyResult<Self> {
        let (args, _) = parsed(args).map_err(|error| usage(py, &told(&error)))?;
        let around = Surroundings::read();
        let stores = around.stores(args.store);
        let settings = resolve::settings(&args, around);
        let settings = settings.map_err(|error| exception(py, &error))?;
        let resolve::Settings { engine, terms, rules_file, filters_file, warnings } = settings;
        let compiled = Compiled { engine, terms, warnings: Vec::new() };
        let texts = texts.iter().map(|(name, text)| (name.as_str(), text.as_str()));
        let inner = Arc::new(bucket::Job::new(compiled, buckets, texts));
        Ok(Self { inner, stores, warnings, rules_file, filters_file })
    }

    /// How many buckets there are.
    #[getter]
    fn buckets(&self) -> u32 {
        self.inner.buckets()
    }

    /// What the batches of this job bear in their column ``job``.
    #[getter]
    fn fingerprint(&self) -> i64 {
        self.inner.fingerprint().to_column()
    }

    /// Whether rows need not be grouped anew between ``dedup`` and the stages behind it.
    #[getter]
    fn copies_share_a_bucket(&self) -> bool {
        self.inner.copies_share_a_bucket()
    }

    /// Whether ``lead_names`` has anything to join.
    #[getter]
    fn merges_leads(&self) -> bool {
        self.inner.engine.rules.identity.merge == backtrail::rules::Merge::UserId
    }

    /// What is doubtful about the rules and filters.
    #[getter]
    fn warnings(&self) -> Vec<String> {
        self.warnings.clone()
    }
}
