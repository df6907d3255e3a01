//! A minimal in-process object store: listings and reads of S3, with faults.

#![allow(clippy::format_push_string)] // simple, and fast enough

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read as _, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::ops::Bound;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::{Finished, Workspace};

/// Credentials that no output of the program may contain.
pub const CANARIES: [&str; 3] = ["CANARYKEYID", "canary-secret", "canary-token"];

/// The number of keys per page of a listing.
const PAGE_KEYS: usize = 100;

/// The content and the ETag of an object.
#[derive(Clone)]
struct Stored {
    bytes: Arc<Vec<u8>>,
    tag: String,
}

/// A request to the server.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    /// The key; empty for listings.
    pub key: String,
    /// The query, decoded.
    pub query: BTreeMap<String, String>,
    /// The headers, by name in lower case.
    pub headers: BTreeMap<String, String>,
    /// The number of earlier requests for the same.
    pub earlier: usize,
}

impl Request {
    /// Returns `true` if it lists the bucket.
    pub fn is_listing(&self) -> bool {
        self.query.contains_key("list-type")
    }

    /// Returns `true` if it reads an object.
    pub fn is_read(&self) -> bool {
        self.method == "GET" && !self.is_listing()
    }
}

/// What the server does in place of a correct response.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Responds with this status, error code and further headers.
    Refuse(u16, &'static str, Vec<(&'static str, String)>),
    /// Closes the connection after this number of bytes of the body.
    CutAt(usize),
    /// Closes the connection after this number of bytes of the response.
    CutResponseAt(usize),
    /// Truncates the body to this number of bytes, with a matching length.
    ShortenTo(usize),
    /// Sends this number of bytes of the body, then nothing for a few seconds.
    StallAt(usize),
    /// Omits the continuation token from a page of a listing.
    NoToken,
    /// Ends a body without `Content-Length` after this number of bytes.
    EndAt(usize),
    /// Like `EndAt`, and ignores ranges and conditions.
    Whole(usize),
}

type Faults = Box<dyn Fn(&Request) -> Option<Fault> + Send + Sync>;

/// A server and its objects.
pub struct Server {
    shared: Arc<Shared>,
    address: String,
}

struct Shared {
    objects: Mutex<BTreeMap<String, Stored>>,
    requests: Mutex<Vec<Request>>,
    faults: Faults,
    latency: Duration,
    ends: AtomicBool,
}

impl Server {
    /// Starts a server of the bucket `bucket` with these objects.
    pub fn new<'k>(objects: impl IntoIterator<Item = (&'k str, Vec<u8>)>) -> Self {
        Self::with(objects, Duration::ZERO, |_| None)
    }

    /// Like [`new`](Self::new), with a delay before each response, and faults.
    pub fn with<'k>(
        objects: impl IntoIterator<Item = (&'k str, Vec<u8>)>,
        latency: Duration,
        faults: impl Fn(&Request) -> Option<Fault> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let shared = Arc::new(Shared {
            objects: Mutex::default(),
            requests: Mutex::default(),
            faults: Box::new(faults),
            latency,
            ends: AtomicBool::new(false),
        });
        let server = Self { shared: Arc::clone(&shared), address };
        for (key, bytes) in objects {
            server.put(key, bytes);
        }
        thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.ends.load(Ordering::Relaxed) {
                    return;
                }
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    let _ = shared.serve(&stream.unwrap());
                });
            }
        });
        server
    }

    /// Creates or replaces an object.
    pub fn put(&self, key: &str, bytes: Vec<u8>) {
        self.shared.put(key, bytes);
    }

    /// Returns the requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// Returns the web address of an object.
    pub fn address(&self, key: &str) -> String {
        format!("http://{}/bucket/{key}", self.address)
    }

    /// Returns the address of the server.
    pub fn socket(&self) -> SocketAddr {
        self.address.parse().unwrap()
    }

    /// Configures `command` for this server, and removes other settings of stores.
    pub fn found_by(&self, mut command: Command) -> Command {
        isolated(&mut command);
        command
            .env("AWS_ENDPOINT_URL", format!("http://{}", self.address))
            .env("AWS_ACCESS_KEY_ID", CANARIES[0])
            .env("AWS_SECRET_ACCESS_KEY", CANARIES[1])
            .env("AWS_SESSION_TOKEN", CANARIES[2])
            .env("AWS_REGION", "us-east-1");
        command
    }
}

