//! A small object store in the test program: S3's listings and reads, with faults.

#![allow(clippy::format_push_string)] // plain to read, and small

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

/// What no message, report or log may hold.
pub const CANARIES: [&str; 3] = ["CANARYKEYID", "canary-secret", "canary-token"];

/// How many keys a page of a listing has.
const PAGE: usize = 100;

/// An object by its key.
#[derive(Clone)]
struct Stored {
    bytes: Arc<Vec<u8>>,
    tag: String,
}

/// A request as the server got it.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    /// The key, or nothing where the bucket is listed.
    pub key: String,
    /// Of listings.
    pub query: BTreeMap<String, String>,
    /// By their names in small letters.
    pub headers: BTreeMap<String, String>,
    /// How many requests for the same came before it.
    pub earlier: usize,
}

impl Request {
    /// Whether it lists the bucket.
    pub fn is_listing(&self) -> bool {
        self.query.contains_key("list-type")
    }

    /// Whether it reads an object.
    pub fn is_read(&self) -> bool {
        self.method == "GET" && !self.is_listing()
    }
}

/// What the server does instead of answering as it should.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Answers so, with a code and further headers.
    Refuse(u16, &'static str, Vec<(&'static str, String)>),
    /// Closes the connection after so many bytes of the body.
    CutAt(usize),
    /// Closes the connection after so many bytes of the answer.
    CutAnswerAt(usize),
    /// Ends the body after so many bytes, as if it were whole.
    ShortenTo(usize),
    /// Sends so many bytes of the body, and no more for a while.
    StallAt(usize),
    /// Leaves out of a page of a listing where the next one is.
    NoToken,
    /// Ends a body without saying how long it is after so many bytes.
    EndAt(usize),
    /// The same, and takes no notice of ranges and conditions.
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
    /// A server of the bucket `bucket` with these objects.
    pub fn new<'k>(objects: impl IntoIterator<Item = (&'k str, Vec<u8>)>) -> Self {
        Self::with(objects, Duration::ZERO, |_| None)
    }

    /// The same, with a pause before each answer, and faults.
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

    /// Makes or replaces an object.
    pub fn put(&self, key: &str, bytes: Vec<u8>) {
        self.shared.put(key, bytes);
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// The address of an object, as on the web.
    pub fn address(&self, key: &str) -> String {
        format!("http://{}/bucket/{key}", self.address)
    }

    /// Where it listens.
    pub fn socket(&self) -> SocketAddr {
        self.address.parse().unwrap()
    }

    /// Lets `command` find this server and credentials for it, and nothing else.
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

/// Takes everything from the environment of `command` that concerns stores.
pub fn isolated(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if ["AWS_", "GOOGLE_", "AZURE_", "STORAGE_"].iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(&name);
        }
    }
    let nowhere = "/nonexistent";
    command.env("HOME", nowhere).env("AWS_EC2_METADATA_DISABLED", "true").env("NO_PROXY", "*");
    // Few tries, and short silence: tests are not to wait.
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

    /// Answers the requests of one connection.
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
            if !self.answer(stream, &request, fault.as_ref())? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Answers `request`; `false` where the connection is of no use after it.
    fn answer(
        &self,
        stream: &TcpStream,
        request: &Request,
        fault: Option<&Fault>,
    ) -> std::io::Result<bool> {
        let mut answer = match fault {
            Some(Fault::Refuse(status, code, headers)) => {
                let mut answer = refusal(*status, code);
                answer.headers.extend(headers.iter().cloned());
                answer
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
            answer.body.truncate(*at);
        }
        let length = answer.body.len();
        let is_endless = matches!(fault, Some(Fault::EndAt(_) | Fault::Whole(_)));
        let mut head = format!("HTTP/1.1 {} -\r\n", answer.status);
        if is_endless {
            head += "Connection: close\r\n";
        } else {
            head += &format!("Content-Length: {length}\r\n");
        }
        for (name, value) in &answer.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += "\r\n";
        let mut out = stream;
        if let Some(Fault::CutAnswerAt(at)) = fault {
            let answer = [head.as_bytes(), &answer.body].concat();
            out.write_all(&answer[..answer.len().min(*at)])?;
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
        answer.body.truncate(sent);
        out.write_all(&answer.body)?;
        if matches!(fault, Some(Fault::StallAt(_))) {
            thread::sleep(Duration::from_secs(4));
        }
        Ok(sent == length && !is_endless)
    }

    /// A page of a listing.
    fn listing(&self, request: &Request) -> Answer {
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
                // A token within a folder is behind it.
                if !after.starts_with(folder) {
                    folders.insert(folder.to_owned());
                }
                continue;
            }
            is_cut = count == PAGE;
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
        Answer { status: 200, headers, body: body.into_bytes() }
    }

    /// An object, or a part of one.
    fn object(&self, request: &Request) -> Answer {
        let Some(object) = self.objects.lock().unwrap().get(&request.key).cloned() else {
            return refusal(404, "NoSuchKey");
        };
        if request.headers.get("if-match").is_some_and(|tag| *tag != object.tag) {
            return refusal(412, "PreconditionFailed");
        }
        let mut headers = vec![
            ("ETag", object.tag.clone()),
            ("Last-Modified", "Tue, 01 Jul 2025 00:00:00 GMT".to_owned()),
            ("Accept-Ranges", "bytes".to_owned()),
        ];
        let size = object.bytes.len();
        let Some(range) = request.headers.get("range") else {
            return Answer { status: 200, headers, body: object.bytes.to_vec() };
        };
        let (from, to) = range.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
        let from: usize = from.parse().unwrap();
        if from >= size {
            return refusal(416, "InvalidRange");
        }
        let to = to.parse::<usize>().unwrap_or(size - 1).min(size - 1);
        headers.push(("Content-Range", format!("bytes {from}-{to}/{size}")));
        Answer { status: 206, headers, body: object.bytes[from..=to].to_vec() }
    }
}

struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

/// As S3 refuses: with much that is nobody's business.
fn refusal(status: u16, code: &str) -> Answer {
    let [id, secret, token] = CANARIES;
    let body = format!(
        "<Error><Code>{code}</Code><Message>{secret}</Message><AWSAccessKeyId>{id}\
         </AWSAccessKeyId><StringToSign>{token}</StringToSign></Error>"
    );
    let headers = vec![("Content-Type", "application/xml".to_owned())];
    Answer { status, headers, body: body.into_bytes() }
}

/// The next request of a connection; `None` at its end.
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

/// Runs `command`, and asserts that neither what it prints nor the files in `out` hold one of `secrets`.
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
        assert!(!texts.iter().any(|text| text.contains(secret)), "{secret} is told\n{finished}");
    }
    finished
}
