//! Loads destination filters from the text of a file and collects all faults.
//!
//! Segment's objects are accepted as its API returns them, so irrelevant members (ids, times) are
//! ignored. The Config API, the older of the two, has other names for the actions and writes
//! `"fields": {"context": {"fields": ["ip"]}}` where the Public API writes
//! `"fields": {"context": ["ip"]}`; either form is accepted in any action. In a Terraform document,
//! the resources `segment_destination_filter` of Segment's own provider are read, which have the
//! same members; their `fields` may be a JSON text.

use std::collections::BTreeSet;
use std::ops::Range;

use super::action::{Action, Kind};
use super::fields::{Fields, names};
use super::sample::Sample;
use super::shape::{SHAPES, document, holds_filters, resources, unknown_shape};
use super::{Condition, Filter};
use crate::config::read::{Faults, Table, mismatch, nearest};
use crate::config::terraform;
use crate::config::tree::{Node, Value, Written};
use crate::diagnostic::Diagnostic;
use crate::fql::Expr;

const FILTER: &[&str] = &["title", "if", "enabled", "actions", "description"];
/// Further members of Segment's objects and Terraform's resources.
const FILTER_IDS: &[&str] = &["id", "destination_id", "destinationId", "source_id", "sourceId"];
const ACTION: &[&str] = &["type", "percent", "path", "fields"];
/// The filters in a text.
#[derive(Debug, Default)]
pub struct FilterFile {
    /// The filters in the order of the text, numbered from 1.
    pub filters: Vec<Filter>,
    /// The destinations of the enabled filters, where the file names them.
    pub destinations: BTreeSet<String>,
    /// The warnings, which include the errors of filters whose `if` does not compile.
    pub warnings: Faults,
}

/// The state of loading a file.
struct Loader<'a> {
    source: &'a str,
    faults: Faults,
    warnings: Faults,
    filters: Vec<Filter>,
    destinations: BTreeSet<String>,
}

impl FilterFile {
    /// Parses the text of a filter file.
    ///
    /// # Errors
    /// Returns all faults; spans are byte ranges of `source`.
    pub fn parse(source: &str) -> Result<Self, Faults> {
        let root = document(source)?;
        let mut file = Self::read(source, &root)?;
        if !file.filters.iter().any(Filter::is_active) {
            let filter =
                if file.filters.is_empty() { "no filter" } else { "no filter that is enabled" };
            let message =
                format!("there is {filter} in this file, so every event is sent as it is");
            file.warnings.push(Diagnostic::warning(root.place(), message));
            file.warnings.sort_by_key(|warning| warning.span.start);
        }
        Ok(file)
    }

    /// Parses the text of a file that need not contain filters.
    ///
    /// # Errors
    /// Returns all faults; spans are byte ranges of `source`.
    pub fn parse_any(source: &str) -> Result<Self, Faults> {
        let root = document(source)?;
        if holds_filters(source, &root) { Self::read(source, &root) } else { Ok(Self::default()) }
    }

    fn read(source: &str, root: &Node) -> Result<Self, Faults> {
        let (faults, warnings, filters) = (Vec::new(), Vec::new(), Vec::new());
        let destinations = BTreeSet::new();
        let mut loader = Loader { source, faults, warnings, filters, destinations };
        match resources(source, root) {
            Some(bodies) => bodies.into_iter().for_each(|body| loader.resource(body)),
            None => loader.unwrap(root),
        }
        let Loader { mut faults, mut warnings, filters, destinations, .. } = loader;
        if !faults.is_empty() {
            faults.sort_by_key(|fault| fault.span.start);
            return Err(faults);
        }
        warnings.sort_by_key(|warning| warning.span.start);
        Ok(Self { filters, destinations, warnings })
    }
}

