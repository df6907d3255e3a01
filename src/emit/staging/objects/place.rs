//! The folder of a bucket that objects are put into.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::emit::staging::error::Result;
use crate::emit::staging::{Leftovers, StagingError};
use crate::store::{Bucket, StoreError, Url};

/// So many bytes of parts are on their way at a time, or one part.
const IN_FLIGHT_BYTES: usize = 64 << 20;
/// The unit in which they are counted.
const UNIT_BYTES: usize = 1 << 20;

/// The folder of a bucket that objects are put into.
#[derive(Debug)]
pub(super) struct Place {
    pub bucket: Bucket,
    folder: Url,
    stop: Option<&'static AtomicBool>,
    in_flight: Arc<Semaphore>,
    pub leftovers: Leftovers,
}

impl Place {
    pub fn new(bucket: Bucket, folder: &Url, stop: Option<&'static AtomicBool>) -> Self {
        let in_flight = Arc::new(Semaphore::new(IN_FLIGHT_BYTES / UNIT_BYTES));
        Self { bucket, folder: folder.clone(), stop, in_flight, leftovers: Leftovers::default() }
    }

    /// The key of the object with this name.
    pub fn key(&self, name: &str) -> String {
        self.folder.join(name).key().to_owned()
    }

    /// What to call the object with this name before the user.
    pub fn url(&self, name: &str) -> String {
        self.folder.join(name).to_string()
    }

    /// For parts that are sent while others are made.
    pub fn runtime(&self) -> &Handle {
        self.bucket.store().runtime().handle()
    }

    /// Waits for `future`, or until somebody stops the run.
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

    /// Waits for `future`, whoever stops the run.
    pub fn wait_to_the_end<T: Send + 'static>(
        &self,
        future: impl Future<Output = std::result::Result<T, StoreError>> + Send + 'static,
    ) -> std::result::Result<T, StoreError> {
        self.bucket.store().run(future, None)
    }

    /// Waits until a part of so many bytes may be on its way, which it may until the permit is
    /// dropped.
    pub fn room(&self, bytes: usize) -> Result<Option<OwnedSemaphorePermit>> {
        let units = bytes.min(IN_FLIGHT_BYTES).div_ceil(UNIT_BYTES);
        let units = u32::try_from(units).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.in_flight).acquire_many_owned(units);
        // Nobody closes the semaphore.
        self.wait(async move { Ok(room.await.ok()) })
    }
}
