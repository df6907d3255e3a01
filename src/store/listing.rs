//! What there is below folders of a store, page by page.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use object_store::list::{PaginatedListOptions, PaginatedListResult};
use object_store::path::{DELIMITER, Path};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::error::{StoreError, StoreErrorKind};
use super::found::Found;
use super::opened::Store;

/// How often a page is asked for that breaks.
const ATTEMPTS: u32 = 4;
/// How many folders are listed beside one another.
const LISTINGS: usize = 16;
/// How many pages of each of them wait to be taken.
const PAGES: usize = 1;

/// What came of a listing: a page, or its end.
type Came = Result<Option<Page>, StoreError>;

/// What a page holds.
#[derive(Default)]
struct Page {
    objects: Vec<Found>,
    folders: Vec<String>,
}

impl Store {
    /// Gives `found` all objects below the folders `prefixes` (keys that end with `/`, or nothing)
    /// whose keys `wanted` takes, in the order of their keys, if the store lists them so. Objects
    /// without bytes are left out: consoles make them in place of folders.
    ///
    /// # Errors
    /// When a listing cannot be read to its end.
    pub fn list(
        self: &Arc<Self>,
        mut prefixes: Vec<String>,
        wanted: impl Fn(&str) -> bool + Send + Sync + 'static,
        mut found: impl FnMut(Found),
    ) -> Result<(), StoreError> {
        // By their last bytes, too: `a.b/` comes before `a/`.
        prefixes.sort_unstable();
        let wanted = Arc::new(wanted);
        let (mut prefixes, mut begun) = (prefixes.into_iter(), VecDeque::new());
        loop {
            let missing = LISTINGS - begun.len();
            begun.extend(
                prefixes
                    .by_ref()
                    .take(missing)
                    .map(|prefix| self.begin(prefix, None, Arc::clone(&wanted))),
            );
            let Some(pages) = begun.pop_front() else { return Ok(()) };
            self.take(pages, |page| page.objects.into_iter().for_each(&mut found))?;
        }
    }

    /// Gives `found` the objects right below the folder `prefix`, in the same order, and gives back
    /// the names of the folders there, sorted, without their `/`.
    ///
    /// # Errors
    /// When the listing cannot be read to its end.
    pub fn level(
        self: &Arc<Self>,
        prefix: &str,
        mut found: impl FnMut(Found),
    ) -> Result<Vec<String>, StoreError> {
        let mut folders = BTreeSet::new();
        let pages = self.begin(prefix.to_owned(), Some(DELIMITER), Arc::new(|_: &str| true));
        self.take(pages, |page| {
            page.objects.into_iter().for_each(&mut found);
            folders.extend(page.folders);
        })?;
        Ok(folders.into_iter().collect())
    }

    /// Begins to list a folder on the thread of requests.
    fn begin(
        self: &Arc<Self>,
        prefix: String,
        delimiter: Option<&'static str>,
        wanted: Arc<impl Fn(&str) -> bool + Send + Sync + 'static>,
    ) -> Receiver<Came> {
        let (sender, pages) = channel(PAGES);
        let store = Arc::clone(self);
        self.runtime().handle().spawn(async move {
            let end = store.send_pages(&prefix, delimiter, wanted.as_ref(), &sender).await;
            // Nobody waits for it once another listing has failed.
            let _ = sender.send(end.map(|()| None)).await;
        });
        pages
    }

    /// Sends one page after the other.
    async fn send_pages(
        self: &Arc<Self>,
        prefix: &str,
        delimiter: Option<&'static str>,
        wanted: &(impl Fn(&str) -> bool + Sync),
        pages: &Sender<Came>,
    ) -> Result<(), StoreError> {
        if !prefix.is_empty() {
            // Keys with empty parts and the like cannot be read.
            self.path(prefix)?;
        }
        let mut options = PaginatedListOptions {
            delimiter: delimiter.map(Into::into),
            ..PaginatedListOptions::default()
        };
        loop {
            let PaginatedListResult { result, page_token } = self.page(prefix, &options).await?;
            let objects = result.objects.into_iter();
            let objects = objects.filter(|meta| meta.size > 0 && wanted(meta.location.as_ref()));
            let name = |path: &Path| path.filename().map(str::to_owned);
            let page = Page {
                objects: objects.map(|meta| self.found(meta)).collect(),
                folders: result.common_prefixes.iter().filter_map(name).collect(),
            };
            if pages.send(Ok(Some(page))).await.is_err() || page_token.is_none() {
                return Ok(());
            }
            options.page_token = page_token;
        }
    }

    /// One page, which is asked for again where it breaks.
    async fn page(
        &self,
        prefix: &str,
        options: &PaginatedListOptions,
    ) -> Result<PaginatedListResult, StoreError> {
        let mut failed = 0;
        loop {
            let folder = Some(prefix).filter(|prefix| !prefix.is_empty());
            let begun = Instant::now();
            let error = match self.objects()?.list_paginated(folder, options.clone()).await {
                Ok(page) => return Ok(page),
                Err(error) => self.error(prefix, &error),
            };
            failed += 1;
            let is_passing = match error.kind {
                // An answer that is cut off cannot be understood.
                StoreErrorKind::Unavailable | StoreErrorKind::Other => true,
                StoreErrorKind::Credentials => self.renew_credentials(begun).await,
                _ => false,
            };
            if !is_passing || failed == ATTEMPTS {
                return Err(error);
            }
        }
    }

    /// Gives `each` all pages of a listing.
    fn take(
        &self,
        mut pages: Receiver<Came>,
        mut each: impl FnMut(Page),
    ) -> Result<(), StoreError> {
        loop {
            match pages.blocking_recv() {
                Some(Ok(Some(page))) => each(page),
                Some(Ok(None)) => return Ok(()),
                Some(Err(error)) => return Err(error),
                None => {
                    let message = "the thread of requests to stores has ended before its time";
                    return Err(StoreError::new(self.url(""), StoreErrorKind::Other, message));
                }
            }
        }
    }
}
