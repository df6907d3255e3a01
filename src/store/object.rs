//! Objects as they were found, and how a part of one is read.

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

use super::cause::REPLACED;
use super::error::{StoreError, StoreErrorKind};
use super::opened::{Client, Store};
use super::web;

/// How often reading goes on where it broke without a byte in between.
const ATTEMPTS: u32 = 3;
/// The pause before the second of them; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(200);

/// An answer that ends before its end.
const CUT_OFF: &str = "the store ended its answer before all bytes were sent, at every try";

/// The bytes of a part of an object, in order.
pub(super) type Pieces = BoxStream<'static, Result<Bytes, StoreError>>;

/// An object as it was found: which one it is, and which version of it.
#[derive(Clone)]
pub struct Object {
    store: Arc<Store>,
    /// The tag of its content; whatever is read must have it.
    tag: Option<Box<str>>,
    /// `None` of objects of stores that list them.
    address: Option<Address>,
}

/// Where on the web an object is.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Address {
    /// With what signs it.
    text: Arc<str>,
    /// Whether the server gives parts of it.
    is_ranged: bool,
}

impl Object {
    /// An object of a store that lists objects; its URL ends with its key.
    pub fn listed(store: &Arc<Store>, tag: Option<Box<str>>) -> Self {
        let tag = tag.map(|tag| quoted(&tag).into());
        Self { store: Arc::clone(store), tag, address: None }
    }

    /// An object of the web with this address, and whether parts of it can be read.
    pub(super) fn of_web(
        store: &Arc<Store>,
        tag: Option<Box<str>>,
        address: &str,
        is_ranged: bool,
    ) -> Self {
        let address = Some(Address { text: address.into(), is_ranged });
        Self { store: Arc::clone(store), tag, address }
    }

    /// The store that it is in.
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// The tag of its content, where the store told one.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// Whether it is one of a store that lists objects.
    pub fn is_listed(&self) -> bool {
        self.address.is_none()
    }

    /// Whether parts of it can be read beside one another.
    pub(super) fn is_ranged(&self) -> bool {
        self.address.as_ref().is_none_or(|address| address.is_ranged)
    }

    /// Reads the bytes at `range` of the object that is called `url` and has `size` bytes. Goes on
    /// where it breaks, if the object is still the same.
    pub(super) fn read(self, url: Arc<str>, range: Range<u64>, size: Option<u64>) -> Pieces {
        let part = Part { object: self, url, range, size };
        let reading = Reading { part, pieces: None, failed: 0 };
        futures_util::stream::unfold(Some(reading), |reading| async move {
            let mut reading = reading?;
            match reading.next().await {
                Ok(Some(piece)) => Some((Ok(piece), Some(reading))),
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        })
        .boxed()
    }
}

/// A part of an object.
#[derive(Clone)]
struct Part {
    object: Object,
    url: Arc<str>,
    /// What is left of it.
    range: Range<u64>,
    /// The size of the whole, where that is known.
    size: Option<u64>,
}

/// A part of an object that is being read.
struct Reading {
    part: Part,
    pieces: Option<Pieces>,
    /// How often it broke since the last byte.
    failed: u32,
}

impl Reading {
    async fn next(&mut self) -> Result<Option<Bytes>, StoreError> {
        let is_sized = self.part.size.is_some();
        loop {
            if is_sized && self.part.range.is_empty() {
                return Ok(None);
            }
            let begun = Instant::now();
            let error = match self.piece().await {
                Ok(Some(piece)) => {
                    self.failed = 0;
                    let range = &mut self.part.range;
                    range.start += piece.len() as u64;
                    if is_sized && range.start > range.end {
                        return Err(self.part.error(StoreErrorKind::Replaced, REPLACED));
                    }
                    return Ok(Some(piece));
                }
                // Of one whose size is not known, the end of the answer is the end.
                Ok(None) if !is_sized => return Ok(None),
                Ok(None) => self.part.error(StoreErrorKind::Unavailable, CUT_OFF),
                Err(error) => error,
            };
            self.pieces = None;
            self.failed += 1;
            let is_passing = match error.kind {
                StoreErrorKind::Unavailable => true,
                StoreErrorKind::Credentials => {
                    self.part.object.store.renew_credentials(begun).await
                }
                _ => false,
            };
            if !is_passing || self.failed >= ATTEMPTS {
                return Err(error);
            }
            tokio::time::sleep(PAUSE * 2_u32.pow(self.failed - 1)).await;
        }
    }

    async fn piece(&mut self) -> Result<Option<Bytes>, StoreError> {
        let pieces = if let Some(pieces) = &mut self.pieces {
            pieces
        } else {
            let part = self.part.clone();
            self.pieces.insert(part.open().await?)
        };
        pieces.next().await.transpose()
    }
}

impl Part {
    /// Asks for it.
    async fn open(&self) -> Result<Pieces, StoreError> {
        match self.object.store.client() {
            Client::Objects(objects) => self.open_object(objects.as_ref()).await,
            Client::Web(client) => self.open_web(client).await,
        }
    }

    async fn open_object(&self, objects: &dyn ObjectStore) -> Result<Pieces, StoreError> {
        let store = Arc::clone(&self.object.store);
        let path = store.path(store.key(&self.url))?;
        let is_whole = self.range.start == 0 && Some(self.range.end) == self.size;
        let options = GetOptions {
            if_match: self.object.tag.as_deref().map(str::to_owned),
            range: (!is_whole).then(|| self.range.clone().into()),
            ..GetOptions::default()
        };
        let url = Arc::clone(&self.url);
        let explained = move |error: &Error| store.explained(&url, error);
        let result = objects.get_opts(&path, options).await.map_err(|error| explained(&error))?;
        let is_as_long = self.size.is_none_or(|size| size == result.meta.size);
        let tags = self.object.tag.as_deref().zip(result.meta.e_tag.as_deref());
        let is_same = tags.map(|(tag, now)| *tag == *quoted(now));
        match (is_same, is_as_long) {
            (None | Some(true), true) => {}
            // The object is the same: the answer is not whole.
            (Some(true), false) => return Err(self.error(StoreErrorKind::Unavailable, CUT_OFF)),
            _ => return Err(self.error(StoreErrorKind::Replaced, REPLACED)),
        }
        let pieces = result.into_stream();
        Ok(pieces.map(move |piece| piece.map_err(|error| explained(&error))).boxed())
    }

    async fn open_web(&self, client: &HttpClient) -> Result<Pieces, StoreError> {
        let (address, is_ranged) = match &self.object.address {
            Some(Address { text, is_ranged }) => (text, *is_ranged),
            None => (&self.url, true),
        };
        let part = is_ranged.then(|| self.range.clone());
        let tag = self.object.tag.as_deref();
        let opened = web::open(client, address, part, tag, &self.url).await?;
        // Servers that give no parts begin at the first byte again.
        let passed = if is_ranged { 0 } else { self.range.start };
        Ok(web::without(opened, passed))
    }

    fn error(&self, kind: StoreErrorKind, message: &str) -> StoreError {
        StoreError::new(&self.url, kind, message)
    }
}

/// A tag as headers have it: listings of Azure have it without its quotes.
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
    /// Without its address, which may be signed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Object").field("store", &self.store).finish_non_exhaustive()
    }
}
