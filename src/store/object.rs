//! Handles of objects, and downloads of ranges with retries.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use object_store::client::HttpClient;
use object_store::{Error, GetOptions, ObjectStore};

use super::error::{StoreError, StoreErrorKind};
use super::explain::REPLACED;
use super::stores::{Client, Store};
use super::web;

/// How often a range is requested without receiving a byte in between.
const ATTEMPTS: u32 = 3;
/// The delay before the second attempt; it doubles with each further one.
const RETRY_DELAY: Duration = Duration::from_millis(200);

/// The message for a response that is shorter than announced.
const CUT_OFF: &str = "the store ended its response before all bytes were sent, at every attempt";

/// The bytes of a range of an object, in order.
pub(super) type ByteStream = BoxStream<'static, Result<Bytes, StoreError>>;

/// A handle of an object in the version that was listed or found.
#[derive(Clone)]
pub struct Object {
    store: Arc<Store>,
    /// The ETag, with quotes; for web servers without ETags, the modification time. All responses
    /// must have it.
    tag: Option<Box<str>>,
    /// The web address; `None` for objects in buckets.
    address: Option<Address>,
}

/// The address of an object on a web server.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Address {
    /// The complete address, including a signature.
    url: Arc<str>,
    /// Whether the server supports range requests.
    is_ranged: bool,
}

impl Object {
    /// Creates a handle of an object in a bucket. Its URL ends with its key.
    pub fn in_bucket(store: &Arc<Store>, tag: Option<Box<str>>) -> Self {
        let tag = tag.map(|tag| quoted(&tag).into());
        Self { store: Arc::clone(store), tag, address: None }
    }

    /// Creates a handle of an object with this address. `is_ranged` says whether the server
    /// supports range requests.
    pub(super) fn on_web(
        store: &Arc<Store>,
        tag: Option<Box<str>>,
        address: &str,
        is_ranged: bool,
    ) -> Self {
        let address = Some(Address { url: address.into(), is_ranged });
        Self { store: Arc::clone(store), tag, address }
    }

    /// Returns the store of the object.
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// Returns the ETag or modification time, if the store reported one.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// Returns `true` if the object is in a bucket, not on a web server.
    pub fn is_in_bucket(&self) -> bool {
        self.address.is_none()
    }

    /// Returns `true` if ranges of the object can be requested.
    pub(super) fn is_ranged(&self) -> bool {
        self.address.as_ref().is_none_or(|address| address.is_ranged)
    }

    /// Downloads `range` of the object, which has the URL `url` and, if known, `size` bytes.
    /// Continues interrupted responses where they ended, if the object is unchanged.
    pub(super) fn read(self, url: Arc<str>, range: Range<u64>, size: Option<u64>) -> ByteStream {
        let rest = ObjectRange { object: self, url, range, size };
        let reader = RangeReader { rest, response: None, failures: 0 };
        futures_util::stream::unfold(Some(reader), |reader| async move {
            let mut reader = reader?;
            match reader.next().await {
                Ok(Some(chunk)) => Some((Ok(chunk), Some(reader))),
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        })
        .boxed()
    }
}

/// A range of an object.
#[derive(Clone)]
struct ObjectRange {
    object: Object,
    url: Arc<str>,
    /// The bytes that were not received yet.
    range: Range<u64>,
    /// The size of the object, if known.
    size: Option<u64>,
}

/// A range that is being downloaded.
struct RangeReader {
    rest: ObjectRange,
    /// The body of the current response.
    response: Option<ByteStream>,
    /// The number of failed attempts since the last byte.
    failures: u32,
}

impl RangeReader {
    async fn next(&mut self) -> Result<Option<Bytes>, StoreError> {
        let is_sized = self.rest.size.is_some();
        loop {
            if is_sized && self.rest.range.is_empty() {
                return Ok(None);
            }
            let start = Instant::now();
            let error = match self.next_chunk().await {
                Ok(Some(chunk)) => {
                    self.failures = 0;
                    let range = &mut self.rest.range;
                    range.start += chunk.len() as u64;
                    if is_sized && range.start > range.end {
                        return Err(self.rest.error(StoreErrorKind::Replaced, REPLACED));
                    }
                    return Ok(Some(chunk));
                }
                // Without a known size, the end of the response is the end of the object.
                Ok(None) if !is_sized => return Ok(None),
                Ok(None) => self.rest.error(StoreErrorKind::Unavailable, CUT_OFF),
                Err(error) => error,
            };
            self.response = None;
            self.failures += 1;
            let is_transient = match error.kind {
                StoreErrorKind::Unavailable => true,
                StoreErrorKind::Credentials => {
                    self.rest.object.store.renew_credentials(start).await
                }
                _ => false,
            };
            if !is_transient || self.failures >= ATTEMPTS {
                return Err(error);
            }
            tokio::time::sleep(RETRY_DELAY * 2_u32.pow(self.failures - 1)).await;
        }
    }

