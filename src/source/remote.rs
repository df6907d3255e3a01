//! Discovery of objects: from URLs to the list of inputs.

use std::collections::HashSet;
use std::sync::Arc;

use glob::{MatchOptions, Pattern, PatternError};

use super::discover::{Input, Origin, is_pattern};
use super::inputs::Inputs;
use super::outputs;
use crate::store::{ObjectEntry, Scheme, Store, StoreError, Stores, Url};
use crate::time::Time;

/// Like the options for paths in `pattern`.
const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// The root folder of Segment's archives, which contain a folder for each source and day.
const ARCHIVE_FOLDER: &str = "segment-logs";
/// The time that the folder of one day covers, in milliseconds.
const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;

/// How objects are discovered.
#[derive(Clone, Copy, Debug)]
pub struct Remote<'a> {
    /// The stores, with their credentials.
    pub stores: &'a Stores,
    /// The start and end of the time window. In archives, only the days of this window and one day
    /// before and after it are listed.
    pub window: (Option<Time>, Option<Time>),
}

/// The objects that a URL names.
#[derive(Debug, Default)]
pub(super) struct UrlInputs {
    pub objects: Inputs,
    /// Messages about outputs of earlier runs and days that were skipped.
    pub skipped: Vec<String>,
}

impl UrlInputs {
    /// Removes Parquet tables next to a `report.json` of a run. Other outputs are detected by their
    /// first bytes.
    fn skip_outputs(&mut self) {
        let report = |input: Input| input.display.strip_suffix("report.json").map(str::to_owned);
        let reports: HashSet<String> = self.objects.iter().filter_map(report).collect();
        if reports.is_empty() {
            return;
        }
        let skipped = &mut self.skipped;
        self.objects.retain(|input| {
            let table = ["signals", "leads"].into_iter().find(|table| {
                let folder = input.display.strip_suffix(".parquet");
                let folder = folder.and_then(|url| url.strip_suffix(table));
                folder.is_some_and(|folder| reports.contains(folder))
            });
            skipped.extend(table.map(|table| outputs::skipped(&input.display, table)));
            table.is_none()
        });
    }

    fn push(&mut self, entry: ObjectEntry, origin: Origin) {
        let ObjectEntry { url, size, object } = entry;
        let display = url.into();
        self.objects.push(Input { path: None, object: Some(object), display, size, origin });
    }

    /// Adds the objects below the folders `prefixes`, except those that are hidden there.
    fn add_below(&mut self, store: &Arc<Store>, prefixes: Vec<String>) -> Result<(), StoreError> {
        let roots = prefixes.clone();
        let is_wanted = move |key: &str| {
            let root = roots.iter().find(|root| key.starts_with(root.as_str()));
            let rest = root.map_or(key, |root| &key[root.len()..]);
            !rest.split('/').any(is_hidden)
        };
        store.list(prefixes, is_wanted, |entry| self.push(entry, Origin::Found))
    }

    /// Adds the objects directly in the folder `prefix` that are not hidden, and returns the names
    /// of its subfolders.
    fn add_level(&mut self, store: &Arc<Store>, prefix: &str) -> Result<Vec<String>, StoreError> {
        store.list_level(prefix, |entry| {
            if !is_hidden(name(&entry)) {
                self.push(entry, Origin::Found);
            }
        })
    }
}

/// The error of a URL.
pub(super) enum FindError {
    Store(StoreError),
    Pattern(PatternError),
    /// No object exists.
    NotFound,
}

impl From<StoreError> for FindError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<PatternError> for FindError {
    fn from(error: PatternError) -> Self {
        Self::Pattern(error)
    }
}

