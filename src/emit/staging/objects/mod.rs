//! Output objects that appear whole or not at all, and only once all of them are stored.
//!
//! An object is sent in parts while it is written, and a small one at its end; nothing of it can be
//! seen until its parts are joined. That happens to all objects of a run one after another, when
//! everything else has succeeded, `report.json` last: where it is, all others are. Objects cannot be
//! joined together, so a failure in between is told with what stands where.

mod object;
mod part;
mod place;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use futures_util::future::try_join_all;

pub(super) use self::object::Object;
use self::place::Place;
use super::error::{Result, StagingError};
use super::{Committed, Leftovers, Overwrite};
use crate::store::{Replace, StoreError, Stores, Url, Version};

/// The object that is put in place after all others.
const LAST: &str = "report.json";

/// A folder of a bucket with objects in the making.
#[derive(Debug)]
pub(super) struct Objects {
    place: Arc<Place>,
    overwrite: Overwrite,
    /// What is there of the objects that may be written.
    before: BTreeMap<String, Option<Version>>,
}

impl Objects {
    /// Checks that objects can be put into `folder`, and the `names` of all that may be.
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
        let place = Arc::new(Place::new(stores.bucket(folder, replace)?, folder, stop));
        let mut objects = Self { place, overwrite, before: BTreeMap::new() };
        objects.before = objects.look_up(names.iter().map(|&name| name.to_owned()))?;
        if overwrite == Overwrite::No
            && let Some(name) = names.iter().find(|&&name| objects.holds(name))
        {
            return Err(StagingError::Exists(objects.place.url(name).into()));
        }
        let (bucket, key) = (objects.place.bucket.clone(), objects.place.key(LAST));
        objects.place.wait(async move { bucket.probe(&key).await })?;
        Ok(objects)
    }

    fn look_up(
        &self,
        names: impl Iterator<Item = String>,
    ) -> Result<BTreeMap<String, Option<Version>>> {
        let looks: Vec<_> = names
            .map(|name| {
                let (bucket, key) = (self.place.bucket.clone(), self.place.key(&name));
                async move { Ok::<_, StoreError>((name, bucket.version(&key).await?)) }
            })
            .collect();
        let found = self.place.wait(async move { try_join_all(looks).await })?;
        Ok(found.into_iter().collect())
    }

    /// Whether one of the names that may be written was there at the start.
    fn holds(&self, name: &str) -> bool {
        self.before.get(name).is_some_and(Option::is_some)
    }

    /// Which of `names` are there.
    pub fn present(&self, names: &[String]) -> Result<Vec<String>> {
        let found = self.look_up(names.iter().cloned())?;
        let is_there = |name: &&String| found.get(*name).is_some_and(Option::is_some);
        Ok(names.iter().filter(is_there).cloned().collect())
    }

    /// Whether objects may be replaced.
    pub fn overwrite(&self) -> Overwrite {
        self.overwrite
    }

    /// What to call the object `name` before the user.
    pub fn url(&self, name: &str) -> String {
        self.place.url(name)
    }

    /// Begins the object `name`.
    pub fn create(&self, name: &str) -> Object {
        Object::new(&self.place, name)
    }

    /// What cannot be removed of objects that are dropped.
    pub fn leftovers(&self) -> Leftovers {
        self.place.leftovers.clone()
    }

    /// Puts all of `objects` in place, and removes those of an earlier run that this one has no
    /// counterpart of.
    pub fn commit(self, mut objects: Vec<Object>) -> Result<Committed> {
        for object in &mut objects {
            object.finish()?;
        }
        // Those of the same order stay in theirs.
        objects.sort_by_key(|object| object.name() == LAST);
        let urls: Vec<String> = objects.iter().map(Object::url).collect();
        let is_stale = |name: &&String| {
            self.overwrite == Overwrite::Yes
                && self.holds(name)
                && !objects.iter().any(|object| object.name() == *name)
        };
        let stale: Vec<String> = self.before.keys().filter(is_stale).cloned().collect();
        let mut stand = Vec::new();
        let done = self.publish(objects, &stale, &mut stand);
        done.map_err(|failure| half_done(failure, &urls, &stand))?;
        Ok(Committed {
            written: urls.into_iter().map(Into::into).collect(),
            removed: stale.iter().map(|name| self.place.url(name).into()).collect(),
        })
    }

    /// Publishes one object after another, and notes in `stand` those that stand.
    fn publish(
        &self,
        objects: Vec<Object>,
        stale: &[String],
        stand: &mut Vec<String>,
    ) -> Result<()> {
        let mut stale = Some(stale);
        for object in objects {
            if object.name() == LAST {
                self.remove(stale.take().unwrap_or_default())?;
            }
            let (url, before) = (object.url(), self.before.get(object.name()).cloned().flatten());
            object.publish(before)?;
            stand.push(url);
        }
        self.remove(stale.unwrap_or_default())
    }

    fn remove(&self, names: &[String]) -> Result<()> {
        for name in names {
            let (bucket, key) = (self.place.bucket.clone(), self.place.key(name));
            let removed = self.place.wait_to_the_end(async move { bucket.delete(&key).await });
            removed.map_err(|source| StagingError::NotRemoved { source })?;
        }
        Ok(())
    }
}

/// What is said of a failure when the objects `stand` of `urls` are in place already.
fn half_done(failure: StagingError, urls: &[String], stand: &[String]) -> StagingError {
    if stand.is_empty() {
        return failure;
    }
    let missing = urls.iter().filter(|url| !stand.contains(url)).cloned();
    StagingError::HalfPublished {
        failure: Box::new(failure),
        stand: stand.join(", "),
        one: stand.len() == 1,
        missing: missing.collect::<Vec<_>>().join(", "),
    }
}
