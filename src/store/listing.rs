//! Listings of folders of a store, page by page.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use object_store::list::{PaginatedListOptions, PaginatedListResult};
use object_store::path::{DELIMITER, Path};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::entry::ObjectEntry;
use super::error::{StoreError, StoreErrorKind};
use super::stores::Store;

/// How often the request of a page is attempted if the response is cut off.
const ATTEMPTS: u32 = 4;
/// The maximum number of folders that are listed concurrently.
const MAX_LISTINGS: usize = 16;
/// The maximum number of pages per listing that were received and not taken.
const MAX_WAITING_PAGES: usize = 1;

/// A page of a listing, `None` at its end, or the error that ended it.
type PageResult = Result<Option<Page>, StoreError>;

/// A page of a listing.
#[derive(Default)]
struct Page {
    objects: Vec<ObjectEntry>,
    /// Names of folders, without `/`.
    folders: Vec<String>,
}

impl Store {
    /// Calls `on_object` with all objects below the folders `prefixes` whose keys `is_wanted`
    /// accepts, in the order of the listing, which is that of the keys in most stores. A prefix is
    /// empty or ends with `/`. Empty objects are skipped, as consoles create them as markers of
    /// folders.
    ///
    /// # Errors
    /// Returns an error if a listing cannot be read completely.
    pub fn list(
        self: &Arc<Self>,
        mut prefixes: Vec<String>,
        is_wanted: impl Fn(&str) -> bool + Send + Sync + 'static,
        mut on_object: impl FnMut(ObjectEntry),
    ) -> Result<(), StoreError> {
        // With the final `/`: `a.b/` comes before `a/`.
        prefixes.sort_unstable();
        let is_wanted = Arc::new(is_wanted);
        let (mut prefixes, mut listings) = (prefixes.into_iter(), VecDeque::new());
        loop {
            let missing = MAX_LISTINGS - listings.len();
            listings.extend(
                prefixes
                    .by_ref()
                    .take(missing)
                    .map(|prefix| self.start_listing(prefix, None, Arc::clone(&is_wanted))),
            );
            let Some(pages) = listings.pop_front() else { return Ok(()) };
            self.receive(pages, |page| page.objects.into_iter().for_each(&mut on_object))?;
        }
    }

    /// Calls `on_object` with the objects directly in the folder `prefix`, and returns the names of
    /// its subfolders, sorted and without `/`.
    ///
    /// # Errors
    /// Returns an error if the listing cannot be read completely.
    pub fn list_level(
        self: &Arc<Self>,
        prefix: &str,
        mut on_object: impl FnMut(ObjectEntry),
    ) -> Result<Vec<String>, StoreError> {
        let mut folders = BTreeSet::new();
        let pages =
            self.start_listing(prefix.to_owned(), Some(DELIMITER), Arc::new(|_: &str| true));
        self.receive(pages, |page| {
            page.objects.into_iter().for_each(&mut on_object);
            folders.extend(page.folders);
        })?;
        Ok(folders.into_iter().collect())
    }

    /// Starts to list a folder on the thread of requests.
    fn start_listing(
        self: &Arc<Self>,
        prefix: String,
        delimiter: Option<&'static str>,
        is_wanted: Arc<impl Fn(&str) -> bool + Send + Sync + 'static>,
    ) -> Receiver<PageResult> {
        let (sender, pages) = channel(MAX_WAITING_PAGES);
        let store = Arc::clone(self);
        self.runtime().handle().spawn(async move {
            let end = store.send_pages(&prefix, delimiter, is_wanted.as_ref(), &sender).await;
            // The receiver is gone if another listing has failures.
            let _ = sender.send(end.map(|()| None)).await;
        });
        pages
    }

    /// Requests all pages and sends them to `pages`.
    async fn send_pages(
        self: &Arc<Self>,
        prefix: &str,
        delimiter: Option<&'static str>,
        is_wanted: &(impl Fn(&str) -> bool + Sync),
        pages: &Sender<PageResult>,
    ) -> Result<(), StoreError> {
        if !prefix.is_empty() {
            // Returns an error for keys with empty parts.
            self.path(prefix)?;
        }
        let mut options = PaginatedListOptions {
            delimiter: delimiter.map(Into::into),
            ..PaginatedListOptions::default()
        };
        loop {
            let PaginatedListResult { result, page_token } = self.page(prefix, &options).await?;
            let objects = result.objects.into_iter();
            let objects = objects.filter(|meta| meta.size > 0 && is_wanted(meta.location.as_ref()));
            let name = |path: &Path| path.filename().map(str::to_owned);
            let page = Page {
                objects: objects.map(|meta| self.entry(meta)).collect(),
                folders: result.common_prefixes.iter().filter_map(name).collect(),
            };
            if pages.send(Ok(Some(page))).await.is_err() || page_token.is_none() {
                return Ok(());
            }
            options.page_token = page_token;
        }
    }

    /// Requests one page, with retries if the response is cut off or the credentials have expired.
    async fn page(
        &self,
        prefix: &str,
        options: &PaginatedListOptions,
    ) -> Result<PaginatedListResult, StoreError> {
        let mut failures = 0;
        loop {
            let folder = Some(prefix).filter(|prefix| !prefix.is_empty());
            let start = Instant::now();
            let error = match self.objects()?.list_paginated(folder, options.clone()).await {
                Ok(page) => return Ok(page),
                Err(error) => self.error(prefix, &error),
            };
            failures += 1;
            let is_transient = match error.kind {
                // A response that is cut off cannot be parsed.
                StoreErrorKind::Unavailable | StoreErrorKind::Other => true,
                StoreErrorKind::Credentials => self.renew_credentials(start).await,
                _ => false,
            };
            if !is_transient || failures == ATTEMPTS {
                return Err(error);
            }
        }
    }

    /// Calls `on_page` with all pages of a listing.
    fn receive(
        &self,
        mut pages: Receiver<PageResult>,
        mut on_page: impl FnMut(Page),
    ) -> Result<(), StoreError> {
        loop {
            match pages.blocking_recv() {
                Some(Ok(Some(page))) => on_page(page),
                Some(Ok(None)) => return Ok(()),
                Some(Err(error)) => return Err(error),
                None => {
                    let message = "the thread of requests to stores ended unexpectedly";
                    return Err(StoreError::new(self.url(""), StoreErrorKind::Other, message));
                }
            }
        }
    }
}
