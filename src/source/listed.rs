//! Serializable descriptions of inputs, for processes that read what another one has listed.

use std::ffi::OsString;
use std::fs;
use std::path::{self, PathBuf};

use super::discover::{DiscoverError, Input, Origin};
use crate::store::{Object, ObjectEntry, Scheme, StoreError, StoreErrorKind, Stores, Url};

/// Describes one input, so that another process reads the same content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The path of a file, or the URL of an object.
    pub place: OsString,
    /// The stored size in bytes, if known.
    pub size: Option<u64>,
    /// The ETag or modification time of an object, if the store reported one.
    pub tag: Option<String>,
    /// How the input was discovered.
    pub origin: Origin,
}

impl Listed {
    /// Describes `input`. Files are described by their absolute path.
    pub fn new(input: &Input) -> Self {
        let absolute = input.path.as_ref().and_then(|path| path::absolute(path).ok());
        Self {
            place: absolute.map_or_else(|| OsString::from(&input.display), OsString::from),
            size: input.size,
            tag: input.object.as_ref().and_then(Object::tag).map(str::to_owned),
            origin: input.origin,
        }
    }

    /// Returns the input. Requests the metadata of a web object, but not of an object in a bucket.
    ///
    /// # Errors
    /// Returns an error if the file or web object does not exist, or if the web object has changed.
    pub fn find(self, stores: &Stores) -> Result<Input, DiscoverError> {
        if let Some(url) = self.place.to_str().and_then(Url::parse) {
            return self.find_object(&url.map_err(DiscoverError::Url)?, stores);
        }
        let path = PathBuf::from(self.place);
        if fs::metadata(&path).is_err() {
            return Err(DiscoverError::Missing { path, similar: None });
        }
        let display = path.display().to_string();
        Ok(Input { path: Some(path), object: None, display, size: self.size, origin: self.origin })
    }

    #[cfg_attr(not(feature = "object-store"), allow(unreachable_code))] // there are no objects
    fn find_object(self, url: &Url, stores: &Stores) -> Result<Input, DiscoverError> {
        let store = stores.open(url)?;
        let ObjectEntry { url, size, object } = if url.scheme() == Scheme::Web {
            let missing = || DiscoverError::NoObject(url.to_string());
            let entry = store.find(url)?.ok_or_else(missing)?;
            if (entry.object.tag(), entry.size) != (self.tag.as_deref(), self.size) {
                let message = "it was replaced after it was listed; run again when nothing writes \
                               to it";
                return Err(StoreError::new(url, StoreErrorKind::Replaced, message).into());
            }
            entry
        } else {
            ObjectEntry {
                url: store.url(url.key()).into(),
                size: self.size,
                object: Object::in_bucket(&store, self.tag.map(Into::into)),
            }
        };
        let display = url.into();
        Ok(Input { path: None, object: Some(object), display, size, origin: self.origin })
    }
}
