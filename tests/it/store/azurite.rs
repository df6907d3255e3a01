//! A local Azure Blob Storage: Azurite, from npm. It verifies signatures.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::OnceLock;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};

use super::http::{Message, send};
use super::moto::clear_environment;
use super::server;

/// The default account of Azurite and its public key.
pub const ACCOUNT: &str = "devstoreaccount1";
pub const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
const VERSION: &str = "2021-08-06";

/// The container of one test.
pub struct Container {
    pub address: SocketAddr,
    pub name: String,
}

/// Returns the command of the server; `None` if it is not installed.
fn program() -> Option<Command> {
    let named = std::env::var_os("BACKTRAIL_TEST_AZURITE").unwrap_or("azurite-blob".into());
    match Command::new(&named).arg("--version").output() {
        Ok(output) if output.status.success() => Some(Command::new(named)),
        _ => {
            server::skipped("Azurite is not installed; BACKTRAIL_TEST_AZURITE names azurite-blob");
            None
        }
    }
}

/// Returns the address of the server, which the first call starts; `None` if it is not installed.
pub fn server() -> Option<SocketAddr> {
    static SERVER: OnceLock<Option<SocketAddr>> = OnceLock::new();
    *SERVER.get_or_init(|| {
        let mut command = program()?;
        let port = server::free_port();
        command.args(["--silent", "--skipApiVersionCheck", "--inMemoryPersistence"]);
        command.args(["--disableTelemetry", "--blobHost", "127.0.0.1", "--blobPort"]);
        command.arg(port.to_string());
        Some(server::start(&command, port))
    })
}

impl Container {
    /// Creates a container; `None` without a server.
    pub fn new(name: &str) -> Option<Self> {
        let container = Self { address: server()?, name: name.to_owned() };
        container.expect("PUT", "", &[("restype", "container")], &[], "");
        Some(container)
    }

    /// Sends a signed request that must succeed.
    #[track_caller]
    fn expect(
        &self,
        method: &str,
        path: &str,
        query: &[(&str, &str)],
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> Message {
        let body = body.into();
        let path = format!("/{ACCOUNT}/{}{path}", self.name);
        let now = jiff::Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let mut headers = headers.to_vec();
        headers.extend([("x-ms-date", now.as_str()), ("x-ms-version", VERSION)]);
        headers.sort_unstable();
        let length = if body.is_empty() { String::new() } else { body.len().to_string() };
        let mut signed = format!("{method}\n\n\n{length}\n\n\n\n\n\n\n\n\n");
        for (name, value) in &headers {
            let _ = writeln!(signed, "{name}:{value}");
        }
        let _ = write!(signed, "/{ACCOUNT}{path}");
        for (name, value) in query {
            let _ = write!(signed, "\n{name}:{value}");
        }
        let key = BASE64_STANDARD.decode(KEY).unwrap();
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&key).unwrap();
        mac.update(signed.as_bytes());
        let signature = BASE64_STANDARD.encode(mac.finalize().into_bytes());
        let query: Vec<_> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let target = if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) };
        let mut request = Message::request(method, &target, body)
            .with("Authorization", format!("SharedKey {ACCOUNT}:{signature}"));
        for (name, value) in headers {
            request = request.with(name, value);
        }
        let response = send(self.address, &request).unwrap();
        assert!(response.status() / 100 == 2, "{method} {target}: {}", response.text());
        response
    }

    /// Creates a blob.
    #[track_caller]
    pub fn put(&self, name: &str, body: impl Into<Vec<u8>>) {
        let headers = [("x-ms-blob-type", "BlockBlob")];
        self.expect("PUT", &format!("/{name}"), &[], &headers, body);
    }

    /// Returns the content of a blob.
    #[track_caller]
    pub fn get(&self, name: &str) -> Vec<u8> {
        self.expect("GET", &format!("/{name}"), &[], &[], "").body
    }

    /// Requests the metadata of a blob.
    #[track_caller]
    pub fn head(&self, name: &str) -> Message {
        self.expect("HEAD", &format!("/{name}"), &[], &[], "")
    }

    /// Returns the names of all blobs, sorted.
    #[track_caller]
    pub fn names(&self) -> Vec<String> {
        let query = [("comp", "list"), ("restype", "container")];
        super::moto::element_texts("Name", &self.expect("GET", "", &query, &[], "").text())
    }

    /// Configures `command` with credentials and the address of a server, which may be a proxy.
    pub fn configure(command: &mut Command, address: SocketAddr) {
        clear_environment(command);
        command.env("AZURE_STORAGE_ACCOUNT_NAME", ACCOUNT).env("AZURE_STORAGE_ACCOUNT_KEY", KEY);
        command.env("AZURE_STORAGE_ENDPOINT", format!("http://{address}/{ACCOUNT}"));
        command.env("AZURE_ALLOW_HTTP", "true");
    }
}
