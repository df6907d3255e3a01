//! What keeps an object from being read or written.

use crate::diagnostic::printable;

/// What kind of error of a store it is, for those who do something about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreErrorKind {
    /// There is no such object, or no such bucket.
    NotFound,
    /// There is such an object already.
    Exists,
    /// The object is another one than it was.
    Replaced,
    /// The store does not let these credentials do it.
    Denied,
    /// There are no credentials, or they are not valid or no longer.
    Credentials,
    /// The store could not be reached, or did not answer to the end.
    Unavailable,
    /// The program was built without stores.
    Unsupported,
    /// Anything else.
    Other,
}

/// Why something cannot be done with an object. Names the object and the cause; holds no credential,
/// no query of a signed address and nothing of an object's content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", printable(.object))]
pub struct StoreError {
    /// The URL of the object, the folder or the bucket.
    pub object: String,
    /// What kind of error it is.
    pub kind: StoreErrorKind,
    /// The cause, and what to do.
    pub message: String,
}

impl StoreError {
    /// That something cannot be done with `object` because of `message`.
    #[allow(clippy::needless_pass_by_value)] // texts, URLs and references to both
    pub fn new(object: impl ToString, kind: StoreErrorKind, message: impl Into<String>) -> Self {
        Self { object: object.to_string(), kind, message: message.into() }
    }
}
