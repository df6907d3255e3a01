//! Secrets of the user: in a file, in the environment, or on the command line.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::emit::overlap::ReadFile;
use crate::error::Error;
use crate::parse::auth::Secret;

/// The maximum size of a secret in a file, in bytes.
const LONGEST: u64 = 1 << 16;

/// A secret as it was given: the secret itself, or `@FILE`. Neither is ever shown, because a secret
/// may begin with an `@` too.
#[derive(Clone)]
pub struct Given(OsString);

impl From<OsString> for Given {
    fn from(text: OsString) -> Self {
        Self(text)
    }
}

impl Given {
    /// Returns the file that it names, if any.
    pub(super) fn file(&self) -> Option<ReadFile> {
        let path = self.0.as_encoded_bytes().strip_prefix(b"@")?;
        Some(ReadFile::new(&*String::from_utf8_lossy(path), "the file of a secret"))
    }
}

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Given(…)")
    }
}

/// Returns the secret that `flag` gives, or else the one in the environment; an empty variable is
/// ignored.
pub(super) fn find(
    flag: &str,
    given: Option<&Given>,
    variable: Option<OsString>,
) -> Result<Option<Secret>, Error> {
    let Some(Given(given)) = given else {
        return Ok(variable.and_then(|value| Secret::new(value.into_encoded_bytes())));
    };
    let secret = match given.as_encoded_bytes().strip_prefix(b"@") {
        None => Secret::new(given.as_encoded_bytes()),
        Some(path) => {
            // After an ASCII character, the rest is valid text.
            let path = String::from_utf8_lossy(path).into_owned();
            let text = read(Path::new(&path)).map_err(|error| {
                Error::Usage(format!("{flag}: cannot read the file that it names: {error}"))
            })?;
            Secret::new(text)
        }
    };
    let empty =
        || Error::Usage(format!("{flag}: expected a secret, or @FILE with one; this one is empty"));
    secret.map(Some).ok_or_else(empty)
}

/// Returns the text of a file without the line end that editors append.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    File::open(path)?.take(LONGEST + 1).read_to_end(&mut text)?;
    if text.len() as u64 > LONGEST {
        return Err(io::Error::other("it is too long for a secret"));
    }
    let line = text.strip_suffix(b"\n").unwrap_or(&text);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    text.truncate(line.len());
    Ok(text)
}
