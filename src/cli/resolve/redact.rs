//! How outputs that name nobody name leads.

use super::Surroundings;
use crate::emit::LEAD_ID;
use crate::engine::redact::Digest;
use crate::error::Error;
use crate::parse::auth::Secret;
use crate::rules::Rules;

/// The environment variable that holds the key.
const KEY: &str = "BACKTRAIL_REDACT_KEY";

/// An error where a column of `rules` has the name of the ids of leads.
///
/// # Errors
/// That one.
pub(super) fn must_be_free(redact: bool, rules: &Rules) -> Result<(), Error> {
    if redact && rules.columns.iter().any(|column| column == LEAD_ID) {
        return Err(Error::Usage(format!(
            "--redact writes a column `{LEAD_ID}`, and a rule maps one of that name; rename it in \
             the rules file"
        )));
    }
    Ok(())
}

/// How leads are named where `--redact` is given.
///
/// # Errors
/// When the key is empty: a key that is lost on the way must not turn into none.
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
