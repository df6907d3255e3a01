//! Messages that suggest settings and rules for an input.

use super::text::{counted, thousands};
use super::{Deleted, UnusedEmails};

/// Suggests `user_id_is_email` if more than half of `identifies` calls have an address as user id,
/// and bring no other e-mail. `addresses` is the number of such calls.
pub fn user_id_is_email(addresses: u64, identifies: u64) -> Option<String> {
    (addresses * 2 > identifies).then(|| {
        let bring = if identifies == 1 {
            "identify call brings no e-mail, but its"
        } else {
            "identify calls bring no e-mail, but their"
        };
        format!(
            "{} of {} {bring} userId is one; `user_id_is_email = true` under [identity] takes it",
            thousands(addresses),
            thousands(identifies),
        )
    })
}

/// Describes what deletion requests removed. Returns `None` if there were none.
pub fn deleted(deleted: &Deleted) -> Option<String> {
    let &Deleted { calls, users, events, signals, leads } = deleted;
    let ask = if calls == 1 { "delete call asks" } else { "delete calls ask" };
    let taken = if events == 0 {
        "no event up to then is theirs".to_owned()
    } else {
        format!(
            "{} up to then, {} and {} are left out",
            counted(events, "event", "events"),
            counted(signals, "signal", "signals"),
            counted(leads, "lead", "leads"),
        )
    };
    (calls > 0).then(|| {
        format!(
            "{} {ask} that {} be forgotten: {taken}",
            thousands(calls),
            counted(users, "user", "users"),
        )
    })
}

impl UnusedEmails {
    /// Creates the counts from events by path, in the order of preference, and the number of
    /// additional leads.
    pub fn new(by_path: &[(&'static str, u64)], leads: u64) -> Self {
        let paths: Vec<&str> =
            by_path.iter().filter(|(_, events)| *events > 0).map(|(path, _)| *path).collect();
        let rule = (leads > 0 && !paths.is_empty()).then(|| rule(&paths));
        Self { events: by_path.iter().copied().collect(), leads, rule }
    }

    /// Returns a warning that signals carry addresses that no rule maps.
    pub fn warning(&self) -> Option<String> {
        self.rule.as_ref()?;
        let fields = self.events.iter().filter(|(_, events)| **events > 0);
        let fields: Vec<String> =
            fields.map(|(path, events)| format!("{} at {path}", thousands(*events))).collect();
        Some(format!(
            "signals carry e-mail addresses that no rule maps ({}): a rule would bring {}",
            fields.join(", "),
            counted(self.leads, "more lead", "more leads"),
        ))
    }
}

/// Returns a rule that takes the addresses at `paths`. It has the lowest priority; rules that
/// already map such signals need `identify` and `email` themselves.
fn rule(paths: &[&str]) -> String {
    let conditions: Vec<String> = paths.iter().map(|path| format!("{path} != null")).collect();
    let quoted: Vec<String> = paths.iter().map(|path| format!("\"{path}\"")).collect();
    format!(
        "[[rule]]\nid = \"email-at-hand\"\nwhen = '{}'\npriority = -1000\nidentify = true\n\
         [rule.map]\nemail = [{}]\n",
        conditions.join(" or "),
        quoted.join(", "),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Rules;

    #[test]
    fn most_identify_calls_must_have_an_address_as_user_id() {
        assert_eq!(user_id_is_email(0, 0), None);
        assert_eq!(user_id_is_email(5, 10), None);
        assert!(user_id_is_email(1, 1).unwrap().starts_with("1 of 1 identify call brings"));
        assert!(user_id_is_email(6, 10).unwrap().starts_with("6 of 10 identify calls"));
    }

    #[test]
    fn the_rule_for_addresses_at_hand_can_stand_in_a_rules_file() {
        let found = UnusedEmails::new(&[("context.traits.email", 2), ("properties.email", 1)], 1);
        let rules = Rules::parse(&format!("version = 1\n{}", found.rule.unwrap())).unwrap();
        assert_eq!((rules.rules[0].map.email.len(), rules.warnings.len()), (2, 0));
        assert_eq!(UnusedEmails::new(&[("properties.email", 3)], 0).rule, None);
    }
}
