//! HTTP/1.1 as far as tests need it: whole messages, one request a connection.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

/// What a message without a length is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoMessage {
    /// A request: it has no body.
    Request,
    /// An answer: its body ends with the connection.
    Answer,
    /// An answer to HEAD: it has no body whatever its headers say.
    AnswerToHead,
}

/// A request or an answer.
#[derive(Clone, Debug, Default)]
pub struct Message {
    pub first_line: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Message {
    /// A request to a server at this address.
    pub fn request(method: &str, target: &str, body: impl Into<Vec<u8>>) -> Self {
        let first_line = format!("{method} {target} HTTP/1.1");
        Self { first_line, headers: Vec::new(), body: body.into() }
    }

    /// An answer.
    pub fn answer(status: u16, headers: Vec<(&'static str, String)>, body: Vec<u8>) -> Self {
        let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { first_line: format!("HTTP/1.1 {status} Injected"), headers, body }
    }

    /// Adds a header.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The status of an answer.
    pub fn status(&self) -> u16 {
        self.first_line.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or_default()
    }

    /// The value of the header `name`.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The length that its head tells.
    pub fn length(&self) -> Option<u64> {
        self.header("Content-Length").and_then(|value| value.parse().ok())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Reads an answer; `None` where the stream ends before it begins.
    pub fn read(stream: impl Read, kind: NoMessage) -> io::Result<Option<Self>> {
        let mut stream = BufReader::new(stream);
        let Some(mut message) = Self::read_head(&mut stream)? else { return Ok(None) };
        message.body = message.read_body(&mut stream, kind)?;
        Ok(Some(message))
    }

    /// Reads a message up to its body; `None` where the stream ends before it begins.
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
            // That is between the two ends of one connection.
            if !name.eq_ignore_ascii_case("Connection") {
                message.headers.push((name.to_owned(), value.trim().to_owned()));
            }
        }
        Ok(Some(message))
    }

    /// Reads what stands behind the head.
    pub fn read_body(&self, mut stream: impl BufRead, kind: NoMessage) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        let is_chunked = self.header("Transfer-Encoding").is_some_and(|value| value == "chunked");
        let length = self.length();
        let has_none = kind == NoMessage::AnswerToHead || matches!(self.status(), 204 | 304);
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
            None if kind == NoMessage::Answer => _ = stream.read_to_end(&mut body)?,
            None => {}
        }
        Ok(body)
    }

    /// The message as it is sent, with the length of its body; an answer to HEAD keeps the length
    /// that it tells.
    pub fn to_bytes(&self, is_answer_to_head: bool) -> Vec<u8> {
        let mut bytes = format!("{}\r\n", self.first_line).into_bytes();
        for (name, value) in &self.headers {
            let is_length = name.eq_ignore_ascii_case("Content-Length");
            let is_chunked = name.eq_ignore_ascii_case("Transfer-Encoding");
            if !is_chunked && (!is_length || is_answer_to_head) {
                bytes.extend(format!("{name}: {value}\r\n").into_bytes());
            }
        }
        if !is_answer_to_head && !matches!(self.status(), 204 | 304) {
            bytes.extend(format!("Content-Length: {}\r\n", self.body.len()).into_bytes());
        }
        bytes.extend(b"\r\n");
        if !is_answer_to_head {
            bytes.extend(&self.body);
        }
        bytes
    }
}

/// Sends `request` to the server at `address`, and reads the answer.
pub fn send(address: SocketAddr, request: &Message) -> io::Result<Message> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut request = request.clone().with("Connection", "close");
    if request.header("Host").is_none() {
        request = request.with("Host", address.to_string());
    }
    stream.write_all(&request.to_bytes(false))?;
    let is_head = request.first_line.starts_with("HEAD ");
    let kind = if is_head { NoMessage::AnswerToHead } else { NoMessage::Answer };
    // The stream is dropped with the connection: the server sees its end.
    Message::read(&stream, kind)?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}
