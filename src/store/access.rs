//! With what stores are reached: settings and credentials of the environment.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

/// The beginnings of variables that stores and their platforms' tools read.
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

/// Settings and credentials as the environment has them, read once.
///
/// Its debug output names variables and no values.
#[derive(Clone, Default)]
pub struct Access {
    variables: BTreeMap<String, String>,
    home: Option<PathBuf>,
    unsigned: bool,
}

impl Access {
    /// What of `variables` concerns stores, and the folder that holds files of credentials.
    pub fn new(
        variables: impl IntoIterator<Item = (OsString, OsString)>,
        home: Option<PathBuf>,
    ) -> Self {
        let text = |(name, value): (OsString, OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        let variables = variables.into_iter().filter_map(text);
        let known = |name: &str| PREFIXES.iter().any(|prefix| name.starts_with(prefix));
        let variables = variables.filter(|(name, value)| known(name) && !value.is_empty());
        Self { variables: variables.collect(), home, unsigned: false }
    }

    /// The same, but requests are not signed: for what anybody may read.
    #[must_use]
    pub fn unsigned(self, unsigned: bool) -> Self {
        Self { unsigned, ..self }
    }

    /// Whether requests are not signed.
    pub fn is_unsigned(&self) -> bool {
        self.unsigned
    }

    /// The value of a variable, which may be a secret.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// All variables whose names begin with `prefix`.
    pub fn variables<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let named = self.variables.iter().filter(move |(name, _)| name.starts_with(prefix));
        named.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether a program of this name is in a folder of `PATH`.
    pub fn finds_program(&self, name: &str) -> bool {
        let folders = self.variable("PATH").map(std::env::split_paths);
        folders.into_iter().flatten().any(|folder| folder.join(name).is_file())
    }

    /// The folder of the user.
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
    fn only_variables_of_stores_are_kept_and_none_is_shown() {
        let variables = [("AWS_SECRET_ACCESS_KEY", "canary"), ("TERM", "vt"), ("AWS_REGION", "")];
        let variables = variables.map(|(name, value)| (name.into(), value.into()));
        let access = Access::new(variables, None);
        assert_eq!(access.variable("AWS_SECRET_ACCESS_KEY"), Some("canary"));
        assert_eq!((access.variable("TERM"), access.variable("AWS_REGION")), (None, None));
        assert!(!format!("{access:?}").contains("canary"));
    }
}
