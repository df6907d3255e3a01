//! Names of objects, as arguments write them.

use std::fmt;

/// Which kind of store a URL names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Amazon S3, and what speaks like it: `s3://bucket/key`.
    S3,
    /// Google Cloud Storage: `gs://bucket/key`.
    Google,
    /// Azure Blob Storage: `az://container/key`, `abfss://container@account.dfs.core.windows.net/key`.
    Azure,
    /// One object of a web server: `https://host/path`.
    Web,
}

/// The beginnings of URLs, the scheme each stands for, and how it is written in messages.
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

/// What URLs there are, as errors say it.
const KNOWN: &str = "s3://, gs://, az://, abfss:// and https:// are";

/// The name of an object, or of all objects whose keys begin with a prefix.
///
/// Displayed without the query of a web address, which may sign it.
#[derive(Clone, PartialEq, Eq)]
pub struct Url {
    scheme: Scheme,
    /// All that stands before the key, with its `/`: `s3://bucket/`.
    root: String,
    /// The bucket or the container; of the web, the host with its port.
    bucket: String,
    /// The account that an Azure URL names.
    account: Option<String>,
    /// What follows the root: of stores as they name it, of the web as the address has it.
    key: String,
    /// The query of a web address, with its `?`.
    query: String,
}

/// A text that begins as a URL does but names no object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Nothing is known of its scheme.
    #[error("{0}:// is not read; {KNOWN}")]
    Scheme(String),
    /// Files need no scheme.
    #[error("file:// is not read; name the path itself")]
    File,
    /// It names no bucket, container or host.
    #[error("{0}:// names no {1}; write {0}://{1}/…")]
    NoBucket(&'static str, &'static str),
    /// It holds a user name or a password.
    #[error(
        "credentials do not belong into an argument, which other users of the machine see; leave \
         out what stands before the @"
    )]
    Credentials,
}

impl Url {
    /// What `text` names; `None` where it is no URL.
    ///
    /// # Errors
    /// When it is one that cannot be read.
    pub fn parse(text: &str) -> Option<Result<Self, UrlError>> {
        let (scheme, rest) = text.split_once("://")?;
        let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.chars().all(|char| char.is_ascii_alphanumeric() || "+-.".contains(char));
        is_scheme.then(|| Self::of(&scheme.to_ascii_lowercase(), rest))
    }

    fn of(name: &str, rest: &str) -> Result<Self, UrlError> {
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
            (Scheme::Web, Some(_)) => return Err(UrlError::Credentials),
            _ => (None, bucket),
        };
        if bucket.is_empty() || account.as_deref() == Some("") {
            let what = match scheme {
                Scheme::Azure => "container",
                Scheme::Web => "host",
                Scheme::S3 | Scheme::Google => "bucket",
            };
            return Err(UrlError::NoBucket(name, what));
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

    /// Which kind of store it names.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// All that stands before the key, with its `/`.
    pub fn root(&self) -> &str {
        &self.root
    }

    /// The bucket or the container; of the web, the host with its port.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The account that an Azure URL names, with its host where that is written.
    pub fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    /// The key: of stores as they name it, of the web as the address has it.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The same store with another key.
    #[must_use]
    pub fn with_key(&self, key: impl Into<String>) -> Self {
        Self { key: key.into(), query: String::new(), ..self.clone() }
    }

    /// The object of this name in the folder that this names, whether with a `/` at its end or not.
    #[must_use]
    pub fn join(&self, name: &str) -> Self {
        let key = &self.key;
        let separator = if key.is_empty() || key.ends_with('/') { "" } else { "/" };
        self.with_key(format!("{key}{separator}{name}"))
    }

    /// The whole address of an object of the web, which is not for messages.
    pub fn address(&self) -> String {
        format!("{}{}{}", self.root, self.key, self.query)
    }
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
    fn a_url_is_a_store_and_a_key() {
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
    fn names_are_those_of_objects_in_the_folder() {
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
    fn the_query_of_a_web_address_is_sent_and_not_shown() {
        let signed = url("https://host/a.gz?X-Amz-Signature=canary#part");
        assert_eq!(signed.to_string(), "https://host/a.gz");
        assert_eq!(format!("{signed:?}"), "Url(https://host/a.gz)");
        assert_eq!(signed.address(), "https://host/a.gz?X-Amz-Signature=canary");
    }

    #[test]
    fn what_is_no_url_is_a_path_and_what_cannot_be_read_says_why() {
        for path in ["a/b", "./s3:/b", "a b://c", "://", "1s://b"] {
            assert!(Url::parse(path).is_none(), "{path}");
        }
        for (text, why) in [
            ("ftp://host/a", "ftp:// is not read; s3://, "),
            ("file:///a", "name the path itself"),
            ("s3:///a", "s3:// names no bucket"),
            ("az://@acct/a", "az:// names no container"),
            ("https://user:secret@host/a", "credentials do not belong"),
        ] {
            let error = Url::parse(text).unwrap().unwrap_err().to_string();
            assert!(error.contains(why) && !error.contains("secret"), "{text}: {error}");
        }
    }
}
