//! The actions of all filters in the order in which they run, with an index of those that can apply
//! to an event.

use ahash::AHashMap;

use super::action::Kind;
use super::{Condition, Filter};
use crate::event::{CallType, Event, Member};

/// The position of an action in the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// Before all others, because an event that cannot be evaluated is not sent.
    Invalid,
    /// In Segment's order of the kinds.
    Of(Kind),
}

impl Stage {
    /// Returns `true` if the action drops events and does not change any.
    pub fn is_of_whole_events(self) -> bool {
        matches!(self, Self::Invalid | Self::Of(Kind::Sample | Kind::Drop))
    }
}

/// One action of one filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Step {
    pub stage: Stage,
    pub filter: usize,
    pub action: usize,
}

/// All actions in order, with an index.
#[derive(Clone, Debug, Default)]
pub(super) struct Steps {
    all: Vec<Step>,
    /// For each call, the steps that can apply to any event of it.
    by_call: [Vec<usize>; CallType::ALL.len()],
    /// For each event name, the steps that only apply to events of that name.
    by_name: AHashMap<Box<str>, Vec<usize>>,
    repeat: bool,
}

impl Steps {
    pub fn new(filters: &[Filter]) -> Self {
        let mut steps = Vec::new();
        let mut repeat = false;
        for (place, filter) in filters.iter().enumerate() {
            let step = |stage, action| Step { stage, filter: place, action };
            match filter.condition {
                Condition::Disabled => {}
                Condition::Invalid(_) => steps.push(step(Stage::Invalid, 0)),
                Condition::When(_) => {
                    repeat |= filter.actions.len() > 1;
                    let actions = filter.actions.iter().enumerate();
                    steps.extend(actions.map(|(at, action)| step(Stage::Of(action.kind()), at)));
                }
            }
        }
        steps.sort_unstable();
        let mut index = Self { repeat, ..Self::default() };
        for (place, step) in steps.iter().enumerate() {
            index.index(place, &filters[step.filter].condition);
        }
        Self { all: steps, ..index }
    }

    /// Adds the step at `place`, of a filter with this condition, to the index.
    ///
    /// Removing properties can remove a call or a name but never change it to another. A condition
    /// that requires one then no longer holds, so the index remains correct.
    fn index(&mut self, place: usize, condition: &Condition) {
        let demand = match condition {
            Condition::When(expr) => expr.demand(),
            Condition::Disabled | Condition::Invalid(_) => crate::fql::Demand::default(),
        };
        if let Some(names) = demand.events {
            for name in names {
                self.by_name.entry(name).or_default().push(place);
            }
            return;
        }
        for call in demand.calls.as_deref().unwrap_or(&CallType::ALL) {
            self.by_call[*call as usize].push(place);
        }
    }

    /// Returns `true` if a filter has more than one step.
    pub fn repeat(&self) -> bool {
        self.repeat
    }

    /// Returns the steps that can apply to `event`, in order.
    pub fn of<'a>(&'a self, event: &Event<'_>) -> impl Iterator<Item = Step> + use<'a> {
        let by_call: &[usize] = match event.call_type() {
            Some(call) => &self.by_call[call as usize],
            None => &[],
        };
        let name = if self.by_name.is_empty() { None } else { event.text(Member::Event) };
        let by_name = name.and_then(|name| self.by_name.get(name)).map_or(&[][..], Vec::as_slice);
        Merged(by_call, by_name).map(|place| self.all[place])
    }
}

/// An iterator that merges two sorted lists.
struct Merged<'a>(&'a [usize], &'a [usize]);

impl Iterator for Merged<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let Self(left, right) = self;
        let from = match (left.first(), right.first()) {
            (Some(first), Some(second)) if second < first => right,
            (None, _) => right,
            _ => left,
        };
        let (&first, rest) = from.split_first()?;
        *from = rest;
        Some(first)
    }
}
