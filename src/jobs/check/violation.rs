//! The names, titles and help texts of the kinds of findings.

use super::finding::{Level, Violation};

impl Violation {
    /// All kinds, in the order of findings at the same place.
    pub const ALL: [Self; 20] = [
        Self::InvalidEvent,
        Self::UnplannedEvent,
        Self::UnplannedProperty,
        Self::MissingRequired,
        Self::InvalidType,
        Self::InvalidValue,
        Self::InvalidPlan,
        Self::TooLargeEvent,
        Self::TooLongMessageId,
        Self::MissingId,
        Self::UnmappedEvent,
        Self::RuleNeverMatches,
        Self::MappedFieldAbsent,
        Self::EmailMissing,
        Self::NotAllowed,
        Self::FailedTest,
        Self::UnexpectedOutput,
        Self::UnexpectedPass,
        Self::Uncovered,
        Self::StaleBaseline,
    ];

    /// Returns the name in reports and baselines; names do not change between versions.
    pub fn name(self) -> &'static str {
        match self {
            Self::InvalidEvent => "invalid-event",
            Self::UnplannedEvent => "unplanned-event",
            Self::UnplannedProperty => "unplanned-property",
            Self::MissingRequired => "missing-required",
            Self::InvalidType => "invalid-type",
            Self::InvalidValue => "invalid-value",
            Self::InvalidPlan => "invalid-plan",
            Self::TooLargeEvent => "too-large-event",
            Self::TooLongMessageId => "too-long-message-id",
            Self::MissingId => "missing-id",
            Self::UnmappedEvent => "unmapped-event",
            Self::RuleNeverMatches => "rule-never-matches",
            Self::MappedFieldAbsent => "mapped-field-absent",
            Self::EmailMissing => "email-missing",
            Self::NotAllowed => "not-allowed",
            Self::FailedTest => "failed-test",
            Self::UnexpectedOutput => "unexpected-output",
            Self::UnexpectedPass => "unexpected-pass",
            Self::Uncovered => "uncovered",
            Self::StaleBaseline => "stale-baseline",
        }
    }

    /// Returns a short description.
    pub fn title(self) -> &'static str {
        match self {
            Self::InvalidEvent => "A line of a fixture is no event",
            Self::UnplannedEvent => "The tracking plan has no such event",
            Self::UnplannedProperty => "The tracking plan has no such property",
            Self::MissingRequired => "A required property is absent",
            Self::InvalidType => "A value is of a type that the tracking plan does not allow",
            Self::InvalidValue => "A value is outside of an enum, a pattern, a format or a range",
            Self::InvalidPlan => "A schema of the tracking plan cannot be used",
            Self::TooLargeEvent => "An event is over 32 KB",
            Self::TooLongMessageId => "A messageId is over 100 characters",
            Self::MissingId => "An event lacks the ids that Segment gives or asks for",
            Self::UnmappedEvent => "No rule maps the signal",
            Self::RuleNeverMatches => "A rule can never map a signal",
            Self::MappedFieldAbsent => "The event lacks a field that its rule maps",
            Self::EmailMissing => "An event that should bring an e-mail address has no valid one",
            Self::NotAllowed => "The allow list takes no such event",
            Self::FailedTest => "A test of the rules file fails",
            Self::UnexpectedOutput => "The leads or signals differ from the kept ones",
            Self::UnexpectedPass => "A fixture that is expected to fail does not",
            Self::Uncovered => "No fixture covers a planned event or a rule",
            Self::StaleBaseline => "The baseline holds a finding that is gone",
        }
    }

    /// Returns what follows from the finding, and what to do.
    pub fn help(self) -> &'static str {
        match self {
            Self::InvalidEvent => {
                "Segment would refuse it. Make it a JSON object with a known `type` and the members of such a call."
            }
            Self::UnplannedEvent => {
                "Add the event to the tracking plan, or correct its name where it is sent."
            }
            Self::UnplannedProperty => {
                "Add the property to the event's schema, or stop sending it."
            }
            Self::MissingRequired => {
                "Send the property, or take it from the schema's `required` list."
            }
            Self::InvalidType => "Send the value as the schema says, or widen the schema's `type`.",
            Self::InvalidValue => {
                "Send a value that the schema allows, or widen its `enum`, `pattern`, `format` or range."
            }
            Self::InvalidPlan => {
                "Events of this schema were not checked. Correct the schema; it must be JSON Schema, draft 7."
            }
            Self::TooLargeEvent => "Segment refuses events over 32 KB. Send less with each event.",
            Self::TooLongMessageId => {
                "Segment refuses longer ones. Use a UUID, or leave the id to Segment's library."
            }
            Self::MissingId => {
                "Segment gives a `messageId` to what comes without one, and refuses what has neither an `anonymousId` nor a `userId`. Real events have both; write them into fixtures that stand for such."
            }
            Self::UnmappedEvent => {
                "The signal costs plan and scores nothing. Write a rule for it, or take it from the allow list."
            }
            Self::RuleNeverMatches => {
                "Correct its `when`, raise its `priority` above the rule that takes its signals first, or delete it."
            }
            Self::MappedFieldAbsent => {
                "Correct the path in `[rule.map]`, or send the field with the event."
            }
            Self::EmailMissing => {
                "Without an e-mail address no lead comes of it. Send one, and send it whole."
            }
            Self::NotAllowed => {
                "The event would never arrive. Add it to the allow list, or delete the fixture."
            }
            Self::FailedTest => "Correct the rule, or what the test expects.",
            Self::UnexpectedOutput => {
                "Correct the rules, or keep the new outputs with `--bless` where the change is meant."
            }
            Self::UnexpectedPass => {
                "A fixture named `*.invalid.*` must have a finding. Break it again, or rename it."
            }
            Self::Uncovered => "Add a fixture that has the event, or that the rule maps.",
            Self::StaleBaseline => {
                "Write the baseline anew with `--write-baseline`, so that the finding cannot come back unseen."
            }
        }
    }

    /// Returns the level without any option.
    pub fn level(self) -> Level {
        match self {
            Self::MissingId | Self::Uncovered | Self::StaleBaseline => Level::Note,
            _ => Level::Error,
        }
    }
}

impl Level {
    /// Returns the name that reports use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Error => "error",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_those_that_findings_are_serialized_with() {
        for violation in Violation::ALL {
            let serialized = serde_json::to_value(violation).unwrap();
            assert_eq!(serialized, violation.name());
        }
        assert_eq!(serde_json::to_value(Level::Error).unwrap(), Level::Error.name());
        assert_eq!(serde_json::to_value(Level::Note).unwrap(), Level::Note.name());
    }

    #[test]
    fn each_is_listed_once_and_in_order() {
        let set: BTreeSet<_> = Violation::ALL.into_iter().collect();
        assert!(set.into_iter().eq(Violation::ALL));
    }
}
