//! Conversion of errors of requests to errors that name the object, the cause and a remedy.

use std::error::Error as StdError;

use object_store::Error;
use object_store::client::{HttpError, HttpErrorKind};

use super::credential::CredentialError;
use super::error::{StoreError, StoreErrorKind};
use super::error_response::ErrorResponse;
use super::page_check::IncompletePage;
use super::url::Scheme;
use crate::mask;

/// The maximum length of a text of another library in a message, in characters.
const MAX_TEXT_CHARS: usize = 300;

/// Converts `error` about `object` in a store of this kind.
pub(super) fn explain(scheme: Scheme, object: &str, error: &Error) -> StoreError {
    if let Some(credential) = find::<CredentialError>(error) {
        let kind = StoreErrorKind::Credentials;
        return StoreError::new(object, kind, credential.to_string());
    }
    if let Some(response) = ErrorResponse::find(&error.to_string()) {
        return explain_response(scheme, object, &response);
    }
    if let Some(incomplete) = find::<IncompletePage>(error) {
        return StoreError::new(object, StoreErrorKind::Unavailable, incomplete.to_string());
    }
    if let Some(http) = find::<HttpError>(error) {
        return explain_http(object, http);
    }
    let (kind, message) = match innermost(error) {
        Error::NotFound { .. } => (StoreErrorKind::NotFound, "no such object".to_owned()),
        Error::AlreadyExists { .. } => {
            (StoreErrorKind::Exists, "the object exists already".to_owned())
        }
        Error::Precondition { .. } => (StoreErrorKind::Replaced, REPLACED.to_owned()),
        Error::PermissionDenied { .. } => (StoreErrorKind::Denied, "access denied".to_owned()),
        Error::Unauthenticated { .. } => {
            (StoreErrorKind::Credentials, format!("not signed in{}", login(scheme)))
        }
        Error::InvalidPath { source } => {
            let text = redact(&source.to_string());
            let why = "keys with empty, `.` or `..` parts cannot be read";
            (StoreErrorKind::Other, format!("{text}; {why}: copy such objects under other names"))
        }
        other => (StoreErrorKind::Other, redact(&root_cause(other).to_string())),
    };
    StoreError::new(object, kind, message)
}

/// The message for an object whose ETag has changed.
pub(super) const REPLACED: &str =
    "it was replaced while it was read; run again when nothing writes to it";

/// Converts an error response about `object`.
pub(super) fn explain_response(
    scheme: Scheme,
    object: &str,
    response: &ErrorResponse,
) -> StoreError {
    use StoreErrorKind as Kind;
    let code = response.code.as_deref().unwrap_or_default();
    let (kind, message) = match (response.status, code) {
        (_, "RequestTimeTooSkewed" | "RequestExpired" | "RequestInTheFuture") => (
            Kind::Credentials,
            "the clock of this machine differs from the store's by more than it allows; set the \
             clock"
                .into(),
        ),
        (_, "ExpiredToken" | "TokenRefreshRequired" | "ExpiredTokenException") => {
            (Kind::Credentials, format!("the credentials have expired{}", login(scheme)))
        }
        (
            _,
            "InvalidAccessKeyId"
            | "SignatureDoesNotMatch"
            | "InvalidToken"
            | "InvalidClientTokenId"
            | "AuthenticationFailed"
            | "InvalidAuthenticationInfo"
            | "invalid_grant"
            | "invalid_client",
        )
        | (401, _) => (
            Kind::Credentials,
            format!("the store does not accept the credentials{}", login(scheme)),
        ),
        (_, "NoSuchBucket" | "ContainerNotFound") => (Kind::NotFound, "no such bucket".into()),
        (301 | 307 | 400, _) if response.region.is_some() || code == "PermanentRedirect" => {
            let region = response.region.as_deref().unwrap_or("REGION");
            (Kind::Other, format!("the bucket is in another region; set AWS_REGION={region}"))
        }
        (404, _) => (Kind::NotFound, "no such object".into()),
        (409, _) => (Kind::Exists, "the object exists already".into()),
        (412, _) => (Kind::Replaced, REPLACED.into()),
        (403, _) => (Kind::Denied, format!("access denied{}", permission(scheme))),
        (429 | 500..=599, _) => (
            Kind::Unavailable,
            "the store was overloaded or failing at every attempt; try again later".into(),
        ),
        _ => (Kind::Other, "the store refused the request".into()),
    };
    let space = if code.is_empty() { "" } else { " " };
    StoreError::new(object, kind, format!("{message} ({}{space}{code})", response.status))
}