impl Remote<'_> {
    /// Lists the objects that `url` names: the object with this key, or else all objects in the
    /// folder with this name, or those that match the pattern.
    ///
    /// # Errors
    /// Returns an error if no object exists, or if a request fails.
    pub(super) fn find(&self, url: &Url) -> Result<UrlInputs, FindError> {
        let store = self.stores.open(url)?;
        let key = url.key();
        let may_list = url.scheme() != Scheme::Web;
        let (mut inputs, mut is_exact) = (UrlInputs::default(), false);
        if may_list && is_pattern(key) {
            let parts = components(key)?;
            Walk { store: &store, inputs: &mut inputs }.expand(String::new(), &parts)?;
        } else if may_list && (key.is_empty() || key.ends_with('/')) {
            self.add_folder(&store, key, &mut inputs)?;
        }
        if inputs.objects.is_empty() && !(may_list && (key.is_empty() || key.ends_with('/'))) {
            if let Some(entry) = store.find(url)? {
                inputs.push(entry, Origin::Named);
                is_exact = true;
            } else if may_list && !is_pattern(key) {
                self.add_folder(&store, &format!("{key}/"), &mut inputs)?;
            }
        }
        inputs.objects = std::mem::take(&mut inputs.objects).sorted();
        if !is_exact {
            inputs.skip_outputs();
        }
        let is_empty = inputs.objects.is_empty() && inputs.skipped.is_empty();
        if is_empty { Err(FindError::NotFound) } else { Ok(inputs) }
    }

    /// Adds the objects below the folder `prefix`. If it is in an archive or contains one, only the
    /// days of the window are listed.
    fn add_folder(
        &self,
        store: &Arc<Store>,
        prefix: &str,
        inputs: &mut UrlInputs,
    ) -> Result<(), StoreError> {
        if self.window == (None, None) {
            return inputs.add_below(store, vec![prefix.to_owned()]);
        }
        let mut parts = prefix.trim_end_matches('/').rsplit('/');
        let (last, before) = (parts.next(), parts.next());
        if before == Some(ARCHIVE_FOLDER) {
            return self.add_days(store, prefix, inputs);
        }
        let is_archive = last == Some(ARCHIVE_FOLDER);
        let is_inside = prefix.split('/').any(|name| name == ARCHIVE_FOLDER) && !is_archive;
        if is_inside {
            return inputs.add_below(store, vec![prefix.to_owned()]);
        }
        let folders = inputs.add_level(store, prefix)?;
        if is_archive {
            for source in folders.iter().filter(|name| !is_hidden(name)) {
                self.add_days(store, &format!("{prefix}{source}/"), inputs)?;
            }
        } else {
            let archive = |name: &String| name == ARCHIVE_FOLDER;
            let others = folders.iter().filter(|name| !archive(name) && !is_hidden(name));
            let others: Vec<_> = others.map(|name| format!("{prefix}{name}/")).collect();
            if !others.is_empty() {
                inputs.add_below(store, others)?;
            }
            if folders.iter().any(archive) {
                self.add_folder(store, &format!("{prefix}{ARCHIVE_FOLDER}/"), inputs)?;
            }
        }
        Ok(())
    }

    /// Adds the objects of the days in the window, of the source with the folder `prefix`.
    fn add_days(
        &self,
        store: &Arc<Store>,
        prefix: &str,
        inputs: &mut UrlInputs,
    ) -> Result<(), StoreError> {
        let folders = inputs.add_level(store, prefix)?;
        let all = folders.len();
        let wanted = folders.into_iter().filter(|name| !is_hidden(name) && self.is_in_window(name));
        let wanted: Vec<_> = wanted.map(|name| format!("{prefix}{name}/")).collect();
        if wanted.len() < all {
            inputs.skipped.push(format!(
                "{}: {} of {all} folders of days are outside --since and --until and were not \
                 listed; events that were received more than a day after they happened, and \
                 identities in these days, are missing; name {}** to read all",
                store.url(prefix),
                all - wanted.len(),
                store.url(prefix),
            ));
        }
        if !wanted.is_empty() {
            inputs.add_below(store, wanted)?;
        }
        Ok(())
    }

    /// Returns `true` if the folder `name` may contain events in the window. It is named by the
    /// first millisecond of the day on which its events were received. Clocks may differ by a day,
    /// and events are received after they happen.
    fn is_in_window(&self, name: &str) -> bool {
        let Ok(day) = name.parse::<i64>() else { return true };
        let (since, until) =
            (self.window.0.and_then(Time::millis), self.window.1.and_then(Time::millis));
        since.is_none_or(|since| day.saturating_add(2 * DAY_MILLIS) > since)
            && until.is_none_or(|until| day.saturating_sub(DAY_MILLIS) < until)
    }
}

fn is_hidden(name: &str) -> bool {
    name.starts_with('.')
}

/// Returns the last component of the URL of an object.
fn name(entry: &ObjectEntry) -> &str {
    entry.url.rsplit('/').next().unwrap_or(&entry.url)
}

/// A component of a pattern.
#[derive(Clone)]
enum Component {
    /// This name.
    Literal(String),
    /// Every name that matches.
    Name(Pattern),
    /// `**`: the folder itself and all folders below it that are not hidden.
    Recursive,
}

/// Splits the pattern `key` into its components.
fn components(key: &str) -> Result<Vec<Component>, PatternError> {
    // Errors have the position in the whole pattern.
    Pattern::new(key)?;
    let mut parts: Vec<Component> = Vec::new();
    for name in key.trim_end_matches('/').split('/') {
        match name {
            "**" if matches!(parts.last(), Some(Component::Recursive)) => {}
            "**" => parts.push(Component::Recursive),
            name if is_pattern(name) => parts.push(Component::Name(Pattern::new(name)?)),
            name => parts.push(Component::Literal(name.to_owned())),
        }
    }
    Ok(parts)
}

