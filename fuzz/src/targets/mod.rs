//! The targets, and the second implementations that some compare with.

pub mod canonical;
pub mod captures;
pub mod csv;
pub mod evaluation;
pub mod filters;
pub mod fql;
pub mod globs;
pub mod json;
pub mod masks;
pub mod outlines;
pub mod plans;
pub mod reading;
pub mod rules;
pub mod source;
pub mod streams;
pub mod timelines;
pub mod times;

/// A target by its name.
pub type Named = (&'static str, fn(&[u8]));

/// Every target.
pub const ALL: [Named; 15] = [
    ("captures", captures::target),
    ("csv", csv::target),
    ("evaluation", evaluation::target),
    ("filters", filters::target),
    ("fql", fql::target),
    ("globs", globs::target),
    ("json", json::target),
    ("masks", masks::target),
    ("outlines", outlines::target),
    ("plans", plans::target),
    ("rules", rules::target),
    ("source", source::target),
    ("streams", streams::target),
    ("timelines", timelines::target),
    ("times", times::target),
];
