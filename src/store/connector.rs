//! Requests on their way to a store, and what is kept of its answers where it refuses.
//!
//! An answer that says no is reduced to its status, the code that the store gives, and the region of
//! a bucket: other parts of such answers hold what was signed, tokens and names of accounts, and
//! must not come into a message.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use http::header::{ACCEPT_ENCODING, CONTENT_LENGTH, HeaderValue, RETRY_AFTER};
use http::{Method, StatusCode};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpResponseBody, HttpService,
    ReqwestConnector,
};

use super::refusal::Refusal;

/// A store that asks for a longer pause does not get it.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// No more is read of an answer that says no.
const LONGEST_BODY: usize = 64 << 10;

/// Connects to a store.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Connector {
    /// Objects stored with `Content-Encoding: gzip` are to come as they are stored.
    pub as_stored: bool,
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
        Ok(HttpClient::new(Guarded { inner, as_stored: self.as_stored }))
    }
}

/// A client whose refusals can be shown.
#[derive(Debug)]
struct Guarded {
    inner: HttpClient,
    as_stored: bool,
}

#[async_trait]
impl HttpService for Guarded {
    async fn call(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let is_head = request.method() == Method::HEAD;
        if self.as_stored && request.method() == Method::GET {
            request.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        }
        let response = self.inner.execute(request).await?;
        let status = response.status();
        let is_refusal = status.is_client_error() || status.is_server_error();
        let is_elsewhere = status.is_redirection() && status != StatusCode::NOT_MODIFIED;
        if !is_refusal && !is_elsewhere {
            return Ok(response);
        }
        if let Some(pause) = pause(&response) {
            tokio::time::sleep(pause).await;
        }
        reduced(response, is_head).await
    }
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
    let refusal = Refusal::new(parts.status.as_u16(), code.as_deref(), &body, region);
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
