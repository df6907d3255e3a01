//! Substitutes for the types of this module in builds without the feature `object-store`.
//!
//! Opening a store fails, so there is never a [`Store`] or an [`Object`].

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::access::Access;
use super::entry::ObjectEntry;
use super::error::{StoreError, StoreErrorKind};
use super::url::Url;

/// Stores, none of which can be opened.
#[derive(Debug)]
pub struct Stores;

/// A store, of which there is none.
#[derive(Debug)]
pub enum Store {}

impl Stores {
    /// Ignores `access`, as no store can be opened.
    pub fn new(_access: Access) -> Self {
        Self
    }

    /// Opens no store.
    ///
    /// # Errors
    /// Always returns an error that says that the program was built without object stores.
    pub fn open(&self, url: &Url) -> Result<Arc<Store>, StoreError> {
        let message = "this backtrail was built without object stores (--no-default-features); \
                       build it with the feature object-store, or copy the object to a file";
        Err(StoreError::new(url, StoreErrorKind::Unsupported, message))
    }
}

impl Store {
    /// Cannot be called.
    ///
    /// # Errors
    /// None.
    pub fn find(self: &Arc<Self>, _url: &Url) -> Result<Option<ObjectEntry>, StoreError> {
        match **self {}
    }

    /// Cannot be called.
    ///
    /// # Errors
    /// None.
    pub fn list(
        self: &Arc<Self>,
        _prefixes: Vec<String>,
        _is_wanted: impl Fn(&str) -> bool + Send + Sync + 'static,
        _on_object: impl FnMut(ObjectEntry),
    ) -> Result<(), StoreError> {
        match **self {}
    }

    /// Cannot be called.
    ///
    /// # Errors
    /// None.
    pub fn list_level(
        self: &Arc<Self>,
        _prefix: &str,
        _on_object: impl FnMut(ObjectEntry),
    ) -> Result<Vec<String>, StoreError> {
        match **self {}
    }

    /// Cannot be called.
    pub fn url(&self, _key: &str) -> String {
        match *self {}
    }
}

/// An object, of which there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Object {}

impl Object {
    /// Cannot be called.
    pub fn in_bucket(store: &Arc<Store>, _tag: Option<Box<str>>) -> Self {
        match **store {}
    }

    /// Cannot be called.
    pub fn store(&self) -> &Arc<Store> {
        match *self {}
    }

    /// Cannot be called.
    pub fn tag(&self) -> Option<&str> {
        match *self {}
    }

    /// Cannot be called.
    pub fn is_in_bucket(&self) -> bool {
        match *self {}
    }
}

/// Returns the object of the input with this index, if that input is an object.
pub type EntryLookup = Box<dyn Fn(u32) -> Option<ObjectEntry> + Send + Sync>;

/// A prefetcher that reads nothing.
#[derive(Debug)]
pub struct Prefetcher;

impl Prefetcher {
    /// Ignores its arguments, as there are no objects.
    pub fn new(
        _count: u32,
        _find: EntryLookup,
        _budget: u64,
        _stop: Option<&'static AtomicBool>,
    ) -> Self {
        Self
    }

    /// Returns no errors.
    pub fn errors(&self) -> Vec<StoreError> {
        Vec::new()
    }

    /// Returns a reader without bytes.
    pub fn open(&self, _index: u32) -> ObjectReader {
        ObjectReader
    }
}

/// A reader without bytes.
#[derive(Debug)]
pub struct ObjectReader;

impl Read for ObjectReader {
    fn read(&mut self, _out: &mut [u8]) -> io::Result<usize> {
        Ok(0)
    }
}
