//! Visitors of resolved rows.

use super::row::ResolvedRow;

/// A visitor of the rows of some segments, in the order of each segment. For a kept event,
/// [`event`](Self::event) is called first, and then the method of its call.
pub trait Visit {
    /// Prefetches the memory that the other methods need for this row.
    #[inline]
    fn prefetch(&self, _row: &ResolvedRow<'_>) {}

    /// Visits a kept event of any call.
    #[inline]
    fn event(&mut self, _row: &ResolvedRow<'_>) {}

    /// Visits a signal in the window.
    #[inline]
    fn signal(&mut self, _row: &ResolvedRow<'_>) {}

    /// Visits a signal outside of the window: it enriches its lead, but does not count as a signal.
    #[inline]
    fn signal_outside(&mut self, _row: &ResolvedRow<'_>) {}

    /// Visits an identify call.
    #[inline]
    fn identify(&mut self, _row: &ResolvedRow<'_>) {}

    /// Visits a group call.
    #[inline]
    fn group(&mut self, _row: &ResolvedRow<'_>) {}

    /// Visits a duplicate or a dropped event, which has no owner.
    #[inline]
    fn duplicate(&mut self, _row: &ResolvedRow<'_>) {}

    /// Visits an event covered by a deletion request, which has no owner.
    #[inline]
    fn forgotten(&mut self, _row: &ResolvedRow<'_>) {}
}

/// Ignores all rows.
impl Visit for () {}

macro_rules! forward {
    ($self:ident, $call:ident, $row:ident) => {{
        let (a, b, c) = $self;
        a.$call($row);
        b.$call($row);
        c.$call($row);
    }};
}

/// Calls the visitors one after another.
impl<A: Visit, B: Visit, C: Visit> Visit for (A, B, C) {
    #[inline]
    fn prefetch(&self, row: &ResolvedRow<'_>) {
        forward!(self, prefetch, row);
    }

    #[inline]
    fn event(&mut self, row: &ResolvedRow<'_>) {
        forward!(self, event, row);
    }

    #[inline]
    fn signal(&mut self, row: &ResolvedRow<'_>) {
        forward!(self, signal, row);
    }

    #[inline]
    fn signal_outside(&mut self, row: &ResolvedRow<'_>) {
        forward!(self, signal_outside, row);
    }

    #[inline]
    fn identify(&mut self, row: &ResolvedRow<'_>) {
        forward!(self, identify, row);
    }

    #[inline]
    fn group(&mut self, row: &ResolvedRow<'_>) {
        forward!(self, group, row);
    }

    #[inline]
    fn duplicate(&mut self, row: &ResolvedRow<'_>) {
        forward!(self, duplicate, row);
    }

    #[inline]
    fn forgotten(&mut self, row: &ResolvedRow<'_>) {
        forward!(self, forgotten, row);
    }
}
