//! The pipeline, one event after another, with maps and sorts.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::address::{self, Fault};
use super::event::{Event, Key, Time, cell};
use super::identity::{Fact, Identities, Node, Owner};
use super::lead::{Lead, Part, Signal, traits_of_identify};
use super::plan::Plan;
use super::settings::{DedupBy, Rule, Settings};

/// One row of a table, by column.
pub type Row = BTreeMap<String, String>;

/// The expected results of a run.
pub struct Outcome {
    /// In input order.
    pub signals: Vec<Row>,
    /// By score, then by e-mail.
    pub leads: Vec<Row>,
    /// The part of the report that is replayed.
    pub report: Value,
}

/// All lines, read and counted.
#[derive(Default)]
pub struct Read {
    pub records: u64,
    pub rejects: BTreeMap<&'static str, u64>,
    /// In input order.
    pub events: Vec<Event>,
    pub filtered: u64,
    /// Those that pass the filter.
    pub sent: Vec<Event>,
}

/// An event that is sent, with what follows from it alone.
pub struct Call<'a> {
    pub event: &'a Event,
    pub is_duplicate: bool,
    pub rule: Option<&'a Rule>,
    /// The ids that are not blocked.
    pub anonymous: Option<Node>,
    pub user: Option<Node>,
    pub blocked_ids: u64,
    /// The e-mail that the event brings, or what is wrong with it.
    pub email: Option<String>,
    pub fault: Option<Fault>,
    pub lacks_email: bool,
    /// The e-mail that the ids are connected to.
    pub identifies: Option<String>,
    /// The same, if it is the user id of an event other than an identify call.
    pub user_email: Option<String>,
    pub is_accepted: bool,
    pub period: Option<usize>,
}

/// A kept signal with its owner.
pub struct Resolved<'a> {
    pub call: &'a Call<'a>,
    pub owner: Option<Owner>,
    /// The e-mail that names its lead.
    pub lead: Option<String>,
    pub resolution: &'static str,
}

/// Replays `lines`.
pub fn replay(lines: &[String], settings: &Settings) -> Outcome {
    let read = read(lines, settings);
    let plan = Plan::new(&read.sent, settings);
    let calls = calls(&read.sent, &plan, settings);
    let kept: Vec<&Call<'_>> = calls.iter().filter(|call| !call.is_duplicate).collect();
    let facts = kept.iter().flat_map(|call| call.facts(settings)).collect();
    let identities = Identities::new(facts, settings);
    let signals: Vec<_> = kept
        .iter()
        .filter(|call| call.event.is_signal())
        .map(|call| resolve(call, &identities, settings))
        .collect();
    let leads = leads(&kept, &signals, &identities, settings);
    let groups = group_names(&kept);
    let mut by_rank: Vec<_> = leads.iter().collect();
    by_rank.sort_by_key(|(email, lead)| (-lead.score(), *email));
    let report = super::report::Totals {
        settings,
        read: &read,
        plan: &plan,
        calls: &calls,
        identities: &identities,
        signals: &signals,
        leads: &leads,
    };
    Outcome {
        signals: signals.iter().map(signal_row).collect(),
        leads: by_rank.into_iter().map(|(email, lead)| lead.row(email, &groups)).collect(),
        report: report.report(),
    }
}

fn read(lines: &[String], settings: &Settings) -> Read {
    let mut read = Read::default();
    for line in lines.iter().filter(|line| !line.trim().is_empty()) {
        read.records += 1;
        match Event::read(line, settings) {
            Ok(event) => {
                let is_allowed = settings.allow.is_empty()
                    || settings.allow.contains(&&*event.call)
                    || (event.call == "track" && settings.allow.contains(&&*event.name()));
                if is_allowed {
                    read.sent.push(event.clone());
                } else {
                    read.filtered += 1;
                }
                read.events.push(event);
            }
            Err(reason) => *read.rejects.entry(reason).or_default() += 1,
        }
    }
    read
}

