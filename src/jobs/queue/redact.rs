//! Redacts the report of a queue.

use super::report::Report;
use crate::engine::redact::Redaction;
use crate::report::redact::{redact_inputs, redact_text, redact_texts};

impl Report {
    /// Removes what identifies people; values are not shown at all.
    pub fn redact(&mut self, redaction: &Redaction) {
        redact_inputs(&mut self.inputs, &mut self.faults, redaction);
        redact_texts(&mut self.warnings, redaction);
        for name in &mut self.names {
            redact_text(&mut name.event, redaction);
        }
        let Some(profile) = &mut self.profile else { return };
        redact_text(&mut profile.event, redaction);
        for path in &mut profile.paths {
            redact_text(&mut path.path, redaction);
            path.examples.clear();
        }
    }
}
