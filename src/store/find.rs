//! What there is in a store.

use std::sync::Arc;

use futures_util::StreamExt as _;
use object_store::path::Path;
use object_store::{GetOptions, ObjectMeta};

use super::error::{StoreError, StoreErrorKind};
use super::object::Object;
use super::opened::{Client, Store};
use super::url::Url;
use super::web;

/// How often a listing goes on where it broke.
const ATTEMPTS: u32 = 4;
/// How many folders are listed beside one another.
const LISTINGS: usize = 16;

/// An object that was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its URL.
    pub url: Box<str>,
    /// Its size in bytes; `None` where a web server does not tell.
    pub size: Option<u64>,
    /// How it is read.
    pub object: Object,
}

/// One level of a store.
#[derive(Clone, Debug, Default)]
pub struct Level {
    /// The names of the folders, sorted, without their `/`.
    pub folders: Vec<String>,
    /// The objects, by name.
    pub objects: Vec<Found>,
}

impl Store {
    /// The object that `url` names; `None` where there is none.
    ///
    /// # Errors
    /// When the store does not say.
    pub fn find(self: &Arc<Self>, url: &Url) -> Result<Option<Found>, StoreError> {
        let store = Arc::clone(self);
        let url = url.clone();
        let found = self.run(async move { store.find_it(&url).await }, None);
        match found {
            Ok(found) => Ok(Some(found)),
            // That the bucket is not there is an error, not an answer.
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn find_it(self: Arc<Self>, url: &Url) -> Result<Found, StoreError> {
        let name = url.to_string();
        let objects = match self.client() {
            Client::Web(client) => {
                let address = url.address();
                let head = web::head(client, &address, &name).await?;
                let object = Object::of_web(&self, head.tag, &address, head.is_ranged);
                return Ok(Found { url: name.into(), size: head.size, object });
            }
            Client::Objects(objects) => Arc::clone(objects),
        };
        let path = self.path(url.key())?;
        let options = GetOptions { head: true, ..GetOptions::default() };
        let meta = match objects.get_opts(&path, options).await {
            Ok(result) => result.meta,
            Err(error) => {
                let explained = self.explained(&name, &error);
                if matches!(explained.kind, StoreErrorKind::NotFound | StoreErrorKind::Unavailable)
                {
                    return Err(explained);
                }
                // Only an answer with a body says why.
                let options = GetOptions { range: Some((0..1).into()), ..GetOptions::default() };
                match objects.get_opts(&path, options).await {
                    Ok(result) => result.meta,
                    Err(error) => return Err(self.explained(&name, &error)),
                }
            }
        };
        Ok(self.found(meta))
    }

    /// All objects below the folders `prefixes` (keys that end with `/`, or nothing) whose keys
    /// `wanted` takes, sorted by the bytes of their URLs. Objects without bytes are left out:
    /// consoles make them in place of folders.
    ///
    /// # Errors
    /// When a listing cannot be read to its end.
    pub fn list(
        self: &Arc<Self>,
        prefixes: Vec<String>,
        wanted: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Result<Vec<Found>, StoreError> {
        let (store, wanted) = (Arc::clone(self), Arc::new(wanted));
        let listing = async move {
            let listings = prefixes.into_iter().map(|prefix| {
                let (store, wanted) = (Arc::clone(&store), Arc::clone(&wanted));
                async move {
                    let (last, found) = (None, Vec::new());
                    let mut listing = Listing { store, prefix, last, failed: 0, found };
                    while !listing.advance(wanted.as_ref()).await? {}
                    Ok::<_, StoreError>(listing.found)
                }
            });
            let mut listings = futures_util::stream::iter(listings).buffered(LISTINGS);
            let mut all = Vec::new();
            while let Some(found) = listings.next().await {
                all.append(&mut found?);
            }
            all.sort_unstable_by(|a, b| a.url.cmp(&b.url));
            // Where a listing went on, some may have come again.
            all.dedup_by(|a, b| a.url == b.url);
            Ok(all)
        };
        self.run(listing, None)
    }

    /// The folders and objects right below the folder `prefix`.
    ///
    /// # Errors
    /// When the listing cannot be read to its end.
    pub fn level(self: &Arc<Self>, prefix: &str) -> Result<Level, StoreError> {
        let store = Arc::clone(self);
        let prefix = prefix.to_owned();
        let listing = async move {
            let folder = store.folder(&prefix)?;
            let mut failed = 0;
            let listed = loop {
                match store.objects()?.list_with_delimiter(folder.as_ref()).await {
                    Ok(listed) => break listed,
                    Err(error) => store.go_on(&prefix, &error, &mut failed).await?,
                }
            };
            let name = |path: &Path| path.filename().map(str::to_owned);
            let mut folders: Vec<String> = listed.common_prefixes.iter().filter_map(name).collect();
            folders.sort_unstable();
            let with_bytes = listed.objects.into_iter().filter(|meta| meta.size > 0);
            let mut objects: Vec<Found> = with_bytes.map(|meta| store.found(meta)).collect();
            objects.sort_unstable_by(|a, b| a.url.cmp(&b.url));
            Ok(Level { folders, objects })
        };
        self.run(listing, None)
    }

    /// Whether a listing that broke may go on: it has broken `failed` times before.
    async fn go_on(
        &self,
        prefix: &str,
        error: &object_store::Error,
        failed: &mut u32,
    ) -> Result<(), StoreError> {
        *failed += 1;
        let error = self.error(prefix, error);
        let is_passing = match error.kind {
            // An answer that is cut off cannot be understood.
            StoreErrorKind::Unavailable | StoreErrorKind::Other => true,
            StoreErrorKind::Credentials => self.renew_credentials().await,
            _ => false,
        };
        if is_passing && *failed < ATTEMPTS { Ok(()) } else { Err(error) }
    }

    /// `prefix` as listings name it; `None` is the root.
    fn folder(&self, prefix: &str) -> Result<Option<Path>, StoreError> {
        if prefix.is_empty() { Ok(None) } else { self.path(prefix).map(Some) }
    }

    fn found(self: &Arc<Self>, meta: ObjectMeta) -> Found {
        Found {
            url: self.url(meta.location.as_ref()).into(),
            size: Some(meta.size),
            object: Object::listed(self, meta.e_tag.map(Into::into)),
        }
    }
}

/// A listing and how far it has come.
struct Listing {
    store: Arc<Store>,
    prefix: String,
    /// The object that came last.
    last: Option<Path>,
    /// How often it broke.
    failed: u32,
    found: Vec<Found>,
}

impl Listing {
    /// Adds what is wanted of what comes next; `false` where it broke and may go on.
    async fn advance(
        &mut self,
        wanted: &(impl Fn(&str) -> bool + Sync),
    ) -> Result<bool, StoreError> {
        let folder = self.store.folder(&self.prefix)?;
        let objects = Arc::clone(self.store.objects()?);
        let mut listing = match &self.last {
            None => objects.list(folder.as_ref()),
            Some(last) => objects.list_with_offset(folder.as_ref(), last),
        };
        while let Some(meta) = listing.next().await {
            match meta {
                Ok(meta) => {
                    self.last = Some(meta.location.clone());
                    if meta.size > 0 && wanted(meta.location.as_ref()) {
                        self.found.push(self.store.found(meta));
                    }
                }
                Err(error) => {
                    self.store.go_on(&self.prefix, &error, &mut self.failed).await?;
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}

/// Whether there is no such object in a bucket that is there.
fn is_missing(error: &StoreError) -> bool {
    error.kind == StoreErrorKind::NotFound && !error.message.contains("bucket")
}
