//! Tracking plans: which events are allowed, and what each of them must look like.
//!
//! All formats are read into one [`Plan`]: the pages of Segment's Public API, plans of its older
//! Config API and of `RudderStack`, the `plan.json` of typewriter and `RudderTyper`, the CSV of
//! Segment's app, Terraform documents, and folders with one schema for each event. This module does
//! not open files, does not depend on mapping rules, and never fetches anything.

mod compile;
mod config_api;
mod cost;
mod csv;
mod document;
mod lone;
mod named;
mod normal;
mod origin;
pub mod pointer;
mod public_api;
mod read;
mod terraform;
#[cfg(test)]
mod tests;
mod version;
pub mod violation;
mod yaml;

use ahash::AHashMap;
use jsonschema::Validator;

pub use document::Source;
pub(crate) use document::offset_of as json_error_offset;
pub use origin::Origin;
pub use read::{Broken, Layout, PlanError};
pub use version::Version;

use crate::config::tree::Node;
use crate::event::{CallType, Event, Member};
use cost::Referring;
use named::Named;
use read::Naming;
use violation::TooCostly;

/// The name that plans use for page calls.
pub const PAGE_VIEWED: &str = "Page Viewed";
/// The name that plans use for screen calls.
pub const SCREEN_VIEWED: &str = "Screen Viewed";

/// The calls that a rule of a plan applies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RuleType {
    /// Every event.
    Common,
    /// Track calls of one name; page and screen calls under [`PAGE_VIEWED`] and [`SCREEN_VIEWED`].
    Track,
    /// Identify calls.
    Identify,
    /// Group calls.
    Group,
    /// Page calls.
    Page,
    /// Screen calls.
    Screen,
}

impl RuleType {
    /// Returns the type named `name`, ignoring case.
    fn from_name(name: &str) -> Option<Self> {
        Some(match name.to_ascii_uppercase().as_str() {
            "COMMON" => Self::Common,
            "TRACK" => Self::Track,
            "IDENTIFY" => Self::Identify,
            "GROUP" => Self::Group,
            "PAGE" => Self::Page,
            "SCREEN" => Self::Screen,
            _ => return None,
        })
    }

    /// Returns the key of a rule of this type with the name `name`. The types that have only one
    /// rule share the empty key.
    fn key_of(self, name: String) -> String {
        match self {
            Self::Common | Self::Identify | Self::Group => String::new(),
            Self::Track | Self::Page | Self::Screen => name,
        }
    }

    /// Returns the name for display.
    fn name(self) -> &'static str {
        match self {
            Self::Common => "common",
            Self::Track => "track",
            Self::Identify => "identify",
            Self::Group => "group",
            Self::Page => "page",
            Self::Screen => "screen",
        }
    }
}

/// One rule of a plan.
#[derive(Debug)]
pub struct PlanRule {
    /// The calls that the rule applies to.
    pub rule_type: RuleType,
    /// The name of the event; empty if the type is sufficient.
    pub key: String,
    /// The version of the event.
    pub version: Version,
    /// The position of the rule in the files.
    pub origin: Origin,
    /// The compiled schema; `None` if the schema cannot be used.
    validator: Option<Validator>,
    /// Whether the schema accepts every object, so that validation is unnecessary.
    takes_all: bool,
    /// The schema, if parts of it refer to others.
    referring: Option<Referring>,
    /// The properties that the schema names.
    named: Named,
}

impl PlanRule {
    /// Returns the name for display: `Form Submitted`, `Form Submitted v2`, `identify`.
    pub fn label(&self) -> String {
        let name = if self.key.is_empty() { self.rule_type.name() } else { &self.key };
        match self.version.shown() {
            None => name.to_owned(),
            Some(version) => format!("{name} v{version}"),
        }
    }
}

/// A plan with compiled schemas.
#[derive(Debug, Default)]
pub struct Plan {
    /// The rules, in the order of the files.
    pub rules: Vec<PlanRule>,
    common: Vec<usize>,
    /// Indices of rules by type and name; those of the same name from the oldest version to the
    /// newest.
    named: AHashMap<RuleType, AHashMap<String, Vec<usize>>>,
    /// Indices of track rules that are named after files, by the letters and digits of their names.
    loose: AHashMap<String, Vec<usize>>,
}

/// A plan read from its files.
#[derive(Debug)]
pub struct Reading {
    /// The plan.
    pub plan: Plan,
    /// The parts of the plan that cannot be used.
    pub broken: Vec<Broken>,
    /// For each file, its values with their spans; `None` if the file is JSON.
    pub trees: Vec<Option<Node>>,
    /// The indices of the files that contain no plan.
    pub skipped: Vec<usize>,
}

/// The result of looking up an event in a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Planned {
    /// The rule of this index applies to the event.
    By(usize),
    /// The plan has no rule for the event and does not restrict such calls.
    Free,
    /// The event is not in the plan.
    Not,
}

impl Plan {
    /// Parses the text of a plan in JSON, and returns it together with the rules that cannot be
    /// used.
    ///
    /// # Errors
    /// Returns an error if the text is not a plan.
    pub fn parse(text: &str) -> Result<(Self, Vec<Broken>), PlanError> {
        let reading = Self::read(&[Source { name: "", text }], Layout::File)?;
        Ok((reading.plan, reading.broken))
    }

