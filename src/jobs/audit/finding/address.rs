//! Findings about e-mail addresses that are present but not used to identify anyone.

use super::Kind;
use crate::engine::map::unused_email::UnusedField;
use crate::event::CallType;
use crate::jobs::audit::Side;
use crate::jobs::audit::report::{Example, Finding, Severity};
use crate::jobs::audit::summary::Evidence;
use crate::report::{UnusedEmails, hint};

/// Reports that most identify calls that pass contain no e-mail, but their user id is one.
pub fn as_user_id(evidence: &Evidence<'_>) -> Option<(Kind, Finding)> {
    let kind = Kind::UserIdIsEmail;
    let tally = &evidence.outcomes[Side::After as usize].tally;
    let message = hint::user_id_is_email(tally.address_as_user_id, tally.identifies)?;
    let finding = Finding {
        help: Some("set `user_id_is_email = true` under `[identity]` of the rules file".into()),
        call: Some(CallType::Identify.name()),
        count: tally.address_as_user_id,
        of: tally.identifies,
        ..kind.finding(Severity::Warning, message)
    };
    Some((kind, finding))
}

/// Reports signals that pass and carry addresses that no rule maps, of people who are not leads
/// yet.
pub fn unused(evidence: &Evidence<'_>) -> Option<(Kind, Finding)> {
    let kind = Kind::UnusedEmail;
    let counted = &evidence.facts.ingested.counts.unused_emails;
    let by_path = UnusedField::ALL.map(|field| (field.path(), counted.of(field).count()));
    let unused = UnusedEmails::new(&by_path, evidence.unknown_addresses);
    let message = unused.warning()?;
    let first = UnusedField::ALL.into_iter().flat_map(|field| counted.of(field).first());
    let example = |(position, ()): &(crate::engine::map::example::Position, ())| {
        let (file, line) = evidence.lines.of(position.place, position.line);
        Example { file, line }
    };
    let signals = evidence.outcomes[Side::After as usize].tally.resolutions.iter().sum();
    let finding = Finding {
        help: Some(
            "add this rule, or `identify` and `email` to the rules that map these signals already"
                .into(),
        ),
        rule: unused.rule,
        count: by_path.iter().map(|(_, events)| events).sum(),
        of: signals,
        examples: first.take(2).map(example).collect(),
        ..kind.finding(Severity::Warning, message)
    };
    Some((kind, finding))
}
