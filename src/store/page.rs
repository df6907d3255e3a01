//! Whether a page of a listing is whole, which the clients of `object_store` do not ask.
//!
//! They take every element of a page for optional: one that is cut short, or of which a proxy keeps
//! the name of the next page, would be the last, and the objects behind it would be missing without
//! a word.

use http::{Method, Uri};

/// Why a page cannot be the answer to its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store's listing is not whole: {0}")]
pub(super) struct BrokenPage(&'static str);

/// What a page of a listing looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Page {
    /// That of S3 and of Google Cloud Storage.
    Keys,
    /// That of Azure.
    Blobs,
}

impl Page {
    /// What answers a request, if that is a page of a listing.
    pub fn of(method: &Method, uri: &Uri) -> Option<Self> {
        let has = |wanted: &str| uri.query().unwrap_or_default().split('&').any(|it| it == wanted);
        match () {
            () if method != Method::GET => None,
            () if has("list-type=2") => Some(Self::Keys),
            () if has("comp=list") => Some(Self::Blobs),
            () => None,
        }
    }

    /// Checks that `body` is such a page to its end, and says where the next one is if there is one.
    ///
    /// # Errors
    /// What it lacks.
    pub fn check(self, body: &[u8]) -> Result<(), BrokenPage> {
        let body = String::from_utf8_lossy(body);
        let (root, end) = match self {
            Self::Keys => ("<ListBucketResult", "</ListBucketResult>"),
            Self::Blobs => ("<EnumerationResults", "</EnumerationResults>"),
        };
        if !body.contains(root) {
            return Err(BrokenPage("the answer is something else"));
        }
        if !body.trim_end().ends_with(end) {
            return Err(BrokenPage("a page ends before its end"));
        }
        // Texts of names are escaped: they hold no elements.
        let text = |name: &str| {
            let rest = body.split_once(&format!("<{name}>"))?.1;
            Some(rest.split_once('<')?.0.trim())
        };
        let is_next_missing = match self {
            Self::Keys => {
                text("IsTruncated") == Some("true")
                    && text("NextContinuationToken").is_none_or(str::is_empty)
            }
            // It is there on the last page, too, without a text.
            Self::Blobs => !body.contains("<NextMarker"),
        };
        if is_next_missing {
            return Err(BrokenPage("a page does not say where the next one is"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_listings_are_told_from_other_answers() {
        for (method, target, page) in [
            (Method::GET, "/b?list-type=2&prefix=logs%2F", Some(Page::Keys)),
            (Method::GET, "/c?restype=container&comp=list", Some(Page::Blobs)),
            (Method::GET, "/b/list-type=2", None),
            (Method::PUT, "/c/k?comp=blocklist", None),
            (Method::POST, "/b?list-type=2", None),
        ] {
            assert_eq!(Page::of(&method, &target.parse().unwrap()), page, "{method} {target}");
        }
    }

    #[test]
    fn a_page_that_is_not_whole_or_has_no_way_on_is_broken() {
        let keys = |inner: &str| {
            let page =
                format!("<?xml?><ListBucketResult xmlns=\"s3\">{inner}</ListBucketResult>\n");
            Page::Keys.check(page.as_bytes()).is_ok()
        };
        assert!(keys("<IsTruncated>false</IsTruncated>"));
        let truncated = "<IsTruncated>true</IsTruncated>";
        let token = "<NextContinuationToken>x</NextContinuationToken>";
        assert!(keys(&format!("{truncated}{token}")));
        assert!(!keys(truncated));
        assert!(!keys(&format!("{truncated}<NextContinuationToken></NextContinuationToken>")));
        assert!(keys("<Key>&lt;IsTruncated>true&lt;/IsTruncated></Key>"));
        let blobs = |text: &str| Page::Blobs.check(text.as_bytes()).is_ok();
        assert!(blobs("<EnumerationResults><Blobs/><NextMarker /></EnumerationResults>"));
        assert!(!blobs("<EnumerationResults><Blobs/></EnumerationResults>"));
        assert!(!blobs("<EnumerationResults><Blobs/><NextMarker />"));
        assert_eq!(Page::Keys.check(b"<html/>"), Err(BrokenPage("the answer is something else")));
    }
}
