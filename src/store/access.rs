//! Settings and credentials of stores from the environment.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

/// Prefixes of the environment variables that stores and the command-line tools of their platforms
/// read.
const PREFIXES: [&str; 8] = [
    "AWS_",
    "GOOGLE_",
    "CLOUDSDK_",
    "STORAGE_EMULATOR_HOST",
    "AZURE_",
    "IDENTITY_",
    "MSI_",
    "PATH",
];

/// Settings and credentials of stores, read from the environment once.
///
/// Its debug output contains the names of variables, but no values.
#[derive(Clone, Default)]
pub struct Access {
    variables: BTreeMap<String, String>,
    home: Option<PathBuf>,
    unsigned: bool,
}

impl Access {
    /// Keeps those of `variables` that concern stores, without white space around their values, such
    /// as the end of line in a file of a secret. `home` is the home directory of the user, which
    /// contains credential files.
    pub fn new(
        variables: impl IntoIterator<Item = (OsString, OsString)>,
        home: Option<PathBuf>,
    ) -> Self {
        let text = |(name, value): (OsString, OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?.trim().to_owned()))
        };
        let variables = variables.into_iter().filter_map(text);
        let is_relevant = |name: &str| PREFIXES.iter().any(|prefix| name.starts_with(prefix));
        let variables = variables.filter(|(name, value)| is_relevant(name) && !value.is_empty());
        Self { variables: variables.collect(), home, unsigned: false }
    }

    /// Sets whether requests are sent without a signature, which suffices for public objects.
    #[must_use]
    pub fn unsigned(self, unsigned: bool) -> Self {
        Self { unsigned, ..self }
    }

    /// Returns `true` if requests are sent without a signature.
    pub fn is_unsigned(&self) -> bool {
        self.unsigned
    }

    /// Returns the value of a variable, which may be a secret. Empty variables count as unset.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// Returns the names and values of all variables that start with `prefix`.
    pub fn variables<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let named = self.variables.iter().filter(move |(name, _)| name.starts_with(prefix));
        named.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Returns `true` if a program with this name exists in a folder of `PATH`.
    pub fn has_program(&self, name: &str) -> bool {
        let folders = self.variable("PATH").map(std::env::split_paths);
        folders.into_iter().flatten().any(|folder| folder.join(name).is_file())
    }

    /// Returns the home directory of the user.
    pub fn home(&self) -> Option<&PathBuf> {
        self.home.as_ref()
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.variables.keys().collect();
        let mut debug = f.debug_struct("Access");
        debug.field("variables", &names).field("unsigned", &self.unsigned).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_no_white_space_around_them() {
        let access = Access::new([("AWS_ACCESS_KEY_ID".into(), " key\n".into())], None);
        assert_eq!(access.variable("AWS_ACCESS_KEY_ID"), Some("key"));
    }

    #[test]
    fn keeps_only_variables_of_stores_and_hides_their_values() {
        let variables = [("AWS_SECRET_ACCESS_KEY", "canary"), ("TERM", "vt"), ("AWS_REGION", "")];
        let variables = variables.map(|(name, value)| (name.into(), value.into()));
        let access = Access::new(variables, None);
        assert_eq!(access.variable("AWS_SECRET_ACCESS_KEY"), Some("canary"));
        assert_eq!((access.variable("TERM"), access.variable("AWS_REGION")), (None, None));
        assert!(!format!("{access:?}").contains("canary"));
    }
}
