//! Checks that a page of a listing is complete, which the clients of `object_store` do not.
//!
//! They treat every element of a page as optional. A page that is cut off, or whose continuation
//! token a proxy removes, would end the listing, and the remaining objects would be missing without
//! an error.

use http::{Method, Uri};

/// The error of an incomplete page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store's listing is incomplete: {0}")]
pub(super) struct IncompletePage(&'static str);

/// The format of pages of listings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ListingFormat {
    /// `ListBucketResult` of S3 and Google Cloud Storage.
    Bucket,
    /// `EnumerationResults` of Azure.
    Container,
}

impl ListingFormat {
    /// Returns the format of the response to a request, if the request asks for a page of a
    /// listing.
    pub fn of_request(method: &Method, uri: &Uri) -> Option<Self> {
        let has = |wanted: &str| uri.query().unwrap_or_default().split('&').any(|it| it == wanted);
        match () {
            () if method != Method::GET => None,
            () if has("list-type=2") => Some(Self::Bucket),
            () if has("comp=list") => Some(Self::Container),
            () => None,
        }
    }

    /// Checks that `body` is a page up to its closing tag, with a continuation token unless it is
    /// the last one.
    ///
    /// # Errors
    /// Returns an error that says what is missing.
    pub fn check(self, body: &[u8]) -> Result<(), IncompletePage> {
        let body = String::from_utf8_lossy(body);
        let (root, end) = match self {
            Self::Bucket => ("<ListBucketResult", "</ListBucketResult>"),
            Self::Container => ("<EnumerationResults", "</EnumerationResults>"),
        };
        if !body.contains(root) {
            return Err(IncompletePage("the response has another format"));
        }
        if !body.trim_end().ends_with(end) {
            return Err(IncompletePage("a page is cut off"));
        }
        // Keys are escaped, so that they contain no elements.
        let text = |name: &str| {
            let rest = body.split_once(&format!("<{name}>"))?.1;
            Some(rest.split_once('<')?.0.trim())
        };
        let is_token_missing = match self {
            Self::Bucket => {
                text("IsTruncated") == Some("true")
                    && text("NextContinuationToken").is_none_or(str::is_empty)
            }
            // The last page has an empty marker.
            Self::Container => !body.contains("<NextMarker"),
        };
        if is_token_missing {
            return Err(IncompletePage("a page has no continuation token"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recognizes_requests_of_listings() {
        for (method, target, page) in [
            (Method::GET, "/b?list-type=2&prefix=logs%2F", Some(ListingFormat::Bucket)),
            (Method::GET, "/c?restype=container&comp=list", Some(ListingFormat::Container)),
            (Method::GET, "/b/list-type=2", None),
            (Method::PUT, "/c/k?comp=blocklist", None),
            (Method::POST, "/b?list-type=2", None),
        ] {
            assert_eq!(
                ListingFormat::of_request(&method, &target.parse().unwrap()),
                page,
                "{method} {target}"
            );
        }
    }

    #[test]
    fn pages_that_are_cut_off_or_have_no_continuation_token_are_incomplete() {
        let keys = |inner: &str| {
            let page =
                format!("<?xml?><ListBucketResult xmlns=\"s3\">{inner}</ListBucketResult>\n");
            ListingFormat::Bucket.check(page.as_bytes()).is_ok()
        };
        assert!(keys("<IsTruncated>false</IsTruncated>"));
        let truncated = "<IsTruncated>true</IsTruncated>";
        let token = "<NextContinuationToken>x</NextContinuationToken>";
        assert!(keys(&format!("{truncated}{token}")));
        assert!(!keys(truncated));
        assert!(!keys(&format!("{truncated}<NextContinuationToken></NextContinuationToken>")));
        assert!(keys("<Key>&lt;IsTruncated>true&lt;/IsTruncated></Key>"));
        let blobs = |text: &str| ListingFormat::Container.check(text.as_bytes()).is_ok();
        assert!(blobs("<EnumerationResults><Blobs/><NextMarker /></EnumerationResults>"));
        assert!(!blobs("<EnumerationResults><Blobs/></EnumerationResults>"));
        assert!(!blobs("<EnumerationResults><Blobs/><NextMarker />"));
        assert_eq!(
            ListingFormat::Bucket.check(b"<html/>"),
            Err(IncompletePage("the response has another format"))
        );
    }
}
