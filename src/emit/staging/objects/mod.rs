//! Atomic publication of objects in a bucket.
//!
//! A large object is a multipart upload, whose parts are sent while it is written; a small one is
//! sent at the end. Objects become visible when they are published, one after the other, after
//! everything else has succeeded. `report.json` is the last one, so that its existence implies that
//! of all others. Stores cannot publish several objects atomically; an error in between says which
//! objects are published.

mod folder;
mod object;
mod part;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use futures_util::future::try_join_all;

use self::folder::BucketFolder;
pub(super) use self::object::Object;
use super::error::{Result, StagingError};
use super::{Committed, Leftovers, Overwrite};
use crate::store::{Replace, StoreError, Stores, Url, Version};

/// The object that is published last.
const LAST: &str = "report.json";

/// A folder of a bucket with unpublished objects.
#[derive(Debug)]
pub(super) struct Objects {
    folder: Arc<BucketFolder>,
    overwrite: Overwrite,
    /// The versions of the objects that may be written, at the start.
    existing: BTreeMap<String, Option<Version>>,
}

impl Objects {
    /// Checks that objects can be written to `folder`, and the `names` of all that may be written.
    pub fn new(
        (stores, folder): (&Stores, &Url),
        overwrite: Overwrite,
        names: &[&str],
        stop: Option<&'static AtomicBool>,
    ) -> Result<Self> {
        let replace = match overwrite {
            Overwrite::No => Replace::Never,
            Overwrite::Yes => Replace::Always,
        };
        let bucket = stores.bucket(folder, replace)?;
        let folder = Arc::new(BucketFolder::new(bucket, folder, stop));
        let mut objects = Self { folder, overwrite, existing: BTreeMap::new() };
        objects.existing = objects.versions(names.iter().map(|&name| name.to_owned()))?;
        if overwrite == Overwrite::No
            && let Some(name) = names.iter().find(|&&name| objects.existed(name))
        {
            return Err(StagingError::Exists(objects.folder.url(name).into()));
        }
        let (bucket, key) = (objects.folder.bucket.clone(), objects.folder.key(LAST));
        objects.folder.wait(async move { bucket.probe(&key).await })?;
        Ok(objects)
    }

    /// Requests the versions of the objects `names`.
    fn versions(
        &self,
        names: impl Iterator<Item = String>,
    ) -> Result<BTreeMap<String, Option<Version>>> {
        let requests: Vec<_> = names
            .map(|name| {
                let (bucket, key) = (self.folder.bucket.clone(), self.folder.key(&name));
                async move { Ok::<_, StoreError>((name, bucket.version(&key).await?)) }
            })
            .collect();
        let found = self.folder.wait(async move { try_join_all(requests).await })?;
        Ok(found.into_iter().collect())
    }

    /// Returns `true` if the object `name` existed at the start.
    fn existed(&self, name: &str) -> bool {
        self.existing.get(name).is_some_and(Option::is_some)
    }

    /// Returns those of `names` that exist.
    pub fn present(&self, names: &[String]) -> Result<Vec<String>> {
        let found = self.versions(names.iter().cloned())?;
        let is_there = |name: &&String| found.get(*name).is_some_and(Option::is_some);
        Ok(names.iter().filter(is_there).cloned().collect())
    }

    /// Returns whether objects of an earlier run are replaced.
    pub fn overwrite(&self) -> Overwrite {
        self.overwrite
    }

    /// Returns the URL of the object `name`.
    pub fn url(&self, name: &str) -> String {
        self.folder.url(name)
    }

    /// Creates the object `name`.
    pub fn create(&self, name: &str) -> Object {
        Object::new(&self.folder, name)
    }

    /// Returns the errors of removing objects that are dropped later.
    pub fn leftovers(&self) -> Leftovers {
        self.folder.leftovers.clone()
    }

    /// Publishes `objects`, and removes those of an earlier run that are not replaced.
    pub fn commit(self, mut objects: Vec<Object>) -> Result<Committed> {
        for object in &mut objects {
            object.finish()?;
        }
        // The sort is stable: the other objects keep their order.
        objects.sort_by_key(|object| object.name() == LAST);
        let urls: Vec<String> = objects.iter().map(Object::url).collect();
        let is_stale = |name: &&String| {
            self.overwrite == Overwrite::Yes
                && self.existed(name)
                && !objects.iter().any(|object| object.name() == *name)
        };
        let stale: Vec<String> = self.existing.keys().filter(is_stale).cloned().collect();
        let mut published = Vec::new();
        let done = self.publish(objects, &stale, &mut published);
        done.map_err(|failure| partly_published(failure, &urls, &published))?;
        Ok(Committed {
            written: urls.into_iter().map(Into::into).collect(),
            removed: stale.iter().map(|name| self.folder.url(name).into()).collect(),
        })
    }

    /// Publishes objects one after the other. Adds the URLs of published ones to `published`.
    fn publish(
        &self,
        objects: Vec<Object>,
        stale: &[String],
        published: &mut Vec<String>,
    ) -> Result<()> {
        let mut stale = Some(stale);
        for object in objects {
            if object.name() == LAST {
                self.remove(stale.take().unwrap_or_default())?;
            }
            let (url, before) = (object.url(), self.existing.get(object.name()).cloned().flatten());
            object.publish(before)?;
            published.push(url);
        }
        self.remove(stale.unwrap_or_default())
    }

    fn remove(&self, names: &[String]) -> Result<()> {
        for name in names {
            let (bucket, key) = (self.folder.bucket.clone(), self.folder.key(name));
            let removed = self.folder.wait_uninterrupted(async move { bucket.delete(&key).await });
            removed.map_err(|source| StagingError::NotRemoved { source })?;
        }
        Ok(())
    }
}

/// Converts an error that occurred after the objects `published` of `urls` were published.
fn partly_published(failure: StagingError, urls: &[String], published: &[String]) -> StagingError {
    if published.is_empty() {
        return failure;
    }
    let missing = urls.iter().filter(|url| !published.contains(url)).cloned();
    StagingError::PartlyPublished {
        failure: Box::new(failure),
        published: published.join(", "),
        is_one: published.len() == 1,
        missing: missing.collect::<Vec<_>>().join(", "),
    }
}