/// Returns `true` if the names in a key match all of `pattern`, or at least its beginning, if this
/// is the name of a folder.
fn is_match(pattern: &[Component], names: &[&str]) -> bool {
    let Some((component, rest)) = pattern.split_first() else {
        return !names.iter().any(|name| is_hidden(name));
    };
    let first = names.split_first();
    match component {
        Component::Recursive => {
            is_match(rest, names)
                || first.is_some_and(|(name, names)| !is_hidden(name) && is_match(pattern, names))
        }
        Component::Name(name_pattern) => first.is_some_and(|(name, names)| {
            name_pattern.matches_with(name, OPTIONS) && is_match(rest, names)
        }),
        Component::Literal(literal) => {
            first.is_some_and(|(name, names)| *name == literal && is_match(rest, names))
        }
    }
}

/// Lists the folders that can match a pattern.
struct Walk<'a> {
    store: &'a Arc<Store>,
    inputs: &'a mut UrlInputs,
}

impl Walk<'_> {
    /// Adds the objects below the folder `prefix` that match `parts`. Lists only folders that may
    /// contain such objects.
    fn expand(&mut self, mut prefix: String, mut parts: &[Component]) -> Result<(), StoreError> {
        while let [Component::Literal(name), rest @ ..] = parts
            && !rest.is_empty()
        {
            prefix.push_str(name);
            prefix.push('/');
            parts = rest;
        }
        match parts {
            [] => {}
            [Component::Recursive, ..] => {
                let (parts, root) = (parts.to_vec(), prefix.len());
                let is_wanted = move |key: &str| {
                    let names: Vec<&str> = key.get(root..).unwrap_or_default().split('/').collect();
                    is_match(&parts, &names)
                };
                let inputs = &mut *self.inputs;
                self.store
                    .list(vec![prefix], is_wanted, |entry| inputs.push(entry, Origin::Found))?;
            }
            [component, rest @ ..] => {
                let is_component_match =
                    |name: &str| is_match(std::slice::from_ref(component), &[name]);
                let folders = self.store.list_level(&prefix, |entry| {
                    if rest.is_empty() && is_component_match(name(&entry)) {
                        self.inputs.push(entry, Origin::Found);
                    }
                })?;
                let folders = folders.iter().filter(|name| is_component_match(name));
                let folders = folders.map(|name| format!("{prefix}{name}/"));
                if rest.is_empty() {
                    let folders: Vec<_> = folders.collect();
                    if !folders.is_empty() {
                        self.inputs.add_below(self.store, folders)?;
                    }
                } else {
                    for folder in folders {
                        self.expand(folder, rest)?;
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_match_patterns_like_paths() {
        for (pattern, key, expected) in [
            ("l/*.gz", "l/a.gz", true),
            ("l/*.gz", "l/x/a.gz", false),
            ("l/*.gz", "l/.a.gz", false),
            ("l/**/*.gz", "l/a.gz", true),
            ("l/**/*.gz", "l/x/y/a.gz", true),
            ("l/**/*.gz", "l/.h/a.gz", false),
            ("l/**", "l/x/a", true),
            ("l/**", "l/x/.a", false),
            ("l/?", "l/x/y/a", true),
            ("l/?", "l/x/.y/a", false),
            ("*/a", "l/a", true),
            ("*/a", "l/b", false),
            ("**/**/a", "l/x/a", true),
        ] {
            let names: Vec<&str> = key.split('/').collect();
            assert_eq!(
                is_match(&components(pattern).unwrap(), &names),
                expected,
                "{pattern} {key}"
            );
        }
        assert!(components("a/[").is_err());
    }

    #[test]
    fn lists_the_days_of_the_window_and_one_before_and_after() {
        let stores = Stores::new(crate::store::Access::default());
        let day = |number: i64| Time::from_millis(number * DAY_MILLIS);
        let remote = Remote { stores: &stores, window: (day(10), day(12)) };
        let taken: Vec<i64> =
            (0..20).filter(|day| remote.is_in_window(&(day * DAY_MILLIS).to_string())).collect();
        assert_eq!(taken, [9, 10, 11, 12]);
        assert!(remote.is_in_window("2025-07-01"), "folders that are no days are listed");
        let since = Remote { window: (day(10), None), ..remote };
        assert!(
            !since.is_in_window(&(8 * DAY_MILLIS).to_string())
                && since.is_in_window(&(900 * DAY_MILLIS).to_string())
        );
    }
}
