//! Whether uploads overwrite existing objects.

/// Whether uploads overwrite existing objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replace {
    /// Uploads fail if the object exists. The store checks this atomically, except when a multipart
    /// upload is completed in Google Cloud Storage, or in Azure with an account key.
    Never,
    /// Existing objects are overwritten.
    Always,
}
