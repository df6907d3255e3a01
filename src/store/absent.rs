//! What stands for stores in a program that was built without them.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::access::Access;
use super::error::{StoreError, StoreErrorKind};
use super::found::Found;
use super::url::Url;

/// Stores that cannot be opened.
#[derive(Debug)]
pub struct Stores;

/// There is none of it.
#[derive(Debug)]
pub enum Store {}

impl Stores {
    /// Stores that cannot be opened.
    pub fn new(_access: Access) -> Self {
        Self
    }

    /// Opens nothing.
    ///
    /// # Errors
    /// Always: that the program was built without stores.
    pub fn open(&self, url: &Url) -> Result<Arc<Store>, StoreError> {
        let message = "this backtrail was built without object stores (--no-default-features); \
                       build it with the feature object-store, or copy the object to a file";
        Err(StoreError::new(url, StoreErrorKind::Unsupported, message))
    }
}

impl Store {
    /// Finds nothing: there is no store.
    ///
    /// # Errors
    /// None.
    pub fn find(self: &Arc<Self>, _url: &Url) -> Result<Option<Found>, StoreError> {
        match **self {}
    }

    /// Lists nothing: there is no store.
    ///
    /// # Errors
    /// None.
    pub fn list(
        self: &Arc<Self>,
        _prefixes: Vec<String>,
        _wanted: impl Fn(&str) -> bool + Send + Sync + 'static,
        _found: impl FnMut(Found),
    ) -> Result<(), StoreError> {
        match **self {}
    }

    /// Lists nothing: there is no store.
    ///
    /// # Errors
    /// None.
    pub fn level(
        self: &Arc<Self>,
        _prefix: &str,
        _found: impl FnMut(Found),
    ) -> Result<Vec<String>, StoreError> {
        match **self {}
    }

    /// There is no store.
    pub fn url(&self, _key: &str) -> String {
        match *self {}
    }
}

/// An object; there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Object {}

impl Object {
    /// There is no store.
    pub fn listed(store: &Arc<Store>, _tag: Option<Box<str>>) -> Self {
        match **store {}
    }

    /// There is no object.
    pub fn store(&self) -> &Arc<Store> {
        match *self {}
    }

    /// There is no object.
    pub fn tag(&self) -> Option<&str> {
        match *self {}
    }

    /// There is no object.
    pub fn is_listed(&self) -> bool {
        match *self {}
    }
}

/// What object stands at this place among the inputs: none.
pub type Finder = Box<dyn Fn(u32) -> Option<Found> + Send + Sync>;

/// Reads nothing ahead.
#[derive(Debug)]
pub struct Ahead;

impl Ahead {
    /// Reads nothing ahead.
    pub fn new(
        _count: u32,
        _find: Finder,
        _budget: u64,
        _stop: Option<&'static AtomicBool>,
    ) -> Self {
        Self
    }

    /// There is no object.
    pub fn open(&self, _index: u32) -> ObjectReader {
        ObjectReader
    }
}

/// The bytes of an object, of which there is none.
#[derive(Debug)]
pub struct ObjectReader;

impl Read for ObjectReader {
    fn read(&mut self, _out: &mut [u8]) -> io::Result<usize> {
        Ok(0)
    }
}
