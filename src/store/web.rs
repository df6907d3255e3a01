//! Requests of single objects from web servers.

use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::StatusCode;
use http::header::{
    CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap, HeaderName, IF_MATCH, LAST_MODIFIED, RANGE,
};
use object_store::client::{HttpClient, HttpErrorKind, HttpRequest, HttpRequestBody, HttpResponse};

use super::error::{StoreError, StoreErrorKind};
use super::error_response::ErrorResponse;
use super::explain::{self, REPLACED};
use super::object::ByteStream;
use super::setting;
use super::url::Scheme;

/// The number of attempts of a request.
const ATTEMPTS: u32 = 6;
/// The delay before the second attempt; it doubles with each further one.
const RETRY_DELAY: Duration = Duration::from_millis(100);

/// The metadata of an object.
pub(super) struct Head {
    /// The size in bytes, if the server reports it.
    pub size: Option<u64>,
    /// The ETag, or the modification time if there is none.
    pub tag: Option<Box<str>>,
    /// Whether the server supports range requests.
    pub is_ranged: bool,
}

/// Requests the metadata of the object at `address`. Errors name it `url`. Requests the first byte,
/// as signed addresses may permit only GET requests.
///
/// # Errors
/// Returns an error if the object does not exist or the server refuses the request.
pub(super) async fn head(
    client: &HttpClient,
    address: &str,
    url: &str,
) -> Result<Head, StoreError> {
    let response = match send(client, address, Some("bytes=0-0".into()), None, url).await {
        // Empty objects have no first byte.
        Err(RequestError::Response(error)) if error.status == 416 => {
            return Ok(Head { size: Some(0), tag: None, is_ranged: true });
        }
        response => response.map_err(|error| error.explain(url))?,
    };
    let headers = response.headers();
    let tag = tag(headers);
    Ok(match response.status() {
        StatusCode::PARTIAL_CONTENT => Head { size: total_size(headers), tag, is_ranged: true },
        _ => Head { size: header_number(headers, &CONTENT_LENGTH), tag, is_ranged: false },
    })
}

/// Requests the object at `address`, or a range of it, if its ETag or modification time is still
/// `tag`.
///
/// # Errors
/// Returns an error if the object has changed or the server refuses the request.
pub(super) async fn open(
    client: &HttpClient,
    address: &str,
    range: Option<Range<u64>>,
    tag: Option<&str>,
    url: &str,
) -> Result<ByteStream, StoreError> {
    let header =
        range.as_ref().map(|range| format!("bytes={}-{}", range.start, range.end.max(1) - 1));
    let response = send(client, address, header, tag, url).await;
    let response = response.map_err(|error| error.explain(url))?;
    let is_partial = response.status() == StatusCode::PARTIAL_CONTENT;
    let is_same = match (tag, self::tag(response.headers())) {
        (Some(tag), Some(now)) => *tag == *now,
        _ => true,
    };
    if range.is_some() != is_partial || !is_same {
        return Err(StoreError::new(url, StoreErrorKind::Replaced, REPLACED));
    }
    let url = url.to_owned();
    let body = response.into_body().bytes_stream();
    Ok(body.map(move |chunk| chunk.map_err(|error| explain::explain_http(&url, &error))).boxed())
}

/// Returns `stream` without its first `count` bytes.
pub(super) fn skip_bytes(stream: ByteStream, count: u64) -> ByteStream {
    if count == 0 {
        return stream;
    }
    let rest = stream.scan(count, |left, chunk| {
        let chunk = chunk.map(|mut chunk| {
            let skipped = usize::try_from(*left).unwrap_or(usize::MAX).min(chunk.len());
            *left -= skipped as u64;
            chunk.split_off(skipped)
        });
        std::future::ready(Some(chunk))
    });
    let is_not_empty = |chunk: &Result<Bytes, StoreError>| {
        std::future::ready(chunk.as_ref().map_or(true, |chunk| !chunk.is_empty()))
    };
    rest.filter(is_not_empty).boxed()
}

/// The error of a request.
enum RequestError {
    Response(ErrorResponse),
    Other(StoreError),
}

impl RequestError {
    fn explain(self, url: &str) -> StoreError {
        match self {
            Self::Response(error) => explain::explain_response(Scheme::Web, url, &error),
            Self::Other(error) => error,
        }
    }
}

/// Sends a GET request, with retries.
async fn send(
    client: &HttpClient,
    address: &str,
    range: Option<String>,
    tag: Option<&str>,
    url: &str,
) -> Result<HttpResponse, RequestError> {
    let request = || {
        let mut request = http::Request::get(address);
        if let Some(range) = &range {
            request = request.header(RANGE, range);
        }
        // Only strong ETags can be conditions; others are compared with that of the response.
        if let Some(tag) = tag.filter(|tag| tag.starts_with('"')) {
            request = request.header(IF_MATCH, tag);
        }
        request.body(HttpRequestBody::empty())
    };
    let mut delay = RETRY_DELAY;
    let mut attempt = 1;
    loop {
        let request = request().ok().filter(|_| setting::is_address(address));
        let request: HttpRequest = request.ok_or_else(|| {
            let message = "not a valid address; spaces and other special characters must be percent-encoded, as %20";
            RequestError::Other(StoreError::new(url, StoreErrorKind::Other, message))
        })?;
        let (error, is_transient) = match client.execute(request).await {
            Ok(response) if response.status().is_success() => return Ok(response),
            Ok(response) => {
                let status = response.status();
                let body = response.into_body().bytes().await.unwrap_or_default();
                let error = ErrorResponse::find(&String::from_utf8_lossy(&body))
                    .unwrap_or_else(|| ErrorResponse::new(status.as_u16(), None, b"", None));
                let is_transient = matches!(status.as_u16(), 408 | 429 | 500..=599);
                (RequestError::Response(error), is_transient)
            }
            Err(error) => {
                let is_transient = error.kind() != HttpErrorKind::Decode;
                (RequestError::Other(explain::explain_http(url, &error)), is_transient)
            }
        };
        if !is_transient || attempt == ATTEMPTS {
            return Err(error);
        }
        tokio::time::sleep(delay).await;
        delay *= 2;
        attempt += 1;
    }
}

/// The ETag, or the modification time if there is none.
fn tag(headers: &HeaderMap) -> Option<Box<str>> {
    let tag = headers.get(ETAG).or_else(|| headers.get(LAST_MODIFIED))?;
    tag.to_str().ok().map(Into::into)
}

fn header_number(headers: &HeaderMap, name: &HeaderName) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

/// Returns the size of the whole object from a partial response.
fn total_size(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_RANGE)?.to_str().ok()?.rsplit('/').next()?.trim().parse().ok()
}
