//! Validates one event against the plan and the rules.

use serde_json::{Map, Number as JsonNumber, Value};

use super::record::Record;
use super::{Part, PartCase, spec};
use crate::diagnostic::masked;
use crate::engine::identity::value::{EmailFault, normalise_email};
use crate::engine::map::extract::{event_name, identify_email, user_id_address};
use crate::event::path::{Lookup, Path};
use crate::event::{CallType, Event, Member};
use crate::jobs::check::finding::Violation;
use crate::jobs::check::flaw::Flaw;
use crate::json::{Json, Kind, Number};
use crate::rules::{Rule, first_present};
use crate::schema::violation::{Breach, TooCostly};
use crate::schema::{Plan, PlanRule, Planned, pointer};

/// Segment's limit for a message id, in characters (Tracking API, "messageId").
const MAX_MESSAGE_ID_CHARS: usize = 100;

/// The result of examining one event.
#[derive(Debug, Default)]
pub(super) struct ExaminedEvent {
    /// The display name of the event.
    pub name: String,
    /// Each rule that the event was checked against, and the flaws.
    pub cases: Vec<(String, Vec<Flaw>)>,
    /// The hash of its canonical form.
    pub hash: u128,
    /// The length of its canonical form, in bytes.
    pub compact_bytes: usize,
}

impl ExaminedEvent {
    pub fn is_clean(&self) -> bool {
        self.cases.iter().all(|(_, flaws)| flaws.is_empty())
    }

    /// Adds a flaw that does not come from a rule.
    pub fn flaw(&mut self, flaw: Flaw) {
        if self.cases.is_empty() {
            self.cases.push((String::new(), Vec::new()));
        }
        self.cases[0].1.push(flaw);
    }

    /// Adds the cases of an event without flaws to `part`.
    pub fn into_cases(self, line: u64, part: &mut Part) {
        for (rule, _) in self.cases {
            part.cases.push(PartCase {
                line,
                event: self.name.clone(),
                rule,
                findings: Vec::new(),
            });
        }
    }
}

