//! URLs of objects.

use std::fmt;

/// The kind of store that a URL names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Amazon S3 and compatible stores: `s3://bucket/key`.
    S3,
    /// Google Cloud Storage: `gs://bucket/key`.
    Google,
    /// Azure Blob Storage: `az://container/key`, `abfss://container@account.dfs.core.windows.net/key`.
    Azure,
    /// An object of a web server: `https://host/path`.
    Web,
}

/// Schemes, the kind of store of each, and its canonical form in messages.
const SCHEMES: [(&str, Scheme, &str); 10] = [
    ("s3", Scheme::S3, "s3"),
    ("s3a", Scheme::S3, "s3"),
    ("gs", Scheme::Google, "gs"),
    ("az", Scheme::Azure, "az"),
    ("azure", Scheme::Azure, "az"),
    ("adl", Scheme::Azure, "az"),
    ("abfs", Scheme::Azure, "abfss"),
    ("abfss", Scheme::Azure, "abfss"),
    ("https", Scheme::Web, "https"),
    ("http", Scheme::Web, "http"),
];

/// The supported schemes, for errors.
const KNOWN: &str = "s3://, gs://, az://, abfss:// and https:// are";

/// The URL of an object, or of a folder with all objects whose keys start with a prefix.
///
/// Displayed without the query of a web address, which may contain a signature.
#[derive(Clone, PartialEq, Eq)]
pub struct Url {
    scheme: Scheme,
    /// Everything before the key, with the final `/`: `s3://bucket/`.
    root: String,
    /// The bucket or container; of web addresses, the host with its port.
    bucket: String,
    /// The account in an Azure URL, with its host if the URL contains it.
    account: Option<String>,
    /// What follows the root: in buckets the key itself, in web addresses the percent-encoded path.
    key: String,
    /// The query of a web address, with `?`, or nothing.
    query: String,
}

/// The error of a text that has a scheme but names no supported object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// The scheme is not supported.
    #[error("{0}:// is not supported; {KNOWN}")]
    Scheme(String),
    /// Files are named by their path.
    #[error("file:// is not supported; write the path without it")]
    File,
    /// The bucket, container or host is missing.
    #[error("{0}:// names no {1}; write {0}://{1}/…")]
    NoBucket(&'static str, &'static str),
    /// The name of the bucket, container or account is invalid.
    #[error(
        "{0}://…: the name of a {1} has only ASCII letters, digits and - _ . : $; patterns are \
         possible in what follows it"
    )]
    Name(&'static str, &'static str),
    /// The address contains a user name or password.
    #[error(
        "credentials do not belong into an argument, which other users of the machine can see; \
         remove everything before the @"
    )]
    Credentials,
}

impl Url {
    /// Parses `text`; `None` if it has no scheme and is a path.
    ///
    /// # Errors
    /// Returns an error if the URL is not supported or incomplete.
    pub fn parse(text: &str) -> Option<Result<Self, UrlError>> {
        let (scheme, rest) = text.split_once("://")?;
        let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.chars().all(|char| char.is_ascii_alphanumeric() || "+-.".contains(char));
        is_scheme.then(|| Self::of_scheme(&scheme.to_ascii_lowercase(), rest))
    }

    fn of_scheme(name: &str, rest: &str) -> Result<Self, UrlError> {
        let found = SCHEMES.iter().find(|(known, ..)| *known == name);
        let Some(&(_, scheme, name)) = found else {
            return Err(if name == "file" {
                UrlError::File
            } else {
                UrlError::Scheme(name.to_owned())
            });
        };
        let end = match scheme {
            Scheme::Web => rest.find(['/', '?', '#']),
            _ => rest.find('/'),
        };
        let (bucket, key) = rest.split_at(end.unwrap_or(rest.len()));
        let (key, query) = match scheme {
            Scheme::Web => {
                let key = key.split_once('#').map_or(key, |(key, _)| key);
                key.split_at(key.find('?').unwrap_or(key.len()))
            }
            _ => (key, ""),
        };
        let (account, bucket) = match (scheme, bucket.split_once('@')) {
            (Scheme::Azure, Some((container, account))) => (Some(account.to_owned()), container),
            (_, Some(_)) => return Err(UrlError::Credentials),
            (_, None) => (None, bucket),
        };
        let what = match scheme {
            Scheme::Azure => "container",
            Scheme::Web => "host",
            Scheme::S3 | Scheme::Google => "bucket",
        };
        if bucket.is_empty() || account.as_deref() == Some("") {
            return Err(UrlError::NoBucket(name, what));
        }
        if scheme != Scheme::Web && !is_name(bucket) {
            return Err(UrlError::Name(name, what));
        }
        if account.as_deref().is_some_and(|account| !is_name(account)) {
            return Err(UrlError::Name(name, "storage account"));
        }
        let bucket = match scheme {
            Scheme::Web => bucket.to_ascii_lowercase(),
            _ => bucket.to_owned(),
        };
        let at = account.as_deref().map(|account| format!("@{account}")).unwrap_or_default();
        Ok(Self {
            scheme,
            root: format!("{name}://{bucket}{at}/"),
            bucket,
            account,
            key: key.strip_prefix('/').unwrap_or(key).to_owned(),
            query: query.to_owned(),
        })
    }

