//! Clients of stores, configured like the command-line tools of their platforms.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GcpCredential, GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::list::PaginatedListStore;
use object_store::{
    Certificate, ClientOptions, ObjectStore, RetryConfig, StaticCredentialProvider,
};

use super::access::Access;
use super::connector::Connector;
use super::credential::{CachedCredentials, CredentialError, Profiles};
use super::setting::{check_address, check_label};
use super::url::Url;

/// A client that reads, writes and lists objects.
pub trait BucketClient: ObjectStore + PaginatedListStore {}

impl<T: ObjectStore + PaginatedListStore> BucketClient for T {}

/// A shared client of one bucket.
pub(super) type Objects = Arc<dyn BucketClient>;

/// Timeout of connecting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Timeout of waiting for the next bytes of a response; overridden by `AWS_READ_TIMEOUT` and the
/// like.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// The number of attempts of a request; overridden by `AWS_MAX_ATTEMPTS`.
const ATTEMPTS: usize = 8;
/// The region if neither the environment nor the profile sets one.
const DEFAULT_REGION: &str = "us-east-1";

/// Returns the options of all clients: a whole request has no timeout, only its pauses have.
pub(super) fn options() -> ClientOptions {
    ClientOptions::new()
        .with_timeout_disabled()
        .with_connect_timeout(CONNECT_TIMEOUT)
        .with_read_timeout(READ_TIMEOUT)
}

/// Returns the options of clients of AWS, which may trust additional certificates.
///
/// # Errors
/// Returns an error if the file of `AWS_CA_BUNDLE` contains no certificates.
fn aws_options(access: &Access) -> object_store::Result<ClientOptions> {
    let Some(path) = access.variable("AWS_CA_BUNDLE") else { return Ok(options()) };
    let invalid = |why: &dyn std::fmt::Display| {
        CredentialError(format!("{path}, which AWS_CA_BUNDLE names: {why}"))
    };
    let bytes = std::fs::read(path).map_err(|error| invalid(&error))?;
    let certificates = Certificate::from_pem_bundle(&bytes)
        .map_err(|_| invalid(&"not a file of certificates in PEM"))?;
    Ok(certificates.into_iter().fold(options(), ClientOptions::with_root_certificate))
}

/// Returns the configuration of retries.
pub(super) fn retries(access: &Access) -> RetryConfig {
    let attempts = access.variable("AWS_MAX_ATTEMPTS").and_then(|it| it.parse().ok());
    RetryConfig {
        max_retries: attempts.unwrap_or(ATTEMPTS).saturating_sub(1),
        ..RetryConfig::default()
    }
}

/// Returns the variables with this prefix that are settings of this kind of store.
fn settings<'a, K: FromStr>(
    access: &'a Access,
    prefix: &'a str,
) -> impl Iterator<Item = (K, &'a str)> {
    let settings = access.variables(prefix);
    settings.filter_map(|(name, value)| Some((name.to_ascii_lowercase().parse().ok()?, value)))
}

/// Creates a client of a bucket in S3. Also returns the source of its credentials, if requests are
/// signed.
///
/// # Errors
/// Returns an error if settings or credentials are invalid.
pub(super) fn s3(
    url: &Url,
    access: &Access,
    connector: Connector,
) -> object_store::Result<(Objects, Option<Arc<CachedCredentials>>)> {
    let mut builder = AmazonS3Builder::new().with_client_options(aws_options(access)?);
    for (key, value) in settings::<AmazonS3ConfigKey>(access, "AWS_") {
        let is_credential = matches!(
            key,
            AmazonS3ConfigKey::AccessKeyId
                | AmazonS3ConfigKey::SecretAccessKey
                | AmazonS3ConfigKey::Token
        );
        if !is_credential {
            builder = builder.with_config(key, value);
        }
    }
    let profiles = Profiles::read(access)?;
    let endpoint = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"]
        .iter()
        .find_map(|name| access.variable(name))
        .or_else(|| profiles.setting("endpoint_url"));
    let region = ["AWS_REGION", "AWS_DEFAULT_REGION"]
        .iter()
        .find_map(|name| access.variable(name))
        .or_else(|| profiles.setting("region"))
        .unwrap_or(DEFAULT_REGION);
    check_label("the region (AWS_REGION)", region)?;
    if let Some(endpoint) = endpoint {
        check_address("the endpoint (endpoint_url of the AWS profile)", endpoint)?;
        builder = builder.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http:"));
    }
    let skips = access.variable("AWS_SKIP_SIGNATURE").is_some_and(is_yes);
    let credentials = if access.is_unsigned() || skips {
        None
    } else {
        Some(Arc::new(CachedCredentials::new(access, &profiles, region)?))
    };
    builder = match &credentials {
        Some(credentials) => builder.with_credentials(Arc::clone(credentials) as _),
        None => builder.with_skip_signature(true),
    };
    let builder = builder
        .with_bucket_name(url.bucket())
        .with_region(region)
        .with_retry(retries(access))
        .with_http_connector(connector);
    Ok((Arc::new(builder.build()?), credentials))
}

