//! Objects that were found.

use super::Object;

/// An object that was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its URL.
    pub url: Box<str>,
    /// Its size in bytes; `None` where a web server does not tell.
    pub size: Option<u64>,
    /// How it is read.
    pub object: Object,
}
