//! Segment's destination filters, which drop events on the way to a destination or remove parts of
//! them.
//!
//! According to Segment's documentation ("Destination Filters", and the Public API's page of that
//! name), the actions of all filters run in one order, whatever their order in the file: sample,
//! drop, drop properties, allow properties. Actions of one kind run in the order of the file. A
//! filter's `if` is evaluated once, before its first action, on what the actions before it left of
//! the event. A filter whose `if` does not compile drops everything: Segment does not send what it
//! cannot evaluate.

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

/// The filters of one destination with an index, so that the cost of an event does not grow with
/// the number of filters for events of another name.
#[derive(Clone, Debug, Default)]
pub struct DestinationFilters {
    filters: Vec<Filter>,
    steps: Steps,
}

/// One filter.
#[derive(Clone, Debug)]
pub struct Filter {
    /// The title, or another name if there is no title; empty if there is neither.
    pub title: Box<str>,
    /// The position among the filters of the file, starting at 1.
    pub number: usize,
    /// The byte range of the filter in the file.
    pub span: Range<usize>,
    /// The events that the filter applies to.
    pub condition: Condition,
    /// The actions of the filter, in the order of the file.
    pub actions: Vec<Action>,
}

/// The events that a filter applies to.
#[derive(Clone, Debug)]
pub enum Condition {
    /// None: the filter is disabled.
    Disabled,
    /// The events for which this expression holds.
    When(Box<Expr>),
    /// Unknown, so that no event is sent: the errors of the `if`, with spans as byte ranges of the
    /// file.
    Invalid(Box<[Diagnostic]>),
}

/// The effect of the filters on an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// The event is sent unchanged.
    Untouched,
    /// The event is sent without the members that these filters removed: indices in
    /// [`DestinationFilters::filters`], in the order in which they ran.
    Changed(&'a [usize]),
    /// The event is not sent.
    Dropped(Dropped),
}

/// The filter, action and reason that kept an event from being sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// The index of the filter in [`DestinationFilters::filters`].
    pub filter: usize,
    /// The index of the action in [`Filter::actions`]; 0 if the filter as a whole dropped the
    /// event.
    pub action: usize,
    /// The reason.
    pub cause: Cause,
}

/// The reason why an event is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The filter's `if` does not compile.
    Invalid,
    /// The event is not in the sample.
    Sampled,
    /// The filter drops the event.
    Dropped,
    /// The rest of the event is no longer a Segment event: it has no `type`, no `messageId` or no
    /// id.
    Unrecognised,
}

/// Buffers for applying filters; one for each worker, so that no event allocates.
#[derive(Debug, Default)]
pub struct Scratch {
    /// For each filter with several actions, whether its `if` holds, once that is known.
    held: Vec<Option<bool>>,
    /// The filters that removed something from the event.
    by: Vec<usize>,
    remains: Remains,
    text: Vec<u8>,
    /// The effect of each filter on all events; empty if effects are not tracked.
    effects: Vec<Effect>,
}

impl DestinationFilters {
    /// Parses the text of a file: one filter, a list of filters, a response of Segment's Public API
    /// or Config API, or a Terraform document.
    ///
    /// # Errors
    /// Returns all errors; spans are byte ranges of `text`. On success, the warnings are returned,
    /// which include the errors of filters whose `if` does not compile.
    pub fn parse(text: &str) -> Result<(Self, Vec<Diagnostic>), Vec<Diagnostic>> {
        let FilterFile { filters, warnings, .. } = FilterFile::parse(text)?;
        Ok((Self::new(filters), warnings))
    }

    /// Creates a set of filters that are applied together.
    pub fn new(filters: Vec<Filter>) -> Self {
        Self { steps: Steps::new(&filters), filters }
    }

    /// Returns the filters in the order of the file, disabled ones included.
    pub fn filters(&self) -> &[Filter] {
        &self.filters
    }

    /// Returns `true` if Segment samples at random where this implementation uses a hash, so that
    /// counts are an estimate.
    pub fn is_estimate(&self) -> bool {
        let active = self.filters.iter().filter(|filter| filter.is_active());
        active.flat_map(|filter| &filter.actions).any(|action| match action {
            Action::Sample(sample) => sample.is_estimate(),
            _ => false,
        })
    }

    /// Applies the filters to `event` and passes the verdict to `then`, with the event as it is
    /// sent, or the original event if it is dropped. What is left must still meet `detection`.
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

    /// Returns the verdict without the filtered event.
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

    /// Returns the reason if `step` keeps `event` from being sent.
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
            scratch.add_effect(step.filter, Effect { held: 0, acted: true });
        }
        cause
    }

    /// Removes what `step` removes from what is left of `event`.
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
            scratch.add_effect(step.filter, Effect { held: 0, acted: true });
        }
    }
}

impl Filter {
    /// Returns the errors of the `if`, because of which the filter drops every event; empty if
    /// there are none.
    pub fn faults(&self) -> &[Diagnostic] {
        match &self.condition {
            Condition::Invalid(faults) => faults,
            Condition::Disabled | Condition::When(_) => &[],
        }
    }

    /// Returns `true` if the filter is enabled.
    pub fn is_active(&self) -> bool {
        !matches!(self.condition, Condition::Disabled)
    }

    /// Returns `true` if this filter, whose index is `place`, applies to what is left of `event`.
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
        scratch.add_effect(place, Effect { held: u64::from(holds), acted: false });
        holds
    }
}

impl Scratch {
    /// Creates buffers that also track the effects of `filters` filters.
    pub fn with_effects(filters: usize) -> Self {
        Self { effects: vec![Effect::default(); filters], ..Self::default() }
    }

    /// Returns the effect of each filter on all events so far; empty if effects are not tracked.
    pub fn effects(&self) -> &[Effect] {
        &self.effects
    }

    fn add_effect(&mut self, filter: usize, effect: Effect) {
        if let Some(known) = self.effects.get_mut(filter) {
            *known += effect;
        }
    }

    /// Prepares for the next event, with room for the results of `filters` filters.
    fn restart(&mut self, filters: usize) {
        self.held.clear();
        self.held.resize(filters, None);
        self.by.clear();
        self.remains.clear();
    }
}
