//! From URLs to the list of inputs.

use std::collections::HashSet;
use std::sync::Arc;

use glob::{MatchOptions, Pattern, PatternError};

use super::discover::{Given, Input, is_pattern};
use super::inputs::Inputs;
use super::outputs;
use crate::store::{ObjectEntry, Scheme, Store, StoreError, Stores, Url};
use crate::time::Time;

/// As in paths.
const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// The folder in which Segment's archive has a folder for each source, and in that one for each day.
const ARCHIVE: &str = "segment-logs";
/// What a folder of a day spans, in milliseconds.
const DAY: i64 = 24 * 60 * 60 * 1000;

/// How objects are found.
#[derive(Clone, Copy, Debug)]
pub struct Remote<'a> {
    /// What opens stores.
    pub stores: &'a Stores,
    /// Which days of an archive are listed: those of this window, and one before and after it.
    pub window: (Option<Time>, Option<Time>),
}

/// What a URL names.
#[derive(Debug, Default)]
pub(super) struct Named {
    pub objects: Inputs,
    /// What is said of folders that were not listed.
    pub passed_over: Vec<String>,
}

impl Named {
    /// Takes out Parquet tables that stand beside the report of a run: only these outputs cannot be
    /// told by their first bytes.
    fn pass_over_outputs(&mut self) {
        let report = |input: Input| input.display.strip_suffix("report.json").map(str::to_owned);
        let reports: HashSet<String> = self.objects.iter().filter_map(report).collect();
        if reports.is_empty() {
            return;
        }
        let passed_over = &mut self.passed_over;
        self.objects.retain(|input| {
            let table = ["signals", "leads"].into_iter().find(|table| {
                let folder = input.display.strip_suffix(".parquet");
                let folder = folder.and_then(|url| url.strip_suffix(table));
                folder.is_some_and(|folder| reports.contains(folder))
            });
            passed_over.extend(table.map(|table| outputs::passed_over(&input.display, table)));
            table.is_none()
        });
    }

    /// Adds an object.
    fn push(&mut self, found: ObjectEntry, given: Given) {
        let ObjectEntry { url, size, object } = found;
        let display = url.into();
        self.objects.push(Input { path: None, object: Some(object), display, size, given });
    }

    /// Adds the objects below the folders `prefixes` that are not hidden there.
    fn add_below(&mut self, store: &Arc<Store>, prefixes: Vec<String>) -> Result<(), StoreError> {
        let roots = prefixes.clone();
        let is_wanted = move |key: &str| {
            let root = roots.iter().find(|root| key.starts_with(root.as_str()));
            let rest = root.map_or(key, |root| &key[root.len()..]);
            !rest.split('/').any(is_hidden)
        };
        store.list(prefixes, is_wanted, |found| self.push(found, Given::Found))
    }

    /// Adds the objects right below the folder `prefix` that are not hidden, and gives back the
    /// folders there.
    fn add_level(&mut self, store: &Arc<Store>, prefix: &str) -> Result<Vec<String>, StoreError> {
        store.list_level(prefix, |found| {
            if !is_hidden(name(&found)) {
                self.push(found, Given::Found);
            }
        })
    }
}

/// Why a URL names nothing.
pub(super) enum Refused {
    Store(StoreError),
    Pattern(PatternError),
    /// Nothing is there.
    Nothing,
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<PatternError> for Refused {
    fn from(error: PatternError) -> Self {
        Self::Pattern(error)
    }
}

impl Remote<'_> {
    /// Finds what `url` names: an object, else all objects below the folder of that name, else those
    /// that match the pattern.
    ///
    /// # Errors
    /// When nothing is there, or the store does not say.
    pub(super) fn find(&self, url: &Url) -> Result<Named, Refused> {
        let store = self.stores.open(url)?;
        let key = url.key();
        let may_list = url.scheme() != Scheme::Web;
        let (mut named, mut is_exact) = (Named::default(), false);
        if may_list && is_pattern(key) {
            let parts = parts(key)?;
            Walk { store: &store, named: &mut named }.expand(String::new(), &parts)?;
        } else if may_list && (key.is_empty() || key.ends_with('/')) {
            self.folder(&store, key, &mut named)?;
        }
        if named.objects.is_empty() && !(may_list && (key.is_empty() || key.ends_with('/'))) {
            if let Some(found) = store.find(url)? {
                named.push(found, Given::Named);
                is_exact = true;
            } else if may_list && !is_pattern(key) {
                self.folder(&store, &format!("{key}/"), &mut named)?;
            }
        }
        named.objects = std::mem::take(&mut named.objects).sorted();
        if !is_exact {
            named.pass_over_outputs();
        }
        let is_nothing = named.objects.is_empty() && named.passed_over.is_empty();
        if is_nothing { Err(Refused::Nothing) } else { Ok(named) }
    }

