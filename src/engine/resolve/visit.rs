//! The visitor of rows whose owners are known.

use super::row::ResolvedRow;

/// Sees every row of some segments, each segment in order. A kept event is shown to
/// [`event`](Self::event) first and then, by its call, to one of the others.
pub trait Visit {
    /// Fetches into the caches what the other calls will need of this row.
    #[inline]
    fn prefetch(&self, _row: &ResolvedRow<'_>) {}

    /// An event of any call that is no duplicate.
    #[inline]
    fn event(&mut self, _row: &ResolvedRow<'_>) {}

    /// A signal.
    #[inline]
    fn signal(&mut self, _row: &ResolvedRow<'_>) {}

    /// A signal outside of the window: it tells who its lead is, and is no signal of it.
    #[inline]
    fn signal_outside(&mut self, _row: &ResolvedRow<'_>) {}

    /// An identify call.
    #[inline]
    fn identify(&mut self, _row: &ResolvedRow<'_>) {}

    /// A group call.
    #[inline]
    fn group(&mut self, _row: &ResolvedRow<'_>) {}

    /// A duplicate, or an event that is dropped; it has no owner.
    #[inline]
    fn duplicate(&mut self, _row: &ResolvedRow<'_>) {}

    /// An event that a deletion request covers; it has no owner.
    #[inline]
    fn forgotten(&mut self, _row: &ResolvedRow<'_>) {}
}

/// Nobody looks.
impl Visit for () {}

macro_rules! forward {
    ($self:ident, $call:ident, $row:ident) => {{
        let (a, b, c) = $self;
        a.$call($row);
        b.$call($row);
        c.$call($row);
    }};
}

/// One after the other.
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
