//! The actions of all filters in the order in which they come, and which of them can be for an event.

use ahash::AHashMap;

use super::action::Kind;
use super::{Condition, Filter};
use crate::event::{CallType, Event, Member};

/// When an action comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// Before all: what cannot be judged is not sent.
    Invalid,
    /// As Segment orders them.
    Of(Kind),
}

impl Stage {
    /// Whether it drops events, and changes none.
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

/// All actions in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Steps {
    all: Vec<Step>,
    /// Those that can be for any event of a call.
    by_call: [Vec<usize>; CallType::ALL.len()],
    /// Those that are only for events of a name.
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

    /// Makes the step at `place`, of a filter with this condition, be found.
    ///
    /// A call and a name can go when properties are taken out, but never become others: a condition
    /// that demands one no longer holds then, and the index need not know.
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

    /// Whether a filter comes more than once.
    pub fn repeat(&self) -> bool {
        self.repeat
    }

    /// Those that can be for `event`, in order.
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

/// Two sorted lists as one.
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
