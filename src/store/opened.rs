//! Stores that are in use.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use object_store::client::{HttpClient, HttpConnector as _};
use object_store::path::Path;

use super::access::Access;
use super::bucket::Bucket;
use super::cause;
use super::client::{self, Objects};
use super::connector::Connector;
use super::credential::Chain;
use super::error::{StoreError, StoreErrorKind};
use super::replace::Replace;
use super::runtime::Runtime;
use super::url::{Scheme, Url};

/// Opens stores: one client for each bucket, and one thread for the requests of all.
///
/// Neither is made before it is needed.
#[derive(Debug)]
pub struct Stores {
    access: Access,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    runtime: Option<Arc<Runtime>>,
    /// By the beginnings of the URLs of their objects.
    stores: BTreeMap<String, Arc<Store>>,
}

/// One bucket, container or web server.
pub struct Store {
    scheme: Scheme,
    /// What stands before keys in URLs: `s3://bucket/`.
    root: String,
    client: Client,
    /// Where credentials come from that may be renewed.
    credentials: Option<Arc<Chain>>,
    runtime: Arc<Runtime>,
}

/// How requests are made.
pub(super) enum Client {
    /// To a store that lists objects.
    Objects(Objects),
    /// To a web server.
    Web(HttpClient),
}

impl Open {
    /// The thread of requests, which is started where there is none yet.
    fn runtime(&mut self) -> Result<Arc<Runtime>, StoreError> {
        match &self.runtime {
            Some(runtime) => Ok(Arc::clone(runtime)),
            None => Ok(Arc::clone(self.runtime.insert(Arc::new(Runtime::start()?)))),
        }
    }
}

impl Stores {
    /// Stores that are reached with what `access` holds.
    pub fn new(access: Access) -> Self {
        Self { access, open: Mutex::default() }
    }

    /// The store that the object of `url` is in. No request is made yet.
    ///
    /// # Errors
    /// When settings are wrong or incomplete.
    pub fn open(&self, url: &Url) -> Result<Arc<Store>, StoreError> {
        let mut open = self.lock();
        if let Some(store) = open.stores.get(url.root()) {
            return Ok(Arc::clone(store));
        }
        let store = Arc::new(self.store(url, open.runtime()?, None)?);
        open.stores.insert(url.root().to_owned(), Arc::clone(&store));
        Ok(store)
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn store(
        &self,
        url: &Url,
        runtime: Arc<Runtime>,
        writes: Option<Replace>,
    ) -> Result<Store, StoreError> {
        let client = self.client(url, writes);
        let (client, credentials) =
            client.map_err(|error| cause::explained(url.scheme(), url.root(), &error))?;
        let (scheme, root) = (url.scheme(), url.root().to_owned());
        Ok(Store { scheme, root, client, credentials, runtime })
    }

    /// The bucket that `url` names, for writing. No request is made yet.
    ///
    /// # Errors
    /// When settings are wrong or incomplete, and for a web server, which takes no objects.
    pub fn bucket(&self, url: &Url, replace: Replace) -> Result<Bucket, StoreError> {
        let runtime = self.lock().runtime()?;
        Bucket::new(Arc::new(self.store(url, runtime, Some(replace))?), replace)
    }

    fn client(
        &self,
        url: &Url,
        writes: Option<Replace>,
    ) -> object_store::Result<(Client, Option<Arc<Chain>>)> {
        let access = &self.access;
        let connector = Connector { writes, ..Connector::default() };
        let client = match url.scheme() {
            Scheme::S3 => {
                let (objects, credentials) = client::s3(url, access, connector)?;
                return Ok((Client::Objects(objects), credentials));
            }
            Scheme::Google => Client::Objects(client::google(url, access, connector)?),
            Scheme::Azure => Client::Objects(client::azure(url, access, connector)?),
            Scheme::Web => {
                let options = client::options().with_allow_http(url.root().starts_with("http:"));
                Client::Web(Connector::default().connect(&options)?)
            }
        };
        Ok((client, None))
    }
}

impl Store {
    /// Which kind of store it is.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The URL of the object with this key.
    pub fn url(&self, key: &str) -> String {
        format!("{}{key}", self.root)
    }

    /// The objects of the store.
    ///
    /// # Errors
    /// When it is a web server, which has single addresses and no list of objects.
    pub(super) fn objects(&self) -> Result<&Objects, StoreError> {
        match &self.client {
            Client::Objects(objects) => Ok(objects),
            Client::Web(_) => {
                let message = "a web server lists no objects and takes none";
                Err(StoreError::new(&self.root, StoreErrorKind::Unsupported, message))
            }
        }
    }

    /// `key` as requests name it.
    ///
    /// # Errors
    /// When it has empty, `.` or `..` parts.
    pub fn path(&self, key: &str) -> Result<Path, StoreError> {
        Path::parse(key)
            .map_err(|source| self.error(key, &object_store::Error::InvalidPath { source }))
    }

    /// The key of the object with this URL.
    pub(super) fn key<'u>(&self, url: &'u str) -> &'u str {
        url.strip_prefix(&self.root).unwrap_or(url)
    }

    /// How requests are made.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// What `error` says of the object, or folder, with this key.
    pub fn error(&self, key: &str, error: &object_store::Error) -> StoreError {
        self.explained(&self.url(key), error)
    }

    /// What `error` says of the object with this URL.
    pub(super) fn explained(&self, url: &str, error: &object_store::Error) -> StoreError {
        cause::explained(self.scheme, url, error)
    }

    /// Asks for other credentials than those with which the store refused a request that began at
    /// `begun`. Whether there may be some.
    pub(super) async fn renew_credentials(&self, begun: Instant) -> bool {
        match &self.credentials {
            Some(credentials) => credentials.forget(begun).await,
            None => false,
        }
    }

    /// Runs `future` on the thread of requests and waits for what it comes to.
    ///
    /// # Errors
    /// Those of the future; and when `stop` was set before it was done.
    pub fn run<T: Send + 'static>(
        &self,
        future: impl Future<Output = Result<T, StoreError>> + Send + 'static,
        stop: Option<&AtomicBool>,
    ) -> Result<T, StoreError> {
        self.runtime.run(future, stop)
    }

    /// The thread of requests.
    pub fn runtime(&self) -> &Arc<Runtime> {
        &self.runtime
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({})", self.root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stores(variables: &[(&str, &str)]) -> Stores {
        let variables = variables.iter().map(|(name, value)| (name.into(), value.into()));
        Stores::new(Access::new(variables, None))
    }

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap().unwrap()
    }

    #[test]
    fn a_bucket_is_opened_once() {
        let stores = stores(&[("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b")]);
        let one = stores.open(&url("s3://b/x")).unwrap();
        let same = stores.open(&url("s3a://b/y")).unwrap();
        let other = stores.open(&url("s3://c/x")).unwrap();
        assert!(Arc::ptr_eq(&one, &same) && !Arc::ptr_eq(&one, &other));
        assert_eq!(one.url("x"), "s3://b/x");
        assert!(one.path("a//b").unwrap_err().message.contains("empty"));
    }

    #[test]
    fn wrong_settings_are_told_with_the_store() {
        let error = stores(&[("AWS_PROFILE", "nobody")]).open(&url("s3://b/x")).unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Credentials);
        assert!(error.to_string().starts_with("s3://b/: there is no AWS profile nobody"));
        let error = stores(&[]).open(&url("az://c/x")).unwrap_err().to_string();
        assert!(error.contains("AZURE_STORAGE_ACCOUNT"), "{error}");
    }
}
