//! Parts of aborted uploads that could not be deleted.

use std::sync::{Arc, Mutex, PoisonError};

use crate::store::StoreError;

/// Errors of deleting the parts of aborted uploads. Shared with the objects, so that it can be read
/// after all of them are dropped.
#[derive(Clone, Debug, Default)]
pub struct Leftovers(Arc<Mutex<Vec<StoreError>>>);

impl Leftovers {
    /// Adds the error of an aborted upload.
    #[cfg_attr(not(feature = "object-store"), allow(dead_code))]
    pub(super) fn add(&self, error: StoreError) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(error);
    }

    /// Returns a warning; `None` if there is no error.
    pub fn warning(&self) -> Option<String> {
        let left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let errors: Vec<String> = left.iter().map(ToString::to_string).collect();
        (!errors.is_empty()).then(|| {
            format!(
                "uploaded parts are still stored, and are charged for:  {}; remove them with \
                 `aws s3api abort-multipart-upload` or a lifecycle rule",
                errors.join("; ")
            )
        })
    }
}