impl Loader<'_> {
    /// Reads the filters in `node`, unwrapping lists and API responses.
    fn unwrap(&mut self, node: &Node) {
        match &node.value {
            Value::List(items) => items.iter().for_each(|item| self.unwrap(item)),
            Value::Table(_) => {
                let Some(table) = Table::open(node, "", &mut self.faults) else { return };
                if table.get("if").is_some() || table.get("actions").is_some() {
                    return self.filter(&table);
                }
                if let Some(inner) =
                    ["data", "filters", "filter"].iter().find_map(|key| table.get(key))
                {
                    self.one_page(&table);
                    return self.unwrap(inner);
                }
                self.faults.push(unknown_shape(&table));
            }
            other => {
                let message = format!("expected {SHAPES}, found {}", other.name());
                self.faults.push(Diagnostic::error(node.place(), message));
            }
        }
    }

    fn resource(&mut self, body: &Node) {
        if let Some(table) = Table::open(body, "a resource", &mut self.faults) {
            self.filter(&table);
        }
    }

    /// Adds a warning if the response says that there are more filters.
    fn one_page(&mut self, table: &Table<'_>) {
        let Some(Value::Table(pages)) = table.get("pagination").map(|node| &node.value) else {
            return;
        };
        let next = pages.iter().find(|entry| entry.key == "next" && !entry.node.is_null());
        if let Some(next) = next {
            let message = "these are not all filters: the answer has a next page";
            self.warnings.push(Diagnostic::warning(next.key_span.clone(), message).with_help(
                "ask the API for more at once (`pagination.count`), or put the pages into one list",
            ));
        }
    }

    fn filter(&mut self, table: &Table<'_>) {
        self.warn_of_misspellings(table, "a destination filter", FILTER, FILTER_IDS);
        let title = ["title", "name", "description", "id"].iter().find_map(|key| {
            match present(table, key).map(|node| &node.value) {
                Some(Value::Text(title)) if !title.trim().is_empty() => Some(title.trim()),
                _ => None,
            }
        });
        let enabled = present(table, "enabled").is_none()
            || table.flag("enabled", &mut self.faults).unwrap_or(true);
        let (condition, actions) = if enabled {
            self.destination(table);
            (self.condition(table), self.actions(table))
        } else {
            (Condition::Disabled, Vec::new())
        };
        self.filters.push(Filter {
            title: title.unwrap_or_default().into(),
            number: self.filters.len() + 1,
            span: table.span.clone(),
            condition,
            actions,
        });
    }

    /// Records the destination of a filter: its id, or the expression that yields it.
    fn destination(&mut self, table: &Table<'_>) {
        let node = ["destinationId", "destination_id"].iter().find_map(|key| present(table, key));
        self.destinations.extend(node.and_then(|node| match &node.value {
            Value::Text(id) => Some(id.clone()),
            Value::Expression => self.source.get(node.span.clone()).map(str::to_owned),
            _ => None,
        }));
    }

    fn condition(&mut self, table: &Table<'_>) -> Condition {
        let Some(node) = present(table, "if") else {
            self.missing(table, "a destination filter", "if", "`all` is every event");
            return Condition::Disabled;
        };
        let Value::Text(text) = &node.value else {
            self.faults.push(mismatch(node, "`if`", "a text"));
            return Condition::Disabled;
        };
        let written = Written::new(self.source, &node.span);
        let placed = |found: Vec<Diagnostic>| -> Vec<Diagnostic> {
            let place = |Diagnostic { span, .. }: &Diagnostic| {
                written.place(span.start)..written.place(span.end)
            };
            found.into_iter().map(|found| Diagnostic { span: place(&found), ..found }).collect()
        };
        match Expr::compile(text) {
            Ok(compiled) => {
                let doubts = placed(compiled.warnings);
                self.warnings.extend(doubts);
                Condition::When(Box::new(compiled.expr))
            }
            Err(errors) => {
                let errors = placed(errors);
                self.warnings.extend(errors.iter().map(|error| {
                    let message = format!(
                        "{}; Segment sends no event that it cannot judge, so this filter drops every event",
                        error.message
                    );
                    let warning = Diagnostic::warning(error.span.clone(), message);
                    match &error.help {
                        Some(help) => warning.with_help(help.clone()),
                        None => warning,
                    }
                }));
                Condition::Invalid(errors.into())
            }
        }
    }

    fn actions(&mut self, table: &Table<'_>) -> Vec<Action> {
        let Some(node) = present(table, "actions") else {
            self.missing(
                table,
                "a destination filter",
                "actions",
                "for example [{\"type\": \"DROP\"}]",
            );
            return Vec::new();
        };
        let Value::List(items) = &node.value else {
            self.faults.push(mismatch(node, "`actions`", "a list"));
            return Vec::new();
        };
        if items.is_empty() {
            let message = "this filter has no actions, so it does nothing";
            self.warnings.push(Diagnostic::warning(node.span.clone(), message));
        }
        items.iter().filter_map(|item| self.action(item)).collect()
    }

    fn action(&mut self, node: &Node) -> Option<Action> {
        let table = Table::open(node, "an action", &mut self.faults)?;
        if present(&table, "type").is_none() {
            let names = Kind::NAMES.iter().take(4).map(|(name, _)| *name).collect::<Vec<_>>();
            self.missing(&table, "an action", "type", &names.join(", "));
            return None;
        }
        let (name, span) = table.text("type", &mut self.faults)?;
        let Some(kind) = Kind::from_name(name) else {
            self.unknown_type(name, span);
            return None;
        };
        self.warn_of_misspellings(&table, "an action", ACTION, &[]);
        match kind {
            Kind::Drop => Some(Action::Drop),
            Kind::Sample => self.sample(&table).map(Action::Sample),
            Kind::DropProperties => self.fields(&table, name).map(Action::DropProperties),
            Kind::AllowProperties => self.fields(&table, name).map(Action::AllowProperties),
        }
    }

    fn unknown_type(&mut self, name: &str, span: Range<usize>) {
        let known: Vec<String> = Kind::NAMES.iter().map(|(name, _)| name.to_lowercase()).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let near = nearest(name, &known).and_then(Kind::from_name_as_written);
        let message = format!("`{name}` is no type of action");
        let fault = Diagnostic::error(span, message);
        self.faults.push(fault.with_help(near.map_or_else(
            || {
                let names = Kind::NAMES.iter().map(|(name, _)| *name).collect::<Vec<_>>();
                format!("the types are {}", names.join(", "))
            },
            |near| format!("did you mean `{near}`?"),
        )));
    }

    fn sample(&mut self, table: &Table<'_>) -> Option<Sample> {
        let Some(node) = present(table, "percent") else {
            self.missing(table, "an action that samples", "percent", "a share from 0 to 1");
            return None;
        };
        #[allow(clippy::cast_precision_loss)] // past 2^53 it is far over 1 in any case
        let percent = match node.value {
            Value::Integer(value) => value as f64,
            Value::Float(value) => value,
            _ => {
                let fault = mismatch(node, "`percent`", "a number from 0 to 1");
                self.faults.push(match &node.value {
                    Value::Text(text) if text.parse::<f64>().is_ok() => {
                        fault.with_help(format!("write {text} without quotes"))
                    }
                    _ => fault,
                });
                return None;
            }
        };
        if !(0.0..=1.0).contains(&percent) {
            let sent = if percent > 1.0 { "every event" } else { "no event" };
            let message =
                format!("`percent` is a share from 0 to 1: with {percent} {sent} is sent");
            self.warnings.push(Diagnostic::warning(node.span.clone(), message));
        }
        let path = match present(table, "path") {
            Some(_) => Some(table.text("path", &mut self.faults)?),
            None => None,
        };
        if let Some((path, span)) = &path
            && !path.is_empty()
        {
            self.check_path(path, span)?;
        }
        Some(Sample::new(percent, path.map(|(path, _)| path)))
    }

    fn fields(&mut self, table: &Table<'_>, action: &str) -> Option<Fields> {
        let Some(node) = present(table, "fields") else {
            let what = format!("an action of type `{action}`");
            self.missing(table, &what, "fields", "for example {\"context\": [\"ip\"]}");
            return None;
        };
        let node = match terraform::decoded(node) {
            Ok(node) => node,
            Err(fault) => {
                self.faults.push(fault);
                return None;
            }
        };
        let objects = Table::open(&node, "`fields`", &mut self.faults)?;
        let mut fields = Fields::default();
        for entry in objects.entries() {
            if !entry.key.is_empty() {
                self.check_path(&entry.key, &entry.key_span);
            }
            let members = self.members(&entry.node, &entry.key);
            fields.add(&entry.key, members);
        }
        Some(fields)
    }

    /// Returns the names in a list, which may be the member `fields` of an object.
    fn members<'n>(&mut self, node: &'n Node, path: &str) -> Vec<&'n str> {
        let what = format!("the fields of `{path}`");
        let list = match &node.value {
            Value::Table(_) => Table::open(node, &what, &mut self.faults)
                .and_then(|table| table.get("fields"))
                .unwrap_or(node),
            _ => node,
        };
        let Value::List(items) = &list.value else {
            self.faults.push(mismatch(list, &what, "a list of texts"));
            return Vec::new();
        };
        let mut members = Vec::new();
        for item in items {
            let Value::Text(name) = &item.value else {
                self.faults.push(mismatch(item, &format!("a field of `{path}`"), "a text"));
                continue;
            };
            if let Some((inner, last)) = name.rsplit_once('.') {
                let path =
                    if path.is_empty() { inner.to_owned() } else { format!("{path}.{inner}") };
                let message =
                    format!("this is the member of the very name `{name}`, dots included");
                let help =
                    format!("for a member further inside write {{\"{path}\": [\"{last}\"]}}");
                self.warnings.push(Diagnostic::warning(item.span.clone(), message).with_help(help));
            }
            members.push(name.as_str());
        }
        members
    }

    /// Adds a fault if a name of `path` is empty.
    fn check_path(&mut self, path: &str, span: &Range<usize>) -> Option<()> {
        if names(path).iter().any(String::is_empty) {
            let message = "expected a path of names joined by `.`, such as `properties.products`";
            self.faults.push(Diagnostic::error(span.clone(), message));
            return None;
        }
        Some(())
    }

    fn missing(&mut self, table: &Table<'_>, what: &str, key: &str, help: &str) {
        let near = table.unknown_entries(&[key]).find_map(|(entry, near)| near.map(|_| entry));
        let message = format!("{what} must have `{key}`");
        self.faults.push(match near {
            Some(entry) => Diagnostic::error(entry.key_span.clone(), message)
                .with_help(format!("is `{}` meant to be it?", entry.key)),
            None => Diagnostic::error(table.span.clone(), message).with_help(help),
        });
    }

    /// Adds a warning for each member whose name is likely a misspelling of one of `keys`, unless
    /// it is one of `others`.
    fn warn_of_misspellings(
        &mut self,
        table: &Table<'_>,
        what: &str,
        keys: &[&str],
        others: &[&str],
    ) {
        for (entry, near) in table.unknown_entries(keys) {
            let is_other = others.contains(&entry.key.as_str());
            if let Some(near) = near.filter(|near| !is_other && table.get(near).is_none()) {
                let message = format!("`{}` means nothing in {what}", entry.key);
                self.warnings.push(
                    Diagnostic::warning(entry.key_span.clone(), message)
                        .with_help(format!("did you mean `{near}`?")),
                );
            }
        }
    }
}

/// Returns the value of `key`, unless it is `null`.
fn present<'a>(table: &Table<'a>, key: &str) -> Option<&'a Node> {
    table.get(key).filter(|node| !node.is_null())
}
