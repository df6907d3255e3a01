//! Applies the filter of one side to one event: whether it passes, what decides, and what is left
//! of it.

use crate::event::Event;
use crate::filter::allow::AllowList;
use crate::filter::destination::{self, DestinationFilters};
use crate::parse::Detection;

/// What one side lets pass: what the allow list takes, and of that what destination filters leave.
/// Without either, everything.
#[derive(Debug, Default)]
pub struct Filter {
    /// An allow list.
    pub allow: Option<AllowList>,
    /// Destination filters.
    pub destination: Option<DestinationFilters>,
    /// The destination filters whose `if` is invalid.
    pub faults: Vec<FilterFault>,
}

/// What is wrong with the `if` of a destination filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterFault {
    /// The filter's place among all of the file, from 0.
    pub filter: u32,
    /// File, line, column and what is wrong there.
    pub message: String,
}

/// What a filter does with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It passes as it is; by which line of an allow list, from 0.
    Kept(Option<u32>),
    /// It passes without something that it had.
    Changed(Option<u32>),
    /// It does not; by which destination filter, from 0, or because no line takes it.
    Dropped(Option<u32>),
}

impl Verdict {
    /// Whether the event passes.
    pub fn passes(self) -> bool {
        !matches!(self, Self::Dropped(_))
    }

    /// The line of an allow list, or the destination filter.
    pub fn by(self) -> Option<u32> {
        let (Self::Kept(by) | Self::Changed(by) | Self::Dropped(by)) = self;
        by
    }
}

impl Filter {
    /// Judges `event` and hands the verdict to `then`, with what is left of the event.
    #[inline]
    pub fn apply<R>(
        &self,
        event: &Event<'_>,
        detection: Detection,
        scratch: &mut destination::Scratch,
        then: impl FnOnce(Verdict, &Event<'_>) -> R,
    ) -> R {
        let line = match self.allow.as_ref().map(|list| list.takes(event)) {
            None => None,
            Some(None) => return then(Verdict::Dropped(None), event),
            Some(Some(line)) => number(line),
        };
        let Some(filters) = &self.destination else { return then(Verdict::Kept(line), event) };
        filters.apply(event, detection, scratch, |verdict, left| {
            let verdict = match verdict {
                destination::Verdict::Untouched => Verdict::Kept(line),
                destination::Verdict::Changed(_) => Verdict::Changed(line),
                destination::Verdict::Dropped(dropped) => Verdict::Dropped(number(dropped.filter)),
            };
            then(verdict, left)
        })
    }
}

fn number(place: usize) -> Option<u32> {
    u32::try_from(place).ok()
}
