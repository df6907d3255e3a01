//! Reads tables key by key and collects all faults.

use std::ops::Range;

use super::tree::{Entry, Node, Value};
use crate::diagnostic::Diagnostic;

/// The minimum similarity (0 to 1) at which an unknown key counts as a misspelling of a known one.
const LIKENESS: f64 = 0.75;

/// A table that is being read. Faults go to a list that all tables of a file share.
pub struct Table<'a> {
    entries: &'a [Entry],
    /// The span of the table.
    pub span: Range<usize>,
}

/// All faults of a file.
pub type Faults = Vec<Diagnostic>;

impl<'a> Table<'a> {
    /// Opens the table `node`. A key that is not in `keys` is a fault.
    pub fn new(node: &'a Node, what: &str, keys: &[&str], faults: &mut Faults) -> Option<Self> {
        let table = Self::open(node, what, faults)?;
        for (entry, near) in table.unknown_entries(keys) {
            let message = format!("`{}` is no key of {what}", entry.key);
            let fault = Diagnostic::error(entry.key_span.clone(), message);
            faults.push(match near {
                Some(key) => fault.with_help(format!("did you mean `{key}`?")),
                None => fault.with_help(format!("its keys are {}", keys.join(", "))),
            });
        }
        Some(table)
    }

    /// Opens the table `node` and accepts any keys.
    pub fn open(node: &'a Node, what: &str, faults: &mut Faults) -> Option<Self> {
        let Value::Table(entries) = &node.value else {
            faults.push(mismatch(node, what, "a table"));
            return None;
        };
        Some(Self { entries, span: node.place() })
    }

    /// Returns the entries whose keys are not in `keys`, each with the most similar known key, if
    /// one is similar.
    pub fn unknown_entries<'k>(
        &self,
        keys: &[&'k str],
    ) -> impl Iterator<Item = (&'a Entry, Option<&'k str>)> {
        let strange = self.entries.iter().filter(|entry| !keys.contains(&entry.key.as_str()));
        strange.map(|entry| (entry, nearest(&entry.key, keys)))
    }

    /// Returns all entries in the order of the text.
    pub fn entries(&self) -> &'a [Entry] {
        self.entries
    }

    /// Returns the value of `key`.
    pub fn get(&self, key: &str) -> Option<&'a Node> {
        self.entries.iter().rev().find(|entry| entry.key == key).map(|entry| &entry.node)
    }

    /// Returns the value of `key` if it is a text; another type is a fault.
    pub fn text(&self, key: &str, faults: &mut Faults) -> Option<(&'a str, Range<usize>)> {
        let node = self.get(key)?;
        let Value::Text(text) = &node.value else {
            faults.push(mismatch(node, &format!("`{key}`"), "a text"));
            return None;
        };
        Some((text, node.span.clone()))
    }

    /// Returns the value of `key` if it is a whole number; another type is a fault.
    pub fn integer(&self, key: &str, faults: &mut Faults) -> Option<i64> {
        let node = self.get(key)?;
        let Value::Integer(value) = node.value else {
            faults.push(mismatch(node, &format!("`{key}`"), "a whole number"));
            return None;
        };
        Some(value)
    }

    /// Returns the value of `key` if it is a whole number of at least `least` that fits `T`;
    /// another value is a fault.
    pub fn count<T: TryFrom<i64>>(&self, key: &str, least: i64, faults: &mut Faults) -> Option<T> {
        let value = self.integer(key, faults)?;
        let converted = if value < least { None } else { T::try_from(value).ok() };
        if converted.is_none() {
            let span = self.get(key).map_or(0..0, |node| node.span.clone());
            let message = format!("`{key}` must be a whole number of {least} or more");
            faults.push(Diagnostic::error(span, message));
        }
        converted
    }

    /// Returns the value of `key` if it is `true` or `false`; another type is a fault.
    pub fn flag(&self, key: &str, faults: &mut Faults) -> Option<bool> {
        let node = self.get(key)?;
        let Value::Bool(value) = node.value else {
            faults.push(mismatch(node, &format!("`{key}`"), "true or false"));
            return None;
        };
        Some(value)
    }

    /// Returns the choice that the value of `key` names; another value is a fault.
    pub fn choice<T: Copy>(
        &self,
        key: &str,
        choices: &[(&str, T)],
        faults: &mut Faults,
    ) -> Option<T> {
        let (text, span) = self.text(key, faults)?;
        if let Some(&(_, choice)) = choices.iter().find(|(name, _)| *name == text) {
            return Some(choice);
        }
        let names: Vec<String> = choices.iter().map(|(name, _)| format!("`{name}`")).collect();
        let message = format!("`{key}` must be one of {}", names.join(", "));
        faults.push(Diagnostic::error(span, message));
        None
    }

    /// Returns the value of `key` if it is a list of texts; another type, of the value or an item,
    /// is a fault.
    pub fn texts(&self, key: &str, faults: &mut Faults) -> Option<Vec<(&'a str, Range<usize>)>> {
        let node = self.get(key)?;
        let Value::List(items) = &node.value else {
            faults.push(mismatch(node, &format!("`{key}`"), "a list of texts"));
            return None;
        };
        let mut texts = Vec::new();
        for item in items {
            match &item.value {
                Value::Text(text) => texts.push((text.as_str(), item.span.clone())),
                _ => faults.push(mismatch(item, &format!("an item of `{key}`"), "a text")),
            }
        }
        Some(texts)
    }
}

/// Creates the fault that `what`, at `node`, has another type than expected.
pub fn mismatch(node: &Node, what: &str, expected: &str) -> Diagnostic {
    let found = node.value.name();
    let message = format!("{what} must be {expected}, found {found}");
    let fault = Diagnostic::error(node.span.clone(), message);
    match node.value {
        Value::Expression => fault.with_help(
            "only Terraform knows its value: read the output of `terraform show -json` instead",
        ),
        _ => fault,
    }
}

/// Returns the one of `keys` that is most similar to `name`, if one is similar enough.
pub fn nearest<'k>(name: &str, keys: &[&'k str]) -> Option<&'k str> {
    keys.iter()
        .map(|key| (strsim::jaro_winkler(&name.to_lowercase(), key), *key))
        .filter(|(likeness, _)| *likeness >= LIKENESS)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, key)| key)
}
