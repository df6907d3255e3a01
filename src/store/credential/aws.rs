//! Credentials of AWS, from the sources of its command-line tool, in the same order.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use object_store::CredentialProvider;
use object_store::aws::AwsCredential;
use reqsign_aws_v4::{
    AssumeRoleCredentialProvider, AssumeRoleWithWebIdentityCredentialProvider, Credential,
    ECSCredentialProvider, IMDSv2CredentialProvider, ProcessCredentialProvider, RequestSigner,
    SSOCredentialProvider, StaticCredentialProvider,
};
use reqsign_core::{
    Context, ProvideCredential, ProvideCredentialDyn, Signer, SigningCredential as _,
};
use tokio::sync::Mutex;

use super::CredentialError;
use super::context::context;
use super::profile::{Profile, Profiles};
use crate::mask;
use crate::store::access::Access;
use crate::store::setting::fits_header;

/// Credentials are not requested again within this time.
const MIN_REFRESH_INTERVAL: Duration = Duration::from_secs(5);
/// The maximum length of a chain of profiles with `source_profile`.
const MAX_PROFILE_CHAIN: usize = 5;

type Provider = Box<dyn ProvideCredentialDyn<Credential = Credential>>;

/// A source of credentials and the credentials that it returned last.
pub struct CachedCredentials {
    source: Source,
    context: Context,
    cached: Mutex<Option<Cached>>,
}

/// Credentials and the time at which they were received.
struct Cached {
    credential: Credential,
    since: Instant,
}

/// A source of credentials.
struct Source {
    provider: Provider,
    /// The name of the source in messages.
    name: String,
    /// What to do if it has no credentials.
    remedy: String,
}

impl fmt::Debug for CachedCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CachedCredentials({})", self.source.name)
    }
}

impl CachedCredentials {
    /// Selects the source. Requests nothing from it.
    ///
    /// # Errors
    /// Returns an error if the selected profile does not exist or is incomplete.
    pub fn new(access: &Access, profiles: &Profiles, region: &str) -> object_store::Result<Self> {
        let context = context(access)?;
        let finder = SourceFinder { access, profiles, region, context: &context };
        Ok(Self { source: finder.source()?, context: context.clone(), cached: Mutex::default() })
    }

    /// Discards the cached credentials if the store refused a request with them that started at
    /// `start`. Returns whether a retry may use other ones: credentials that were just received are
    /// kept, but another request may have renewed them in the meantime.
    pub async fn invalidate(&self, start: Instant) -> bool {
        let mut cached = self.cached.lock().await;
        let Some(since) = cached.as_ref().map(|cached| cached.since) else { return true };
        if since < start && since.elapsed() > MIN_REFRESH_INTERVAL {
            *cached = None;
        }
        cached.is_none() || since > start
    }

    /// Returns the cached credentials if they are still valid, else requests new ones.
    async fn credential(&self) -> Result<Credential, CredentialError> {
        let mut cached = self.cached.lock().await;
        if let Some(cached) = cached.as_ref().filter(|cached| cached.credential.is_valid()) {
            return Ok(cached.credential.clone());
        }
        let Source { provider, name, remedy } = &self.source;
        let cause = match provider.provide_credential_dyn(&self.context).await {
            Ok(Some(credential)) if !fits_headers(&credential) => {
                let cause = "their id or session token has characters that cannot be sent";
                format!(": {cause}, such as the end of a line")
            }
            Ok(Some(credential)) => {
                *cached = Some(Cached { credential: credential.clone(), since: Instant::now() });
                return Ok(credential);
            }
            Ok(None) => String::new(),
            Err(error) => format!(": {}", mask::secrets(&error.to_string(), &[])),
        };
        Err(CredentialError(format!("no AWS credentials from {name}{cause};  {remedy}")))
    }
}

/// Returns whether the parts of `credential` that are sent can be sent.
fn fits_headers(credential: &Credential) -> bool {
    let token = credential.session_token.as_deref();
    [Some(&*credential.access_key_id), token].into_iter().flatten().all(fits_header)
}

#[async_trait]
impl CredentialProvider for CachedCredentials {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let credential = self.credential().await?;
        Ok(Arc::new(AwsCredential {
            key_id: credential.access_key_id,
            secret_key: credential.secret_access_key,
            token: credential.session_token,
        }))
    }
}

/// The settings that determine the source.
struct SourceFinder<'a> {
    access: &'a Access,
    profiles: &'a Profiles,
    region: &'a str,
    context: &'a Context,
}