    /// Adds the objects below the folder `prefix`: of an archive, those of the days of the window.
    fn folder(
        &self,
        store: &Arc<Store>,
        prefix: &str,
        named: &mut Named,
    ) -> Result<(), StoreError> {
        if self.window == (None, None) {
            return named.add_below(store, vec![prefix.to_owned()]);
        }
        let mut parts = prefix.trim_end_matches('/').rsplit('/');
        let (last, before) = (parts.next(), parts.next());
        if before == Some(ARCHIVE) {
            return self.days(store, prefix, named);
        }
        let is_archive = last == Some(ARCHIVE);
        let is_inside = prefix.split('/').any(|name| name == ARCHIVE) && !is_archive;
        if is_inside {
            return named.add_below(store, vec![prefix.to_owned()]);
        }
        let folders = named.add_level(store, prefix)?;
        if is_archive {
            for source in folders.iter().filter(|name| !is_hidden(name)) {
                self.days(store, &format!("{prefix}{source}/"), named)?;
            }
        } else {
            let archive = |name: &String| name == ARCHIVE;
            let others = folders.iter().filter(|name| !archive(name) && !is_hidden(name));
            let others: Vec<_> = others.map(|name| format!("{prefix}{name}/")).collect();
            if !others.is_empty() {
                named.add_below(store, others)?;
            }
            if folders.iter().any(archive) {
                self.folder(store, &format!("{prefix}{ARCHIVE}/"), named)?;
            }
        }
        Ok(())
    }

    /// Adds the objects of the days of the window, of the source whose folder is `prefix`.
    fn days(&self, store: &Arc<Store>, prefix: &str, named: &mut Named) -> Result<(), StoreError> {
        let folders = named.add_level(store, prefix)?;
        let all = folders.len();
        let wanted = folders.into_iter().filter(|name| !is_hidden(name) && self.takes(name));
        let wanted: Vec<_> = wanted.map(|name| format!("{prefix}{name}/")).collect();
        if wanted.len() < all {
            named.passed_over.push(format!(
                "{}: {} of {all} folders of days are outside --since and --until and were not \
                 listed; events that came more than a day after they happened, and what else these \
                 days tell of who is who, are missing; name {}** to read all",
                store.url(prefix),
                all - wanted.len(),
                store.url(prefix),
            ));
        }
        if !wanted.is_empty() {
            named.add_below(store, wanted)?;
        }
        Ok(())
    }

    /// Whether the folder called `name` may hold events of the window. It is called by the first
    /// millisecond of the day on which its events came; clocks may differ by a day, and events come
    /// later than they happen.
    fn takes(&self, name: &str) -> bool {
        let Ok(day) = name.parse::<i64>() else { return true };
        let (since, until) =
            (self.window.0.and_then(Time::millis), self.window.1.and_then(Time::millis));
        since.is_none_or(|since| day.saturating_add(2 * DAY) > since)
            && until.is_none_or(|until| day.saturating_sub(DAY) < until)
    }
}

fn is_hidden(name: &str) -> bool {
    name.starts_with('.')
}

/// The last part of the name of an object.
fn name(found: &ObjectEntry) -> &str {
    found.url.rsplit('/').next().unwrap_or(&found.url)
}

