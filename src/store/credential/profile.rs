//! Profiles of the AWS command-line tool: `~/.aws/config` and `~/.aws/credentials`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ini::{Ini, ParseOption};

use super::CredentialError;
use crate::store::access::Access;

/// The settings of a section by name.
type Section = BTreeMap<String, String>;

/// The profiles of both files.
#[derive(Clone, Default)]
pub struct Profiles {
    named: BTreeMap<String, Section>,
    sessions: BTreeMap<String, Section>,
    /// The selected profile, and whether the environment selects it.
    selected: String,
    is_named: bool,
}

impl Profiles {
    /// Reads both files. A missing file counts as empty.
    ///
    /// # Errors
    /// Returns an error if a file is malformed.
    pub fn read(access: &Access) -> Result<Self, CredentialError> {
        let named = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"].map(|name| access.variable(name));
        let named = named.into_iter().flatten().next();
        let mut profiles = Self {
            selected: named.unwrap_or("default").to_owned(),
            is_named: named.is_some(),
            ..Self::default()
        };
        for (variable, name) in
            [("AWS_CONFIG_FILE", "config"), ("AWS_SHARED_CREDENTIALS_FILE", "credentials")]
        {
            let path = match access.variable(variable) {
                Some(path) => expanded(path, access),
                None => access.home().map(|home| home.join(".aws").join(name)),
            };
            if let Some(path) = path
                && let Ok(bytes) = std::fs::read(&path)
            {
                let text = String::from_utf8_lossy(&bytes);
                profiles.add(&text).map_err(|place| {
                    let path = path.display();
                    CredentialError(format!("{path}:{place}: not a valid file of AWS profiles"))
                })?;
            }
        }
        Ok(profiles)
    }

    /// Adds the sections of a file. Fails with the line and column of a syntax error.
    fn add(&mut self, text: &str) -> Result<(), String> {
        let options = ParseOption {
            enabled_escape: false,
            enabled_quote: false,
            enabled_indented_mutiline_value: true,
            ..ParseOption::default()
        };
        let file = Ini::load_from_str_opt(text, options)
            .map_err(|error| format!("{}:{}", error.line, error.col))?;
        for (section, values) in &file {
            let Some(section) = section.map(str::trim) else { continue };
            let (sections, name) = match section.split_once(char::is_whitespace) {
                Some(("profile", name)) => (&mut self.named, name),
                Some(("sso-session", name)) => (&mut self.sessions, name),
                Some(_) => continue,
                None => (&mut self.named, section),
            };
            let known = sections.entry(name.trim().to_owned()).or_default();
            known.extend(values.iter().map(|(name, value)| (name.to_owned(), value.to_owned())));
        }
        Ok(())
    }

    /// Returns the name of the selected profile, and whether the environment selects it.
    pub fn selected(&self) -> (&str, bool) {
        (&self.selected, self.is_named)
    }

    /// Returns a setting of the selected profile.
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.profile(&self.selected)?.get(name)
    }

    /// Returns the profile with this name.
    pub fn profile(&self, name: &str) -> Option<Profile<'_>> {
        let section = self.named.get(name)?;
        let session = section.get("sso_session").and_then(|name| self.sessions.get(name));
        Some(Profile { section, session })
    }
}

/// One profile.
#[derive(Clone, Copy)]
pub struct Profile<'p> {
    section: &'p Section,
    session: Option<&'p Section>,
}

impl<'p> Profile<'p> {
    /// Returns a setting of the profile, or else of its `sso-session`. Empty settings count as
    /// missing.
    pub fn get(self, name: &str) -> Option<&'p str> {
        let found = self.section.get(name).or_else(|| self.session?.get(name));
        found.map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// Replaces `~/` at the start of a path by the home directory.
fn expanded(path: &str, access: &Access) -> Option<PathBuf> {
    match path.strip_prefix("~/") {
        Some(rest) => access.home().map(|home| home.join(rest)),
        None => Some(path.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_of_both_files_are_merged_and_inherit_from_their_session() {
        let mut profiles = Profiles { selected: "work".into(), ..Profiles::default() };
        let config = "[default]\nregion = us-east-1\n[profile work]\nsso_session = acme\n\
                      sso_account_id = 1\n[sso-session acme]\nsso_region = eu-west-1\n";
        profiles.add(config).unwrap();
        profiles.add("[work]\naws_secret_access_key = a/b+c#d\\e\"f\n").unwrap();
        assert_eq!(profiles.setting("aws_secret_access_key"), Some("a/b+c#d\\e\"f"));
        assert_eq!(profiles.setting("sso_region"), Some("eu-west-1"));
        assert_eq!(profiles.setting("region"), None);
        assert_eq!(profiles.profile("default").unwrap().get("region"), Some("us-east-1"));
        assert!(profiles.profile("other").is_none());
    }

    #[test]
    fn errors_of_malformed_files_name_the_place_but_no_content() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".aws")).unwrap();
        std::fs::write(home.path().join(".aws/credentials"), "[a\ncanary\n").unwrap();
        let access = Access::new([], Some(home.path().into()));
        let error = Profiles::read(&access).err().unwrap().to_string();
        assert!(error.contains(".aws/credentials:3:") && !error.contains("canary"), "{error}");
    }
}
