//! What object a URL names.

use std::sync::Arc;

use object_store::{GetOptions, ObjectMeta};

use super::error::{StoreError, StoreErrorKind};
use super::found::Found;
use super::object::Object;
use super::opened::{Client, Store};
use super::url::Url;
use super::web;

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

    /// What a store says of an object.
    pub(super) fn found(self: &Arc<Self>, meta: ObjectMeta) -> Found {
        Found {
            url: self.url(meta.location.as_ref()).into(),
            size: Some(meta.size),
            object: Object::listed(self, meta.e_tag.map(Into::into)),
        }
    }
}

/// Whether there is no such object in a bucket that is there.
fn is_missing(error: &StoreError) -> bool {
    error.kind == StoreErrorKind::NotFound && !error.message.contains("bucket")
}