impl Record<'_> {
    /// Checks `event` against the plan, the rules and the Segment Spec.
    pub fn examine(&mut self, event: &Event<'_>) -> ExaminedEvent {
        let Some(call) = event.call_type() else { return ExaminedEvent::default() };
        let name = event_name(event, call, &mut self.canonical, &mut self.scratch);
        let name = if name.is_empty() { call.name() } else { name };
        let mut examined = ExaminedEvent { name: masked(name), ..ExaminedEvent::default() };
        self.plan(event, call, &mut examined);
        if self.criteria.has_rules {
            self.rules(event, call, &mut examined);
        } else if self.filtered(event) {
            examined.flaw(self.not_allowed());
        }
        if let Some(id) = event.text(Member::MessageId) {
            let chars = id.chars().count();
            if chars > MAX_MESSAGE_ID_CHARS {
                let message = format!(
                    "the messageId has {chars} characters; Segment takes at most {MAX_MESSAGE_ID_CHARS}"
                );
                examined.flaw(Flaw::new(Violation::TooLongMessageId, message).at("/messageId"));
            }
        }
        for flaw in spec::flaws(event, call) {
            // A flaw that the plan reports for the same field is more specific.
            let is_known =
                |known: &Flaw| (known.violation, &known.pointer) == (flaw.violation, &flaw.pointer);
            if !examined.cases.iter().any(|(_, flaws)| flaws.iter().any(is_known)) {
                examined.flaw(flaw);
            }
        }
        if examined.cases.is_empty() {
            examined.cases.push((String::new(), Vec::new()));
        }
        examined
    }

    fn filtered(&self, event: &Event<'_>) -> bool {
        self.criteria.engine.allow.as_ref().is_some_and(|allow| allow.takes(event).is_none())
    }

    fn not_allowed(&self) -> Flaw {
        let message = "no line of the allow list takes this event: it never arrives";
        let flaw = Flaw::new(Violation::NotAllowed, message);
        Flaw { level: self.criteria.not_allowed, ..flaw }
    }

    fn plan(&mut self, event: &Event<'_>, call: CallType, examined: &mut ExaminedEvent) {
        let Some(plan) = self.criteria.plan else { return };
        let own = match plan.planned(event) {
            Planned::By(rule) => Some(rule),
            Planned::Free => None,
            // A missing name has a separate finding.
            Planned::Not if is_nameless(event, call) => None,
            Planned::Not => {
                let flaw = self.unplanned(event, call);
                examined.cases.push((String::new(), vec![flaw]));
                None
            }
        };
        let mut value = None;
        for &rule in own.iter().chain(plan.common()) {
            if self.counts {
                self.seen.plan[rule] = true;
            }
            let value = value.get_or_insert_with(|| event_value(event));
            let rules = (rule, own == Some(rule));
            let found = breaches(plan, rules, value).unwrap_or_else(|TooCostly| {
                self.seen.costly[rule] = true;
                Vec::new()
            });
            let label = plan.rules[rule].label();
            let flaws = found.into_iter().map(|breach| Flaw::from(breach).by(label.as_str()));
            examined.cases.push((label.clone(), flaws.collect()));
        }
    }

    fn unplanned(&mut self, event: &Event<'_>, call: CallType) -> Flaw {
        let violation = Violation::UnplannedEvent;
        if call != CallType::Track {
            let name = event_name(event, call, &mut self.canonical, &mut self.scratch);
            let message =
                format!("{} calls are not in the plan, which holds them as `{name}`", call.name());
            return Flaw::new(violation, message).at("/type");
        }
        let name = event.text(Member::Event).unwrap_or_default();
        let plan = self.criteria.plan;
        let nearest = self
            .nearest
            .entry(name.to_owned())
            .or_insert_with(|| plan.and_then(|plan| plan.nearest(name)).map(ToOwned::to_owned));
        let hint =
            nearest.as_ref().map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        Flaw::new(violation, format!("`{name}` is not in the plan{hint}")).at("/event")
    }

    fn rules(&mut self, event: &Event<'_>, call: CallType, examined: &mut ExaminedEvent) {
        let engine = self.criteria.engine;
        if self.filtered(event) {
            examined.cases.push((String::new(), vec![self.not_allowed()]));
            return;
        }
        if call == CallType::Identify {
            let identity = &engine.rules.identity;
            let by_user_id = identity.user_id_is_email
                && user_id_address(event, engine.blocklist(), &mut self.scratch);
            let flaw = if by_user_id {
                None
            } else {
                self.email(identify_email(event, identity), &[], event)
            };
            examined.cases.push((String::new(), flaw.into_iter().collect()));
        }
        if !call.is_signal() {
            return;
        }
        let matched = engine.rules.first_match(event);
        if self.counts {
            self.seen.signal(&engine.rules, self.candidates, event, matched);
        }
        let Some(id) = matched else {
            let message = format!("no rule takes `{}`", examined.name);
            let member = if call == CallType::Track { "/event" } else { "/type" };
            let flaw = Flaw::new(Violation::UnmappedEvent, message).at(member);
            examined.cases.push((String::new(), vec![flaw]));
            return;
        };
        let rule = &engine.rules.rules[id.index()];
        let flaws = self.mapped(rule, event);
        examined.cases.push((rule.id.clone(), flaws));
    }

    /// Returns the flaws for fields that `rule` maps and the event lacks.
    fn mapped(&mut self, rule: &Rule, event: &Event<'_>) -> Vec<Flaw> {
        let mut flaws = Vec::new();
        if !rule.map.email.is_empty() {
            let value = first_present(&rule.map.email, event);
            let flaw = self.email(value, &rule.map.email, event);
            flaws.extend(flaw.map(|flaw| flaw.by(rule.id.as_str())));
        }
        let columns = &self.criteria.engine.rules.columns;
        let own = rule
            .map
            .columns
            .iter()
            .map(|(column, paths)| (columns.get(*column).map_or("", String::as_str), paths));
        let map = &rule.map;
        let people = [
            ("name", &map.name),
            ("first_name", &map.first_name),
            ("last_name", &map.last_name),
            ("company", &map.company),
            ("title", &map.title),
            ("phone", &map.phone),
        ];
        for (field, paths) in people.into_iter().chain(own) {
            if let Some(first) = paths.first()
                && first_present(paths, event).is_none()
            {
                let message = format!("`{}` maps `{field}`, but {} absent", rule.id, listed(paths));
                let flaw = Flaw::new(Violation::MappedFieldAbsent, message);
                flaws.push(flaw.at(path_pointer(first)).by(rule.id.as_str()));
            }
        }
        flaws
    }

    /// Returns the flaw of the e-mail address in an identify call, or of the one that a rule maps
    /// from `paths`.
    fn email(
        &mut self,
        value: Option<Json<'_>>,
        paths: &[Path],
        event: &Event<'_>,
    ) -> Option<Flaw> {
        let is_there = |path: &&Path| {
            event.lookup(path).is_some_and(|value| !value.is_null() && value.as_str() != Some(""))
        };
        let place = match paths.iter().find(is_there).or_else(|| paths.first()) {
            Some(path) => path_pointer(path),
            None => email_pointer(event),
        };
        let text = value.and_then(Json::as_str).unwrap_or_default();
        let blocklist = self.criteria.engine.blocklist();
        let message = match (value, normalise_email(text, blocklist, &mut self.scratch)) {
            (None, _) if paths.is_empty() => {
                "an identify call without an e-mail makes no lead: expected `traits.email`"
                    .to_owned()
            }
            (None, _) => format!("expected an e-mail address, but {} absent", listed(paths)),
            (Some(_), Ok(())) => return None,
            (Some(_), Err(EmailFault::Invalid)) => "expected a valid e-mail address".to_owned(),
            (Some(_), Err(EmailFault::Blocked)) => {
                "the e-mail address is one that [identity] block takes for nobody's".to_owned()
            }
        };
        Some(Flaw::new(Violation::EmailMissing, message).at(place))
    }
}

