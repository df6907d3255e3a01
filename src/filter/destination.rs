//! Segment's destination filters: what is dropped on the way to a destination, and what is taken
//! out of the rest.
//!
//! As Segment's documentation has it ("Destination Filters", and the Public API's page of that
//! name), the actions of all filters come in one order, whatever their order in the file: sample,
//! drop, drop properties, allow properties. Within one kind they come in the order of the file. A
//! filter's `if` is judged once, when its first action comes, on what the actions before it left of
//! the event. A filter whose `if` does not compile drops everything: Segment does not send what it
//! cannot judge.

mod action;
mod count;
mod fields;
mod load;
mod remains;
mod sample;
mod shape;
mod step;
#[cfg(test)]
mod tests;

use std::ops::Range;

pub use action::{Action, Kind};
pub use count::{Count, Counts, Effect};
pub use fields::{Fields, Scope};
pub use load::FilterFile;
pub use sample::Sample;

use crate::diagnostic::Diagnostic;
use crate::event::Event;
use crate::fql::Expr;
use crate::parse::Detection;
use remains::Remains;
use step::{Stage, Step, Steps};

/// The filters of one destination, indexed so that what an event costs does not grow with the
/// number of filters that are for events of another name.
#[derive(Clone, Debug, Default)]
pub struct DestinationFilters {
    filters: Vec<Filter>,
    steps: Steps,
}

/// One filter.
#[derive(Clone, Debug)]
pub struct Filter {
    /// Its title, or another name where it has none; empty where it has neither.
    pub title: Box<str>,
    /// Where it stands among the filters of the file, from 1.
    pub number: usize,
    /// Where it stands in the file, in bytes.
    pub span: Range<usize>,
    /// Which events it is for.
    pub condition: Condition,
    /// What it does to them, in the order of the file.
    pub actions: Vec<Action>,
}

/// Which events a filter is for.
#[derive(Clone, Debug)]
pub enum Condition {
    /// None: the filter is switched off.
    Disabled,
    /// Those of which this is true.
    When(Box<Expr>),
    /// This cannot be told, so that no event is sent; what is wrong with it, spans in bytes of the
    /// file.
    Invalid(Box<[Diagnostic]>),
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// It is sent as it was.
    Untouched,
    /// It is sent, but without what these filters took out of it: places in
    /// [`DestinationFilters::filters`], in the order in which they came.
    Changed(&'a [usize]),
    /// It is not sent.
    Dropped(Dropped),
}

/// Why an event is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// The filter that did it: its place in [`DestinationFilters::filters`].
    pub filter: usize,
    /// The action that did it: its place in [`Filter::actions`]; 0 where the filter as a whole did.
    pub action: usize,
    /// What it was.
    pub cause: Cause,
}

/// What kept an event from being sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The filter's `if` does not compile.
    Invalid,
    /// It is not in the sample.
    Sampled,
    /// The filter drops it.
    Dropped,
    /// What is left of it is no event of Segment's any more: no `type`, no `messageId` or no id.
    Unrecognised,
}

/// What judging needs room for; one for each worker, so that no event allocates.
#[derive(Debug, Default)]
pub struct Scratch {
    /// For each filter of several actions whether its `if` holds, once that is known.
    held: Vec<Option<bool>>,
    /// The filters that took something out.
    by: Vec<usize>,
    remains: Remains,
    text: Vec<u8>,
    /// For each filter what it did to all events, where someone wants to know.
    effects: Vec<Effect>,
}

impl DestinationFilters {
    /// Reads the text of a file: one filter, a list of them, an answer of Segment's Public API or
    /// Config API, or a document of Terraform.
    ///
    /// # Errors
    /// Everything wrong with it, spans in bytes of `text`; on success what is doubtful, filters
    /// whose `if` does not compile among it.
    pub fn parse(text: &str) -> Result<(Self, Vec<Diagnostic>), Vec<Diagnostic>> {
        let FilterFile { filters, warnings, .. } = FilterFile::parse(text)?;
        Ok((Self::new(filters), warnings))
    }

    /// Filters that are applied together.
    pub fn new(filters: Vec<Filter>) -> Self {
        Self { steps: Steps::new(&filters), filters }
    }

    /// The filters in the order of the file, those that are switched off among them.
    pub fn filters(&self) -> &[Filter] {
        &self.filters
    }

    /// Whether Segment draws lots where this takes a hash, so that counts are an estimate.
    pub fn is_estimate(&self) -> bool {
        let active = self.filters.iter().filter(|filter| filter.is_active());
        active.flat_map(|filter| &filter.actions).any(|action| match action {
            Action::Sample(sample) => sample.is_estimate(),
            _ => false,
        })
    }

