//! The mask of excerpts, with the secrets that the user named.

use std::borrow::Cow;

use crate::mask;
use crate::parse::auth::{Auth, Secret};

/// `record` without secrets, those of `auth` among them: see [`mask::secrets`].
pub fn secrets<'t>(record: &'t str, auth: &Auth) -> Cow<'t, str> {
    let known: Vec<&[u8]> = auth.secrets().map(Secret::as_bytes).collect();
    mask::secrets(record, &known)
}
