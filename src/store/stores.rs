//! Clients of stores that are in use.

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
use super::client::{self, Objects};
use super::connector::Connector;
use super::credential::CachedCredentials;
use super::error::{StoreError, StoreErrorKind};
use super::explain;
use super::replace::Replace;
use super::runtime::Runtime;
use super::setting;
use super::url::{Scheme, Url};

/// Opens stores, with one client per bucket and one thread for the requests of all clients.
///
/// Both are created when they are first needed.
#[derive(Debug)]
pub struct Stores {
    access: Access,
    open: Mutex<OpenStores>,
}

#[derive(Debug, Default)]
struct OpenStores {
    runtime: Option<Arc<Runtime>>,
    /// By the prefix of the URLs of their objects: `s3://bucket/`.
    stores: BTreeMap<String, Arc<Store>>,
}

/// One bucket, container or web server.
pub struct Store {
    scheme: Scheme,
    /// The prefix of the URLs of its objects: `s3://bucket/`.
    root: String,
    client: Client,
    /// The source of credentials that may expire.
    credentials: Option<Arc<CachedCredentials>>,
    runtime: Arc<Runtime>,
}

/// The client that sends requests.
pub(super) enum Client {
    /// Of a store that lists objects.
    Objects(Objects),
    /// Of a web server.
    Web(HttpClient),
}

impl OpenStores {
    /// Returns the thread of requests, which is started by the first call.
    fn runtime(&mut self) -> Result<Arc<Runtime>, StoreError> {
        match &self.runtime {
            Some(runtime) => Ok(Arc::clone(runtime)),
            None => Ok(Arc::clone(self.runtime.insert(Arc::new(Runtime::start()?)))),
        }
    }
}

impl Stores {
    /// Creates stores that are accessed with `access`.
    pub fn new(access: Access) -> Self {
        Self { access, open: Mutex::default() }
    }

    /// Opens the store of the object `url`. Sends no request.
    ///
    /// # Errors
    /// Returns an error if settings are invalid or incomplete.
    pub fn open(&self, url: &Url) -> Result<Arc<Store>, StoreError> {
        let mut open = self.lock();
        if let Some(store) = open.stores.get(url.root()) {
            return Ok(Arc::clone(store));
        }
        let store = Arc::new(self.store(url, open.runtime()?, None)?);
        open.stores.insert(url.root().to_owned(), Arc::clone(&store));
        Ok(store)
    }

    fn lock(&self) -> MutexGuard<'_, OpenStores> {
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
            client.map_err(|error| explain::explain(url.scheme(), url.root(), &error))?;
        let (scheme, root) = (url.scheme(), url.root().to_owned());
        Ok(Store { scheme, root, client, credentials, runtime })
    }

    /// Opens the bucket of `url` for writing. Sends no request.
    ///
    /// # Errors
    /// Returns an error if settings are invalid or incomplete, or if `url` names a web server.
    pub fn bucket(&self, url: &Url, replace: Replace) -> Result<Bucket, StoreError> {
        let runtime = self.lock().runtime()?;
        Bucket::new(Arc::new(self.store(url, runtime, Some(replace))?), replace)
    }

    fn client(
        &self,
        url: &Url,
        writes: Option<Replace>,
    ) -> object_store::Result<(Client, Option<Arc<CachedCredentials>>)> {
        let access = &self.access;
        setting::check_addresses(access)?;
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
    /// Returns the kind of the store.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Returns the URL of the object with this key.
    pub fn url(&self, key: &str) -> String {
        format!("{}{key}", self.root)
    }

    /// Returns the client of the bucket.
    ///
    /// # Errors
    /// Returns an error for web servers, which list no objects.
    pub(super) fn objects(&self) -> Result<&Objects, StoreError> {
        match &self.client {
            Client::Objects(objects) => Ok(objects),
            Client::Web(_) => {
                let message = "a web server can neither list nor store objects";
                Err(StoreError::new(&self.root, StoreErrorKind::Unsupported, message))
            }
        }
    }

    /// Parses `key` for requests.
    ///
    /// # Errors
    /// Returns an error if `key` has empty, `.` or `..` parts.
    pub fn path(&self, key: &str) -> Result<Path, StoreError> {
        Path::parse(key)
            .map_err(|source| self.error(key, &object_store::Error::InvalidPath { source }))
    }

    /// Returns the key of the object with this URL.
    pub(super) fn key<'u>(&self, url: &'u str) -> &'u str {
        url.strip_prefix(&self.root).unwrap_or(url)
    }

    /// Returns the client that sends requests.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Converts an error about the object or folder with this key.
    pub fn error(&self, key: &str, error: &object_store::Error) -> StoreError {
        self.explain(&self.url(key), error)
    }

    /// Converts an error about the object with this URL.
    pub(super) fn explain(&self, url: &str, error: &object_store::Error) -> StoreError {
        explain::explain(self.scheme, url, error)
    }

    /// Discards the credentials with which the store refused a request that started at `start`.
    /// Returns whether a retry may use other ones.
    pub(super) async fn renew_credentials(&self, start: Instant) -> bool {
        match &self.credentials {
            Some(credentials) => credentials.invalidate(start).await,
            None => false,
        }
    }

    /// Runs `future` on the thread of requests and waits for its result.
    ///
    /// # Errors
    /// Returns the error of the future, or an error if `stop` is set before it is done.
    pub fn run<T: Send + 'static>(
        &self,
        future: impl Future<Output = Result<T, StoreError>> + Send + 'static,
        stop: Option<&AtomicBool>,
    ) -> Result<T, StoreError> {
        self.runtime.run(future, stop)
    }

    /// Returns the thread of requests.
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
    fn errors_of_settings_name_the_store() {
        let error = stores(&[("AWS_PROFILE", "nobody")]).open(&url("s3://b/x")).unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Credentials);
        assert!(error.to_string().starts_with("s3://b/: there is no AWS profile nobody"));
        let error = stores(&[]).open(&url("az://c/x")).unwrap_err().to_string();
        assert!(error.contains("AZURE_STORAGE_ACCOUNT"), "{error}");
    }
}
