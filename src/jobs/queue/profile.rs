//! The profile of the events of one name: every path with its types, its fill rate, the number of
//! distinct values, and some examples.

use std::ops::AddAssign;

use ahash::AHashMap;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::bounded::{Bounded, Rest, Weight};
use super::distinct::Distinct;
use super::example::{Examples, shown};
use crate::event::{Event, Member};
use crate::json::canonical::{write_integer, write_number};
use crate::json::{Json, Kind, Number};
use crate::parse::auth::Auth;

/// The maximum number of paths that are counted separately; the rest are added up.
pub const MOST_PATHS: usize = 1_000;
/// The maximum number of members up to which duplicate names in an object are found without a
/// table.
const SMALL: usize = 32;

/// The JSON types, in the order of reports.
pub const TYPES: [&str; 6] = ["string", "number", "bool", "object", "list", "null"];

/// Counts for a path.
#[derive(Debug, Default)]
pub struct PathStat {
    /// The number of events with a value that is neither `null` nor `""`.
    pub filled: u64,
    /// The number of values by type, as in [`TYPES`].
    pub types: [u64; TYPES.len()],
    /// The number of empty strings.
    pub empty: u64,
    /// The distinct strings, numbers and booleans, without `""`.
    pub distinct: Distinct,
    /// Some of these values.
    pub examples: Examples,
    /// The number of the last event that counted as filled.
    event: u64,
}

impl Weight for PathStat {
    fn weight(&self) -> u64 {
        self.types.iter().sum()
    }
}

impl AddAssign for PathStat {
    fn add_assign(&mut self, other: Self) {
        self.filled += other.filled;
        self.empty += other.empty;
        self.distinct.absorb(other.distinct);
        self.examples.absorb(other.examples);
        for (sum, count) in self.types.iter_mut().zip(other.types) {
            *sum += count;
        }
    }
}

/// Profiles events; sums over workers are sums over the input.
#[derive(Debug, Default)]
pub struct Profile {
    /// The number of events.
    pub events: u64,
    paths: Bounded<PathStat, MOST_PATHS>,
    path: String,
    scratch: Vec<u8>,
}

impl Profile {
    /// Adds an event; `auth` contains the secrets that examples must not show.
    pub fn see(&mut self, event: &Event<'_>, auth: &Auth) {
        self.events += 1;
        let mut path = std::mem::take(&mut self.path);
        path.clear();
        self.members(event.root(), &mut path, auth);
        for lent in [Member::SentAt, Member::Context, Member::Integrations] {
            if event.batch().is_some()
                && event.own(lent).is_none()
                && let Some(value) = event.get(lent)
            {
                self.member(lent.key(), value, &mut path, auth);
            }
        }
        self.path = path;
    }

    /// Returns the paths in order, and the counts of the rest.
    pub fn into_paths(self) -> (Vec<(String, PathStat)>, Rest) {
        self.paths.into_sorted()
    }

    fn members(&mut self, object: Json<'_>, path: &mut String, auth: &Auth) {
        let is_large = matches!(object.kind(), Kind::Object(len) if len > SMALL);
        let last: Option<AHashMap<&str, u32>> =
            is_large.then(|| object.entries().map(|(key, value)| (key, value.place())).collect());
        let mut entries = object.entries();
        while let Some((key, value)) = entries.next() {
            let counts = match &last {
                Some(last) => last.get(key).copied() == Some(value.place()),
                None => entries.clone().all(|(later, _)| later != key),
            };
            if counts {
                self.member(key, value, path, auth);
            }
        }
    }

    fn member(&mut self, key: &str, value: Json<'_>, path: &mut String, auth: &Auth) {
        let start = path.len();
        if start > 0 {
            path.push('.');
        }
        push_escaped(key, path);
        self.value(value, path, auth);
        path.truncate(start);
    }

    fn value(&mut self, value: Json<'_>, path: &mut String, auth: &Auth) {
        let event = self.events;
        if let Some(stat) = self.paths.get(path) {
            stat.see(value, event, path, auth, &mut self.scratch);
        }
        match value.kind() {
            Kind::Object(_) => self.members(value, path, auth),
            Kind::Array(_) => {
                let start = path.len();
                path.push_str("[]");
                for item in value.items() {
                    self.value(item, path, auth);
                }
                path.truncate(start);
            }
            _ => {}
        }
    }
}

impl AddAssign for Profile {
    fn add_assign(&mut self, other: Self) {
        self.events += other.events;
        self.paths += other.paths;
    }
}

