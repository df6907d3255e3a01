//! Redacts the report of an audit.

use super::report::{Change, Drop, Example, Finding, Name, Report};
use crate::engine::redact::Redaction;
use crate::report::redact::{redact_inputs, redact_text, redact_texts};

impl Report {
    /// Removes what identifies people; leads are replaced by their ids.
    pub fn redact(&mut self, redaction: &Redaction) {
        redact_inputs(&mut self.inputs, &mut self.faults, redaction);
        redact_texts(&mut self.warnings, redaction);
        for Name { event, by, examples, .. } in &mut self.names {
            redact_text(event, redaction);
            for text in by.iter_mut().filter_map(|by| by.text.as_mut()) {
                redact_text(text, redaction);
            }
            redact_examples(examples, redaction);
        }
        for line in &mut self.lines {
            redact_text(&mut line.text, redaction);
        }
        for loss in &mut self.losses {
            redact_text(&mut loss.event, redaction);
        }
        for lead in &mut self.leads.lost_leads {
            lead.email = redaction.lead_id(&lead.email);
        }
        for lead in &mut self.leads.lowered_leads {
            lead.email = redaction.lead_id(&lead.email);
        }
        for finding in &mut self.findings {
            redact_finding(finding, redaction);
        }
        if let Some(change) = &mut self.change {
            redact_change(change, redaction);
        }
    }
}

fn redact_finding(finding: &mut Finding, redaction: &Redaction) {
    redact_text(&mut finding.message, redaction);
    let Finding { help, rule, event, entry, examples, .. } = finding;
    let texts = help.iter_mut().chain(rule).chain(event);
    for text in texts.chain(entry.as_mut().map(|entry| &mut entry.text)) {
        redact_text(text, redaction);
    }
    redact_examples(examples, redaction);
}

fn redact_change(change: &mut Change, redaction: &Redaction) {
    redact_texts(&mut change.allow, redaction);
    for Drop { event, entry, fql, .. } in change.drop.iter_mut().chain(&mut change.others) {
        let texts = event.iter_mut().chain(fql);
        for text in texts.chain(entry.as_mut().map(|entry| &mut entry.text)) {
            redact_text(text, redaction);
        }
    }
}

fn redact_examples(examples: &mut [Example], redaction: &Redaction) {
    for example in examples {
        redact_text(&mut example.file, redaction);
    }
}