/// Returns `true` if `event` is a track call without a name.
fn is_nameless(event: &Event<'_>, call: CallType) -> bool {
    let name = event.text(Member::Event).unwrap_or_default();
    call == CallType::Track && name.trim().is_empty()
}

/// Returns the breaches of a rule of the plan by `event`. If the rule is the event's own, includes
/// properties that neither that rule nor a rule for all events declares.
fn breaches(
    plan: &Plan,
    (rule, is_own): (usize, bool),
    event: &Value,
) -> Result<Vec<Breach>, TooCostly> {
    let rule = &plan.rules[rule];
    let mut found = rule.breaches(event)?;
    if is_own {
        let common: Vec<&PlanRule> = plan.common().iter().map(|&rule| &plan.rules[rule]).collect();
        let unnamed = rule.unnamed(event, &common);
        let is_new = |unnamed: &Breach| found.iter().all(|known| known.pointer != unnamed.pointer);
        let unnamed: Vec<Breach> = unnamed.into_iter().filter(is_new).collect();
        found.extend(unnamed);
    }
    Ok(found)
}

/// Returns the pointer to the e-mail address of an identify call, or to where it is expected.
fn email_pointer(event: &Event<'_>) -> String {
    let name = |object: Json<'_>| {
        let mut entries = object.entries().map(|(key, _)| key);
        entries.find(|key| key.eq_ignore_ascii_case("email")).map(ToOwned::to_owned)
    };
    if let Some(own) = event.get(Member::Traits).and_then(name) {
        return pointer::join("/traits", &own);
    }
    let context = event.get(Member::Context).and_then(|context| context.get("traits"));
    if let Some(own) = context.and_then(name) {
        return pointer::join("/context/traits", &own);
    }
    name(event.root()).map_or_else(|| "/traits/email".into(), |own| pointer::join("", &own))
}

fn path_pointer(path: &Path) -> String {
    path.names().fold(String::new(), |pointer, name| pointer::join(&pointer, name))
}

/// Lists paths, such as ``` `properties.a` is``` or ``` `properties.a` and `properties.b` are```.
fn listed(paths: &[Path]) -> String {
    let names: Vec<String> = paths.iter().map(|path| format!("`{path}`")).collect();
    match names.split_last() {
        Some((last, [])) => format!("{last} is"),
        Some((last, rest)) => format!("{} and {last} are", rest.join(", ")),
        None => String::new(),
    }
}

/// Returns the event as plans see it: with the fields that it inherits from its batch.
fn event_value(event: &Event<'_>) -> Value {
    let Value::Object(mut members) = to_value(event.root()) else { return Value::Null };
    for member in [Member::SentAt, Member::Context, Member::Integrations] {
        if !members.contains_key(member.key())
            && let Some(lent) = event.get(member)
        {
            members.insert(member.key().to_owned(), to_value(lent));
        }
    }
    Value::Object(members)
}

fn to_value(json: Json<'_>) -> Value {
    match json.kind() {
        Kind::Null => Value::Null,
        Kind::Bool(value) => value.into(),
        Kind::Number(Number::Int(value)) => value.into(),
        Kind::Number(Number::Uint(value)) => value.into(),
        Kind::Number(Number::Float(value)) => {
            JsonNumber::from_f64(value).map_or(Value::Null, Value::Number)
        }
        Kind::String(text) => text.into(),
        Kind::Array(_) => json.items().map(to_value).collect(),
        Kind::Object(_) => {
            let members = json.entries().map(|(name, value)| (name.to_owned(), to_value(value)));
            Value::Object(members.collect::<Map<_, _>>())
        }
    }
}