/// Converts an error of a connection, about `object`.
pub(super) fn explain_http(object: &str, error: &HttpError) -> StoreError {
    let cause = redact(&root_cause(error).to_string());
    let message = match error.kind() {
        HttpErrorKind::Timeout => "the store timed out at every attempt".to_owned(),
        HttpErrorKind::Connect => format!("cannot connect to the store: {cause}"),
        _ => format!("the connection to the store failed at every attempt: {cause}"),
    };
    StoreError::new(object, StoreErrorKind::Unavailable, message)
}

/// Returns the remedy for missing or invalid credentials.
fn login(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::S3 => {
            "; check AWS_PROFILE and the AWS_… variables, or sign in, for example with `aws sso login`"
        }
        Scheme::Google => "; sign in with `gcloud auth application-default login`",
        Scheme::Azure => "; check the AZURE_… variables, or sign in with `az login`",
        Scheme::Web => "; signed addresses expire: request a new one",
    }
}

/// Returns the remedy for missing permissions.
fn permission(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::S3 => {
            "; the credentials need s3:ListBucket and s3:GetObject to read, s3:PutObject and \
             s3:AbortMultipartUpload to write"
        }
        Scheme::Google => {
            "; the account needs the role Storage Object Viewer to read, Storage Object User to write"
        }
        Scheme::Azure => {
            "; the account needs the role Storage Blob Data Reader to read, Storage Blob Data \
             Contributor to write"
        }
        Scheme::Web => login(scheme),
    }
}

/// Returns `error` and its causes.
fn causes<'e>(
    error: &'e (dyn StdError + 'static),
) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| {
        let error: &'e (dyn StdError + 'static) = *error;
        error.source()
    })
}

/// Returns the first error of type `E` among `error` and its causes.
fn find<'e, E: StdError + 'static>(error: &'e (dyn StdError + 'static)) -> Option<&'e E> {
    causes(error).find_map(|error| error.downcast_ref())
}

/// Returns the last error of `object_store` among `error` and its causes.
fn innermost(error: &Error) -> &Error {
    causes(error).filter_map(|error| error.downcast_ref()).last().unwrap_or(error)
}

/// Returns the last cause of `error`.
fn root_cause<'e>(error: &'e (dyn StdError + 'static)) -> &'e (dyn StdError + 'static) {
    causes(error).last().unwrap_or(error)
}

/// Returns a text of another library without secrets and without the queries of addresses.
fn redact(text: &str) -> String {
    let without_query = |word: &str| match word.split_once('?') {
        Some((address, _)) if address.contains("://") => address.to_owned(),
        _ => word.to_owned(),
    };
    let words: Vec<String> = text.split_whitespace().map(without_query).collect();
    let text = mask::secrets(&words.join(" "), &[]).into_owned();
    text.chars().take(MAX_TEXT_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generic(text: &str) -> Error {
        Error::Generic { store: "S3", source: text.to_owned().into() }
    }

    #[test]
    fn error_responses_are_converted_to_a_cause_and_a_remedy() {
        for (status, code, kind, text) in [
            (403, "RequestTimeTooSkewed", StoreErrorKind::Credentials, "set the clock"),
            (400, "ExpiredToken", StoreErrorKind::Credentials, "have expired; check AWS_PROFILE"),
            (403, "InvalidAccessKeyId", StoreErrorKind::Credentials, "not accept the credentials"),
            (403, "AccessDenied", StoreErrorKind::Denied, "s3:GetObject"),
            (404, "NoSuchBucket", StoreErrorKind::NotFound, "no such bucket (404 NoSuchBucket)"),
            (404, "NoSuchKey", StoreErrorKind::NotFound, "no such object"),
            (412, "PreconditionFailed", StoreErrorKind::Replaced, "replaced while"),
            (503, "SlowDown", StoreErrorKind::Unavailable, "(503 SlowDown)"),
        ] {
            let response = ErrorResponse::new(status, Some(code), b"", None);
            let error = explain(Scheme::S3, "s3://b/a", &generic(&response.to_string()));
            assert_eq!(error.kind, kind, "{error}");
            assert!(error.to_string().starts_with("s3://b/a: ") && error.message.contains(text));
        }
        let moved = ErrorResponse::new(301, None, b"", Some("eu-west-1")).to_string();
        let error = explain(Scheme::S3, "s3://b/a", &generic(&moved));
        assert!(error.message.contains("AWS_REGION=eu-west-1"), "{error}");
    }

    #[test]
    fn texts_of_other_libraries_are_redacted() {
        let message = |text: &str| explain(Scheme::Web, "https://host/a", &generic(text)).message;
        let text = message("GET https://host/a?X-Amz-Signature=canary failed");
        assert_eq!(text, "GET https://host/a failed");
        let text = message("sent Authorization: Bearer canary to https://host/a");
        assert!(!text.contains("canary"), "{text}");
    }
}
