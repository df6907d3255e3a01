//! The stage that writes the table of signals.

use arrow_array::RecordBatch;

use super::Job;
use crate::emit::Table;
use crate::emit::arrow::{TableBatches, Types};
use crate::emit::row::SignalRow;
use crate::engine::exchange::arrow::ExchangeError;
use crate::engine::exchange::arrow::event_rows::EventRows;
use crate::engine::exchange::arrow::row_owners::{self, RowOwners};
use crate::engine::exchange::event_row::{EventFate, EventRow};
use crate::engine::exchange::row::Field;
use crate::engine::exchange::row_owner::RowOwner;
use crate::engine::identity::Resolution;
use crate::engine::resolve::lead_rows::SOURCE;
use crate::rules::Rule;

/// Returns the signals of `resolved` rows in the same order, as batches of the table of signals. As
/// in a run, signals of internal people are included, and they are redacted if the job redacts
/// outputs.
///
/// # Errors
/// Returns an error if a batch was not made by a stage of `job`.
pub fn signals(
    job: &Job,
    resolved: &[RecordBatch],
    types: Types,
) -> Result<Vec<RecordBatch>, ExchangeError> {
    let columns = &job.engine.rules.columns;
    let table = match job.engine.redaction {
        None => Table::Signals(columns),
        Some(_) => Table::RedactedSignals(columns),
    };
    let mut out = TableBatches::new(table, types);
    for batch in resolved {
        let batch = row_owners::read(batch, job.fingerprint)?;
        let (rows, owners) = (EventRows::new(&batch), RowOwners::new(&batch));
        for (number, row) in rows.iter().enumerate() {
            let row = row?;
            let is_shown = row.fate == EventFate::Kept
                && row.call.is_signal()
                && job.engine.counts(row.key.time);
            if is_shown {
                let line = line_of(job, &row, &owners.owner(number)?);
                match &job.engine.redaction {
                    None => out.signal(&line),
                    Some(redaction) => redaction.signal(&line, |line| out.signal(line)),
                }
            }
        }
    }
    Ok(out.take()?)
}

/// Returns the line of `row`.
fn line_of<'r, 'b: 'r>(job: &'r Job, row: &'r EventRow<'b>, owner: &RowOwner<'b>) -> SignalRow<'r> {
    let rule = job.rule(row.rule);
    let text = |text: fn(&Rule) -> Option<&str>| rule.and_then(text).unwrap_or_default();
    let event = row.text(Field::Event);
    let resolution = match (row.email, owner.found) {
        ("", Some(found)) => found.resolution,
        ("", None) => Resolution::Cold,
        _ => Resolution::Direct,
    };
    SignalRow {
        signal_id: row.key.signal_id,
        timestamp: row.key.time,
        received_at: row.key.received,
        call: row.call,
        event,
        signal: rule.and_then(|rule| rule.signal.as_deref()).unwrap_or(event),
        signal_type: text(|rule| rule.signal_type.as_deref()),
        high_intent: rule.is_some_and(|rule| rule.high_intent),
        rule: row.rule,
        score: rule.map_or(0, |rule| rule.score),
        lead_email: owner.lead_email,
        resolution: resolution.name(),
        anonymous_id: row.anonymous_id,
        user_id: row.user_id,
        page_url: row.text(Field::PageUrl),
        page_name: row.text(Field::PageName),
        source: SOURCE,
        message_id: row.text(Field::MessageId),
        columns: &row.cells,
    }
}
