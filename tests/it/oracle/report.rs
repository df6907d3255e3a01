//! The counts of a replay, as in `report.json`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::address::Fault;
use super::identity::{Identities, Node, Through};
use super::lead::Lead;
use super::plan::{Plan, light, tracked_users};
use super::replay::{Call, Read, Resolved, is_internal, time_text};
use super::settings::{Every, Policy, Settings};

/// All that is counted.
pub struct Totals<'a> {
    pub settings: &'a Settings,
    pub read: &'a Read,
    pub plan: &'a Plan,
    /// Everything that is sent.
    pub calls: &'a [Call<'a>],
    pub identities: &'a Identities<'a>,
    pub signals: &'a [Resolved<'a>],
    pub leads: &'a BTreeMap<String, Lead<'a>>,
}

impl Totals<'_> {
    /// Returns the members that the report must have; it has more.
    pub fn report(&self) -> Value {
        let rejects: u64 = self.read.rejects.values().sum();
        json!({
            "records": self.read.records,
            "rejects": { "total": rejects, "by_reason": self.read.rejects },
            "events": self.events(),
            "duplicates": { "total": self.calls.iter().filter(|call| call.is_duplicate).count() },
            "identity": self.identity(),
            "rules": self.rules(),
            "leads": self.sums_of_leads(),
            "plan": self.plan(),
        })
    }

    fn kept(&self) -> impl Iterator<Item = &Call<'_>> {
        self.calls.iter().filter(|call| !call.is_duplicate)
    }

    fn events(&self) -> Value {
        let events = &self.read.events;
        let mut by_type: BTreeMap<&str, u64> = BTreeMap::new();
        for call in self.calls {
            *by_type.entry(&call.event.call).or_default() += 1;
        }
        json!({
            "total": events.len(),
            "filtered": self.read.filtered,
            "duplicates": self.calls.len() - self.kept().count(),
            "kept": self.kept().count(),
            "no_anonymous_id": events.iter().filter(|event| event.id("anonymousId").is_none()).count(),
            "no_timestamp": events.iter().filter(|event| event.time.is_none()).count(),
            "clock_skew": events.iter().filter(|event| event.clock_skew).count(),
            "unreadable_timestamp": events.iter().map(|event| event.unreadable_times).sum::<u64>(),
            "by_type": by_type,
            "by_name": by_name(self.calls.iter()),
        })
    }

    fn identity(&self) -> Value {
        let kept = || self.kept();
        let fault = |fault| kept().filter(|call| call.fault == Some(fault)).count();
        let resolved =
            |name| self.signals.iter().filter(|signal| signal.resolution == name).count();
        let through = |wanted| {
            let owners = self.signals.iter().filter_map(|signal| signal.owner.as_ref());
            owners.filter(|owner| owner.through == wanted).count()
        };
        let is_staff = |signal: &&Resolved<'_>| {
            signal.lead.as_ref().is_some_and(|email| is_internal(email, self.settings))
        };
        let shared = self.identities.shared().into_iter().map(|(id, emails)| match id {
            Node::User(id) => json!({ "kind": "user_id", "id": id, "emails": emails }),
            Node::Anonymous(id) | Node::Email(id) => {
                json!({ "kind": "anonymous_id", "id": id, "emails": emails })
            }
        });
        let refused = self.identities.merge_refused.iter();
        let refused: Vec<Value> = refused
            .map(|(emails, user_ids)| json!({ "emails": emails, "user_ids": user_ids }))
            .collect();
        json!({
            "policy": self.settings.policy.name(),
            "facts": kept().map(|call| call.fact_count(self.settings)).sum::<usize>(),
            "anonymous_ids": self.visitors(|id| matches!(id, Node::Anonymous(_))),
            "user_ids": self.visitors(|id| matches!(id, Node::User(_))),
            "signals": {
                "total": self.signals.len(),
                "direct": resolved("direct"),
                "known": resolved("known"),
                "rehydrated": resolved("rehydrated"),
                "cold": resolved("cold"),
            },
            "through": {
                "anonymous_id": through(Through::AnonymousId),
                "user_id": through(Through::UserId),
                "bridge": through(Through::Bridge),
            },
            "identify_without_email": kept().filter(|call| call.lacks_email).count(),
            "invalid_email": fault(Fault::Invalid),
            "blocked_emails": fault(Fault::Blocked),
            "blocked_ids": kept().map(|call| call.blocked_ids).sum::<u64>(),
            "internal_signals": self.signals.iter().filter(is_staff).count(),
            "would_change_owner": self.would_change_owner(),
            "shared_ids": shared.collect::<Vec<Value>>(),
            "merged_emails": self.identities.merged_emails(),
            "merge_refused": refused,
        })
    }

    /// Returns how many ids of a kind are in sent events, and how many resolve to an e-mail.
    fn visitors(&self, is_wanted: fn(&Node) -> bool) -> Value {
        let mut ids: Vec<Node> = Vec::new();
        for call in self.calls {
            ids.extend(call.anonymous.iter().chain(&call.user).cloned());
            ids.extend(call.previous(self.settings));
        }
        ids.retain(is_wanted);
        ids.sort();
        ids.dedup();
        let resolved = ids.iter().filter(|id| self.identities.leads_anywhere(id)).count();
        json!({ "seen": ids.len(), "resolved": resolved })
    }

    fn would_change_owner(&self) -> Map<String, Value> {
        let by_policy = |policy: Policy| {
            let changes = self.signals.iter().filter(|signal| signal.call.email.is_none());
            let changes = changes.filter(|signal| {
                let call = signal.call;
                let (user, anonymous) = (call.user(self.settings), call.anonymous.as_ref());
                let other = self.identities.owner(user, anonymous, call.event.time, policy);
                other.map(|other| self.identities.name(&other.email)) != signal.lead
            });
            (policy.name().to_owned(), changes.count().into())
        };
        Policy::ALL.map(by_policy).into_iter().collect()
    }

    fn rules(&self) -> Value {
        let of = |id| {
            let rules = self.signals.iter().filter_map(|signal| signal.call.rule);
            rules.filter(|rule| rule.id == id).count()
        };
        let rules = self.settings.rules.iter();
        let by_rule: Vec<Value> = rules
            .map(|rule| json!({ "id": rule.id, "matches": of(rule.id), "score": rule.score }))
            .collect();
        let unmapped = || self.signals.iter().filter(|signal| signal.call.rule.is_none());
        json!({
            "mapped": self.signals.len() - unmapped().count(),
            "unmapped": unmapped().count(),
            "by_rule": by_rule,
            "unmapped_by_event": by_name(unmapped().map(|signal| signal.call)),
        })
    }

    fn sums_of_leads(&self) -> Value {
        let scores: Vec<i64> = self.leads.values().map(Lead::score).collect();
        let with_signals = self.leads.values().filter(|lead| lead.has_signals()).count();
        json!({
            "total": self.leads.len(),
            "with_signals": with_signals,
            "without_signals": self.leads.len() - with_signals,
            "lowest_score": scores.iter().min().unwrap_or(&0),
            "highest_score": scores.iter().max().unwrap_or(&0),
            "total_score": scores.iter().sum::<i64>(),
        })
    }

    fn plan(&self) -> Value {
        let sum =
            |part: fn(&super::plan::Period) -> u64| self.plan.periods.iter().map(part).sum::<u64>();
        let lost = self.kept().filter(|call| call.event.call == "identify" && !call.is_accepted);
        let lost_leads: Vec<&String> = self
            .leads
            .iter()
            .filter(|(_, lead)| !lead.bringing().any(|event| self.is_accepted(event)))
            .map(|(email, _)| email)
            .collect();
        json!({
            "raw_signals_limit": or_none(self.settings.raw_signals),
            "active_leads_limit": or_none(self.settings.active_leads),
            "periods": self.periods(),
            "over": sum(|period| period.over),
            "retried": sum(|period| period.over - period.lost),
            "lost": sum(|period| period.lost),
            "lost_identifies": lost.count(),
            "lost_leads": lost_leads.len(),
            "lost_lead_emails": lost_leads,
            "undated": self.plan.undated,
        })
    }

    fn is_accepted(&self, event: &super::event::Event) -> bool {
        self.calls.iter().any(|call| std::ptr::eq(call.event, event) && call.is_accepted)
    }

    #[allow(clippy::cast_precision_loss)]
    fn periods(&self) -> Vec<Value> {
        let limit = self.settings.raw_signals;
        let time = |minute: i64| time_text(Some(minute * 60_000));
        let period = |(at, period): (usize, &super::plan::Period)| {
            let active = self
                .leads
                .values()
                .filter(|lead| lead.periods(|event| self.plan.period_of(event)).contains(&at));
            let active = active.count() as u64;
            let text = |id: &Option<Node>| id.as_ref().map(|id| format!("{id:?}"));
            let calls = self.calls.iter().filter(|call| call.period == Some(at));
            let ids: Vec<_> = calls.map(|call| (text(&call.anonymous), text(&call.user))).collect();
            let tracked = tracked_users(&ids);
            json!({
                "period": period.label,
                "start": time(period.start),
                "end": time(period.end),
                "raw_signals": period.raw_signals,
                "limit": or_none(limit),
                "share": (limit > 0).then(|| period.raw_signals as f64 / limit as f64),
                "light": light(period.raw_signals, limit),
                "reached_at": period.reached.map(time),
                "carried": period.carried,
                "over": period.over,
                "retried": period.over - period.lost,
                "lost": period.lost,
                "monthly_tracked_users": (self.settings.period == Every::Month).then_some(tracked),
                "active_leads": active,
                "active_leads_limit": or_none(self.settings.active_leads),
                "active_leads_light": light(active, self.settings.active_leads),
                "mix": self.mix(at),
            })
        };
        self.plan.periods.iter().enumerate().map(period).collect()
    }

    fn mix(&self, period: usize) -> Value {
        let of_period = || self.calls.iter().filter(|call| call.period == Some(period));
        let kept = |wanted: fn(&Call<'_>) -> bool| {
            of_period().filter(|call| !call.is_duplicate && wanted(call)).count()
        };
        json!({
            "duplicates": of_period().filter(|call| call.is_duplicate).count(),
            "identifies": kept(|call| call.event.call == "identify"),
            "mapped": kept(|call| call.event.is_signal() && call.rule.is_some()),
            "unmapped": kept(|call| call.event.is_signal() && call.rule.is_none()),
            "other": kept(|call| ["group", "alias"].contains(&&*call.event.call)),
        })
    }
}

/// Returns a limit, or `None` for 0.
fn or_none(limit: u64) -> Option<u64> {
    (limit > 0).then_some(limit)
}

/// Counts by call and name, sorted by these.
fn by_name<'a>(calls: impl Iterator<Item = &'a Call<'a>>) -> Value {
    let mut counts: BTreeMap<(String, String), u64> = BTreeMap::new();
    for call in calls {
        *counts.entry((call.event.call.clone(), call.event.name())).or_default() += 1;
    }
    let counts = counts.into_iter();
    counts
        .map(|((call, event), count)| json!({ "type": call, "event": event, "count": count }))
        .collect()
}