impl SourceFinder<'_> {
    /// Selects the source: environment, profile, web identity, container or instance.
    fn source(&self) -> Result<Source, CredentialError> {
        let variable = |name| self.access.variable(name);
        if let (Some(id), Some(secret)) =
            (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY"))
        {
            let provider = fixed(id, secret, variable("AWS_SESSION_TOKEN"));
            return Ok(Source::new(provider, "the environment", "set AWS_ACCESS_KEY_ID again"));
        }
        let (name, is_named) = self.profiles.selected();
        if let Some(source) = self.of_profile(name, MAX_PROFILE_CHAIN)? {
            return Ok(source);
        }
        if is_named {
            return Err(CredentialError(match self.profiles.profile(name) {
                Some(_) => format!("the AWS profile {name} holds no credentials"),
                None => format!(
                    "there is no AWS profile {name}; `aws configure list-profiles` lists those \
                     that are there"
                ),
            }));
        }
        if variable("AWS_WEB_IDENTITY_TOKEN_FILE").is_some() && variable("AWS_ROLE_ARN").is_some() {
            let provider = AssumeRoleWithWebIdentityCredentialProvider::new()
                .with_region(self.region.to_owned())
                .with_regional_sts_endpoint();
            let remedy = "check AWS_ROLE_ARN and the file of AWS_WEB_IDENTITY_TOKEN_FILE";
            return Ok(Source::new(Box::new(provider), "a web identity", remedy));
        }
        if self.access.variables("AWS_CONTAINER_CREDENTIALS_").next().is_some() {
            let provider = Box::new(ECSCredentialProvider::new());
            return Ok(Source::new(provider, "the role of the container", "check the role"));
        }
        Ok(instance())
    }

    /// Returns the source of a profile; `None` if the profile does not exist or has no source.
    fn of_profile(&self, name: &str, depth: usize) -> Result<Option<Source>, CredentialError> {
        let Some(profile) = self.profiles.profile(name) else { return Ok(None) };
        if let Some(role) = profile.get("role_arn") {
            return self.role_source(name, profile, role, depth).map(Some);
        }
        let called = format!("the AWS profile {name}");
        if let Some(session) = profile.get("sso_session").or(profile.get("sso_start_url")) {
            let setting = |setting: &str| {
                profile
                    .get(setting)
                    .ok_or_else(|| CredentialError(format!("{called} has no {setting}")))
            };
            let sso = SSOCredentialProvider::new()
                .with_account_id(setting("sso_account_id")?)
                .with_role_name(setting("sso_role_name")?)
                .with_region(setting("sso_region")?)
                // The cached token is named by the session, or else by the URL.
                .with_start_url(session);
            let remedy = format!("sign in with `aws sso login --profile {name}`");
            let provider = Box::new(Fallback(sso, exported(name)));
            return Ok(Some(Source::new(provider, called, remedy)));
        }
        if let Some(source) = own_keys(name, profile) {
            return Ok(Some(source));
        }
        if let Some(command) = profile.get("credential_process") {
            let provider = Box::new(ProcessCredentialProvider::new().with_command(command));
            let remedy = format!("run the credential_process of the profile {name} to see why");
            return Ok(Some(Source::new(provider, called, remedy)));
        }
        if profile.get("login_session").is_some() {
            let remedy = format!("sign in with `aws login --profile {name}`");
            return Ok(Some(Source::new(Box::new(exported(name)), called, remedy)));
        }
        Ok(None)
    }

    /// Returns the source of a role that is assumed with the credentials of another source.
    fn role_source(
        &self,
        name: &str,
        profile: Profile<'_>,
        role: &str,
        depth: usize,
    ) -> Result<Source, CredentialError> {
        let called = format!("the AWS profile {name}");
        let remedy = format!("`aws sts get-caller-identity --profile {name}` says more");
        let session = profile.get("role_session_name").unwrap_or("backtrail").to_owned();
        if let Some(file) = profile.get("web_identity_token_file") {
            let provider =
                AssumeRoleWithWebIdentityCredentialProvider::with_config(role.into(), file.into())
                    .with_role_session_name(session)
                    .with_region(self.region.to_owned())
                    .with_regional_sts_endpoint();
            return Ok(Source::new(Box::new(provider), called, remedy));
        }
        if profile.get("mfa_serial").is_some() {
            // Only the command-line tool can ask for the code; it caches the credentials.
            return Ok(Source::new(Box::new(exported(name)), called, remedy));
        }
        let base = self.base_source(name, profile, depth)?;
        let signer = RequestSigner::new("sts", self.region);
        let signer = Signer::new(self.context.clone(), Boxed(base.provider), signer);
        let mut provider = AssumeRoleCredentialProvider::new(role.to_owned(), signer)
            .with_role_session_name(session)
            .with_region(self.region.to_owned())
            .with_regional_sts_endpoint();
        if let Some(id) = profile.get("external_id") {
            provider = provider.with_external_id(id.to_owned());
        }
        if let Some(seconds) = profile.get("duration_seconds").and_then(|it| it.parse().ok()) {
            provider = provider.with_duration_seconds(seconds);
        }
        Ok(Source::new(Box::new(provider), called, remedy))
    }

    /// Returns the source of the credentials with which a role is assumed.
    fn base_source(
        &self,
        name: &str,
        profile: Profile<'_>,
        depth: usize,
    ) -> Result<Source, CredentialError> {
        let error = |why: &str| CredentialError(format!("the AWS profile {name} {why}"));
        match (profile.get("source_profile"), profile.get("credential_source")) {
            (Some(other), _) if other == name => own_keys(name, profile)
                .ok_or_else(|| error("takes credentials from itself and has none")),
            (Some(other), _) if depth > 0 => self.of_profile(other, depth - 1)?.ok_or_else(|| {
                error(&format!("takes credentials from the profile {other}, which has none"))
            }),
            (Some(_), _) => Err(error("takes credentials from too many others in turn")),
            (None, Some("Ec2InstanceMetadata")) => Ok(instance()),
            (None, Some("EcsContainer")) => {
                let provider = Box::new(ECSCredentialProvider::new());
                Ok(Source::new(provider, "the role of the container", "check the role"))
            }
            (None, Some("Environment")) => {
                Err(error("takes credentials from the environment, which has none"))
            }
            (None, _) => Err(error("has a role_arn but no source_profile")),
        }
    }
}

