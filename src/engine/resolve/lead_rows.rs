//! Converts leads to rows of the leads table.

use std::borrow::Cow;

use super::fold::GroupNames;
use crate::emit::row::LeadRow;
use crate::engine::identity::all_ids::AllIds;
use crate::engine::identity::ids::NodeId;
use crate::engine::lead::{Ranked, RuleTerms, Trait};
use crate::time::Time;

/// The value of the column `source` of every signal and lead.
pub const SOURCE: &str = "segment";

/// Converts leads to rows.
#[derive(Clone, Copy, Debug)]
pub struct LeadRows<'a> {
    /// The texts of ids.
    pub ids: &'a AllIds,
    /// The latest names of groups.
    pub groups: &'a GroupNames,
    /// The rules that name signals.
    pub terms: &'a [RuleTerms<'a>],
    /// Event names, by number.
    pub events: &'a [&'a str],
}

impl LeadRows<'_> {
    /// Calls `then` with the row of `ranked`.
    pub fn with_row<R>(&self, ranked: &Ranked<'_>, then: impl FnOnce(&LeadRow<'_>) -> R) -> R {
        let anonymous_ids = self.texts(ranked.lead.anonymous_ids());
        let user_ids = self.texts(ranked.lead.user_ids());
        let (anonymous_ids, user_ids) = (borrowed(&anonymous_ids), borrowed(&user_ids));
        let email = self.ids.text(ranked.email);
        then(&self.row(ranked, &email, &anonymous_ids, &user_ids))
    }

    /// Returns the group that names the company of `ranked`, unless the lead has a company trait.
    pub fn naming_group(&self, ranked: &Ranked<'_>) -> Option<NodeId> {
        let own = ranked.lead.trait_text(Trait::Company);
        let mut groups = ranked.lead.groups().into_iter();
        if own.is_empty() { groups.find(|group| self.groups.contains_key(group)) } else { None }
    }

    fn texts(&self, ids: &[NodeId]) -> Vec<Cow<'_, str>> {
        let mut texts: Vec<Cow<'_, str>> = ids.iter().map(|&id| self.ids.text(id)).collect();
        texts.sort_unstable();
        texts
    }

    fn row<'r>(
        &'r self,
        ranked: &'r Ranked<'_>,
        email: &'r str,
        anonymous_ids: &'r [&'r str],
        user_ids: &'r [&'r str],
    ) -> LeadRow<'r> {
        let lead = &ranked.lead;
        let touch = lead.first_touch();
        let time = |time: Option<Time>| time.unwrap_or(Time::MISSING);
        let identified_at = time(lead.identified_at);
        let seen = |seen| if lead.signals == 0 { identified_at } else { time(seen) };
        let mut company = lead.trait_text(Trait::Company);
        if let Some((_, name)) = self.naming_group(ranked).and_then(|group| self.groups.get(&group))
        {
            company = name;
        }
        LeadRow {
            email,
            name: lead.trait_text(Trait::Name),
            first_name: lead.trait_text(Trait::FirstName),
            last_name: lead.trait_text(Trait::LastName),
            company,
            title: lead.trait_text(Trait::Title),
            phone: lead.trait_text(Trait::Phone),
            score: ranked.score,
            signals: lead.signals,
            high_intent_signals: lead.high_intent_signals,
            rehydrated_signals: lead.rehydrated_signals,
            first_seen: seen(lead.first_seen),
            last_seen: seen(lead.last_seen),
            identified_at,
            first_page_url: touch.map_or("", |touch| &touch.page_url),
            first_referrer: touch.map_or("", |touch| &touch.referrer),
            utm_source: touch.map_or("", |touch| &touch.utm_source),
            utm_medium: touch.map_or("", |touch| &touch.utm_medium),
            utm_campaign: touch.map_or("", |touch| &touch.utm_campaign),
            last_signal: self.signal_name(lead.last_signal()),
            top_signal: ranked.top_signal,
            anonymous_ids,
            user_ids,
            sources: &[SOURCE],
        }
    }

    fn signal_name(&self, signal: Option<(Option<u32>, u32)>) -> &str {
        let Some((rule, event)) = signal else { return "" };
        let of_rule = rule.and_then(|rule| self.terms.get(rule as usize)?.signal);
        of_rule.or_else(|| self.events.get(event as usize).copied()).unwrap_or_default()
    }
}

fn borrowed<'t>(texts: &'t [Cow<'_, str>]) -> Vec<&'t str> {
    texts.iter().map(|text| &**text).collect()
}
