//! Checks of settings that become parts of addresses and headers, as the clients of `object_store`
//! panic if one of these is invalid.

use http::{HeaderValue, Uri};

use super::access::Access;
use super::credential::CredentialError;

/// Variables whose values are addresses.
const ADDRESSES: [&str; 10] = [
    "AWS_ENDPOINT",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AZURE_AUTHORITY_HOST",
    "AZURE_ENDPOINT",
    "AZURE_MSI_ENDPOINT",
    "AZURE_STORAGE_ENDPOINT",
    "GOOGLE_BASE_URL",
    "IDENTITY_ENDPOINT",
    "MSI_ENDPOINT",
];

/// Checks all variables whose values are addresses.
///
/// # Errors
/// Returns an error that names the first invalid one.
pub fn check_addresses(access: &Access) -> Result<(), CredentialError> {
    let mut set = ADDRESSES.iter().filter_map(|&name| Some((name, access.variable(name)?)));
    set.try_for_each(|(name, value)| check_address(name, value))
}

/// Returns whether requests can be sent to `value`.
pub fn is_address(value: &str) -> bool {
    // Two libraries make requests, and refuse different addresses.
    let is_uri = value.parse::<Uri>().is_ok();
    let url = reqwest::Url::parse(value).ok().filter(|_| is_uri);
    url.is_some_and(|url| matches!(url.scheme(), "http" | "https"))
}

/// Checks that `value`, which `name` sets, is the address of a store.
///
/// # Errors
/// Returns an error that contains `name`, but not `value`, in which a password may be.
pub fn check_address(name: &str, value: &str) -> Result<(), CredentialError> {
    if is_address(value) {
        return Ok(());
    }
    let example = "https://s3.example.com:9000";
    Err(CredentialError(format!("{name} is not an address; expected one such as {example}")))
}

/// Checks that `value`, which `name` sets, can be a part of the name of a host.
///
/// # Errors
/// Returns an error that contains `name`.
pub fn check_label(name: &str, value: &str) -> Result<(), CredentialError> {
    if value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
        return Ok(());
    }
    Err(CredentialError(format!(
        "{name} has other characters than ASCII letters, digits and - _ ."
    )))
}

/// Returns whether `value` can be sent in a header.
pub fn fits_header(value: &str) -> bool {
    HeaderValue::from_str(value).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_a_scheme_and_a_host_that_requests_can_be_sent_to() {
        for valid in ["http://127.0.0.1:9000", "https://s3.example.com/a%20b", "http://[::1]:80/x"]
        {
            assert_eq!(check_address("X", valid), Ok(()), "{valid}");
        }
        for invalid in [
            "",
            "x",
            "x:9000",
            "http://",
            "ftp://x",
            "http://a b",
            "http://x/a b",
            "http://ü",
            "http://x:99999",
        ] {
            let error = check_address("AWS_ENDPOINT_URL", invalid).unwrap_err();
            assert!(error.0.starts_with("AWS_ENDPOINT_URL is not an address"), "{invalid}");
        }
    }

    #[test]
    fn variables_are_checked_by_name() {
        let access = |name: &str| Access::new([(name.into(), "no address".into())], None);
        assert!(check_addresses(&access("IDENTITY_ENDPOINT")).is_err());
        assert!(check_addresses(&access("AWS_STS_REGIONAL_ENDPOINTS")).is_ok());
    }

    #[test]
    fn labels_and_headers_hold_no_ends_of_lines() {
        assert!(check_label("AWS_REGION", "us-east-1").is_ok());
        for invalid in ["a b", "a\nb", "ü", "a/b"] {
            assert!(check_label("AWS_REGION", invalid).is_err(), "{invalid}");
        }
        assert!(fits_header("AKIA+/=") && !fits_header("a\nb"));
    }
}
