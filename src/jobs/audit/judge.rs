//! Applies the filter of one side to an event: whether the event passes, what decides that, and
//! what is left of the event.

use crate::event::Event;
use crate::filter::allow::AllowList;
use crate::filter::destination::{self, DestinationFilters};
use crate::parse::Detection;

/// The filter of one side: an event passes if the allow list matches it and destination filters do
/// not drop it. Without either, every event passes.
#[derive(Debug, Default)]
pub struct Filter {
    /// An allow list.
    pub allow: Option<AllowList>,
    /// Destination filters.
    pub destination: Option<DestinationFilters>,
    /// The destination filters whose `if` is invalid.
    pub faults: Vec<FilterFault>,
}

/// A fault in the `if` of a destination filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterFault {
    /// The index of the filter in the file.
    pub filter: u32,
    /// The message, with file, line and column.
    pub message: String,
}

/// What a filter does with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The event passes unchanged, with the index of the matching line of the allow list, if any.
    Kept(Option<u32>),
    /// The event passes without some of its fields, with the index of the matching line, if any.
    Changed(Option<u32>),
    /// The event is dropped, with the index of the destination filter, or `None` if no line
    /// matches.
    Dropped(Option<u32>),
}

impl Verdict {
    /// Returns `true` if the event passes.
    pub fn passes(self) -> bool {
        !matches!(self, Self::Dropped(_))
    }

    /// Returns the index of the line of the allow list, or of the destination filter.
    pub fn by(self) -> Option<u32> {
        let (Self::Kept(by) | Self::Changed(by) | Self::Dropped(by)) = self;
        by
    }
}

impl Filter {
    /// Judges `event` and calls `then` with the verdict and what is left of the event.
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
