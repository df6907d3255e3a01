//! Redacts the report of a run.

use super::{Fault, Input, NameCount, Report, finding};
use crate::engine::redact::Redaction;

impl Report {
    /// Removes what identifies people; lost leads are replaced by their ids.
    pub fn redact(&mut self, redaction: &Redaction) {
        redact_inputs(&mut self.inputs, &mut self.faults, redaction);
        redact_texts(&mut self.warnings, redaction);
        redact_texts(&mut self.plan.lost_lead_emails, redaction);
        let Self { events, identity, rules, .. } = self;
        for NameCount { event, .. } in events.by_name.iter_mut().chain(&mut rules.unmapped_by_event)
        {
            redact_text(event, redaction);
        }
        let examples = &mut events.timestamp_examples;
        for example in examples
            .no_timestamp
            .iter_mut()
            .chain(&mut examples.unreadable_timestamp)
            .chain(&mut examples.implausible_timestamps)
        {
            redact_text(&mut example.file, redaction);
            // A value that is not a time may contain anything.
            example.value = example.value.as_deref().map(Redaction::shape);
        }
        for shared in &mut identity.shared_ids {
            shared.id = redaction.id(&shared.id).into_owned();
        }
        for id in identity.merge_refused.iter_mut().flat_map(|refused| &mut refused.user_ids) {
            *id = redaction.id(id).into_owned();
        }
        // The messages of findings contain the texts above.
        self.findings = finding::all(self);
    }
}

/// Removes what identifies people from the names of inputs and from their faults.
pub(crate) fn redact_inputs(inputs: &mut [Input], faults: &mut [Fault], redaction: &Redaction) {
    for input in inputs {
        redact_text(&mut input.path, redaction);
    }
    for fault in faults {
        redact_text(&mut fault.path, redaction);
        redact_text(&mut fault.message, redaction);
    }
}

/// Removes what identifies people from `texts`.
pub(crate) fn redact_texts(texts: &mut [String], redaction: &Redaction) {
    for text in texts {
        redact_text(text, redaction);
    }
}

/// Removes what identifies people from `text`.
pub(crate) fn redact_text(text: &mut String, redaction: &Redaction) {
    *text = redaction.text(text).into_owned();
}
