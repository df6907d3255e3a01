//! An HTTP connector that adapts requests, checks listings and redacts error responses.
//!
//! Error responses are reduced to their status, the error code and the region of the bucket. Their
//! other parts contain signed texts, tokens and account names, which must not appear in messages.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, HeaderValue, IF_NONE_MATCH, RETRY_AFTER,
};
use http::{Method, StatusCode};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
    HttpResponseBody, HttpService, ReqwestConnector,
};

use super::error_response::ErrorResponse;
use super::page_check::ListingFormat;
use super::replace::Replace;

/// The timeout of requests with a body is this time plus the time of sending the body at the
/// minimum rate, as many parts share a connection.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(60);
const MIN_BYTES_PER_SECOND: u64 = 32 << 10;
/// The read timeout of clients that have the timeout above instead.
const NO_READ_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);
/// The maximum delay that a `Retry-After` header can request.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);

/// The maximum length of an error response that is read, in bytes.
const MAX_ERROR_BYTES: usize = 64 << 10;

/// Creates HTTP clients for a store.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Connector {
    /// Whether objects stored with `Content-Encoding: gzip` are requested without decompression.
    pub as_stored: bool,
    /// Whether uploads overwrite objects; `None` if the client only reads.
    pub writes: Option<Replace>,
}

impl Connector {
    /// Installs the cryptography of TLS, which must precede the first client. Later calls do
    /// nothing.
    pub fn prepare() {
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        Self::prepare();
        let inner = ReqwestConnector::default().connect(options)?;
        // While a body is sent, the store sends nothing.
        let sender_options = options.clone().with_read_timeout(NO_READ_TIMEOUT);
        let sender = self
            .writes
            .map(|_| ReqwestConnector::default().connect(&sender_options))
            .transpose()?;
        // Google Cloud Storage does not support the condition for completions.
        let is_create_only = self.writes == Some(Replace::Never) && !self.as_stored;
        Ok(HttpClient::new(StoreService {
            inner,
            sender,
            as_stored: self.as_stored,
            is_create_only,
        }))
    }
}

/// The HTTP service of the clients of `object_store`.
#[derive(Debug)]
struct StoreService {
    inner: HttpClient,
    /// The client for requests with a body.
    sender: Option<HttpClient>,
    as_stored: bool,
    /// Whether multipart uploads must not overwrite objects.
    is_create_only: bool,
}

impl StoreService {
    /// Sends `request`, with a timeout that depends on the length of its body.
    async fn execute(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let bytes = request.body().content_length();
        match &self.sender {
            Some(sender) if bytes > 0 => {
                let time =
                    RESPONSE_TIMEOUT + Duration::from_secs(bytes as u64 / MIN_BYTES_PER_SECOND);
                let answer = tokio::time::timeout(time, sender.execute(request)).await;
                answer
                    .unwrap_or_else(|elapsed| Err(HttpError::new(HttpErrorKind::Timeout, elapsed)))
            }
            _ => self.inner.execute(request).await,
        }
    }
}

/// Makes the completion of a multipart upload fail if the object exists.
///
/// The clients of `object_store` have no such option. The header is added after the signature. S3
/// accepts that; Azure requires the header to be signed if the request is signed with an account
/// key, so nothing is added there.
fn require_absence(request: &mut HttpRequest) {
    let query = request.uri().query().unwrap_or_default();
    let has = |name: &str| query.split('&').any(|pair| pair.split('=').next() == Some(name));
    let is_s3 = request.method() == Method::POST && has("uploadId");
    let is_azure = request.method() == Method::PUT
        && query.split('&').any(|pair| pair == "comp=blocklist")
        && !request
            .headers()
            .get(AUTHORIZATION)
            .is_some_and(|it| it.as_bytes().starts_with(b"SharedKey"));
    if is_s3 || is_azure {
        request.headers_mut().insert(IF_NONE_MATCH, HeaderValue::from_static("*"));
    }
}

