//! Credentials as the platforms' own tools find them.

mod aws;
mod context;
mod profile;

pub(super) use aws::Chain;
pub(super) use profile::Profiles;

/// Why there are no credentials. Holds none of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct CredentialError(pub String);

impl From<CredentialError> for object_store::Error {
    fn from(error: CredentialError) -> Self {
        Self::Generic { store: "credentials", source: Box::new(error) }
    }
}
