//! An S3 store on this machine: moto, of `PyPI`. It does not check signatures.
//!
//! The XML interface of Google Cloud Storage is that of S3 with other credentials, so it stands for
//! that one too.

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

/// The server; `None` where it is not installed.
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
    /// A new bucket; `None` where there is no server.
    pub fn new(name: &str) -> Option<Self> {
        let bucket = Self { address: server()?, name: name.to_owned() };
        bucket.expect("PUT", "", "");
        Some(bucket)
    }

    /// Sends a request without credentials, which the server asks nobody for.
    pub fn send(&self, method: &str, target: &str, body: impl Into<Vec<u8>>) -> Message {
        let target = format!("/{}{target}", self.name);
        // It gives objects to those alone who sign, however they do.
        let request = Message::request(method, &target, body).with("Authorization", SIGNED);
        send(self.address, &request).unwrap()
    }

    /// Sends a request that must succeed.
    #[track_caller]
    fn expect(&self, method: &str, target: &str, body: impl Into<Vec<u8>>) -> Message {
        let answer = self.send(method, target, body);
        assert!(answer.status() / 100 == 2, "{method} {target}: {}", answer.text());
        answer
    }

    /// Makes an object.
    #[track_caller]
    pub fn put(&self, key: &str, body: impl Into<Vec<u8>>) {
        self.expect("PUT", &format!("/{key}"), body);
    }

    /// The content of an object.
    #[track_caller]
    pub fn get(&self, key: &str) -> Vec<u8> {
        self.expect("GET", &format!("/{key}"), "").body
    }

    /// What the store says of an object.
    #[track_caller]
    pub fn head(&self, key: &str) -> Message {
        self.expect("HEAD", &format!("/{key}"), "")
    }

    /// Removes all objects.
    #[track_caller]
    pub fn clear(&self) {
        for key in self.keys() {
            self.expect("DELETE", &format!("/{}", key.replace(' ', "%20")), "");
        }
    }

    /// The keys of all objects, sorted.
    #[track_caller]
    pub fn keys(&self) -> Vec<String> {
        all("Key", &self.expect("GET", "?list-type=2", "").text())
    }

    /// The keys of uploads that are neither completed nor aborted.
    #[track_caller]
    pub fn uploads(&self) -> Vec<String> {
        all("Key", &self.expect("GET", "?uploads", "").text())
    }

    /// `command` with credentials and the address of a server at `address`, which may be a proxy.
    pub fn configure(command: &mut Command, address: SocketAddr) {
        forget_surroundings(command);
        command.env("AWS_ENDPOINT_URL", format!("http://{address}"));
        command.env("AWS_ALLOW_HTTP", "true").env("AWS_REGION", "us-east-1");
        command.env("AWS_ACCESS_KEY_ID", KEY_ID).env("AWS_SECRET_ACCESS_KEY", SECRET);
        command.env("AWS_SESSION_TOKEN", TOKEN);
    }
}

/// Credentials that no text of the program may hold.
pub const KEY_ID: &str = "AKIACANARYKEYID00000";
pub const SECRET: &str = "canary-secret-access-key-000000000000000";
pub const TOKEN: &str = "canary-session-token-00000000";

/// A signature that nobody checks.
pub const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=AKIA/20250101/us-east-1/s3/aws4_request, \
                      SignedHeaders=host, Signature=0";

/// Takes away what the environment of the tests says about stores.
pub fn forget_surroundings(command: &mut Command) {
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

/// The texts of all elements of this name.
pub fn all(element: &str, xml: &str) -> Vec<String> {
    let (open, close) = (format!("<{element}>"), format!("</{element}>"));
    let parts = xml.split(&open).skip(1);
    let mut texts: Vec<_> =
        parts.filter_map(|part| part.split_once(&close)).map(|(text, _)| text.to_owned()).collect();
    texts.sort();
    texts
}