    /// Judges `event` and hands the verdict to `then`, with what is sent of the event; where it is
    /// dropped, with the event as it was. What is left must still be what `detection` asks for.
    pub fn apply<R>(
        &self,
        event: &Event<'_>,
        detection: Detection,
        scratch: &mut Scratch,
        then: impl FnOnce(Verdict<'_>, &Event<'_>) -> R,
    ) -> R {
        let mut steps = self.steps.of(event).peekable();
        scratch.restart(if self.steps.repeat() { self.filters.len() } else { 0 });
        while let Some(step) = steps.next_if(|step| step.stage.is_of_whole_events()) {
            if let Some(cause) = self.drops(step, event, scratch) {
                let (filter, action) = (step.filter, step.action);
                return then(Verdict::Dropped(Dropped { filter, action, cause }), event);
            }
        }
        for step in steps {
            self.change(step, event, scratch);
        }
        let Scratch { by, remains, .. } = scratch;
        let Some(&filter) = by.last() else { return then(Verdict::Untouched, event) };
        remains.with_event(event, |left| {
            if detection.takes(left) {
                return then(Verdict::Changed(by), left);
            }
            let dropped = Dropped { filter, action: 0, cause: Cause::Unrecognised };
            then(Verdict::Dropped(dropped), event)
        })
    }

    /// The verdict alone, without the event that is left.
    pub fn judge<'a>(
        &self,
        event: &Event<'_>,
        detection: Detection,
        scratch: &'a mut Scratch,
    ) -> Verdict<'a> {
        let dropped = self.apply(event, detection, scratch, |verdict, _| match verdict {
            Verdict::Dropped(dropped) => Some(dropped),
            _ => None,
        });
        match dropped {
            Some(dropped) => Verdict::Dropped(dropped),
            None if scratch.by.is_empty() => Verdict::Untouched,
            None => Verdict::Changed(&scratch.by),
        }
    }

    /// Why `step` keeps `event` from being sent, if it does.
    fn drops(&self, step: Step, event: &Event<'_>, scratch: &mut Scratch) -> Option<Cause> {
        if step.stage == Stage::Invalid {
            return Some(Cause::Invalid);
        }
        let filter = &self.filters[step.filter];
        if !filter.holds(step.filter, event, scratch) {
            return None;
        }
        let cause = match &filter.actions[step.action] {
            Action::Drop => Some(Cause::Dropped),
            Action::Sample(sample) => {
                (!sample.keeps(event, &mut scratch.text)).then_some(Cause::Sampled)
            }
            Action::DropProperties(_) | Action::AllowProperties(_) => None,
        };
        if cause.is_some() {
            scratch.note(step.filter, Effect { held: 0, acted: true });
        }
        cause
    }

    /// Takes what `step` takes out of what is left of `event`.
    fn change(&self, step: Step, event: &Event<'_>, scratch: &mut Scratch) {
        let filter = &self.filters[step.filter];
        if !filter.holds(step.filter, event, scratch) {
            return;
        }
        let (fields, scope) = match &filter.actions[step.action] {
            Action::DropProperties(fields) => (fields, Scope::Named),
            Action::AllowProperties(fields) => (fields, Scope::Others),
            Action::Drop | Action::Sample(_) => return,
        };
        if scratch.remains.take_out(event, fields, scope) {
            scratch.by.retain(|&filter| filter != step.filter);
            scratch.by.push(step.filter);
            scratch.note(step.filter, Effect { held: 0, acted: true });
        }
    }
}

impl Filter {
    /// What is wrong with its `if`, so that it drops every event; nothing where all is well.
    pub fn faults(&self) -> &[Diagnostic] {
        match &self.condition {
            Condition::Invalid(faults) => faults,
            Condition::Disabled | Condition::When(_) => &[],
        }
    }

    /// Whether it does anything.
    pub fn is_active(&self) -> bool {
        !matches!(self.condition, Condition::Disabled)
    }

    /// Whether this filter, which stands at `place`, is for what is left of `event`.
    fn holds(&self, place: usize, event: &Event<'_>, scratch: &mut Scratch) -> bool {
        if let Some(&Some(held)) = scratch.held.get(place) {
            return held;
        }
        let holds = match &self.condition {
            Condition::When(expr) if expr.is_all() => true,
            Condition::When(expr) => scratch.remains.with_event(event, |left| expr.holds(left)),
            Condition::Disabled | Condition::Invalid(_) => false,
        };
        if let Some(held) = scratch.held.get_mut(place) {
            *held = Some(holds);
        }
        scratch.note(place, Effect { held: u64::from(holds), acted: false });
        holds
    }
}

impl Scratch {
    /// One that keeps what each of so many filters does.
    pub fn with_effects(filters: usize) -> Self {
        Self { effects: vec![Effect::default(); filters], ..Self::default() }
    }

    /// What each filter did to all events that were judged with this, where that is kept.
    pub fn effects(&self) -> &[Effect] {
        &self.effects
    }

    fn note(&mut self, filter: usize, effect: Effect) {
        if let Some(known) = self.effects.get_mut(filter) {
            *known += effect;
        }
    }

    /// Forgets the event before; room for the verdicts of so many filters.
    fn restart(&mut self, filters: usize) {
        self.held.clear();
        self.held.resize(filters, None);
        self.by.clear();
        self.remains.clear();
    }
}
