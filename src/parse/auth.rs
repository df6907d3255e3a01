//! Authentication of captured deliveries: a secret in a header, a key in the path, a signature.

use std::borrow::Cow;
use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use subtle::ConstantTimeEq;

use super::capture::Headers;
use super::reject::{Reason, Refusal};
use crate::json::canonical::stringify;
use crate::json::{Json, raw};

/// The header that holds TrailSpark's secret.
pub const SECRET_HEADER: &str = "X-Api-Secret";
/// The header that holds Segment's signature.
pub const SIGNATURE_HEADER: &str = "X-Signature";

/// A text that must never be shown.
#[derive(Clone)]
pub struct Secret(Box<[u8]>);

impl Secret {
    /// Creates a secret. Returns `None` if `text` is empty.
    pub fn new(text: impl Into<Vec<u8>>) -> Option<Self> {
        let text = text.into();
        (!text.is_empty()).then(|| Self(text.into_boxed_slice()))
    }

    /// Returns `true` if `text` is the secret. The comparison takes constant time.
    pub fn is(&self, text: &[u8]) -> bool {
        self.0.ct_eq(text).into()
    }

    /// Returns the secret, so that it can be removed from output.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The credentials that captured deliveries must have. Events outside of a capture are not checked.
#[derive(Clone, Debug, Default)]
pub struct Auth {
    /// The value of `X-Api-Secret`.
    pub api_secret: Option<Secret>,
    /// The key in the path that TrailSpark issues.
    pub api_key: Option<Secret>,
    /// The key that signatures are made with.
    pub signing_secret: Option<Secret>,
}

/// The signed bytes, as far as the capture still has them.
#[derive(Clone, Copy, Debug)]
pub(super) enum Signed<'a> {
    /// The body as delivered.
    Text(&'a [u8]),
    /// A body that the capture holds as parsed JSON. The signature is that of its `JSON.stringify`
    /// text, because this is the text that Segment signs.
    Value(Json<'a>),
}

impl Auth {
    /// Returns all secrets that are set.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        [&self.api_secret, &self.api_key, &self.signing_secret].into_iter().flatten()
    }

    /// Checks the secret and the key of a delivery with these `headers` to `path`.
    ///
    /// # Errors
    /// Returns `unauthorized` with what was expected.
    pub(super) fn admit(&self, headers: &Headers<'_>, path: Option<&str>) -> Result<(), Refusal> {
        let refused = |detail: &'static str| Err(Refusal::new(Reason::Unauthorized, detail));
        if let Some(secret) = &self.api_secret {
            let (mut found, mut right) = (false, true);
            // Of a repeated header, every value must be right.
            headers.each(SECRET_HEADER, &mut |value| {
                found = true;
                right &= secret.is(value);
            });
            if !found {
                return refused("expected the header `X-Api-Secret`, found none");
            }
            if !right {
                return refused("the header `X-Api-Secret` is not the secret of --api-secret");
            }
        }
        if let Some(key) = &self.api_key {
            let Some(path) = path else {
                return refused("expected a path with the key of --api-key, found none");
            };
            if !is_for_key(path, key) {
                return refused(
                    "expected a path that ends in `/webhook/KEY`, `/webhook/SOURCE/KEY`, \
                     `/webhook/KEY/batch` or `/bulk/KEY`, with the key of --api-key",
                );
            }
        }
        Ok(())
    }

    /// Checks that a signature in `headers` is that of the body, or of its first element if the
    /// body is a batch. `scratch` is overwritten.
    ///
    /// Segment's documentation of webhooks signs `JSON.stringify(body)`, or
    /// `JSON.stringify(body[0])` for a batch, with HMAC-SHA1, in hex
    /// (<https://segment.com/docs/connections/destinations/catalog/webhooks/>).
    ///
    /// # Errors
    /// Returns `bad_signature` with what was expected.
    pub(super) fn verify(
        &self,
        headers: &Headers<'_>,
        signed: Signed<'_>,
        scratch: &mut Vec<u8>,
    ) -> Result<(), Refusal> {
        let Some(secret) = &self.signing_secret else { return Ok(()) };
        let (mut found, mut right) = (false, false);
        let mut try_on = |text: &[u8]| {
            headers.each(SIGNATURE_HEADER, &mut |value| {
                found = true;
                right |= decode_hex(value).is_some_and(|value| is_signature(value, secret, text));
            });
        };
        match signed {
            Signed::Text(text) => {
                try_on(text);
                if let Some(first) = raw::first_of_batch(text) {
                    try_on(first);
                }
            }
            Signed::Value(value) => {
                let batch = value.get("batch").unwrap_or(value);
                for value in [Some(value), batch.item(0)].into_iter().flatten() {
                    scratch.clear();
                    stringify(value, scratch);
                    try_on(scratch);
                }
            }
        }
        let detail: Cow<'static, str> = match (found, right, signed) {
            (true, true, _) => return Ok(()),
            (false, ..) => "expected the header `X-Signature`, found none".into(),
            (true, false, Signed::Text(_)) => {
                "the header `X-Signature` is not the HMAC-SHA1 of the body, nor of the first \
                 element of a batch"
                    .into()
            }
            (true, false, Signed::Value(_)) => {
                "the header `X-Signature` is not the HMAC-SHA1 of the body; the capture holds the \
                 body parsed, and it was tried as JSON.stringify writes it"
                    .into()
            }
        };
        Err(Refusal::new(Reason::BadSignature, detail))
    }
}

/// Returns `true` if `path`, or the path of a URL, is one that TrailSpark issues for `key`.
fn is_for_key(path: &str, key: &Secret) -> bool {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let mut from_end = path.trim_end_matches('/').rsplit('/').map(str::as_bytes);
    let [last, second, third] = [(); 3].map(|()| from_end.next().unwrap_or_default());
    let is_key = |segment: &[u8]| key.is(segment);
    (is_key(last) && (second == b"webhook" || second == b"bulk"))
        || (is_key(last) && !second.is_empty() && third == b"webhook")
        || (last == b"batch" && is_key(second) && third == b"webhook")
}

/// Returns `true` if `signature` is the HMAC-SHA1 of `text` (RFC 2104), compared in constant time.
fn is_signature(signature: [u8; 20], secret: &Secret, text: &[u8]) -> bool {
    Hmac::<Sha1>::new_from_slice(&secret.0)
        .is_ok_and(|mac| mac.chain_update(text).verify_slice(&signature).is_ok())
}

fn decode_hex(text: &[u8]) -> Option<[u8; 20]> {
    let digit = |byte: u8| (byte as char).to_digit(16);
    let mut out = [0; 20];
    let pairs = text.as_chunks::<2>();
    if text.len() != 40 {
        return None;
    }
    for (slot, &[high, low]) in out.iter_mut().zip(pairs.0) {
        *slot = u8::try_from(digit(high)? << 4 | digit(low)?).ok()?;
    }
    Some(out)
}

#[cfg(test)]
mod tests;
