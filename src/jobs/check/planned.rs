//! The files of a tracking plan, and the places of its parts in them.

use std::ops::Range;

use super::coverage::Seen;
use super::finding::{Finding, Violation};
use super::flaw::Flaw;
use super::locate::{Finder, values};
use super::place::Placer;
use super::verdict::NewCase;
use crate::config::tree::{Node, Value};
use crate::schema::violation::TooCostly;
use crate::schema::{Broken, Origin, Plan, pointer};

/// A file of the user, with its contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// The path, with `/` as separator.
    pub name: String,
    /// The contents.
    pub text: String,
}

/// A tracking plan and the files that it was read from.
pub struct PlanFiles {
    /// The files.
    pub files: Vec<SourceFile>,
    /// The parsed tree of each file, with places; `None` if its text is JSON.
    pub trees: Vec<Option<Node>>,
    /// The plan.
    pub plan: Plan,
    /// The parts of the plan that cannot be used.
    pub broken: Vec<Broken>,
}

impl PlanFiles {
    /// Returns the faults of the plan and the rules that no fixture covers, by file. `seen` is the
    /// coverage, or `None` if there were no events.
    pub fn cases(&self, seen: Option<&Seen>) -> Vec<(String, Vec<NewCase>)> {
        let mut places: Vec<Places<'_>> =
            self.files.iter().zip(&self.trees).map(Places::of).collect();
        let mut cases: Vec<Vec<NewCase>> = self.files.iter().map(|_| Vec::new()).collect();
        for broken in &self.broken {
            let file = broken.origin.file;
            if let (Some(places), Some(cases)) = (places.get_mut(file), cases.get_mut(file)) {
                cases.push(broken_case(broken, places));
            }
        }
        let seen = seen.map_or((&[][..], &[][..]), |seen| (&seen.plan[..], &seen.costly[..]));
        for ((rule, &is_covered), &is_costly) in self.plan.rules.iter().zip(seen.0).zip(seen.1) {
            if is_covered && !is_costly {
                continue;
            }
            let file = rule.origin.file;
            let (Some(places), Some(cases)) = (places.get_mut(file), cases.get_mut(file)) else {
                continue;
            };
            let label = rule.label();
            let (name, flaw) = if is_costly {
                let message =
                    format!("the schema of `{label}` cannot be used: {}", TooCostly.message());
                ("schema", Flaw::new(Violation::InvalidPlan, message))
            } else {
                let message = format!("no fixture has an event for `{label}`");
                ("covered", Flaw::new(Violation::Uncovered, message))
            };
            let flaw = flaw.by(label.as_str());
            let event = Some(rule.key.as_str()).filter(|key| !key.is_empty());
            let span = places.named(&rule.origin);
            let finding = places.found(flaw, &span, event);
            cases.push(NewCase { name: name.into(), rule: label, findings: vec![finding] });
        }
        self.files.iter().map(|file| file.name.clone()).zip(cases).collect()
    }
}

fn broken_case(broken: &Broken, places: &mut Places<'_>) -> NewCase {
    let flaw = Flaw::new(Violation::InvalidPlan, broken.message.as_str());
    let flaw = flaw.at(broken.origin.pointer.as_str());
    let event = broken.rule.as_deref().filter(|rule| !rule.is_empty());
    let span = places.find(&broken.origin, "");
    let finding = places.found(flaw, &span, event);
    let rule = finding.event.clone().unwrap_or_default();
    NewCase { name: "schema".into(), rule, findings: vec![finding] }
}

/// Locates values in one file.
struct Places<'p> {
    placer: Placer<'p>,
    /// The offsets at which its JSON values begin.
    starts: Vec<usize>,
    finder: Finder<'p>,
    tree: Option<&'p Node>,
}

impl<'p> Places<'p> {
    fn of((file, tree): (&'p SourceFile, &'p Option<Node>)) -> Self {
        Self {
            placer: Placer::new(&file.name, &file.text, 1),
            starts: if tree.is_some() { Vec::new() } else { values(&file.text) },
            finder: Finder::new(&file.text),
            tree: tree.as_ref(),
        }
    }

    /// Returns the place of the field `name` of the value at `origin`, or of the nearest part that
    /// exists.
    fn find(&mut self, origin: &Origin, name: &str) -> Range<usize> {
        let pointer = format!("{}{name}", origin.pointer);
        if let Some(tree) = self.tree {
            return in_tree(tree, &pointer).unwrap_or_else(|nearest| nearest);
        }
        let start = self.starts.get(origin.value).copied().unwrap_or_default();
        self.finder.find(start, &pointer)
    }

    /// Returns the place of a rule's name, or else of the whole rule.
    fn named(&mut self, origin: &Origin) -> Range<usize> {
        let whole = self.find(origin, "");
        let mut named = ["/key", "/name", "/eventType", "/type"].into_iter().filter_map(|name| {
            match self.tree {
                Some(tree) => in_tree(tree, &format!("{}{name}", origin.pointer)).ok(),
                None => Some(self.find(origin, name)).filter(|span| *span != whole),
            }
        });
        named.next().unwrap_or(whole)
    }

    fn found(&mut self, flaw: Flaw, span: &Range<usize>, event: Option<&str>) -> Finding {
        flaw.found(&mut self.placer, span, event)
    }
}

/// Returns the place of the value at `pointer` below `root`: that of its key, or of the value
/// itself. The error is the place of the nearest ancestor that exists.
fn in_tree(root: &Node, pointer: &str) -> Result<Range<usize>, Range<usize>> {
    let (mut node, mut found) = (root, root.place());
    for step in pointer::steps(pointer) {
        let next = match &node.value {
            Value::Table(entries) => {
                let entry = entries.iter().rev().find(|entry| entry.key == *step);
                entry.map(|entry| (&entry.node, entry.key_span.clone()))
            }
            Value::List(items) => {
                let item = step.parse().ok().and_then(|index: usize| items.get(index));
                item.map(|item| (item, item.place()))
            }
            _ => None,
        };
        let Some((inner, span)) = next else { return Err(found) };
        (node, found) = (inner, span);
    }
    Ok(found)
}
