//! Single objects of web servers.

use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::StatusCode;
use http::header::{
    CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap, HeaderName, IF_MATCH, LAST_MODIFIED, RANGE,
};
use object_store::client::{HttpClient, HttpErrorKind, HttpRequest, HttpRequestBody, HttpResponse};

use super::cause::{self, REPLACED};
use super::error::{StoreError, StoreErrorKind};
use super::object::Pieces;
use super::refusal::Refusal;
use super::url::Scheme;

/// How often a request is tried before it fails.
const ATTEMPTS: u32 = 6;
/// The pause before the second of them; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(100);

/// What a server says of an object.
pub(super) struct Head {
    /// Its size in bytes, if that is told.
    pub size: Option<u64>,
    /// What tells this version of it from others.
    pub tag: Option<Box<str>>,
    /// Whether the server gives parts of it.
    pub is_ranged: bool,
}

/// Looks at the object at `address`, which is called `url` before people. One byte is asked for: an
/// address that is signed may hold for nothing but reading.
///
/// # Errors
/// When there is none, or the server refuses.
pub(super) async fn head(
    client: &HttpClient,
    address: &str,
    url: &str,
) -> Result<Head, StoreError> {
    let response = match send(client, address, Some("bytes=0-0".into()), None, url).await {
        // A part of nothing is out of range.
        Err(Failed::Refused(refusal)) if refusal.status == 416 => {
            return Ok(Head { size: Some(0), tag: None, is_ranged: true });
        }
        response => response.map_err(|failed| failed.explained(url))?,
    };
    let headers = response.headers();
    let tag = tag(headers);
    Ok(match response.status() {
        StatusCode::PARTIAL_CONTENT => Head { size: whole(headers), tag, is_ranged: true },
        _ => Head { size: number(headers, &CONTENT_LENGTH), tag, is_ranged: false },
    })
}

/// Reads the object at `address`, or a part of it, if it has still this tag.
///
/// # Errors
/// When it is another one, or the server refuses.
pub(super) async fn open(
    client: &HttpClient,
    address: &str,
    part: Option<Range<u64>>,
    tag: Option<&str>,
    url: &str,
) -> Result<Pieces, StoreError> {
    let range = part.as_ref().map(|part| format!("bytes={}-{}", part.start, part.end.max(1) - 1));
    let response = send(client, address, range, tag, url).await;
    let response = response.map_err(|failed| failed.explained(url))?;
    let is_part = response.status() == StatusCode::PARTIAL_CONTENT;
    let is_same = match (tag, self::tag(response.headers())) {
        (Some(tag), Some(now)) => *tag == *now,
        _ => true,
    };
    if part.is_some() != is_part || !is_same {
        return Err(StoreError::new(url, StoreErrorKind::Replaced, REPLACED));
    }
    let url = url.to_owned();
    let body = response.into_body().bytes_stream();
    Ok(body.map(move |piece| piece.map_err(|error| cause::unreachable(&url, &error))).boxed())
}

/// `pieces` without the first `count` bytes.
pub(super) fn without(pieces: Pieces, count: u64) -> Pieces {
    if count == 0 {
        return pieces;
    }
    let rest = pieces.scan(count, |left, piece| {
        let piece = piece.map(|mut piece| {
            let passed = usize::try_from(*left).unwrap_or(usize::MAX).min(piece.len());
            *left -= passed as u64;
            piece.split_off(passed)
        });
        std::future::ready(Some(piece))
    });
    let is_some = |piece: &Result<Bytes, StoreError>| {
        std::future::ready(piece.as_ref().map_or(true, |piece| !piece.is_empty()))
    };
    rest.filter(is_some).boxed()
}

/// Why there is no answer.
enum Failed {
    Refused(Refusal),
    Other(StoreError),
}

impl Failed {
    fn explained(self, url: &str) -> StoreError {
        match self {
            Self::Refused(refusal) => cause::refused(Scheme::Web, url, &refusal),
            Self::Other(error) => error,
        }
    }
}

async fn send(
    client: &HttpClient,
    address: &str,
    range: Option<String>,
    tag: Option<&str>,
    url: &str,
) -> Result<HttpResponse, Failed> {
    let request = || {
        let mut request = http::Request::get(address);
        if let Some(range) = &range {
            request = request.header(RANGE, range);
        }
        // Only a strong tag can be asked for; others are compared with the answer's.
        if let Some(tag) = tag.filter(|tag| tag.starts_with('"')) {
            request = request.header(IF_MATCH, tag);
        }
        request.body(HttpRequestBody::empty())
    };
    let mut pause = PAUSE;
    let mut attempt = 1;
    loop {
        let request: HttpRequest = request().map_err(|_| {
            let message = "this is no address; write spaces and other such characters as %20";
            Failed::Other(StoreError::new(url, StoreErrorKind::Other, message))
        })?;
        let failed = match client.execute(request).await {
            Ok(response) if response.status().is_success() => return Ok(response),
            Ok(response) => {
                let status = response.status();
                let body = response.into_body().bytes().await.unwrap_or_default();
                let refusal = Refusal::find(&String::from_utf8_lossy(&body))
                    .unwrap_or_else(|| Refusal::new(status.as_u16(), None, b"", None));
                let passes = matches!(status.as_u16(), 408 | 429 | 500..=599);
                (Failed::Refused(refusal), passes)
            }
            Err(error) => {
                let passes = error.kind() != HttpErrorKind::Decode;
                (Failed::Other(cause::unreachable(url, &error)), passes)
            }
        };
        match failed {
            (_, true) if attempt < ATTEMPTS => {
                tokio::time::sleep(pause).await;
                pause *= 2;
                attempt += 1;
            }
            (failed, _) => return Err(failed),
        }
    }
}

/// What tells this version of an object from others.
fn tag(headers: &HeaderMap) -> Option<Box<str>> {
    let tag = headers.get(ETAG).or_else(|| headers.get(LAST_MODIFIED))?;
    tag.to_str().ok().map(Into::into)
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

/// The size of the whole, of an answer that is a part of it.
fn whole(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_RANGE)?.to_str().ok()?.rsplit('/').next()?.trim().parse().ok()
}