    /// Reads the files of a plan, in any of the formats.
    ///
    /// # Errors
    /// Returns an error if a file cannot be read, or if no file contains a plan.
    pub fn read(files: &[Source<'_>], layout: Layout) -> Result<Reading, PlanError> {
        let read::Read { drafts, mut broken, trees, skipped } = read::read(files, layout)?;
        let mut plan = Self::default();
        for draft in drafts {
            plan.add(draft, &mut broken);
        }
        let named = plan.named.values_mut().flat_map(|named| named.values_mut());
        for versions in named.chain(plan.loose.values_mut()) {
            versions.sort_by(|&a, &b| plan.rules[a].version.order(&plan.rules[b].version));
        }
        broken.sort_by(|a, b| a.origin.cmp(&b.origin));
        Ok(Reading { plan, broken, trees, skipped })
    }

    fn add(&mut self, draft: read::Draft, broken: &mut Vec<Broken>) {
        let read::Draft { rule_type, key, version, mut schema, shape, naming, .. } = draft;
        let known = match naming {
            Naming::Exact => self.named.get(&rule_type).and_then(|named| named.get(&key)),
            Naming::Loose => self.loose.get(&lone::plain(&key)),
        };
        // A page of the API may have been fetched twice.
        let again = known
            .is_some_and(|rules| rules.iter().any(|&rule| self.rules[rule].version == version));
        if again {
            return;
        }
        normal::normalise(&mut schema);
        let schema = normal::of_event(schema, rule_type, shape);
        let referring = Referring::new(&schema);
        let compiled = match &referring {
            Some(referring) if !referring.is_compilable() => {
                Err(compile::Fault { pointer: String::new(), message: TooCostly.message() })
            }
            _ => compile::compile(&schema),
        };
        let validator = match compiled {
            Ok(validator) => Some(validator),
            Err(fault) => {
                let label = if key.is_empty() { rule_type.name() } else { &key };
                let within = normal::unwrapped(&fault.pointer, rule_type, shape);
                let Origin { file, value, pointer } = draft.schema_origin;
                broken.push(Broken {
                    origin: Origin { file, value, pointer: pointer + &within },
                    rule: Some(key.clone()),
                    message: format!("the schema of `{label}` cannot be used: {}", fault.message),
                });
                None
            }
        };
        let place = self.rules.len();
        if rule_type == RuleType::Common {
            self.common.push(place);
        }
        match naming {
            Naming::Exact => {
                let named = self.named.entry(rule_type).or_default();
                named.entry(key.clone()).or_default().push(place);
            }
            Naming::Loose => self.loose.entry(lone::plain(&key)).or_default().push(place),
        }
        self.rules.push(PlanRule {
            takes_all: normal::takes_all(&schema),
            referring,
            named: Named::of(&schema),
            rule_type,
            key,
            version,
            origin: draft.origin,
            validator,
        });
    }

    /// Returns the indices of the rules that apply to all events.
    pub fn common(&self) -> &[usize] {
        &self.common
    }

    /// Looks up `event` in the plan.
    pub fn planned(&self, event: &Event<'_>) -> Planned {
        let Some(call) = event.call_type() else { return Planned::Free };
        let named = |rule_type, name: &str| {
            let exact = self.named.get(&rule_type).and_then(|named| named.get(name));
            let loose = || match rule_type {
                RuleType::Track if !self.loose.is_empty() => self.loose.get(&lone::plain(name)),
                _ => None,
            };
            exact.or_else(loose)
        };
        let page = |rule_type, viewed: &str| {
            let own = event.text(Member::Name).and_then(|name| named(rule_type, name));
            own.or_else(|| named(rule_type, viewed))
                .or_else(|| named(rule_type, ""))
                .or_else(|| named(RuleType::Track, viewed))
        };
        let (versions, otherwise) = match call {
            CallType::Track => {
                let name = event.text(Member::Event).unwrap_or_default();
                (named(RuleType::Track, name), Planned::Not)
            }
            CallType::Page => (page(RuleType::Page, PAGE_VIEWED), Planned::Not),
            CallType::Screen => (page(RuleType::Screen, SCREEN_VIEWED), Planned::Not),
            CallType::Identify => (named(RuleType::Identify, ""), Planned::Free),
            CallType::Group => (named(RuleType::Group, ""), Planned::Free),
            CallType::Alias => (None, Planned::Free),
        };
        match versions {
            Some(versions) => Planned::By(self.of_version(versions, event)),
            None => otherwise,
        }
    }

    /// Returns the one of `versions`, oldest first, that the event names, else the oldest.
    fn of_version(&self, versions: &[usize], event: &Event<'_>) -> usize {
        let protocols = event.get(Member::Context).and_then(|context| context.get("protocols"));
        let asked = protocols.and_then(|protocols| protocols.get("event_version"));
        let named = asked.and_then(|asked| {
            versions.iter().copied().find(|&rule| self.rules[rule].version.is(asked))
        });
        named.or_else(|| versions.first().copied()).unwrap_or_default()
    }

    /// Returns the planned name that is most similar to `name`, if one is similar enough.
    pub fn nearest(&self, name: &str) -> Option<&str> {
        let tracked = self.rules.iter().filter(|rule| rule.rule_type == RuleType::Track);
        nearest(name, tracked.map(|rule| rule.key.as_str()))
    }
}

/// Returns the one of `names` that is most similar to `name`, ignoring case and all characters
/// other than letters and digits, or `None` if none is similar enough.
pub(crate) fn nearest<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    /// The minimum similarity (0 to 1) at which a name counts as a misspelling of another.
    const LIKENESS: f64 = 0.85;
    let plain = |name: &str| -> String {
        let letters = name.chars().filter(|char| char.is_alphanumeric());
        letters.flat_map(char::to_lowercase).take(64).collect()
    };
    let wanted = plain(name);
    names
        .filter(|other| *other != name)
        .map(|other| (strsim::jaro_winkler(&wanted, &plain(other)), other))
        .filter(|(likeness, _)| *likeness >= LIKENESS)
        // Of equally similar names the first in alphabetical order, whatever the order of the
        // input.
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map(|(_, other)| other)
}