/// Creates a client of a bucket in Google Cloud Storage.
///
/// # Errors
/// Returns an error if settings or credentials are invalid.
pub(super) fn google(
    url: &Url,
    access: &Access,
    connector: Connector,
) -> object_store::Result<Objects> {
    let mut builder = GoogleCloudStorageBuilder::new().with_client_options(options());
    for (key, value) in settings::<GoogleConfigKey>(access, "GOOGLE_") {
        builder = builder.with_config(key, value);
    }
    let emulator = access.variable("STORAGE_EMULATOR_HOST");
    if let Some(host) = emulator {
        let base = if host.contains("://") { host.to_owned() } else { format!("http://{host}") };
        check_address("STORAGE_EMULATOR_HOST", &base)?;
        builder = builder
            .with_base_url(&base)
            .with_config(GoogleConfigKey::Client(object_store::ClientConfigKey::AllowHttp), "true");
    }
    let unsigned = access.is_unsigned() || emulator.is_some();
    if unsigned {
        // Writing requests are signed nevertheless.
        let anonymous = GcpCredential { bearer: String::new() };
        builder = builder.with_credentials(Arc::new(StaticCredentialProvider::new(anonymous)));
    }
    let builder = builder
        .with_bucket_name(url.bucket())
        .with_skip_signature(unsigned)
        .with_retry(retries(access))
        .with_http_connector(Connector { as_stored: true, ..connector });
    Ok(Arc::new(builder.build()?))
}

/// Creates a client of a container in Azure.
///
/// # Errors
/// Returns an error if settings or credentials are invalid.
pub(super) fn azure(
    url: &Url,
    access: &Access,
    connector: Connector,
) -> object_store::Result<Objects> {
    let mut builder = MicrosoftAzureBuilder::new().with_client_options(options());
    // Names of the Azure command-line tool, which `object_store` does not know.
    for (variable, key) in [
        ("AZURE_STORAGE_ACCOUNT", AzureConfigKey::AccountName),
        ("AZURE_STORAGE_KEY", AzureConfigKey::AccessKey),
    ] {
        if let Some(value) = access.variable(variable) {
            builder = builder.with_config(key, value);
        }
    }
    for (key, value) in settings::<AzureConfigKey>(access, "AZURE_") {
        builder = builder.with_config(key, value);
    }
    // Managed identities of services other than virtual machines.
    if let Some(endpoint) =
        ["IDENTITY_ENDPOINT", "MSI_ENDPOINT"].iter().find_map(|it| access.variable(it))
    {
        builder = builder.with_msi_endpoint(endpoint);
    }
    let mut endpoint = access.variable("AZURE_STORAGE_ENDPOINT").map(str::to_owned);
    let connection = access.variable("AZURE_STORAGE_CONNECTION_STRING").unwrap_or_default();
    for (name, value) in connection.split(';').filter_map(|part| part.split_once('=')) {
        let key = match name.trim() {
            "AccountName" => AzureConfigKey::AccountName,
            "AccountKey" => AzureConfigKey::AccessKey,
            "SharedAccessSignature" => AzureConfigKey::SasKey,
            "BlobEndpoint" => {
                check_address("BlobEndpoint in AZURE_STORAGE_CONNECTION_STRING", value)?;
                endpoint = Some(value.to_owned());
                AzureConfigKey::Endpoint
            }
            _ => continue,
        };
        builder = builder.with_config(key, value);
    }
    if let Some(account) = url.account() {
        let account = account.split('.').next().unwrap_or(account);
        builder = builder.with_account(account);
    }
    let account = builder.get_config_value(&AzureConfigKey::AccountName).unwrap_or_default();
    check_label("the storage account (AZURE_STORAGE_ACCOUNT)", &account)?;
    if account.is_empty() && access.variable("AZURE_STORAGE_USE_EMULATOR").is_none() {
        let text = "no storage account is named; set AZURE_STORAGE_ACCOUNT, or write \
                    abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/…";
        return Err(CredentialError(text.into()).into());
    }
    let is_plain = endpoint.is_some_and(|endpoint| endpoint.starts_with("http:"));
    let builder = builder
        .with_allow_http(is_plain || access.variable("AZURE_STORAGE_USE_EMULATOR").is_some())
        .with_use_azure_cli(uses_azure_cli(access))
        .with_container_name(url.bucket())
        .with_skip_signature(access.is_unsigned())
        .with_retry(retries(access))
        .with_http_connector(connector);
    Ok(Arc::new(builder.build()?))
}

/// Returns `true` if tokens are requested from `az` if the environment contains no credentials: if
/// `az` is installed and the program does not run in a service with a managed identity.
fn uses_azure_cli(access: &Access) -> bool {
    if let Some(value) = access.variable("AZURE_USE_AZURE_CLI") {
        return is_yes(value);
    }
    let is_managed = ["IDENTITY_ENDPOINT", "MSI_ENDPOINT", "AZURE_MSI_ENDPOINT"]
        .iter()
        .any(|name| access.variable(name).is_some());
    !is_managed && access.has_program("az")
}

fn is_yes(value: &str) -> bool {
    ["1", "true", "yes", "on"].contains(&value.to_ascii_lowercase().as_str())
}
