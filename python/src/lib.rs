//! The Python module `backtrail._native`: what the package `backtrail` is made of.

#![allow(clippy::needless_pass_by_value)] // what Python calls gets its arguments owned
#![allow(clippy::doc_markdown)] // comments here are docstrings, too

mod command;
mod error;
mod input;
mod interrupt;
mod job;
mod map;
mod report;
mod run;
mod stage;
mod table;

use pyo3::prelude::*;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What `backtrail` is made of; import that.
#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<table::Table>()?;
    module.add_function(wrap_pyfunction!(command::main, module)?)?;
    module.add_function(wrap_pyfunction!(run::run, module)?)?;
    module.add_class::<job::Job>()?;
    module.add_class::<map::Mapping>()?;
    module.add_function(wrap_pyfunction!(input::inputs, module)?)?;
    module.add_function(wrap_pyfunction!(map::map, module)?)?;
    module.add_function(wrap_pyfunction!(report::census, module)?)?;
    module.add_function(wrap_pyfunction!(report::report, module)?)?;
    module.add_function(wrap_pyfunction!(stage::dedup, module)?)?;
    module.add_function(wrap_pyfunction!(stage::links, module)?)?;
    module.add_function(wrap_pyfunction!(stage::settle_links, module)?)?;
    module.add_function(wrap_pyfunction!(stage::wanted, module)?)?;
    module.add_function(wrap_pyfunction!(stage::forget, module)?)?;
    module.add_function(wrap_pyfunction!(stage::resolve, module)?)?;
    module.add_function(wrap_pyfunction!(stage::email_ties, module)?)?;
    module.add_function(wrap_pyfunction!(stage::lead_names, module)?)?;
    module.add_function(wrap_pyfunction!(stage::signals, module)?)?;
    module.add_function(wrap_pyfunction!(stage::fold, module)?)?;
    module.add_function(wrap_pyfunction!(stage::decide, module)?)?;
    module.add_function(wrap_pyfunction!(stage::leads, module)?)?;
    module.add_function(wrap_pyfunction!(stage::schemas, module)?)
}
