//! A proxy between the program and an object store that injects faults.
//!
//! It takes one request after another from each connection, asks a plan what becomes of it before
//! its body has come, and keeps a log. Bodies are held whole: they are those of tests.

use std::io::{self, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::http::{Message, NoMessage, send};
use super::moto::SIGNED;

/// How often a thread that waits looks whether the proxy has been dropped.
const PAUSE: Duration = Duration::from_millis(20);

/// A request as it went through the proxy.
#[derive(Clone, Debug)]
pub struct Request {
    /// How many requests came before it.
    pub number: usize,
    /// Its method.
    pub method: String,
    /// Its path and query.
    pub target: String,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// The length of its body.
    pub body_bytes: usize,
}

impl Request {
    /// Whether it uploads a part of an object.
    pub fn is_part(&self) -> bool {
        self.method == "PUT" && (self.has("partNumber=") || self.has("comp=block&"))
    }

    /// Whether it makes one object of parts.
    pub fn is_completion(&self) -> bool {
        let is_post = self.method == "POST" && self.has("uploadId=");
        is_post || (self.method == "PUT" && self.has("comp=blocklist"))
    }

    /// Whether it uploads a whole object.
    pub fn is_whole(&self) -> bool {
        self.method == "PUT" && !self.target.contains('?')
    }

    /// Whether its target holds `text`.
    pub fn has(&self, text: &str) -> bool {
        self.target.contains(text)
    }

    /// The value of the header `name`.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// What becomes of a request.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It is answered as the store answers it.
    None,
    /// The store does not see it; this is the answer.
    Answer { status: u16, headers: Vec<(&'static str, String)>, body: String },
    /// The store does not see it: the connection is closed after so many bytes of its body.
    CutRequest(usize),
    /// The store has carried it out: the connection is closed after so many bytes of the answer.
    CutAnswer(usize),
    /// The store has carried it out: after so many bytes of the answer nothing comes.
    Stall(usize),
    /// The body of the answer ends after so many bytes, as if it were whole.
    Shorten(usize),
    /// The answer is changed on its way.
    Change(fn(&mut Message)),
}

impl Fault {
    /// The answer of an S3 store with an error.
    pub fn s3_error(status: u16, code: &str) -> Self {
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code>\
             <Message>injected</Message></Error>"
        );
        Self::Answer { status, headers: vec![("Content-Type", "application/xml".into())], body }
    }

    /// The answer of a store that has too much to do for so many seconds.
    pub fn slow_down(seconds: u32) -> Self {
        match Self::s3_error(503, "SlowDown") {
            Self::Answer { status, mut headers, body } => {
                headers.push(("Retry-After", seconds.to_string()));
                Self::Answer { status, headers, body }
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

/// A proxy on a port of its own, which is there until it is dropped.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Proxy {
    /// A proxy in front of the server at `upstream`.
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
                // A client that goes away in the middle is no concern of the proxy.
                thread::spawn(move || _ = shared.serve(&client));
            }
        });
        Self { address, shared }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The requests so far.
    pub fn log(&self) -> Vec<Request> {
        self.shared.log.lock().unwrap().clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Relaxed);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
    }
}

/// `request` with a signature of S3: moto wants one, checks none, and fails at others.
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
            let seen = self.see(&request);
            let fault = (self.plan)(&seen);
            if let Fault::CutRequest(bytes) = fault {
                let bytes = request.length().unwrap_or(0).min(bytes as u64);
                io::copy(&mut reader.take(bytes), &mut io::sink())?;
                return client.shutdown(Shutdown::Both);
            }
            request.body = request.read_body(&mut reader, NoMessage::Request)?;
            let is_head = seen.method == "HEAD";
            if let Fault::Answer { status, headers, body } = fault {
                let answer = Message::answer(status, headers, body.into_bytes());
                client.write_all(&answer.to_bytes(is_head))?;
                continue;
            }
            let answer = send(self.upstream, &signed(request))?;
            if !self.give(client, answer, &fault, is_head)? {
                return client.shutdown(Shutdown::Both);
            }
        }
        Ok(())
    }

    /// Notes a request.
    fn see(&self, request: &Message) -> Request {
        let mut words = request.first_line.split(' ');
        let mut next = || words.next().unwrap_or_default().to_owned();
        let mut log = self.log.lock().unwrap();
        let seen = Request {
            number: log.len(),
            method: next(),
            target: next(),
            headers: request.headers.clone(),
            body_bytes: request.length().map_or(0, |length| usize::try_from(length).unwrap()),
        };
        log.push(seen.clone());
        seen
    }

    /// Gives `answer` to the client, and says whether the connection goes on.
    fn give(
        &self,
        mut client: &TcpStream,
        mut answer: Message,
        fault: &Fault,
        is_head: bool,
    ) -> io::Result<bool> {
        match *fault {
            Fault::Shorten(bytes) => answer.body.truncate(bytes),
            Fault::Change(change) => change(&mut answer),
            _ => {}
        }
        let whole = answer.to_bytes(is_head);
        match *fault {
            Fault::CutAnswer(bytes) | Fault::Stall(bytes) => {
                client.write_all(&whole[..bytes.min(whole.len())])?;
            }
            _ => return client.write_all(&whole).map(|()| true),
        }
        if matches!(fault, Fault::Stall(_)) {
            self.wait_for_end(client)?;
        }
        Ok(false)
    }

    /// Waits until the client hangs up, or the proxy is dropped.
    fn wait_for_end(&self, mut client: &TcpStream) -> io::Result<()> {
        client.set_read_timeout(Some(PAUSE))?;
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
