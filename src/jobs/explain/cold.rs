//! Explains why a signal is cold: why each of its ids resolves to no e-mail at its time.

use super::resolve::{Context, GatheredRow, kind};
use crate::diagnostic::printable;
use crate::engine::EventRef;
use crate::engine::identity::ids::{NodeId, Space};
use crate::engine::identity::resolve::Step;
use crate::engine::identity::timeline::{Link, MAX_STEPS};
use crate::rules::Policy;
use crate::time::{DAY_MS, Time};

impl Context<'_> {
    /// Returns the reason for which each id of the cold signal `row` resolves to no e-mail.
    pub fn cold_because(&self, row: &GatheredRow<'_>) -> Vec<String> {
        let uses_user_ids = self.engine.rules.identity.user_id;
        let user = (row.ids.user, row.user_text(), Space::User);
        let anonymous = (row.ids.anonymous, row.anonymous_text(), Space::Anonymous);
        let mut reasons = Vec::new();
        for (id, text, space) in [user, anonymous] {
            let shown = match &self.engine.redaction {
                Some(redaction) => redaction.id(text),
                None => text.into(),
            };
            let name = format!("{} {}", noun(space), printable(&shown));
            match id {
                _ if text.is_empty() => {}
                None => reasons.push(format!("{name} is blocked: it is never an id")),
                Some(_) if space == Space::User && !uses_user_ids => {
                    reasons.push(format!("{name} does not count: [identity] user_id is false"));
                }
                Some(id) => reasons.push(format!("{name} {}", self.leads_nowhere(id, row.time()))),
            }
        }
        if reasons.is_empty() {
            reasons.push("it has no id".into());
        }
        reasons
    }

    /// Returns the reason for which `id` resolves to no e-mail at `time`.
    fn leads_nowhere(&self, id: NodeId, time: Time) -> String {
        let identity = &self.engine.rules.identity;
        if self.timelines.of(id).distance().is_none() {
            return if self.is_tied(id) {
                "is tied only to ids that lead to no e-mail".into()
            } else {
                "is never tied to an e-mail or a user id".into()
            };
        }
        let is_anonymous = self.ids().space(id) == Space::Anonymous;
        if identity.policy == Policy::Strict && is_anonymous && self.timelines.of(id).emails() > 1 {
            return "has several e-mails, and the policy is strict".into();
        }
        let later = self.timelines.of(id).links.iter().find(|link| link.time > time);
        let Some(link) = later else {
            return format!("leads to an e-mail over more than {MAX_STEPS} facts");
        };
        let tied = self.tied(id, *link);
        if self.resolver.is_shared(id) {
            return format!(
                "is a shared device (more than {} e-mails), which owns no signal from before it is \
                 identified: {tied}",
                identity.max_emails
            );
        }
        match (identity.lookback_days, days_between(time, link.time)) {
            (Some(most), Some(days)) if days >= i64::from(most) => {
                format!(
                    "was tied too late, {days} days after it, more than lookback_days {most}: {tied}"
                )
            }
            _ => format!("is tied later, but to an id that leads to no e-mail for it: {tied}"),
        }
    }

    /// Formats the time and place of a fact, such as `2025-06-20T… (events/2025-06.ndjson:7)`.
    fn tied(&self, id: NodeId, link: Link) -> String {
        let fact = self.fact_of(&Step { id, link });
        match fact.map(|fact| self.place(EventRef::from_raw(fact.event))) {
            Some(place) => format!("{} ({}:{})", link.time, printable(&place.file), place.line),
            None => link.time.to_string(),
        }
    }
}

fn days_between(from: Time, to: Time) -> Option<i64> {
    Some((to.millis()? - from.millis()?) / DAY_MS)
}

/// Returns the name of `space` in words.
pub fn noun(space: Space) -> String {
    kind(space).replace('_', " ")
}
