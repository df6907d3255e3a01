//! Clients of object stores (S3, Google Cloud Storage, Azure Blob Storage) and web servers.
//!
//! A [`Url`] names an object or a folder. [`Stores`] opens the [`Store`] that contains it, with the
//! settings and credentials that the command-line tools of the platform use ([`Access`]). All
//! requests run on one thread ([`Runtime`]), separate from the threads that parse; callers block
//! until a request is done. Failed requests are retried with exponential back-off, or after the
//! delay that the store asks for. A request that fails at every attempt returns a [`StoreError`],
//! which names the object, the cause and a remedy, and never contains a credential.
//!
//! Without the feature `object-store`, URLs and errors exist, but opening a store fails.

mod access;
mod entry;
mod error;
mod replace;
mod url;

#[cfg(feature = "object-store")]
mod bucket;
#[cfg(feature = "object-store")]
mod client;
#[cfg(feature = "object-store")]
mod connector;
#[cfg(feature = "object-store")]
mod credential;
#[cfg(feature = "object-store")]
mod download;
#[cfg(feature = "object-store")]
mod error_response;
#[cfg(feature = "object-store")]
mod explain;
#[cfg(feature = "object-store")]
mod find;
#[cfg(feature = "object-store")]
mod listing;
#[cfg(feature = "object-store")]
mod object;
#[cfg(feature = "object-store")]
mod page_check;
#[cfg(feature = "object-store")]
mod prefetch;
#[cfg(feature = "object-store")]
mod runtime;
#[cfg(feature = "object-store")]
mod setting;
#[cfg(feature = "object-store")]
mod stores;
#[cfg(feature = "object-store")]
mod web;

#[cfg(not(feature = "object-store"))]
mod disabled;

pub use access::Access;
pub use entry::ObjectEntry;
pub use error::{StoreError, StoreErrorKind};
pub use replace::Replace;
pub use url::{Scheme, Url, UrlError};

#[cfg(feature = "object-store")]
pub use bucket::{Bucket, Upload, Version};
#[cfg(feature = "object-store")]
pub use object::Object;
#[cfg(feature = "object-store")]
pub use prefetch::{EntryLookup, ObjectReader, Prefetcher};
#[cfg(feature = "object-store")]
pub use runtime::Runtime;
#[cfg(feature = "object-store")]
pub use stores::{Store, Stores};

#[cfg(not(feature = "object-store"))]
pub use disabled::{EntryLookup, Object, ObjectReader, Prefetcher, Store, Stores};