    async fn next_chunk(&mut self) -> Result<Option<Bytes>, StoreError> {
        let response = if let Some(response) = &mut self.response {
            response
        } else {
            let rest = self.rest.clone();
            self.response.insert(rest.open().await?)
        };
        response.next().await.transpose()
    }
}

impl ObjectRange {
    /// Requests the range.
    async fn open(&self) -> Result<ByteStream, StoreError> {
        match self.object.store.client() {
            Client::Objects(objects) => self.open_object(objects.as_ref()).await,
            Client::Web(client) => self.open_web(client).await,
        }
    }

    async fn open_object(&self, objects: &dyn ObjectStore) -> Result<ByteStream, StoreError> {
        let store = Arc::clone(&self.object.store);
        let path = store.path(store.key(&self.url))?;
        let is_whole = self.range.start == 0 && Some(self.range.end) == self.size;
        let options = GetOptions {
            if_match: self.object.tag.as_deref().map(str::to_owned),
            range: (!is_whole).then(|| self.range.clone().into()),
            ..GetOptions::default()
        };
        let url = Arc::clone(&self.url);
        let explain = move |error: &Error| store.explain(&url, error);
        let result = objects.get_opts(&path, options).await.map_err(|error| explain(&error))?;
        let has_same_size = self.size.is_none_or(|size| size == result.meta.size);
        let tags = self.object.tag.as_deref().zip(result.meta.e_tag.as_deref());
        let is_same = tags.map(|(tag, now)| *tag == *quoted(now));
        match (is_same, has_same_size) {
            (None | Some(true), true) => {}
            // The object is unchanged, so the response is incomplete.
            (Some(true), false) => return Err(self.error(StoreErrorKind::Unavailable, CUT_OFF)),
            _ => return Err(self.error(StoreErrorKind::Replaced, REPLACED)),
        }
        let chunks = result.into_stream();
        Ok(chunks.map(move |chunk| chunk.map_err(|error| explain(&error))).boxed())
    }

    async fn open_web(&self, client: &HttpClient) -> Result<ByteStream, StoreError> {
        let (address, is_ranged) = match &self.object.address {
            Some(Address { url, is_ranged }) => (url, *is_ranged),
            None => (&self.url, true),
        };
        let part = is_ranged.then(|| self.range.clone());
        let tag = self.object.tag.as_deref();
        let body = web::open(client, address, part, tag, &self.url).await?;
        // Servers without range requests send the whole object again.
        let skipped = if is_ranged { 0 } else { self.range.start };
        Ok(web::skip_bytes(body, skipped))
    }

    fn error(&self, kind: StoreErrorKind, message: &str) -> StoreError {
        StoreError::new(&self.url, kind, message)
    }
}

/// Returns `tag` with quotes, as in headers. Listings of Azure omit them.
fn quoted(tag: &str) -> Cow<'_, str> {
    if tag.ends_with('"') { Cow::Borrowed(tag) } else { Cow::Owned(format!("\"{tag}\"")) }
}

impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.store, &other.store)
            && self.tag == other.tag
            && self.address == other.address
    }
}

impl Eq for Object {}

impl fmt::Debug for Object {
    /// Omits the address, which may be signed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Object").field("store", &self.store).finish_non_exhaustive()
    }
}
