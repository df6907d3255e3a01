//! Tracking plans: which events there may be, and what each of them must look like.
//!
//! All formats come to one [`Plan`]: the pages of Segment's Public API, plans of its older Config API
//! and of `RudderStack`, the `plan.json` of typewriter and `RudderTyper`, the CSV of Segment's app,
//! documents of Terraform, and folders with one schema an event. Nothing here opens files or knows of
//! mapping rules, and nothing is ever fetched.

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

/// The name under which a plan holds page calls.
pub const PAGE_VIEWED: &str = "Page Viewed";
/// The name under which a plan holds screen calls.
pub const SCREEN_VIEWED: &str = "Screen Viewed";

/// Which calls a rule of a plan is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RuleType {
    /// Every event.
    Common,
    /// Track calls of one name; page and screen calls under theirs.
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
    /// The type of that name, whatever its case.
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

    /// The key of a rule of this type that is called `name`: of those for all calls there is one,
    /// whatever it is called.
    fn key_of(self, name: String) -> String {
        match self {
            Self::Common | Self::Identify | Self::Group => String::new(),
            Self::Track | Self::Page | Self::Screen => name,
        }
    }

    /// The name for people.
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
    /// Which calls it is for.
    pub rule_type: RuleType,
    /// The name of the event; empty where the type says it all.
    pub key: String,
    /// The version of the event.
    pub version: Version,
    /// Where it stands in the file.
    pub origin: Origin,
    /// `None` where its schema cannot be used.
    validator: Option<Validator>,
    /// Whether the schema takes every object; then there is nothing to validate.
    takes_all: bool,
    /// The schema, where parts of it refer to others.
    referring: Option<Referring>,
    /// The properties that it names.
    named: Named,
}

impl PlanRule {
    /// What to call it: `Form Submitted`, `Form Submitted v2`, `identify`.
    pub fn label(&self) -> String {
        let name = if self.key.is_empty() { self.rule_type.name() } else { &self.key };
        match self.version.shown() {
            None => name.to_owned(),
            Some(version) => format!("{name} v{version}"),
        }
    }
}

/// A plan, its schemas compiled.
#[derive(Debug, Default)]
pub struct Plan {
    /// Its rules, in the order of the file.
    pub rules: Vec<PlanRule>,
    common: Vec<usize>,
    /// By type and name; versions from the oldest.
    named: AHashMap<RuleType, AHashMap<String, Vec<usize>>>,
    /// Track rules whose names are those of files, by their letters and digits.
    loose: AHashMap<String, Vec<usize>>,
}

/// A plan as its files have it.
#[derive(Debug)]
pub struct Reading {
    /// The plan.
    pub plan: Plan,
    /// What of it cannot be used.
    pub broken: Vec<Broken>,
    /// For each file the place of everything in it; `None` where its text is JSON.
    pub trees: Vec<Option<Node>>,
    /// The files that hold nothing of a plan.
    pub passed_over: Vec<usize>,
}

/// What a plan says of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Planned {
    /// This rule is for it.
    By(usize),
    /// The plan has no rule for it, and says nothing of such calls at all.
    Free,
    /// The plan has no such event.
    Not,
}

impl Plan {
    /// Reads the text of a plan in JSON; beside the plan come the rules that cannot be used.
    ///
    /// # Errors
    /// Where it is no plan.
    pub fn parse(text: &str) -> Result<(Self, Vec<Broken>), PlanError> {
        let reading = Self::read(&[Source { name: "", text }], Layout::File)?;
        Ok((reading.plan, reading.broken))
    }

    /// Reads the files of a plan, whichever formats they have.
    ///
    /// # Errors
    /// Where one cannot be read, or none of them is of a plan.
    pub fn read(files: &[Source<'_>], layout: Layout) -> Result<Reading, PlanError> {
        let read::Read { drafts, mut broken, trees, passed_over } = read::read(files, layout)?;
        let mut plan = Self::default();
        for draft in drafts {
            plan.add(draft, &mut broken);
        }
        let named = plan.named.values_mut().flat_map(|named| named.values_mut());
        for versions in named.chain(plan.loose.values_mut()) {
            versions.sort_by(|&a, &b| plan.rules[a].version.order(&plan.rules[b].version));
        }
        broken.sort_by(|a, b| a.origin.cmp(&b.origin));
        Ok(Reading { plan, broken, trees, passed_over })
    }

    fn add(&mut self, draft: read::Draft, broken: &mut Vec<Broken>) {
        let read::Draft { rule_type, key, version, mut schema, shape, naming, .. } = draft;
        let known = match naming {
            Naming::Exact => self.named.get(&rule_type).and_then(|named| named.get(&key)),
            Naming::Loose => self.loose.get(&lone::plain(&key)),
        };
        // Pages that were fetched twice.
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

    /// The rules for all events.
    pub fn common(&self) -> &[usize] {
        &self.common
    }

    /// What the plan says of `event`.
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

    /// The one of `versions`, oldest first, that the event names, else the oldest.
    fn of_version(&self, versions: &[usize], event: &Event<'_>) -> usize {
        let protocols = event.get(Member::Context).and_then(|context| context.get("protocols"));
        let asked = protocols.and_then(|protocols| protocols.get("event_version"));
        let named = asked.and_then(|asked| {
            versions.iter().copied().find(|&rule| self.rules[rule].version.is(asked))
        });
        named.or_else(|| versions.first().copied()).unwrap_or_default()
    }

    /// The planned name that is nearest to `name`, where one is near.
    pub fn nearest(&self, name: &str) -> Option<&str> {
        let tracked = self.rules.iter().filter(|rule| rule.rule_type == RuleType::Track);
        nearest(name, tracked.map(|rule| rule.key.as_str()))
    }
}

/// The one of `names` that `name` was likely meant to be: without regard to capitals and to what
/// is no letter or digit.
pub(crate) fn nearest<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    /// Below this likeness (0 to 1) a name is another one, not a slip.
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
        // Of two that are as near the first by name, whatever the order they came in.
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map(|(_, other)| other)
}
