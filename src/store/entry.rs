//! Objects with the metadata that a listing or a HEAD request returns.

use super::Object;

/// An object, its URL and its size.
#[derive(Clone, Debug)]
pub struct ObjectEntry {
    /// The URL, without the query of a web address.
    pub url: Box<str>,
    /// The size in bytes; `None` if a web server does not report it.
    pub size: Option<u64>,
    /// The handle for reading the object.
    pub object: Object,
}