/// Returns the events that are duplicates of one received earlier.
fn duplicates(sent: &[Event], settings: &Settings) -> BTreeSet<usize> {
    let mut copies: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, event) in sent.iter().enumerate() {
        let key = match settings.dedup {
            DedupBy::Content | DedupBy::ContentWithout(_) => event.signal_id.to_string(),
            DedupBy::MessageId => event.id("messageId").unwrap(),
            DedupBy::Nothing => at.to_string(),
        };
        copies.entry(key).or_default().push(at);
    }
    let rank = |&at: &usize| (sent[at].received, sent[at].time, sent[at].signal_id, at);
    copies
        .into_values()
        .flat_map(|mut copies| {
            copies.sort_by_key(rank);
            copies.split_off(1)
        })
        .collect()
}

fn calls<'a>(sent: &'a [Event], plan: &Plan, settings: &'a Settings) -> Vec<Call<'a>> {
    let duplicates = duplicates(sent, settings);
    let mut rules: Vec<&Rule> = settings.rules.iter().collect();
    rules.sort_by_key(|rule| -rule.priority);
    let call = |(at, event): (usize, &'a Event)| {
        let takes = |rule: &&&Rule| {
            rule.call.is_none_or(|call| event.call == call)
                && (rule.events.is_empty()
                    || rule.events.iter().any(|name| event.json["event"] == *name))
        };
        let rule = rules.iter().find(takes).copied().filter(|_| event.is_signal());
        let mut call = Call {
            event,
            is_duplicate: duplicates.contains(&at),
            rule,
            anonymous: None,
            user: None,
            blocked_ids: 0,
            email: None,
            fault: None,
            lacks_email: false,
            identifies: None,
            user_email: None,
            is_accepted: plan.accepted[at],
            period: plan.period_of(event),
        };
        call.read_ids(settings);
        call.read_email(settings);
        call
    };
    sent.iter().enumerate().map(call).collect()
}

impl<'a> Call<'a> {
    fn read_ids(&mut self, settings: &Settings) {
        let [anonymous, user] = ["anonymousId", "userId"].map(|name| {
            let id = self.event.id(name)?;
            let is_blocked = address::is_blocked(&id, settings);
            self.blocked_ids += u64::from(is_blocked);
            (!is_blocked).then_some(id)
        });
        self.anonymous = anonymous.map(Node::Anonymous);
        self.user = user.map(Node::User);
    }

    fn read_email(&mut self, settings: &Settings) {
        let is_identify = self.event.call == "identify";
        let value = if is_identify { identify_email(self.event) } else { self.mapped("email") };
        match value.map(|value| address::email(value, settings)) {
            Some(Ok(email)) => self.email = Some(email),
            Some(Err(fault)) => self.fault = Some(fault),
            None => {}
        }
        if is_identify || self.rule.is_some_and(|rule| rule.identify) {
            self.identifies.clone_from(&self.email);
        }
        if settings.user_id_is_email && self.identifies.is_none() {
            let id = self.user.as_ref().and(Some(&self.event.json["userId"]));
            let address = id.and_then(|id| address::email(id, settings).ok());
            self.identifies.clone_from(&address);
            if is_identify {
                self.email = address;
            } else {
                self.user_email = address;
            }
        }
        self.lacks_email = is_identify && value.is_none() && self.email.is_none();
    }