/// Removes the settings of stores from the environment of `command`.
pub fn isolated(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if ["AWS_", "GOOGLE_", "AZURE_", "STORAGE_"].iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(&name);
        }
    }
    let nowhere = "/nonexistent";
    command.env("HOME", nowhere).env("AWS_EC2_METADATA_DISABLED", "true").env("NO_PROXY", "*");
    // Few attempts and short timeouts, so that tests do not wait.
    command.env("AWS_MAX_ATTEMPTS", "3").env("AWS_READ_TIMEOUT", "1s");
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.ends.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(&self.address);
    }
}

impl Shared {
    fn put(&self, key: &str, bytes: Vec<u8>) {
        let tag = format!("\"{:x}\"", xxhash_rust::xxh3::xxh3_128(&bytes));
        let stored = Stored { bytes: Arc::new(bytes), tag };
        self.objects.lock().unwrap().insert(key.to_owned(), stored);
    }

    /// Responds to the requests of one connection.
    fn serve(&self, stream: &TcpStream) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        let mut reader = BufReader::new(stream);
        while let Some(mut request) = read(&mut reader)? {
            {
                let mut requests = self.requests.lock().unwrap();
                let same = |other: &&Request| {
                    other.method == request.method
                        && other.key == request.key
                        && other.query == request.query
                        && other.headers.get("range") == request.headers.get("range")
                };
                request.earlier = requests.iter().filter(same).count();
                requests.push(request.clone());
            }
            thread::sleep(self.latency);
            let fault = (self.faults)(&request);
            if !self.respond(stream, &request, fault.as_ref())? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Responds to `request`. Returns whether the connection stays open.
    fn respond(
        &self,
        stream: &TcpStream,
        request: &Request,
        fault: Option<&Fault>,
    ) -> std::io::Result<bool> {
        let mut response = match fault {
            Some(Fault::Refuse(status, code, headers)) => {
                let mut response = error_response(*status, code);
                response.headers.extend(headers.iter().cloned());
                response
            }
            Some(Fault::NoToken) => {
                let mut page = self.listing(request);
                let text = String::from_utf8(page.body).unwrap();
                page.body = text.split("<NextContinuationToken>").next().unwrap().into();
                page.body.extend(b"</ListBucketResult>");
                page
            }
            _ if request.is_listing() => self.listing(request),
            Some(Fault::Whole(_)) => {
                let mut request = request.clone();
                request.headers.retain(|name, _| name != "range" && name != "if-match");
                self.object(&request)
            }
            _ => self.object(request),
        };
        if let Some(Fault::ShortenTo(at)) = fault {
            response.body.truncate(*at);
        }
        let length = response.body.len();
        let is_endless = matches!(fault, Some(Fault::EndAt(_) | Fault::Whole(_)));
        let mut head = format!("HTTP/1.1 {} -\r\n", response.status);
        if is_endless {
            head += "Connection: close\r\n";
        } else {
            head += &format!("Content-Length: {length}\r\n");
        }
        for (name, value) in &response.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += "\r\n";
        let mut out = stream;
        if let Some(Fault::CutResponseAt(at)) = fault {
            let response = [head.as_bytes(), &response.body].concat();
            out.write_all(&response[..response.len().min(*at)])?;
            return Ok(false);
        }
        out.write_all(head.as_bytes())?;
        if request.method == "HEAD" {
            return Ok(true);
        }
        let sent = match fault {
            Some(Fault::CutAt(at) | Fault::StallAt(at) | Fault::EndAt(at) | Fault::Whole(at)) => {
                (*at).min(length)
            }
            _ => length,
        };
        response.body.truncate(sent);
        out.write_all(&response.body)?;
        if matches!(fault, Some(Fault::StallAt(_))) {
            thread::sleep(Duration::from_secs(4));
        }
        Ok(sent == length && !is_endless)
    }

    /// Returns a page of a listing.
    fn listing(&self, request: &Request) -> Response {
        let text = |name: &str| request.query.get(name).cloned().unwrap_or_default();
        let (prefix, delimiter) = (text("prefix"), text("delimiter"));
        let after = text("start-after").max(text("continuation-token"));
        let (mut keys, mut folders) = (String::new(), BTreeSet::new());
        let (mut count, mut last, mut is_cut) = (0, String::new(), false);
        let objects = self.objects.lock().unwrap();
        let from = (Bound::Excluded(after.clone()), Bound::Unbounded);
        let listed = objects.range::<String, _>(from).filter(|(key, _)| key.starts_with(&prefix));
        for (key, object) in listed {
            let folder = (!delimiter.is_empty()).then(|| key[prefix.len()..].find(&delimiter));
            if let Some(end) = folder.flatten() {
                let folder = &key[..=prefix.len() + end];
                // The continuation token is in this folder, which was listed before.
                if !after.starts_with(folder) {
                    folders.insert(folder.to_owned());
                }
                continue;
            }
            is_cut = count == PAGE_KEYS;
            if is_cut {
                break;
            }
            count += 1;
            last.clone_from(key);
            let (size, tag) = (object.bytes.len(), object.tag.replace('"', "&quot;"));
            keys += &format!(
                "<Contents><Key>{}</Key><LastModified>2025-07-01T00:00:00.000Z</LastModified>\
                 <ETag>{tag}</ETag><Size>{size}</Size></Contents>",
                escaped(key)
            );
        }
        let token = if is_cut {
            format!("<NextContinuationToken>{}</NextContinuationToken>", escaped(&last))
        } else {
            String::new()
        };
        let folders: String = folders
            .iter()
            .map(|folder| {
                format!("<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>", escaped(folder))
            })
            .collect();
        let body = format!(
            "<?xml version=\"1.0\"?><ListBucketResult><Name>bucket</Name>{keys}{folders}\
             <IsTruncated>{is_cut}</IsTruncated>{token}</ListBucketResult>"
        );
        let headers = vec![("Content-Type", "application/xml".to_owned())];
        Response { status: 200, headers, body: body.into_bytes() }
    }

    /// Returns an object, or a range of it.
    fn object(&self, request: &Request) -> Response {
        let Some(object) = self.objects.lock().unwrap().get(&request.key).cloned() else {
            return error_response(404, "NoSuchKey");
        };
        if request.headers.get("if-match").is_some_and(|tag| *tag != object.tag) {
            return error_response(412, "PreconditionFailed");
        }
        let mut headers = vec![
            ("ETag", object.tag.clone()),
            ("Last-Modified", "Tue, 01 Jul 2025 00:00:00 GMT".to_owned()),
            ("Accept-Ranges", "bytes".to_owned()),
        ];
        let size = object.bytes.len();
        let Some(range) = request.headers.get("range") else {
            return Response { status: 200, headers, body: object.bytes.to_vec() };
        };
        let (from, to) = range.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
        let from: usize = from.parse().unwrap();
        if from >= size {
            return error_response(416, "InvalidRange");
        }
        let to = to.parse::<usize>().unwrap_or(size - 1).min(size - 1);
        headers.push(("Content-Range", format!("bytes {from}-{to}/{size}")));
        Response { status: 206, headers, body: object.bytes[from..=to].to_vec() }
    }
}

struct Response {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

/// Returns an error response like S3, with credentials and signed texts in its body.
fn error_response(status: u16, code: &str) -> Response {
    let [id, secret, token] = CANARIES;
    let body = format!(
        "<Error><Code>{code}</Code><Message>{secret}</Message><AWSAccessKeyId>{id}\
         </AWSAccessKeyId><StringToSign>{token}</StringToSign></Error>"
    );
    let headers = vec![("Content-Type", "application/xml".to_owned())];
    Response { status, headers, body: body.into_bytes() }
}

/// Reads the next request of a connection; `None` at its end.
fn read(reader: &mut BufReader<&TcpStream>) -> std::io::Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split(' ');
    let (method, target) = (words.next().unwrap().to_owned(), words.next().unwrap().to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    reader.read_exact(&mut vec![0; length])?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let key = path.strip_prefix("/bucket").unwrap_or(path).trim_start_matches('/');
    let query = query.split('&').filter_map(|pair| pair.split_once('='));
    let query = query.map(|(name, value)| (decoded(name), decoded(value))).collect();
    Ok(Some(Request { method, key: decoded(key), query, headers, earlier: 0 }))
}

fn decoded(text: &str) -> String {
    let text = text.replace('+', " ");
    percent_encoding::percent_decode_str(&text).decode_utf8().unwrap().into_owned()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

/// Runs `command`, and asserts that neither its messages nor the files in `out` contain one of
/// `secrets`.
#[track_caller]
pub fn finish_without(secrets: &[&str], mut command: Command, workspace: &Workspace) -> Finished {
    let output = command.output().unwrap();
    let finished = Finished::of(&command, output);
    let mut texts = vec![finished.stderr.clone(), String::from_utf8_lossy(&finished.stdout).into()];
    for name in workspace.list("out") {
        let bytes = workspace.read(&format!("out/{name}"));
        texts.push(String::from_utf8_lossy(&bytes).into_owned());
    }
    for secret in secrets {
        assert!(
            !texts.iter().any(|text| text.contains(secret)),
            "{secret} is revealed\n{finished}"
        );
    }
    finished
}
