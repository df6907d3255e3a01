//! Credentials from the sources that the command-line tools of the platforms use.

mod aws;
mod context;
mod profile;

pub(super) use aws::CachedCredentials;
pub(super) use profile::Profiles;

/// The error that there are no valid credentials. Contains no credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct CredentialError(pub String);

impl From<CredentialError> for object_store::Error {
    fn from(error: CredentialError) -> Self {
        Self::Generic { store: "credentials", source: Box::new(error) }
    }
}