    /// The value that its rule maps to `column`.
    fn mapped(&self, column: &str) -> Option<&'a Value> {
        let (_, paths) = self.rule?.map.iter().find(|(name, _)| *name == column)?;
        paths.iter().find_map(|path| self.event.present(path))
    }

    /// Returns the user id, if user ids are used.
    pub fn user(&self, settings: &Settings) -> Option<&Node> {
        self.user.as_ref().filter(|_| settings.user_id)
    }

    /// Returns the previous id of an alias, as each kind of id that it can be.
    pub fn previous(&self, settings: &Settings) -> Vec<Node> {
        let id = self.event.id("previousId").filter(|id| !address::is_blocked(id, settings));
        let ties = self.event.call == "alias" && self.user(settings).is_some();
        let id = id.filter(|_| ties);
        id.into_iter().flat_map(|id| [Node::Anonymous(id.clone()), Node::User(id)]).collect()
    }

    /// Returns the facts of the event.
    fn facts(&self, settings: &Settings) -> Vec<Fact> {
        let user = self.user(settings);
        let email = self.identifies.clone().map(Node::Email);
        let ids = [self.anonymous.as_ref(), user];
        let to_email =
            ids.into_iter().flatten().filter_map(|id| Some((id.clone(), email.clone()?)));
        let sources = self.anonymous.iter().cloned().chain(self.previous(settings));
        let to_user = sources.filter_map(|id| Some((id, user?.clone())));
        to_email
            .chain(to_user)
            .filter(|(source, target)| source != target)
            .map(|(source, target)| Fact { source, key: self.event.key(), target })
            .collect()
    }

    /// Returns the number of facts; an alias has one, whatever kind its previous id was.
    pub fn fact_count(&self, settings: &Settings) -> usize {
        let ids = [self.anonymous.as_ref(), self.user(settings)].into_iter().flatten().count();
        let to_email = if self.identifies.is_some() { ids } else { 0 };
        to_email + usize::from(ids == 2) + usize::from(!self.previous(settings).is_empty())
    }
}

/// Returns the e-mail of an identify call; the case of the member name is ignored.
fn identify_email(event: &Event) -> Option<&Value> {
    let traits = [&event.json["traits"], &event.json["context"]["traits"], &event.json];
    traits.into_iter().find_map(|traits| {
        let mut members = traits.as_object()?.iter();
        let (_, value) = members.find(|(name, _)| name.eq_ignore_ascii_case("email"))?;
        (!value.is_null() && value != "").then_some(value)
    })
}

fn resolve<'a>(
    call: &'a Call<'a>,
    identities: &Identities<'_>,
    settings: &Settings,
) -> Resolved<'a> {
    let owner = identities.owner(
        call.user(settings),
        call.anonymous.as_ref(),
        call.event.time,
        settings.policy,
    );
    let owner = owner.filter(|_| call.email.is_none());
    let resolution = match (&call.email, &owner) {
        (Some(_), _) => "direct",
        (_, Some(owner)) if owner.rehydrated => "rehydrated",
        (_, Some(_)) => "known",
        _ => "cold",
    };
    let email = call.email.as_ref().or(owner.as_ref().map(|owner| &owner.email));
    Resolved { call, lead: email.map(|email| identities.name(email)), owner, resolution }
}

/// Returns whether `email` is of an internal domain.
pub fn is_internal(email: &str, settings: &Settings) -> bool {
    let domain = email.rsplit('@').next().unwrap_or_default();
    settings.internal_domains.contains(&domain)
}

fn text_of(id: Option<&Node>) -> Option<String> {
    id.map(|id| match id {
        Node::Anonymous(text) | Node::User(text) | Node::Email(text) => text.clone(),
    })
}

