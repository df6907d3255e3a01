//! Metadata of the object that a URL names.

use std::sync::Arc;

use object_store::{GetOptions, ObjectMeta};

use super::entry::ObjectEntry;
use super::error::{StoreError, StoreErrorKind};
use super::object::Object;
use super::stores::{Client, Store};
use super::url::Url;
use super::web;

impl Store {
    /// Requests the metadata of the object that `url` names; `None` if it does not exist.
    ///
    /// # Errors
    /// Returns an error if the request fails, or if the bucket does not exist.
    pub fn find(self: &Arc<Self>, url: &Url) -> Result<Option<ObjectEntry>, StoreError> {
        let store = Arc::clone(self);
        let url = url.clone();
        let found = self.run(async move { store.request_entry(&url).await }, None);
        match found {
            Ok(found) => Ok(Some(found)),
            Err(error) if is_missing_object(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn request_entry(self: Arc<Self>, url: &Url) -> Result<ObjectEntry, StoreError> {
        let name = url.to_string();
        let objects = match self.client() {
            Client::Web(client) => {
                let address = url.address();
                let head = web::head(client, &address, &name).await?;
                let object = Object::on_web(&self, head.tag, &address, head.is_ranged);
                return Ok(ObjectEntry { url: name.into(), size: head.size, object });
            }
            Client::Objects(objects) => Arc::clone(objects),
        };
        let path = self.path(url.key())?;
        let options = GetOptions { head: true, ..GetOptions::default() };
        let meta = match objects.get_opts(&path, options).await {
            Ok(result) => result.meta,
            Err(error) => {
                let error = self.explain(&name, &error);
                if matches!(error.kind, StoreErrorKind::NotFound | StoreErrorKind::Unavailable) {
                    return Err(error);
                }
                // The response to a HEAD request has no body and thus no error code.
                let options = GetOptions { range: Some((0..1).into()), ..GetOptions::default() };
                match objects.get_opts(&path, options).await {
                    Ok(result) => result.meta,
                    Err(error) => return Err(self.explain(&name, &error)),
                }
            }
        };
        Ok(self.entry(meta))
    }

    /// Converts the metadata of `object_store`.
    pub(super) fn entry(self: &Arc<Self>, meta: ObjectMeta) -> ObjectEntry {
        ObjectEntry {
            url: self.url(meta.location.as_ref()).into(),
            size: Some(meta.size),
            object: Object::in_bucket(self, meta.e_tag.map(Into::into)),
        }
    }
}

/// Returns `true` if `error` says that the object, and not its bucket, does not exist.
fn is_missing_object(error: &StoreError) -> bool {
    error.kind == StoreErrorKind::NotFound && !error.message.contains("bucket")
}
