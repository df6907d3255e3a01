//! Errors of requests to stores.

use crate::diagnostic::printable;

/// The kind of a [`StoreError`], for callers that handle some errors themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreErrorKind {
    /// The object or the bucket does not exist.
    NotFound,
    /// The object exists already.
    Exists,
    /// The object was replaced since it was listed.
    Replaced,
    /// The credentials do not permit the request.
    Denied,
    /// There are no credentials, or they are invalid or expired.
    Credentials,
    /// The store could not be reached, or its response was incomplete.
    Unavailable,
    /// The store, or this build of the program, does not support the operation.
    Unsupported,
    /// Anything else.
    Other,
}

/// An error of a request to a store.
///
/// Contains no credential, no query of a signed address, and no content of an object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", printable(.object))]
pub struct StoreError {
    /// The URL of the object, the folder or the bucket.
    pub object: String,
    /// The kind of the error.
    pub kind: StoreErrorKind,
    /// The cause and a remedy.
    pub message: String,
}

impl StoreError {
    /// Creates an error about `object`, which is a URL, with a cause and a remedy.
    #[allow(clippy::needless_pass_by_value)] // texts, URLs and references to both
    pub fn new(object: impl ToString, kind: StoreErrorKind, message: impl Into<String>) -> Self {
        Self { object: object.to_string(), kind, message: message.into() }
    }
}