#[async_trait]
impl HttpService for StoreService {
    async fn call(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let is_head = request.method() == Method::HEAD;
        if self.as_stored && request.method() == Method::GET {
            request.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        }
        if self.is_create_only {
            require_absence(&mut request);
        }
        let listing = ListingFormat::of_request(request.method(), request.uri());
        let response = self.execute(request).await?;
        let status = response.status();
        let is_error = status.is_client_error() || status.is_server_error();
        let is_redirect = status.is_redirection() && status != StatusCode::NOT_MODIFIED;
        if !is_error && !is_redirect {
            return match listing {
                Some(format) => checked_page(response, format).await,
                None => Ok(response),
            };
        }
        if let Some(delay) = retry_after(&response) {
            tokio::time::sleep(delay).await;
        }
        redacted(response, is_head).await
    }
}

/// Receives the body of `response`, and checks that it is a complete page of a listing.
async fn checked_page(
    response: HttpResponse,
    format: ListingFormat,
) -> Result<HttpResponse, HttpError> {
    let (parts, body) = response.into_parts();
    let body = body.bytes().await?;
    format.check(&body).map_err(|error| HttpError::new(HttpErrorKind::Decode, error))?;
    Ok(HttpResponse::from_parts(parts, body.into()))
}

/// Returns the delay that the store requests with `Retry-After`.
fn retry_after(response: &HttpResponse) -> Option<Duration> {
    let is_overloaded = matches!(
        response.status(),
        StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::TOO_MANY_REQUESTS
            | StatusCode::INTERNAL_SERVER_ERROR
    );
    let seconds = response.headers().get(RETRY_AFTER).filter(|_| is_overloaded)?;
    let seconds: u64 = seconds.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(MAX_RETRY_AFTER))
}

/// Replaces the body of an error response by the text of an [`ErrorResponse`].
async fn redacted(response: HttpResponse, is_head: bool) -> Result<HttpResponse, HttpError> {
    let (mut parts, body) = response.into_parts();
    let header = |name: &str| parts.headers.get(name)?.to_str().ok().map(str::to_owned);
    let (region, code) = (header("x-amz-bucket-region"), header("x-ms-error-code"));
    let body = if is_head { Vec::new() } else { first_bytes(body).await };
    let error =
        ErrorResponse::new(parts.status.as_u16(), code.as_deref(), &body, region.as_deref());
    if parts.status.is_redirection() {
        // `object_store` passes on only the bodies of client errors.
        parts.status = StatusCode::BAD_REQUEST;
    }
    parts.headers.remove(CONTENT_LENGTH);
    Ok(HttpResponse::from_parts(parts, error.to_string().into()))
}

/// Reads about the first [`MAX_ERROR_BYTES`] of a body.
async fn first_bytes(body: HttpResponseBody) -> Vec<u8> {
    let (mut body, mut bytes) = (body.bytes_stream(), Vec::new());
    while let Some(Ok(chunk)) = body.next().await
        && bytes.len() < MAX_ERROR_BYTES
    {
        bytes.extend_from_slice(&chunk);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use object_store::client::HttpRequestBody;

    use super::*;

    #[test]
    fn only_completions_require_the_absence_of_the_object() {
        for (method, target, authorization, is_conditional) in [
            ("POST", "/b/k?uploadId=1", "AWS4-HMAC-SHA256 x", true),
            ("POST", "/b/k?uploads", "AWS4-HMAC-SHA256 x", false),
            ("PUT", "/b/k?partNumber=1&uploadId=1", "AWS4-HMAC-SHA256 x", false),
            ("DELETE", "/b/k?uploadId=1", "AWS4-HMAC-SHA256 x", false),
            ("PUT", "/c/k?comp=blocklist", "Bearer x", true),
            ("PUT", "/c/k?comp=block&blockid=1", "Bearer x", false),
            // Its signature would have to include the header.
            ("PUT", "/c/k?comp=blocklist", "SharedKey x", false),
        ] {
            let request = http::Request::builder().method(method).uri(target);
            let request = request.header(AUTHORIZATION, authorization);
            let mut request = request.body(HttpRequestBody::empty()).unwrap();
            require_absence(&mut request);
            assert_eq!(
                request.headers().contains_key(IF_NONE_MATCH),
                is_conditional,
                "{method} {target}"
            );
        }
    }
}
