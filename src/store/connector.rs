//! Requests on their way to a store, and what is kept of its answers where it refuses.
//!
//! An answer that says no is reduced to its status, the code that the store gives, and the region of
//! a bucket: other parts of such answers hold what was signed, tokens and names of accounts, and
//! must not come into a message.

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

use super::page::Page;
use super::refusal::Refusal;
use super::replace::Replace;

/// How long a store may take to answer a request with a body, and how many bytes of it a second are
/// the least that it is sent: many parts share a line.
const PATIENCE: Duration = Duration::from_secs(60);
const SLOWEST_BYTES_A_SECOND: u64 = 32 << 10;
/// What is not bounded otherwise.
const LONGEST_SENDING: Duration = Duration::from_secs(24 * 60 * 60);
/// A store that asks for a longer pause does not get it.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// No more is read of an answer that says no.
const LONGEST_BODY: usize = 64 << 10;

/// Connects to a store.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Connector {
    /// Objects stored with `Content-Encoding: gzip` are to come as they are stored.
    pub as_stored: bool,
    /// Objects are written, and perhaps may not take the places of others.
    pub writes: Option<Replace>,
}

impl Connector {
    /// Gives TLS its cryptography, which it needs before the first client is made. Once more is no
    /// error.
    pub fn prepare() {
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        Self::prepare();
        let inner = ReqwestConnector::default().connect(options)?;
        // The silence while a body is sent is that of the store.
        let silent = options.clone().with_read_timeout(LONGEST_SENDING);
        let sender =
            self.writes.map(|_| ReqwestConnector::default().connect(&silent)).transpose()?;
        // Google Cloud Storage knows no such condition there.
        let keeps = self.writes == Some(Replace::Never) && !self.as_stored;
        Ok(HttpClient::new(Guarded { inner, sender, as_stored: self.as_stored, keeps }))
    }
}

/// A client whose refusals can be shown.
#[derive(Debug)]
struct Guarded {
    inner: HttpClient,
    /// For requests with a body.
    sender: Option<HttpClient>,
    as_stored: bool,
    /// Whether objects are completed only where there is none.
    keeps: bool,
}

impl Guarded {
    /// Sends `request`, and waits for the answer as long as its body takes on a slow line.
    async fn execute(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let bytes = request.body().content_length();
        match &self.sender {
            Some(sender) if bytes > 0 => {
                let time = PATIENCE + Duration::from_secs(bytes as u64 / SLOWEST_BYTES_A_SECOND);
                let answer = tokio::time::timeout(time, sender.execute(request)).await;
                answer
                    .unwrap_or_else(|elapsed| Err(HttpError::new(HttpErrorKind::Timeout, elapsed)))
            }
            _ => self.inner.execute(request).await,
        }
    }
}

/// Makes a request that completes an object in parts one that fails where there is an object.
///
/// The clients of `object_store` have no such option. The header comes after the signature, which
/// does not have to cover it in S3 and Google Cloud Storage, and must in Azure with the key of an
/// account: there, nothing is done.
fn keep(request: &mut HttpRequest) {
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
impl HttpService for Guarded {
    async fn call(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let is_head = request.method() == Method::HEAD;
        if self.as_stored && request.method() == Method::GET {
            request.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        }
        if self.keeps {
            keep(&mut request);
        }
        let page = Page::of(request.method(), request.uri());
        let response = self.execute(request).await?;
        let status = response.status();
        let is_refusal = status.is_client_error() || status.is_server_error();
        let is_elsewhere = status.is_redirection() && status != StatusCode::NOT_MODIFIED;
        if !is_refusal && !is_elsewhere {
            return match page {
                Some(page) => whole(response, page).await,
                None => Ok(response),
            };
        }
        if let Some(pause) = pause(&response) {
            tokio::time::sleep(pause).await;
        }
        reduced(response, is_head).await
    }
}

/// `response`, once it has come to its end and is a whole page of a listing.
async fn whole(response: HttpResponse, page: Page) -> Result<HttpResponse, HttpError> {
    let (parts, body) = response.into_parts();
    let body = body.bytes().await?;
    page.check(&body).map_err(|broken| HttpError::new(HttpErrorKind::Decode, broken))?;
    Ok(HttpResponse::from_parts(parts, body.into()))
}

/// How long the store asks to wait before the next request.
fn pause(response: &HttpResponse) -> Option<Duration> {
    let asks = matches!(
        response.status(),
        StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::TOO_MANY_REQUESTS
            | StatusCode::INTERNAL_SERVER_ERROR
    );
    let seconds = response.headers().get(RETRY_AFTER).filter(|_| asks)?;
    let seconds: u64 = seconds.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_PAUSE))
}

/// `response` with nothing in its body but a [`Refusal`].
async fn reduced(response: HttpResponse, is_head: bool) -> Result<HttpResponse, HttpError> {
    let (mut parts, body) = response.into_parts();
    let header = |name: &str| parts.headers.get(name)?.to_str().ok().map(str::to_owned);
    let (region, code) = (header("x-amz-bucket-region"), header("x-ms-error-code"));
    let body = if is_head { Vec::new() } else { beginning(body).await };
    let refusal = Refusal::new(parts.status.as_u16(), code.as_deref(), &body, region.as_deref());
    if parts.status.is_redirection() {
        // Only the body of an error comes through.
        parts.status = StatusCode::BAD_REQUEST;
    }
    parts.headers.remove(CONTENT_LENGTH);
    Ok(HttpResponse::from_parts(parts, refusal.to_string().into()))
}

/// The first bytes of a body.
async fn beginning(body: HttpResponseBody) -> Vec<u8> {
    let (mut body, mut beginning) = (body.bytes_stream(), Vec::new());
    while let Some(Ok(piece)) = body.next().await
        && beginning.len() < LONGEST_BODY
    {
        beginning.extend_from_slice(&piece);
    }
    beginning
}

#[cfg(test)]
mod tests {
    use object_store::client::HttpRequestBody;

    use super::*;

    #[test]
    fn only_completions_are_made_to_fail_where_an_object_is() {
        for (method, target, authorization, kept) in [
            ("POST", "/b/k?uploadId=1", "AWS4-HMAC-SHA256 x", true),
            ("POST", "/b/k?uploads", "AWS4-HMAC-SHA256 x", false),
            ("PUT", "/b/k?partNumber=1&uploadId=1", "AWS4-HMAC-SHA256 x", false),
            ("DELETE", "/b/k?uploadId=1", "AWS4-HMAC-SHA256 x", false),
            ("PUT", "/c/k?comp=blocklist", "Bearer x", true),
            ("PUT", "/c/k?comp=block&blockid=1", "Bearer x", false),
            // Its signature would have to cover the header.
            ("PUT", "/c/k?comp=blocklist", "SharedKey x", false),
        ] {
            let request = http::Request::builder().method(method).uri(target);
            let request = request.header(AUTHORIZATION, authorization);
            let mut request = request.body(HttpRequestBody::empty()).unwrap();
            keep(&mut request);
            assert_eq!(request.headers().contains_key(IF_NONE_MATCH), kept, "{method} {target}");
        }
    }
}
