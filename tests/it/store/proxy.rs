//! A proxy between the program and an object store that injects faults.
//!
//! For each request, a closure selects a fault before the body is received. Requests are logged.
//! Bodies are held in memory.

use std::io::{self, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::http::{Message, MessageKind, send};
use super::moto::SIGNED;

/// The interval at which a waiting thread checks whether the proxy has been dropped.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// A request that passed through the proxy.
#[derive(Clone, Debug)]
pub struct Request {
    /// The number of requests before it.
    pub number: usize,
    /// The method.
    pub method: String,
    /// The path and query.
    pub target: String,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The length of the body, in bytes.
    pub body_bytes: usize,
}

impl Request {
    /// Returns `true` if it uploads a part.
    pub fn is_part(&self) -> bool {
        self.method == "PUT" && (self.has("partNumber=") || self.has("comp=block&"))
    }

    /// Returns `true` if it completes a multipart upload.
    pub fn is_completion(&self) -> bool {
        let is_post = self.method == "POST" && self.has("uploadId=");
        is_post || (self.method == "PUT" && self.has("comp=blocklist"))
    }

    /// Returns `true` if it uploads an object at once.
    pub fn is_whole(&self) -> bool {
        self.method == "PUT" && !self.target.contains('?')
    }

    /// Returns `true` if its target contains `text`.
    pub fn has(&self, text: &str) -> bool {
        self.target.contains(text)
    }

    /// Returns the value of the header `name`.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// What the proxy does with a request.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Forwards it and its response.
    None,
    /// Responds without forwarding it.
    Respond { status: u16, headers: Vec<(&'static str, String)>, body: String },
    /// Closes the connection after this number of bytes of the body, without forwarding it.
    CutRequest(usize),
    /// Forwards it, and closes the connection after this number of bytes of the response.
    CutResponse(usize),
    /// Forwards it, and sends nothing after this number of bytes of the response.
    Stall(usize),
    /// Truncates the body of the response to this number of bytes, with a matching length.
    Shorten(usize),
    /// Changes the response.
    Change(fn(&mut Message)),
}

impl Fault {
    /// Responds with an error of S3.
    pub fn s3_error(status: u16, code: &str) -> Self {
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code>\
             <Message>injected</Message></Error>"
        );
        Self::Respond { status, headers: vec![("Content-Type", "application/xml".into())], body }
    }

    /// Responds that the store is overloaded, with a `Retry-After` header.
    pub fn slow_down(seconds: u32) -> Self {
        match Self::s3_error(503, "SlowDown") {
            Self::Respond { status, mut headers, body } => {
                headers.push(("Retry-After", seconds.to_string()));
                Self::Respond { status, headers, body }
            }
            other => other,
        }
    }
}

type Plan = dyn Fn(&Request) -> Fault + Send + Sync;

struct Shared {
    upstream: SocketAddr,
    plan: Box<Plan>,
    log: Mutex<Vec<Request>>,
    stopped: AtomicBool,
}

/// A proxy on a port of its own, which runs until it is dropped.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Proxy {
    /// Starts a proxy of the server at `upstream`.
    pub fn new(
        upstream: SocketAddr,
        plan: impl Fn(&Request) -> Fault + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            upstream,
            plan: Box::new(plan),
            log: Mutex::default(),
            stopped: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if accepting.stopped.load(Ordering::Relaxed) {
                    return;
                }
                let shared = Arc::clone(&accepting);
                // Clients may close connections at any time.
                thread::spawn(move || _ = shared.serve(&client));
            }
        });
        Self { address, shared }
    }

    /// Returns the address of the proxy.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the requests so far.
    pub fn log(&self) -> Vec<Request> {
        self.shared.log.lock().unwrap().clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Relaxed);
        // Wakes the thread that accepts connections.
        let _ = TcpStream::connect(self.address);
    }
}

/// Signs `request`, as moto requires a signature of S3, but does not verify it.
fn signed(mut request: Message) -> Message {
    if request.header("Authorization").is_some_and(|value| !value.starts_with("Bearer")) {
        return request;
    }
    request.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("Authorization"));
    request.with("Authorization", SIGNED)
}

impl Shared {
    fn serve(&self, mut client: &TcpStream) -> io::Result<()> {
        client.set_nodelay(true)?;
        let mut reader = BufReader::new(client);
        while let Some(mut request) = Message::read_head(&mut reader)? {
            let recorded = self.record(&request);
            let fault = (self.plan)(&recorded);
            if let Fault::CutRequest(bytes) = fault {
                let bytes = request.length().unwrap_or(0).min(bytes as u64);
                io::copy(&mut reader.take(bytes), &mut io::sink())?;
                return client.shutdown(Shutdown::Both);
            }
            request.body = request.read_body(&mut reader, MessageKind::Request)?;
            let is_head = recorded.method == "HEAD";
            if let Fault::Respond { status, headers, body } = fault {
                let response = Message::response(status, headers, body.into_bytes());
                client.write_all(&response.to_bytes(is_head))?;
                continue;
            }
            let response = send(self.upstream, &signed(request))?;
            if !self.respond(client, response, &fault, is_head)? {
                return client.shutdown(Shutdown::Both);
            }
        }
        Ok(())
    }

    /// Logs a request.
    fn record(&self, request: &Message) -> Request {
        let mut words = request.first_line.split(' ');
        let mut next = || words.next().unwrap_or_default().to_owned();
        let mut log = self.log.lock().unwrap();
        let recorded = Request {
            number: log.len(),
            method: next(),
            target: next(),
            headers: request.headers.clone(),
            body_bytes: request.length().map_or(0, |length| usize::try_from(length).unwrap()),
        };
        log.push(recorded.clone());
        recorded
    }

    /// Sends `response` to the client, and returns whether the connection stays open.
    fn respond(
        &self,
        mut client: &TcpStream,
        mut response: Message,
        fault: &Fault,
        is_head: bool,
    ) -> io::Result<bool> {
        match *fault {
            Fault::Shorten(bytes) => response.body.truncate(bytes),
            Fault::Change(change) => change(&mut response),
            _ => {}
        }
        let whole = response.to_bytes(is_head);
        match *fault {
            Fault::CutResponse(bytes) | Fault::Stall(bytes) => {
                client.write_all(&whole[..bytes.min(whole.len())])?;
            }
            _ => return client.write_all(&whole).map(|()| true),
        }
        if matches!(fault, Fault::Stall(_)) {
            self.wait_for_end(client)?;
        }
        Ok(false)
    }

    /// Waits until the client closes the connection or the proxy is dropped.
    fn wait_for_end(&self, mut client: &TcpStream) -> io::Result<()> {
        client.set_read_timeout(Some(POLL_INTERVAL))?;
        while !self.stopped.load(Ordering::Relaxed) {
            match client.read(&mut [0; 64]) {
                Ok(0) => return Ok(()),
                Err(error)
                    if !matches!(
                        error.kind(),
                        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
                    ) =>
                {
                    return Err(error);
                }
                _ => {}
            }
        }
        Ok(())
    }
}
