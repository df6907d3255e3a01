//! Errors of the library as the exceptions of `backtrail._errors`.

use backtrail::engine::exchange::arrow::ExchangeError;
use backtrail::error::Error;
use backtrail::source::{DiscoverError, Fault};
use pyo3::exceptions::{PyBrokenPipeError, PyKeyboardInterrupt};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Which exception, and where in which file.
#[derive(Default)]
struct Told {
    class: &'static str,
    file: Option<String>,
    line: Option<usize>,
    column: Option<usize>,
    offset: Option<u64>,
}

impl Told {
    fn new(class: &'static str) -> Self {
        Self { class, ..Self::default() }
    }

    fn of(error: &Error) -> Self {
        match error {
            Error::Usage(_) => Self::new("UsageError"),
            Error::Diagnostics { name, first: (line, column), .. } => Self {
                file: Some(name.clone()),
                line: Some(*line),
                column: Some(*column),
                ..Self::new("RulesError")
            },
            Error::NotUtf8 { path, line, column } => Self {
                file: Some(path.display().to_string()),
                line: Some(*line),
                column: Some(*column),
                ..Self::new("RulesError")
            },
            Error::Unreadable { path, .. } => {
                Self { file: Some(path.display().to_string()), ..Self::new("RulesError") }
            }
            Error::Fault(fault) => Self::of_fault(fault),
            Error::Unread(faults) => {
                faults.first().map_or_else(|| Self::new("InputError"), Self::of_fault)
            }
            Error::Discover(DiscoverError::Store(error)) => {
                Self { file: Some(error.object.clone()), ..Self::new("InputError") }
            }
            Error::Discover(_) | Error::Empty { .. } | Error::Spool(_) => Self::new("InputError"),
            Error::Output(_) | Error::Write(_) | Error::Spill(_) => Self::new("OutputError"),
            _ => Self::new("Error"),
        }
    }

    fn of_fault(fault: &Fault) -> Self {
        Self { file: Some(fault.display.clone()), offset: fault.offset, ..Self::new("InputError") }
    }
}

/// The exception that tells `error`.
pub fn exception(py: Python<'_>, error: &Error) -> PyErr {
    match error {
        Error::Interrupted | Error::CutShort => PyKeyboardInterrupt::new_err(error.to_string()),
        Error::ClosedPipe => PyBrokenPipeError::new_err(error.to_string()),
        _ => made(py, &error.to_string(), Told::of(error)),
    }
}

/// The exception that tells what is wrong with an input.
pub fn made_of_fault(py: Python<'_>, fault: &Fault) -> PyErr {
    made(py, &fault.to_string(), Told::of_fault(fault))
}

/// The exception that tells why a stage refused what it was given.
pub fn of_stage(py: Python<'_>, error: &ExchangeError) -> PyErr {
    match error {
        ExchangeError::Job(error) => exception(py, error),
        _ => made(py, &error.to_string(), Told::new("StageError")),
    }
}

/// The exception that tells what is wrong with arguments.
pub fn usage(py: Python<'_>, text: &str) -> PyErr {
    made(py, text, Told::new("UsageError"))
}

fn made(py: Python<'_>, text: &str, told: Told) -> PyErr {
    let make = || {
        let class = py.import("backtrail._errors")?.getattr(told.class)?;
        let place = PyDict::new(py);
        place.set_item("file", told.file)?;
        place.set_item("line", told.line)?;
        place.set_item("column", told.column)?;
        place.set_item("offset", told.offset)?;
        class.call((text,), Some(&place))
    };
    make().map_or_else(|error: PyErr| error, PyErr::from_value)
}
