//! Masking of excerpts, including the secrets that the user configured.

use std::borrow::Cow;

use crate::mask;
use crate::parse::auth::{Auth, Secret};

/// Masks all secrets in `record`, including those of `auth`: see [`mask::secrets`].
pub fn secrets<'t>(record: &'t str, auth: &Auth) -> Cow<'t, str> {
    let known: Vec<&[u8]> = auth.secrets().map(Secret::as_bytes).collect();
    mask::secrets(record, &known)
}
