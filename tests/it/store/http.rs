//! A minimal HTTP/1.1: complete messages, one request per connection.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

/// The kind of a message, which determines its body if it has no length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// A request, which has no body without a length.
    Request,
    /// A response, whose body without a length ends with the connection.
    Response,
    /// A response to HEAD, which has no body even if it has a length.
    ResponseToHead,
}

/// A request or a response.
#[derive(Clone, Debug, Default)]
pub struct Message {
    pub first_line: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Message {
    /// Creates a request.
    pub fn request(method: &str, target: &str, body: impl Into<Vec<u8>>) -> Self {
        let first_line = format!("{method} {target} HTTP/1.1");
        Self { first_line, headers: Vec::new(), body: body.into() }
    }

    /// Creates a response.
    pub fn response(status: u16, headers: Vec<(&'static str, String)>, body: Vec<u8>) -> Self {
        let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { first_line: format!("HTTP/1.1 {status} Injected"), headers, body }
    }

    /// Adds a header.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Returns the status of a response.
    pub fn status(&self) -> u16 {
        self.first_line.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or_default()
    }

    /// Returns the value of the header `name`.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Returns the length of the body according to the headers.
    pub fn length(&self) -> Option<u64> {
        self.header("Content-Length").and_then(|value| value.parse().ok())
    }

    /// Returns the body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Reads a message; `None` if the stream is at its end.
    pub fn read(stream: impl Read, kind: MessageKind) -> io::Result<Option<Self>> {
        let mut stream = BufReader::new(stream);
        let Some(mut message) = Self::read_head(&mut stream)? else { return Ok(None) };
        message.body = message.read_body(&mut stream, kind)?;
        Ok(Some(message))
    }

    /// Reads a message without its body; `None` if the stream is at its end.
    pub fn read_head(mut stream: impl BufRead) -> io::Result<Option<Self>> {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let mut message = Self { first_line: line.trim_end().to_owned(), ..Self::default() };
        loop {
            line.clear();
            if stream.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let header = line.trim_end();
            if header.is_empty() {
                break;
            }
            let (name, value) = header.split_once(':').unwrap_or((header, ""));
            // This header concerns a single connection.
            if !name.eq_ignore_ascii_case("Connection") {
                message.headers.push((name.to_owned(), value.trim().to_owned()));
            }
        }
        Ok(Some(message))
    }

    /// Reads the body after the head.
    pub fn read_body(&self, mut stream: impl BufRead, kind: MessageKind) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        let is_chunked = self.header("Transfer-Encoding").is_some_and(|value| value == "chunked");
        let length = self.length();
        let has_none = kind == MessageKind::ResponseToHead || matches!(self.status(), 204 | 304);
        match length {
            _ if has_none => {}
            _ if is_chunked => loop {
                let mut line = String::new();
                stream.read_line(&mut line)?;
                let size = u64::from_str_radix(line.trim(), 16).map_err(io::Error::other)?;
                stream.by_ref().take(size).read_to_end(&mut body)?;
                stream.read_line(&mut line)?;
                if size == 0 {
                    break;
                }
            },
            Some(length) => _ = stream.by_ref().take(length).read_to_end(&mut body)?,
            None if kind == MessageKind::Response => _ = stream.read_to_end(&mut body)?,
            None => {}
        }
        Ok(body)
    }

    /// Returns the bytes of the message, with the length of its body. A response to HEAD keeps its
    /// own length.
    pub fn to_bytes(&self, is_response_to_head: bool) -> Vec<u8> {
        let mut bytes = format!("{}\r\n", self.first_line).into_bytes();
        for (name, value) in &self.headers {
            let is_length = name.eq_ignore_ascii_case("Content-Length");
            let is_chunked = name.eq_ignore_ascii_case("Transfer-Encoding");
            if !is_chunked && (!is_length || is_response_to_head) {
                bytes.extend(format!("{name}: {value}\r\n").into_bytes());
            }
        }
        if !is_response_to_head && !matches!(self.status(), 204 | 304) {
            bytes.extend(format!("Content-Length: {}\r\n", self.body.len()).into_bytes());
        }
        bytes.extend(b"\r\n");
        if !is_response_to_head {
            bytes.extend(&self.body);
        }
        bytes
    }
}

/// Sends `request` to the server at `address`, and reads the response.
pub fn send(address: SocketAddr, request: &Message) -> io::Result<Message> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut request = request.clone().with("Connection", "close");
    if request.header("Host").is_none() {
        request = request.with("Host", address.to_string());
    }
    stream.write_all(&request.to_bytes(false))?;
    let is_head = request.first_line.starts_with("HEAD ");
    let kind = if is_head { MessageKind::ResponseToHead } else { MessageKind::Response };
    // Dropping the stream closes the connection.
    Message::read(&stream, kind)?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}
