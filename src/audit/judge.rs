//! One filter against one event: does it pass, and what decides.

use crate::event::Event;
use crate::filter::allow::AllowList;

/// What an audit judges.
#[derive(Debug)]
pub enum Filter {
    /// Everything passes.
    Open,
    /// What a line takes passes.
    Allow(AllowList),
}

/// What a filter does with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It passes; by which line of an allow list, from 0.
    Kept(Option<u32>),
    /// It does not; by which destination filter, from 0.
    Dropped(Option<u32>),
}

impl Verdict {
    /// Whether the event passes.
    pub fn passes(self) -> bool {
        matches!(self, Self::Kept(_))
    }
}

impl Filter {
    /// What the filter does with `event`.
    #[inline]
    pub fn judge(&self, event: &Event<'_>) -> Verdict {
        match self {
            Self::Open => Verdict::Kept(None),
            #[allow(clippy::cast_possible_truncation)] // a list has far fewer lines
            Self::Allow(list) => match list.takes(event) {
                Some(line) => Verdict::Kept(Some(line as u32)),
                None => Verdict::Dropped(None),
            },
        }
    }

    /// The allow list, where it is one.
    pub fn allow_list(&self) -> Option<&AllowList> {
        match self {
            Self::Allow(list) => Some(list),
            Self::Open => None,
        }
    }
}
