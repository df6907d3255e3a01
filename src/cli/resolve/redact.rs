//! Resolves how redacted outputs name leads.

use super::Surroundings;
use crate::emit::LEAD_ID;
use crate::engine::redact::Digest;
use crate::error::Error;
use crate::parse::auth::Secret;
use crate::rules::Rules;

/// The environment variable that contains the key.
const KEY: &str = "BACKTRAIL_REDACT_KEY";

/// Checks that no column of `rules` has the name of the lead id.
///
/// # Errors
/// Returns an error if one has.
pub(super) fn must_be_free(redact: bool, rules: &Rules) -> Result<(), Error> {
    if redact && rules.columns.iter().any(|column| column == LEAD_ID) {
        return Err(Error::Usage(format!(
            "--redact writes a column `{LEAD_ID}`, and a rule maps one of that name; rename it in \
             the rules file"
        )));
    }
    Ok(())
}

/// Returns the hash that names leads, if `--redact` is given.
///
/// # Errors
/// Returns an error if the key is empty: a key that was lost on the way must not be ignored.
pub(super) fn digest(redact: bool, around: Surroundings) -> Result<Option<Digest>, Error> {
    if !redact {
        return Ok(None);
    }
    let Some(key) = (around.variable)(KEY.as_ref()) else { return Ok(Some(Digest::Sha256)) };
    let key = Secret::new(key.into_encoded_bytes()).ok_or_else(|| {
        Error::Usage(format!("{KEY} is empty; give it a key, or unset it for hashes without one"))
    })?;
    Ok(Some(Digest::Hmac(key)))
}