/// One part of a pattern.
#[derive(Clone)]
enum Part {
    /// A name.
    Literal(String),
    /// Any name that matches.
    Name(Pattern),
    /// `**`: this folder and all below it, but for hidden ones.
    Below,
}

/// The parts of the pattern `key`.
fn parts(key: &str) -> Result<Vec<Part>, PatternError> {
    // The whole tells the place of an error.
    Pattern::new(key)?;
    let mut parts: Vec<Part> = Vec::new();
    for name in key.trim_end_matches('/').split('/') {
        match name {
            "**" if matches!(parts.last(), Some(Part::Below)) => {}
            "**" => parts.push(Part::Below),
            name if is_pattern(name) => parts.push(Part::Name(Pattern::new(name)?)),
            name => parts.push(Part::Literal(name.to_owned())),
        }
    }
    Ok(parts)
}

/// Whether the names of a key match `parts`: all of them, or their beginning, which is a folder then.
fn fits(parts: &[Part], names: &[&str]) -> bool {
    let Some((part, rest)) = parts.split_first() else {
        return !names.iter().any(|name| is_hidden(name));
    };
    let first = names.split_first();
    match part {
        Part::Below => {
            fits(rest, names)
                || first.is_some_and(|(name, names)| !is_hidden(name) && fits(parts, names))
        }
        Part::Name(pattern) => first
            .is_some_and(|(name, names)| pattern.matches_with(name, OPTIONS) && fits(rest, names)),
        Part::Literal(literal) => {
            first.is_some_and(|(name, names)| *name == literal && fits(rest, names))
        }
    }
}

/// A walk along the parts of a pattern.
struct Walk<'a> {
    store: &'a Arc<Store>,
    named: &'a mut Named,
}

impl Walk<'_> {
    /// Adds what is below the folder `prefix` and matches `parts`. Only folders that may hold such
    /// objects are listed.
    fn expand(&mut self, mut prefix: String, mut parts: &[Part]) -> Result<(), StoreError> {
        while let [Part::Literal(name), rest @ ..] = parts
            && !rest.is_empty()
        {
            prefix.push_str(name);
            prefix.push('/');
            parts = rest;
        }
        match parts {
            [] => {}
            [Part::Below, ..] => {
                let (parts, root) = (parts.to_vec(), prefix.len());
                let is_wanted = move |key: &str| {
                    let names: Vec<&str> = key.get(root..).unwrap_or_default().split('/').collect();
                    fits(&parts, &names)
                };
                let named = &mut *self.named;
                self.store
                    .list(vec![prefix], is_wanted, |found| named.push(found, Given::Found))?;
            }
            [part, rest @ ..] => {
                let fits_part = |name: &str| fits(std::slice::from_ref(part), &[name]);
                let folders = self.store.list_level(&prefix, |found| {
                    if rest.is_empty() && fits_part(name(&found)) {
                        self.named.push(found, Given::Found);
                    }
                })?;
                let folders = folders.iter().filter(|name| fits_part(name));
                let folders = folders.map(|name| format!("{prefix}{name}/"));
                if rest.is_empty() {
                    let folders: Vec<_> = folders.collect();
                    if !folders.is_empty() {
                        self.named.add_below(self.store, folders)?;
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
    fn keys_match_as_paths_do() {
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
            assert_eq!(fits(&parts(pattern).unwrap(), &names), expected, "{pattern} {key}");
        }
        assert!(parts("a/[").is_err());
    }

    #[test]
    fn days_of_the_window_are_taken_and_one_before_and_after() {
        let stores = Stores::new(crate::store::Access::default());
        let day = |number: i64| Time::from_millis(number * DAY);
        let remote = Remote { stores: &stores, window: (day(10), day(12)) };
        let taken: Vec<i64> =
            (0..20).filter(|day| remote.takes(&(day * DAY).to_string())).collect();
        assert_eq!(taken, [9, 10, 11, 12]);
        assert!(remote.takes("2025-07-01"), "what is no day is read");
        let since = Remote { window: (day(10), None), ..remote };
        assert!(!since.takes(&(8 * DAY).to_string()) && since.takes(&(900 * DAY).to_string()));
    }
}
