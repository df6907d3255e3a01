//! What is written to a bucket: whole objects, and objects in parts.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use object_store::{
    Attribute, Attributes, Error, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt as _,
    PutMode, PutMultipartOptions, PutOptions,
};

use super::error::{StoreError, StoreErrorKind};
use super::opened::Store;
use super::replace::Replace;
use super::url::Scheme;

/// What a file is, by the ending of its name.
const CONTENT_TYPES: [(&str, &str); 5] = [
    (".csv", "text/csv; charset=utf-8"),
    (".html", "text/html; charset=utf-8"),
    (".json", "application/json"),
    (".ndjson", "application/x-ndjson"),
    (".parquet", "application/vnd.apache.parquet"),
];

/// How often an upload is begun.
const TRIES: usize = 3;

/// What tells one content of an object from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The number of its bytes.
    pub bytes: u64,
    tag: Option<String>,
    modified: String,
}

/// A bucket that is written to. Made by [`Stores::bucket`](super::Stores::bucket).
#[derive(Clone, Debug)]
pub struct Bucket {
    store: Arc<Store>,
    objects: Arc<dyn ObjectStore>,
    replace: Replace,
}

/// An object in the making, of which parts are stored already.
pub struct Upload {
    store: Arc<Store>,
    key: String,
    parts: Box<dyn MultipartUpload>,
}

impl Bucket {
    /// Objects of `store`.
    ///
    /// # Errors
    /// When it is a web server, which takes none.
    pub(super) fn new(store: Arc<Store>, replace: Replace) -> Result<Self, StoreError> {
        let objects = store.objects()?.clone() as Arc<dyn ObjectStore>;
        Ok(Self { store, objects, replace })
    }

    /// The store that it is in.
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// Whether objects may take the places of others.
    pub fn replace(&self) -> Replace {
        self.replace
    }

    /// Which content the object `key` has; `None` where there is no such object.
    ///
    /// # Errors
    /// When that cannot be told, or when the store says that there is no such bucket.
    pub async fn look_up(&self, key: &str) -> Result<Option<Version>, StoreError> {
        match self.objects.head(&self.store.path(key)?).await {
            Ok(found) => Ok(Some(found.into())),
            Err(error) => match self.store.error(key, &error) {
                error if error.kind == StoreErrorKind::NotFound => Ok(None),
                error => Err(error),
            },
        }
    }

    /// Checks that the object `key` can be written, and leaves nothing of it.
    ///
    /// # Errors
    /// When there is no such bucket, or when the credentials do not let it be written to.
    pub async fn probe(&self, key: &str) -> Result<(), StoreError> {
        if self.store.scheme() == Scheme::Azure {
            // An object in parts has no beginning there that could be refused.
            return self.look_up(key).await.map(drop);
        }
        self.begin(key).await?.abort().await
    }

    /// Begins an object in parts.
    ///
    /// # Errors
    /// Those of the request.
    pub async fn begin(&self, key: &str) -> Result<Upload, StoreError> {
        let path = self.store.path(key)?;
        let options = PutMultipartOptions { attributes: attributes(key), ..Default::default() };
        let mut tries = 1;
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
                // An answer that breaks off is not asked for again by the client.
                Err(error) if error.kind == StoreErrorKind::Unavailable && tries < TRIES => {
                    tries += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Makes an object at once.
    ///
    /// # Errors
    /// Those of the request. The object may be there all the same, where only the answer was lost.
    pub async fn put(&self, key: &str, data: Bytes) -> Result<(), StoreError> {
        let mode = match self.replace {
            Replace::Never => PutMode::Create,
            Replace::Always => PutMode::Overwrite,
        };
        let options = PutOptions { mode, attributes: attributes(key), ..Default::default() };
        let put = self.objects.put_opts(&self.store.path(key)?, data.into(), options).await;
        put.map(drop).map_err(|error| self.store.error(key, &error))
    }

    /// The content of an object, which must be small.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn content(&self, key: &str) -> Result<Bytes, StoreError> {
        let got = match self.objects.get(&self.store.path(key)?).await {
            Ok(got) => got.bytes().await,
            Err(error) => Err(error),
        };
        got.map_err(|error| self.store.error(key, &error))
    }

    /// Removes an object; that there is none is no error.
    ///
    /// # Errors
    /// Those of the request, at every try.
    pub async fn delete(&self, key: &str) -> Result<(), StoreError> {
        let deleted = self.objects.delete(&self.store.path(key)?).await;
        without_missing(deleted.map_err(|error| self.store.error(key, &error)))
    }
}

impl Upload {
    /// Stores the next part. Parts may be stored side by side; they are in the order of the calls.
    ///
    /// # Errors
    /// Those of the request, at every try.
    pub fn put_part(
        &mut self,
        data: Bytes,
    ) -> impl Future<Output = Result<(), StoreError>> + Send + 'static {
        let (part, store, key) =
            (self.parts.put_part(data.into()), Arc::clone(&self.store), self.key.clone());
        async move { part.await.map_err(|error| store.error(&key, &error)) }
    }

    /// Makes the object of the parts, all of which must be stored.
    ///
    /// # Errors
    /// Those of the request, at every try. The object may be there all the same, where only the
    /// answer was lost.
    pub async fn complete(&mut self) -> Result<(), StoreError> {
        let made = self.parts.complete().await;
        made.map(drop).map_err(|error| self.error(&error))
    }

    /// Gives the object up: parts that are stored are removed. Azure does that by itself, a week
    /// later.
    ///
    /// # Errors
    /// Those of the request, at every try.
    pub async fn abort(&mut self) -> Result<(), StoreError> {
        let aborted = self.parts.abort().await;
        without_missing(aborted.map_err(|error| self.error(&error)))
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
        Self { bytes: found.size, tag: found.e_tag, modified }
    }
}

/// What is not there need not be removed.
fn without_missing(removed: Result<(), StoreError>) -> Result<(), StoreError> {
    match removed {
        Err(error) if error.kind == StoreErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// What a browser and other programs are to take the object for.
fn attributes(key: &str) -> Attributes {
    let known = CONTENT_TYPES.iter().find(|(ending, _)| key.ends_with(ending));
    known.map(|&(_, content)| (Attribute::ContentType, content)).into_iter().collect()
}
