//! A folder of a bucket that objects are written to.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::emit::staging::error::Result;
use crate::emit::staging::{Leftovers, StagingError};
use crate::store::{Bucket, StoreError, Url};

/// The maximum number of bytes of parts in flight, unless a single part is larger.
const IN_FLIGHT_BYTES: usize = 64 << 20;
/// The unit of the semaphore, in bytes.
const UNIT_BYTES: usize = 1 << 20;

/// A folder of a bucket that objects are written to.
#[derive(Debug)]
pub(super) struct BucketFolder {
    pub bucket: Bucket,
    folder: Url,
    stop: Option<&'static AtomicBool>,
    in_flight: Arc<Semaphore>,
    pub leftovers: Leftovers,
}

impl BucketFolder {
    pub fn new(bucket: Bucket, folder: &Url, stop: Option<&'static AtomicBool>) -> Self {
        let in_flight = Arc::new(Semaphore::new(IN_FLIGHT_BYTES / UNIT_BYTES));
        Self { bucket, folder: folder.clone(), stop, in_flight, leftovers: Leftovers::default() }
    }

    /// Returns the key of the object with this name.
    pub fn key(&self, name: &str) -> String {
        self.folder.join(name).key().to_owned()
    }

    /// Returns the URL of the object with this name.
    pub fn url(&self, name: &str) -> String {
        self.folder.join(name).to_string()
    }

    /// Returns a handle for sending parts concurrently.
    pub fn runtime(&self) -> &Handle {
        self.bucket.store().runtime().handle()
    }

    /// Waits for `future` until the run is interrupted.
    pub fn wait<T: Send + 'static>(
        &self,
        future: impl Future<Output = std::result::Result<T, StoreError>> + Send + 'static,
    ) -> Result<T> {
        self.bucket.store().run(future, self.stop).map_err(|error| {
            if self.stop.is_some_and(|stop| stop.load(Ordering::Relaxed)) {
                StagingError::Interrupted
            } else {
                error.into()
            }
        })
    }

    /// Waits for `future`, even if the run is interrupted.
    pub fn wait_uninterrupted<T: Send + 'static>(
        &self,
        future: impl Future<Output = std::result::Result<T, StoreError>> + Send + 'static,
    ) -> std::result::Result<T, StoreError> {
        self.bucket.store().run(future, None)
    }

    /// Waits until a part of `bytes` may be in flight. It counts as such until the permit is
    /// dropped.
    pub fn reserve(&self, bytes: usize) -> Result<Option<OwnedSemaphorePermit>> {
        let units = bytes.min(IN_FLIGHT_BYTES).div_ceil(UNIT_BYTES);
        let units = u32::try_from(units).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.in_flight).acquire_many_owned(units);
        // The semaphore is never closed.
        self.wait(async move { Ok(permit.await.ok()) })
    }
}
