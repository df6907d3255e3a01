//! A local S3 store: moto, from `PyPI`. It does not verify signatures.
//!
//! It also substitutes Google Cloud Storage, which has the same XML interface with other
//! credentials.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::OnceLock;

use super::http::{Message, send};
use super::server;
use crate::support::python;

/// The bucket of one test.
pub struct Bucket {
    /// The server.
    pub address: SocketAddr,
    /// The name of the bucket.
    pub name: String,
}

/// Returns the address of the server, which the first call starts; `None` if it is not installed.
pub fn server() -> Option<SocketAddr> {
    static SERVER: OnceLock<Option<SocketAddr>> = OnceLock::new();
    *SERVER.get_or_init(|| {
        let mut python = python::with(&["moto.server"])?;
        let port = server::free_port();
        python.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()]);
        Some(server::start(&python, port))
    })
}

impl Bucket {
    /// Creates a bucket; `None` without a server.
    pub fn new(name: &str) -> Option<Self> {
        let bucket = Self { address: server()?, name: name.to_owned() };
        bucket.expect("PUT", "", "");
        Some(bucket)
    }

    /// Sends a request with a dummy signature.
    pub fn send(&self, method: &str, target: &str, body: impl Into<Vec<u8>>) -> Message {
        let target = format!("/{}{target}", self.name);
        // moto returns objects only for signed requests, but accepts any signature.
        let request = Message::request(method, &target, body).with("Authorization", SIGNED);
        send(self.address, &request).unwrap()
    }

    /// Sends a request that must succeed.
    #[track_caller]
    fn expect(&self, method: &str, target: &str, body: impl Into<Vec<u8>>) -> Message {
        let response = self.send(method, target, body);
        assert!(response.status() / 100 == 2, "{method} {target}: {}", response.text());
        response
    }

    /// Creates an object.
    #[track_caller]
    pub fn put(&self, key: &str, body: impl Into<Vec<u8>>) {
        self.expect("PUT", &format!("/{key}"), body);
    }

    /// Returns the content of an object.
    #[track_caller]
    pub fn get(&self, key: &str) -> Vec<u8> {
        self.expect("GET", &format!("/{key}"), "").body
    }

    /// Requests the metadata of an object.
    #[track_caller]
    pub fn head(&self, key: &str) -> Message {
        self.expect("HEAD", &format!("/{key}"), "")
    }

    /// Deletes all objects.
    #[track_caller]
    pub fn clear(&self) {
        for key in self.keys() {
            self.expect("DELETE", &format!("/{}", key.replace(' ', "%20")), "");
        }
    }

    /// Returns the keys of all objects, sorted.
    #[track_caller]
    pub fn keys(&self) -> Vec<String> {
        element_texts("Key", &self.expect("GET", "?list-type=2", "").text())
    }

    /// Returns the keys of uploads that are neither completed nor aborted.
    #[track_caller]
    pub fn uploads(&self) -> Vec<String> {
        element_texts("Key", &self.expect("GET", "?uploads", "").text())
    }

    /// Configures `command` with credentials and the address of a server, which may be a proxy.
    pub fn configure(command: &mut Command, address: SocketAddr) {
        clear_environment(command);
        command.env("AWS_ENDPOINT_URL", format!("http://{address}"));
        command.env("AWS_ALLOW_HTTP", "true").env("AWS_REGION", "us-east-1");
        command.env("AWS_ACCESS_KEY_ID", KEY_ID).env("AWS_SECRET_ACCESS_KEY", SECRET);
        command.env("AWS_SESSION_TOKEN", TOKEN);
    }
}

/// Credentials that no output of the program may contain.
pub const KEY_ID: &str = "AKIACANARYKEYID00000";
pub const SECRET: &str = "canary-secret-access-key-000000000000000";
pub const TOKEN: &str = "canary-session-token-00000000";

/// A dummy signature.
pub const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=AKIA/20250101/us-east-1/s3/aws4_request, \
                      SignedHeaders=host, Signature=0";

/// Removes the settings of stores from the environment of `command`.
pub fn clear_environment(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if ["AWS_", "GOOGLE_", "AZURE_", "AZURITE_"].iter().any(|prefix| text.starts_with(prefix)) {
            command.env_remove(&name);
        }
    }
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    for name in ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"] {
        command.env(name, "/dev/null");
    }
}

/// Returns the texts of all elements with this name, sorted.
pub fn element_texts(element: &str, xml: &str) -> Vec<String> {
    let (open, close) = (format!("<{element}>"), format!("</{element}>"));
    let parts = xml.split(&open).skip(1);
    let mut texts: Vec<_> =
        parts.filter_map(|part| part.split_once(&close)).map(|(text, _)| text.to_owned()).collect();
    texts.sort();
    texts
}
