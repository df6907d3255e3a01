//! What is left of outputs that were given up.

use std::sync::{Arc, Mutex, PoisonError};

use crate::store::StoreError;

/// Why parts of objects that were given up are still stored. Shared with the objects, so that it
/// can be asked when all of them are gone.
#[derive(Clone, Debug, Default)]
pub struct Leftovers(Arc<Mutex<Vec<StoreError>>>);

impl Leftovers {
    /// Notes why the parts of an object could not be removed.
    #[cfg_attr(not(feature = "object-store"), allow(dead_code))]
    pub(super) fn add(&self, error: StoreError) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(error);
    }

    /// What is said of them; `None` where nothing is left.
    pub fn warning(&self) -> Option<String> {
        let left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let errors: Vec<String> = left.iter().map(ToString::to_string).collect();
        (!errors.is_empty()).then(|| {
            format!(
                "parts that were uploaded are still stored, and cost money: {}; remove them with \
                 `aws s3api abort-multipart-upload` or a lifecycle rule",
                errors.join("; ")
            )
        })
    }
}
