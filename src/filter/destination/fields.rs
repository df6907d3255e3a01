//! The members of an event that an action names.

use crate::json::Json;

/// Names of members, grouped by the object that contains them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(Vec<InObject>);

/// The members to remove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The named members.
    Named,
    /// All other members.
    Others,
}

/// Members of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
struct InObject {
    /// The names that lead to the object; empty for the event itself.
    path: Vec<Name>,
    /// The names of the members, sorted.
    members: Vec<Box<str>>,
}

/// A name on the path to an object, or a list index if it is a number.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Name {
    name: Box<str>,
    index: Option<usize>,
}

impl Fields {
    /// Adds the `members` of the object at `path`: names joined by `.`, where a backslash makes the
    /// next character part of the name; an empty path is the event itself.
    pub fn add<'a>(&mut self, path: &str, members: impl IntoIterator<Item = &'a str>) {
        let path = if path.is_empty() { Vec::new() } else { names(path) };
        let path = path.into_iter().map(|name| Name {
            index: name
                .bytes()
                .all(|byte| byte.is_ascii_digit())
                .then(|| name.parse().ok())
                .flatten(),
            name: name.into(),
        });
        let mut members: Vec<Box<str>> = members.into_iter().map(Into::into).collect();
        members.sort_unstable();
        self.0.push(InObject { path: path.collect(), members });
    }

    /// Adds the node indices of the members of `event` to remove to `found`.
    pub(super) fn find(&self, event: Json<'_>, scope: Scope, found: &mut Vec<u32>) {
        for object in &self.0 {
            object.find(event, &object.path, scope, found);
        }
    }
}

impl InObject {
    /// Like [`Fields::find`], for the rest `path` of the path, starting at `value`. In a list, the
    /// search covers every item.
    fn find(&self, value: Json<'_>, path: &[Name], scope: Scope, found: &mut Vec<u32>) {
        if value.is_array() {
            if let Some((Name { index: Some(index), .. }, rest)) = path.split_first() {
                if let Some(item) = value.item(*index) {
                    self.find(item, rest, scope, found);
                }
                return;
            }
            for item in value.items() {
                self.find(item, path, scope, found);
            }
            return;
        }
        if let Some((name, rest)) = path.split_first() {
            if let Some(inner) = value.get(&name.name) {
                self.find(inner, rest, scope, found);
            }
            return;
        }
        let goes = |key: &str| {
            let named = self.members.binary_search_by(|name| (**name).cmp(key)).is_ok();
            named == (scope == Scope::Named)
        };
        let gone = value.entries().filter(|(key, _)| goes(key));
        found.extend(gone.map(|(_, member)| member.place()));
    }
}

/// Returns the unescaped names of a path.
pub(super) fn names(path: &str) -> Vec<String> {
    let mut names = vec![String::new()];
    let mut chars = path.chars();
    while let Some(char) = chars.next() {
        if char == '.' {
            names.push(String::new());
        } else if let Some(name) = names.last_mut() {
            name.push(if char == '\\' { chars.next().unwrap_or(char) } else { char });
        }
    }
    names
}