    /// Returns the kind of store.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Returns everything before the key, with the final `/`.
    pub fn root(&self) -> &str {
        &self.root
    }

    /// Returns the bucket or container; of a web address, the host with its port.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// Returns the account of an Azure URL, with its host if the URL contains it.
    pub fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    /// Returns the key; of a web address, the percent-encoded path.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the URL of the object `key` in the same store.
    #[must_use]
    pub fn with_key(&self, key: impl Into<String>) -> Self {
        Self { key: key.into(), query: String::new(), ..self.clone() }
    }

    /// Returns the URL of the object `name` in this folder, which may end with `/` or not.
    #[must_use]
    pub fn join(&self, name: &str) -> Self {
        let key = &self.key;
        let separator = if key.is_empty() || key.ends_with('/') { "" } else { "/" };
        self.with_key(format!("{key}{separator}{name}"))
    }

    /// Returns the complete address of an object on the web, which messages must not contain.
    pub fn address(&self) -> String {
        format!("{}{}{}", self.root, self.key, self.query)
    }
}

/// Returns whether `text` can be the name of a bucket, container or account. `:` separates the tenant
/// in Ceph, and `$` begins the names of system containers in Azure.
fn is_name(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:$".contains(&byte))
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.root, self.key)
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Url({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap().unwrap()
    }

    #[test]
    fn urls_are_split_into_store_and_key() {
        for (text, scheme, root, bucket, key) in [
            ("s3://b/logs/a.gz", Scheme::S3, "s3://b/", "b", "logs/a.gz"),
            ("S3A://b/a b?c#d%20", Scheme::S3, "s3://b/", "b", "a b?c#d%20"),
            ("s3://b", Scheme::S3, "s3://b/", "b", ""),
            ("gs://b/logs/", Scheme::Google, "gs://b/", "b", "logs/"),
            ("azure://c/a", Scheme::Azure, "az://c/", "c", "a"),
            ("abfs://c@acct/a", Scheme::Azure, "abfss://c@acct/", "c", "a"),
            ("https://Host:81/a%20b", Scheme::Web, "https://host:81/", "host:81", "a%20b"),
        ] {
            let url = url(text);
            let found = (url.scheme(), url.root(), url.bucket(), url.key());
            assert_eq!(found, (scheme, root, bucket, key), "{text}");
        }
        let account = url("abfss://c@acct.dfs.core.windows.net/a");
        assert_eq!(account.account(), Some("acct.dfs.core.windows.net"));
    }

    #[test]
    fn joined_names_are_objects_of_the_folder() {
        for (folder, object) in [
            ("s3://b", "s3://b/n"),
            ("s3://b/", "s3://b/n"),
            ("s3://b/f", "s3://b/f/n"),
            ("s3://b/f/", "s3://b/f/n"),
        ] {
            assert_eq!(url(folder).join("n").to_string(), object);
        }
    }

    #[test]
    fn the_query_of_a_web_address_is_part_of_the_address_but_not_displayed() {
        let signed = url("https://host/a.gz?X-Amz-Signature=canary#part");
        assert_eq!(signed.to_string(), "https://host/a.gz");
        assert_eq!(format!("{signed:?}"), "Url(https://host/a.gz)");
        assert_eq!(signed.address(), "https://host/a.gz?X-Amz-Signature=canary");
    }

    #[test]
    fn texts_without_a_scheme_are_paths_and_unsupported_urls_are_errors() {
        for path in ["a/b", "./s3:/b", "a b://c", "://", "1s://b"] {
            assert!(Url::parse(path).is_none(), "{path}");
        }
        for (text, why) in [
            ("ftp://host/a", "ftp:// is not supported; s3://, "),
            ("file:///a", "write the path"),
            ("s3:///a", "s3:// names no bucket"),
            ("az://@acct/a", "az:// names no container"),
            ("s3://key:secret@b/a", "credentials do not belong"),
            ("s3://b ucket/a", "s3://…: the name of a bucket has only"),
            ("gs://b*/a", "patterns are possible in what follows"),
            ("az://bücket/a", "az://…: the name of a container"),
            ("abfss://c@a b.dfs.core.windows.net/a", "the name of a storage account has"),
            ("https://user:secret@host/a", "credentials do not belong"),
        ] {
            let error = Url::parse(text).unwrap().unwrap_err().to_string();
            assert!(error.contains(why) && !error.contains("secret"), "{text}: {error}");
        }
    }
}
