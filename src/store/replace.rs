//! Whether an object may take the place of another.

/// Whether an object may take the place of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replace {
    /// Only a place that is free is taken. The store checks that in the same instant, but not where
    /// an object in parts is completed in Google Cloud Storage, or with the key of an account in
    /// Azure.
    Never,
    /// What is there is replaced.
    Always,
}