fn leads<'a>(
    kept: &[&'a Call<'a>],
    signals: &[Resolved<'a>],
    identities: &Identities<'_>,
    settings: &Settings,
) -> BTreeMap<String, Lead<'a>> {
    let mut leads: BTreeMap<String, Lead<'a>> = BTreeMap::new();
    let part = |call: &'a Call<'a>| Part {
        event: call.event,
        anonymous: text_of(call.anonymous.as_ref()),
        user: text_of(call.user.as_ref()),
        traits: BTreeMap::new(),
        brings_email: true,
        signal: None,
    };
    for &call in kept {
        if let Some(email) = &call.user_email {
            leads.entry(identities.name(email)).or_default().parts.push(part(call));
        }
        if let Some(email) = call.email.as_ref().filter(|_| call.event.call == "identify") {
            let traits = traits_of_identify(call.event);
            let lead = leads.entry(identities.name(email)).or_default();
            lead.parts.push(Part { traits, ..part(call) });
        }
        if let Some(group) = call.event.id("groupId").filter(|_| call.event.call == "group") {
            let (user, anonymous) = (call.user(settings), call.anonymous.as_ref());
            let owner = identities.owner(user, anonymous, call.event.time, settings.policy);
            if let Some(owner) = owner {
                let lead = leads.entry(identities.name(&owner.email)).or_default();
                lead.groups.push((call.event.key(), group));
            }
        }
    }
    for signal in signals {
        let Some(email) = &signal.lead else { continue };
        let columns = ["name", "first_name", "last_name", "company", "title", "phone"];
        let mapped = |name| (name, signal.call.mapped(name).map(cell).unwrap_or_default());
        leads.entry(email.clone()).or_default().parts.push(Part {
            traits: columns.map(mapped).into(),
            brings_email: signal.call.email.is_some(),
            signal: Some(Signal {
                rule: signal.call.rule,
                name: signal_name(signal.call),
                rehydrated: signal.resolution == "rehydrated",
            }),
            ..part(signal.call)
        });
    }
    leads.retain(|email, _| !is_internal(email, settings));
    leads
}

/// The latest name of each group.
fn group_names(kept: &[&Call<'_>]) -> BTreeMap<String, (Key, String)> {
    let mut names = BTreeMap::new();
    for call in kept.iter().filter(|call| call.event.call == "group") {
        let (Some(group), name) = (call.event.id("groupId"), call.event.text("traits.name")) else {
            continue;
        };
        let told = (call.event.key(), name);
        if !told.1.is_empty() && names.get(&group).is_none_or(|kept| *kept < told) {
            names.insert(group, told);
        }
    }
    names
}

fn signal_name(call: &Call<'_>) -> String {
    let of_rule = call.rule.and_then(|rule| rule.signal).map(str::to_owned);
    of_rule.unwrap_or_else(|| call.event.name())
}

fn signal_row(signal: &Resolved<'_>) -> Row {
    let Resolved { call, lead, resolution, .. } = signal;
    let (event, rule) = (call.event, call.rule);
    let own = |column| call.mapped(column).map(cell).unwrap_or_default();
    let page_name = event.present("name").or_else(|| event.present("properties.name"));
    [
        ("signal_id", format!("{:032x}", event.signal_id)),
        ("timestamp", time_text(event.time)),
        ("received_at", time_text(event.received)),
        ("type", event.call.clone()),
        ("event", event.name()),
        ("signal", signal_name(call)),
        ("signal_type", rule.map(|rule| rule.signal_type).unwrap_or_default().to_owned()),
        ("high_intent", rule.is_some_and(|rule| rule.high_intent).to_string()),
        ("rule", rule.map(|rule| rule.id).unwrap_or_default().to_owned()),
        ("score", rule.map_or(0, |rule| rule.score).to_string()),
        ("lead_email", lead.clone().unwrap_or_default()),
        ("resolution", (*resolution).to_owned()),
        ("anonymous_id", event.id("anonymousId").unwrap_or_default()),
        ("user_id", event.id("userId").unwrap_or_default()),
        ("page_url", event.page_url()),
        ("page_name", page_name.map(cell).unwrap_or_default()),
        ("source", "segment".to_owned()),
        ("message_id", event.id("messageId").unwrap_or_default()),
        ("number", own("number")),
        ("shown", own("shown")),
    ]
    .map(|(name, text)| (name.to_owned(), text))
    .into()
}

/// Returns a time as in tables and reports; empty if it is missing.
pub fn time_text(time: Time) -> String {
    let time = time.map(|millis| jiff::Timestamp::from_millisecond(millis).unwrap());
    time.map(|time| format!("{time:.3}")).unwrap_or_default()
}