/// Returns the keys of a profile as a source.
fn own_keys(name: &str, profile: Profile<'_>) -> Option<Source> {
    let (id, secret) = (profile.get("aws_access_key_id")?, profile.get("aws_secret_access_key")?);
    let provider = fixed(id, secret, profile.get("aws_session_token"));
    Some(Source::new(provider, format!("the AWS profile {name}"), "check the profile"))
}

impl Source {
    fn new(provider: Provider, name: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { provider, name: name.into(), remedy: remedy.into() }
    }
}

fn fixed(id: &str, secret: &str, token: Option<&str>) -> Provider {
    let provider = StaticCredentialProvider::new(id, secret);
    Box::new(match token {
        Some(token) => provider.with_session_token(token),
        None => provider,
    })
}

fn instance() -> Source {
    Source::new(
        Box::new(IMDSv2CredentialProvider::new()),
        "the environment, a profile, a web identity, the container or the instance",
        "set AWS_PROFILE or AWS_ACCESS_KEY_ID, sign in with `aws sso login`, or give \
         --no-sign-request for what anybody may read",
    )
}

/// Returns the credentials that the AWS command-line tool exports, if it is installed. It renews
/// sessions, and supports logins that need a person.
fn exported(profile: &str) -> ProcessCredentialProvider {
    let command = format!("aws configure export-credentials --format process --profile {profile}");
    ProcessCredentialProvider::new().with_command(command)
}

/// A boxed provider, which implements the trait that [`Signer`] needs.
#[derive(Debug)]
struct Boxed(Provider);

impl ProvideCredential for Boxed {
    type Credential = Credential;

    async fn provide_credential(
        &self,
        context: &Context,
    ) -> reqsign_core::Result<Option<Credential>> {
        self.0.provide_credential_dyn(context).await
    }
}

/// Tries the first provider, then the second.
#[derive(Debug)]
struct Fallback(SSOCredentialProvider, ProcessCredentialProvider);

impl ProvideCredential for Fallback {
    type Credential = Credential;

    async fn provide_credential(
        &self,
        context: &Context,
    ) -> reqsign_core::Result<Option<Credential>> {
        match self.0.provide_credential(context).await {
            Ok(Some(credential)) => Ok(Some(credential)),
            Ok(None) | Err(_) => Ok(self.1.provide_credential(context).await.ok().flatten()),
        }
    }
}
