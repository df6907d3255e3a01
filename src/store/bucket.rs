//! Writes to a bucket: single requests and multipart uploads.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use object_store::{
    Attribute, Attributes, Error, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt as _,
    PutMode, PutMultipartOptions, PutOptions,
};

use super::error::{StoreError, StoreErrorKind};
use super::replace::Replace;
use super::stores::Store;
use super::url::Scheme;

/// Content types by file extension.
const CONTENT_TYPES: [(&str, &str); 5] = [
    (".csv", "text/csv; charset=utf-8"),
    (".html", "text/html; charset=utf-8"),
    (".json", "application/json"),
    (".ndjson", "application/x-ndjson"),
    (".parquet", "application/vnd.apache.parquet"),
];

/// How often the start of a multipart upload is attempted.
const ATTEMPTS: usize = 3;

/// Identifies one version of the content of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The size in bytes.
    pub bytes: u64,
    etag: Option<String>,
    modified: String,
}

/// A bucket opened for writing by [`Stores::bucket`](super::Stores::bucket).
#[derive(Clone, Debug)]
pub struct Bucket {
    store: Arc<Store>,
    objects: Arc<dyn ObjectStore>,
    replace: Replace,
}

/// A multipart upload that was started.
pub struct Upload {
    store: Arc<Store>,
    key: String,
    parts: Box<dyn MultipartUpload>,
}

impl Bucket {
    /// Creates a writer to `store`.
    ///
    /// # Errors
    /// Returns an error if `store` is a web server.
    pub(super) fn new(store: Arc<Store>, replace: Replace) -> Result<Self, StoreError> {
        let objects = store.objects()?.clone() as Arc<dyn ObjectStore>;
        Ok(Self { store, objects, replace })
    }

    /// Returns the store of the bucket.
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// Returns whether uploads overwrite existing objects.
    pub fn replace(&self) -> Replace {
        self.replace
    }

    /// Requests the version of the object `key`; `None` if the object does not exist.
    ///
    /// # Errors
    /// Returns an error if the request fails, or if the bucket does not exist.
    pub async fn version(&self, key: &str) -> Result<Option<Version>, StoreError> {
        match self.objects.head(&self.store.path(key)?).await {
            Ok(found) => Ok(Some(found.into())),
            Err(error) => match self.store.error(key, &error) {
                error if error.kind == StoreErrorKind::NotFound => Ok(None),
                error => Err(error),
            },
        }
    }

    /// Checks that the object `key` can be written, without leaving anything in the bucket.
    ///
    /// # Errors
    /// Returns an error if the bucket does not exist, or if the credentials do not permit writing.
    pub async fn probe(&self, key: &str) -> Result<(), StoreError> {
        if self.store.scheme() == Scheme::Azure {
            // A multipart upload starts without a request there, so that nothing could be refused.
            return self.version(key).await.map(drop);
        }
        self.start_upload(key).await?.abort().await
    }

    /// Starts a multipart upload.
    ///
    /// # Errors
    /// Returns an error if the request fails.
    pub async fn start_upload(&self, key: &str) -> Result<Upload, StoreError> {
        let path = self.store.path(key)?;
        let options = PutMultipartOptions { attributes: attributes(key), ..Default::default() };
        let mut attempts = 1;
        loop {
            let begun = self.objects.put_multipart_opts(&path, options.clone()).await;
            match begun.map_err(|error| self.store.error(key, &error)) {
                Ok(parts) => {
                    return Ok(Upload {
                        store: Arc::clone(&self.store),
                        key: key.to_owned(),
                        parts,
                    });
                }
                // The client does not retry if the response is cut off.
                Err(error) if error.kind == StoreErrorKind::Unavailable && attempts < ATTEMPTS => {
                    attempts += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Uploads an object in one request.
    ///
    /// # Errors
    /// Returns an error if the request fails. The object may exist nevertheless if only the
    /// response was lost.
    pub async fn put(&self, key: &str, data: Bytes) -> Result<(), StoreError> {
        let mode = match self.replace {
            Replace::Never => PutMode::Create,
            Replace::Always => PutMode::Overwrite,
        };
        let options = PutOptions { mode, attributes: attributes(key), ..Default::default() };
        let put = self.objects.put_opts(&self.store.path(key)?, data.into(), options).await;
        put.map(drop).map_err(|error| self.store.error(key, &error))
    }

    /// Reads an object into memory. Only for small objects.
    ///
    /// # Errors
    /// Returns an error if the object cannot be read.
    pub async fn get(&self, key: &str) -> Result<Bytes, StoreError> {
        let got = match self.objects.get(&self.store.path(key)?).await {
            Ok(got) => got.bytes().await,
            Err(error) => Err(error),
        };
        got.map_err(|error| self.store.error(key, &error))
    }

    /// Deletes an object. Does nothing if it does not exist.
    ///
    /// # Errors
    /// Returns an error if the request fails at every attempt.
    pub async fn delete(&self, key: &str) -> Result<(), StoreError> {
        let deleted = self.objects.delete(&self.store.path(key)?).await;
        ignore_missing(deleted.map_err(|error| self.store.error(key, &error)))
    }
}

impl Upload {
    /// Uploads the next part. Parts may be uploaded concurrently; their order is that of the calls.
    ///
    /// # Errors
    /// Returns an error if the request fails at every attempt.
    pub fn put_part(
        &mut self,
        data: Bytes,
    ) -> impl Future<Output = Result<(), StoreError>> + Send + 'static {
        let (part, store, key) =
            (self.parts.put_part(data.into()), Arc::clone(&self.store), self.key.clone());
        async move { part.await.map_err(|error| store.error(&key, &error)) }
    }

    /// Completes the upload, which creates the object. All parts must be uploaded.
    ///
    /// # Errors
    /// Returns an error if the request fails at every attempt. The object may exist nevertheless if
    /// only the response was lost.
    pub async fn complete(&mut self) -> Result<(), StoreError> {
        let made = self.parts.complete().await;
        made.map(drop).map_err(|error| self.error(&error))
    }

    /// Aborts the upload, which deletes its parts. Azure deletes them itself after a week.
    ///
    /// # Errors
    /// Returns an error if the request fails at every attempt.
    pub async fn abort(&mut self) -> Result<(), StoreError> {
        let aborted = self.parts.abort().await;
        ignore_missing(aborted.map_err(|error| self.error(&error)))
    }

    fn error(&self, error: &Error) -> StoreError {
        self.store.error(&self.key, error)
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Upload({})", self.store.url(&self.key))
    }
}

impl From<ObjectMeta> for Version {
    fn from(found: ObjectMeta) -> Self {
        let modified = found.last_modified.to_rfc3339();
        Self { bytes: found.size, etag: found.e_tag, modified }
    }
}

/// Ignores the error that there is nothing to delete.
fn ignore_missing(removed: Result<(), StoreError>) -> Result<(), StoreError> {
    match removed {
        Err(error) if error.kind == StoreErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Returns the attributes with the content type of the object, for browsers and other programs.
fn attributes(key: &str) -> Attributes {
    let known = CONTENT_TYPES.iter().find(|(ending, _)| key.ends_with(ending));
    known.map(|&(_, content)| (Attribute::ContentType, content)).into_iter().collect()
}
