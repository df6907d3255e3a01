//! Object stores (S3, Google Cloud Storage, Azure) and the web: where objects are, how they are
//! reached, and what goes wrong with them.
//!
//! A [`Url`] names an object or a folder of them. [`Stores`] opens the [`Store`] that it is in, with
//! the settings and credentials that the platform's own tools find ([`Access`]). All requests run on
//! one thread beside those that parse; callers wait for what they come to. A request that fails is
//! tried again with growing pauses, or with the pause that the store asks for; what is left is a
//! [`StoreError`], which names the object, the cause and what to do, and never a credential.
//!
//! Without the feature `object-store` there are URLs and errors, and opening a store says so.

mod access;
mod error;
mod found;
mod replace;
mod url;

#[cfg(feature = "object-store")]
mod ahead;
#[cfg(feature = "object-store")]
mod bucket;
#[cfg(feature = "object-store")]
mod cause;
#[cfg(feature = "object-store")]
mod client;
#[cfg(feature = "object-store")]
mod connector;
#[cfg(feature = "object-store")]
mod credential;
#[cfg(feature = "object-store")]
mod find;
#[cfg(feature = "object-store")]
mod listing;
#[cfg(feature = "object-store")]
mod object;
#[cfg(feature = "object-store")]
mod opened;
#[cfg(feature = "object-store")]
mod page;
#[cfg(feature = "object-store")]
mod piece;
#[cfg(feature = "object-store")]
mod refusal;
#[cfg(feature = "object-store")]
mod runtime;
#[cfg(feature = "object-store")]
mod web;

#[cfg(not(feature = "object-store"))]
mod absent;

pub use access::Access;
pub use error::{StoreError, StoreErrorKind};
pub use found::Found;
pub use replace::Replace;
pub use url::{Scheme, Url, UrlError};

#[cfg(feature = "object-store")]
pub use ahead::{Ahead, Finder, ObjectReader};
#[cfg(feature = "object-store")]
pub use bucket::{Bucket, Upload, Version};
#[cfg(feature = "object-store")]
pub use object::Object;
#[cfg(feature = "object-store")]
pub use opened::{Store, Stores};
#[cfg(feature = "object-store")]
pub use runtime::Runtime;

#[cfg(not(feature = "object-store"))]
pub use absent::{Ahead, Finder, Object, ObjectReader, Store, Stores};