impl PathStat {
    fn see(&mut self, value: Json<'_>, event: u64, path: &str, auth: &Auth, scratch: &mut Vec<u8>) {
        let kind = value.kind();
        self.types[type_of(kind)] += 1;
        if !value.is_present() {
            self.empty += u64::from(!value.is_null());
            return;
        }
        self.filled += u64::from(self.event != event);
        self.event = event;
        scratch.clear();
        let (text, seed) = match kind {
            Kind::String(text) => (text, 0),
            Kind::Number(Number::Int(number)) => (write_integer_text(number, scratch), 1),
            Kind::Number(Number::Uint(number)) => (write_integer_text(number, scratch), 1),
            Kind::Number(number) => {
                write_number(number, scratch);
                (std::str::from_utf8(scratch).unwrap_or_default(), 1)
            }
            Kind::Bool(true) => ("true", 2),
            Kind::Bool(false) => ("false", 2),
            Kind::Object(_) | Kind::Array(_) | Kind::Null => return,
        };
        let hash = xxh3_64_with_seed(text.as_bytes(), seed);
        self.distinct.see(hash);
        self.examples.offer(xxh3_64(&hash.to_le_bytes()), || shown(text, path, auth));
    }
}

fn write_integer_text(number: impl itoa::Integer, out: &mut Vec<u8>) -> &str {
    write_integer(number, out);
    std::str::from_utf8(out).unwrap_or_default()
}

fn type_of(kind: Kind<'_>) -> usize {
    match kind {
        Kind::String(_) => 0,
        Kind::Number(_) => 1,
        Kind::Bool(_) => 2,
        Kind::Object(_) => 3,
        Kind::Array(_) => 4,
        Kind::Null => 5,
    }
}

/// Appends `name` in the syntax of field paths: with a backslash before every character that is not
/// a letter, a digit, `_` or `-`.
pub(super) fn push_escaped(name: &str, path: &mut String) {
    for char in name.chars() {
        if !(char.is_ascii_alphanumeric() || matches!(char, '_' | '-')) {
            path.push('\\');
        }
        path.push(char);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Members;
    use crate::json::document::with_json;

    fn profile(events: &[&str]) -> (Vec<(String, PathStat)>, Rest) {
        let mut profile = Profile::default();
        for event in events {
            with_json(event, |json| {
                let members = Members::of(json);
                profile.see(&Event::new(json, &members), &Auth::default());
            });
        }
        profile.into_paths()
    }

    fn stat<'p>(paths: &'p [(String, PathStat)], path: &str) -> &'p PathStat {
        let found = paths.iter().find(|(name, _)| name == path);
        &found.unwrap_or_else(|| panic!("no {path} in {paths:?}")).1
    }

    #[test]
    fn a_path_is_filled_once_an_event_and_neither_by_null_nor_by_nothing() {
        let (paths, rest) = profile(&[
            r#"{"properties":{"tags":["a","b","a"],"plan":"Pro","n":1,"x":null}}"#,
            r#"{"properties":{"tags":[],"plan":"","n":1.0,"x":true}}"#,
        ]);
        let tags = stat(&paths, "properties.tags[]");
        assert_eq!((tags.filled, tags.types[0], tags.distinct.count()), (1, 3, 2));
        assert_eq!(stat(&paths, "properties.tags").types[4], 2);
        let plan = stat(&paths, "properties.plan");
        assert_eq!((plan.filled, plan.empty, plan.types[0]), (1, 1, 2));
        assert_eq!(stat(&paths, "properties.n").distinct.count(), 1);
        let mixed = stat(&paths, "properties.x");
        assert_eq!((mixed.filled, mixed.types), (1, [0, 0, 1, 0, 0, 1]));
        assert_eq!((stat(&paths, "properties").filled, rest.count), (2, 0));
    }

    #[test]
    fn of_two_members_of_one_name_the_last_counts() {
        let (paths, _) = profile(&[r#"{"a":"first","a":2}"#]);
        assert_eq!(stat(&paths, "a").types, [0, 1, 0, 0, 0, 0]);
        let many: Vec<String> =
            (0..SMALL * 2).map(|at| format!(r#""k{}":{at}"#, at % 40)).collect();
        let (paths, _) = profile(&[&format!("{{{}}}", many.join(","))]);
        assert_eq!((stat(&paths, "k0").types[1], paths.len()), (1, 40));
    }

    #[test]
    fn a_path_is_written_as_rules_have_it() {
        let (paths, _) = profile(&[r#"{"properties":{"product 1":{"a.b":[{"c":1}]}}}"#]);
        assert_eq!(stat(&paths, r"properties.product\ 1.a\.b[].c").filled, 1);
    }

    #[test]
    fn a_million_paths_take_no_more_room_than_a_thousand() {
        let event = |from: usize| {
            let members: Vec<String> =
                (from..from + 500).map(|at| format!(r#""k{at:07}":1"#)).collect();
            format!(r#"{{"properties":{{"plan":"Pro","by_id":{{{}}}}}}}"#, members.join(","))
        };
        let events: Vec<String> = (0..40).map(|at| event(at * 500)).collect();
        let events: Vec<&str> = events.iter().map(String::as_str).collect();
        let (paths, rest) = profile(&events);
        assert_eq!(paths.len(), MOST_PATHS);
        assert_eq!(stat(&paths, "properties.plan").filled, 40);
        // There are three paths above and beside the ids.
        assert_eq!(rest.count, 20_000 - (MOST_PATHS as u64 - 3));
    }
}
