//! Writes the table of signals: a line for each signal, in the order of the input.

use std::io::Write;
use std::sync::{Mutex, PoisonError};

use smallvec::SmallVec;

use super::output::Tables;
use crate::emit::row::{Cell, SignalRow};
use crate::emit::staging::StagedFile;
use crate::emit::{Chunk, Encoder, Spent};
use crate::engine::exchange::rejects;
use crate::engine::exchange::row::Field;
use crate::engine::exchange::store::{SegmentView, lines_before};
use crate::engine::identity::all_ids::AllIds;
use crate::engine::identity::ids::NodeId;
use crate::engine::plan::{Spans, TrackedUsers};
use crate::engine::redact::Redaction;
use crate::engine::resolve::history::HistoryCounter;
use crate::engine::resolve::lead_rows::SOURCE;
use crate::engine::resolve::row::ResolvedRow;
use crate::engine::resolve::visit::Visit;
use crate::engine::resolve::{Input, Resolved, Stage, resolve};
use crate::error::Error;
use crate::source::Files;

/// The number of custom columns up to which a row needs no heap memory for them.
const USUAL_COLUMNS: usize = 12;

/// Renders signals; each thread has one.
pub struct Render<'a> {
    ids: &'a AllIds,
    /// Counts tracked users, if requested.
    tracked: Option<&'a TrackedUsers>,
    /// The redaction to apply, if any.
    redaction: Option<&'a Redaction>,
    /// Counts what becomes of the rows over time.
    counter: HistoryCounter<'a>,
    /// The encoder of each format.
    encoders: Vec<Encoder>,
}

impl Visit for Render<'_> {
    fn event(&mut self, row: &ResolvedRow<'_>) {
        self.track(row);
        self.counter.event(row);
    }

    fn duplicate(&mut self, row: &ResolvedRow<'_>) {
        self.track(row);
        self.counter.duplicate(row);
    }

    fn forgotten(&mut self, row: &ResolvedRow<'_>) {
        self.track(row);
        self.counter.forgotten(row);
    }

    fn signal(&mut self, row: &ResolvedRow<'_>) {
        self.counter.signal(row);
        if self.encoders.is_empty() {
            return;
        }
        let cells: SmallVec<[Cell<'_>; USUAL_COLUMNS]> = row.row.cells().collect();
        let email = row.lead.map(|lead| self.ids.text(lead.email));
        let line = line_of(row, email.as_deref().unwrap_or_default(), &cells);
        let mut encode = |line: &SignalRow<'_>| {
            for encoder in &mut self.encoders {
                encoder.signal(line);
            }
        };
        match self.redaction {
            None => encode(&line),
            Some(redaction) => redaction.signal(&line, encode),
        }
    }
}

impl<'a> Render<'a> {
    /// Returns the counts over time.
    pub fn into_history(self) -> HistoryCounter<'a> {
        self.counter
    }

    fn track(&self, row: &ResolvedRow<'_>) {
        if let (Some(tracked), Some(period)) = (self.tracked, row.period) {
            tracked.see(period, row.ids.anonymous, row.ids.user);
        }
    }
}

/// Returns the line of `row`, whose lead has the e-mail `lead_email`.
fn line_of<'r>(
    row: &'r ResolvedRow<'r>,
    lead_email: &'r str,
    columns: &'r [Cell<'r>],
) -> SignalRow<'r> {
    let (values, rule) = (&row.row, row.rule);
    let text = |text: Option<&'r String>| text.map_or("", String::as_str);
    let id_text = |id: Option<NodeId>, blocked: Field| {
        id.map_or_else(|| values.text(blocked), |id| row.segment.text(id))
    };
    let event = values.text(Field::Event);
    SignalRow {
        signal_id: values.head.key.signal_id,
        timestamp: values.head.key.time,
        received_at: values.head.key.received,
        call: values.head.call,
        event,
        signal: rule.and_then(|rule| rule.signal.as_deref()).unwrap_or(event),
        signal_type: text(rule.and_then(|rule| rule.signal_type.as_ref())),
        high_intent: rule.is_some_and(|rule| rule.high_intent),
        rule: text(rule.map(|rule| &rule.id)),
        score: rule.map_or(0, |rule| rule.score),
        lead_email,
        resolution: row.resolution().name(),
        anonymous_id: id_text(values.ids.anonymous, Field::AnonymousId),
        user_id: id_text(values.ids.user, Field::UserId),
        page_url: values.text(Field::PageUrl),
        page_name: values.text(Field::PageName),
        source: SOURCE,
        message_id: values.text(Field::MessageId),
        columns,
    }
}

/// The destinations of the rows of a run.
pub struct Streams<'a, 'b> {
    /// The table of signals.
    pub signals: &'a mut Tables<'b>,
    /// The file of rejects, if there are any.
    pub rejects: Option<&'a mut StagedFile>,
}

/// The output of one segment.
struct SegmentOutput {
    segment: usize,
    chunks: Vec<Chunk>,
}

/// Spent buffers of chunks, which encoders reuse.
#[derive(Default)]
struct SpentChunks(Mutex<Vec<Vec<Spent>>>);

impl SpentChunks {
    fn take(&self) -> Vec<Spent> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    fn give(&self, spent: Vec<Spent>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(spent);
    }
}

/// Resolves `input`, read from `files`, and writes its signals and rejects to `streams`.
///
/// # Errors
/// Returns an error if the run was interrupted, if spilled data cannot be read, or if an output
/// cannot be written.
pub fn write_signals<'a>(
    stage: Stage<'a>,
    input: Input<'_>,
    files: &Files,
    (tracked, spans): (Option<&'a TrackedUsers>, &'a Spans),
    streams: &mut Streams<'_, '_>,
) -> Result<Resolved<'a, Render<'a>>, Error> {
    let segments = input.store.segments();
    let lines_before = lines_before(segments);
    let encoders: Vec<_> =
        (0..stage.pool.current_num_threads()).map(|_| streams.signals.encoders()).collect();
    let (encoders, spent) = (Mutex::new(encoders), SpentChunks::default());
    let start = || {
        let mut all = encoders.lock().unwrap_or_else(PoisonError::into_inner);
        let redaction = stage.engine.redaction.as_ref();
        let encoders = all.pop().unwrap_or_default();
        Render { ids: stage.ids, tracked, redaction, counter: HistoryCounter::new(spans), encoders }
    };
    let end = |render: &mut Render<'_>, segment: usize, _: &SegmentView<'_>| {
        let chunks = render.encoders.iter_mut().map(Encoder::take).collect();
        // Reuses the buffers of earlier segments.
        for (encoder, spent) in render.encoders.iter_mut().zip(spent.take()) {
            encoder.reuse(spent);
        }
        Ok(SegmentOutput { segment, chunks })
    };
    let (store, mut buffer) = (input.store, Vec::new());
    let write = |SegmentOutput { segment, chunks }| {
        if let Some(out) = &mut streams.rejects {
            let encoded = store.rejects(&segments[segment], &mut buffer).map_err(Error::Spill)?;
            let place = segments[segment].place;
            let file = files.name(place.file);
            rejects::write_lines(encoded, &file, lines_before[segment], |lines| {
                out.write_all(lines).map_err(Error::from_output)
            })?;
        }
        spent.give(streams.signals.write(chunks)?);
        Ok(())
    };
    resolve(stage, input, start, end, write)
}
