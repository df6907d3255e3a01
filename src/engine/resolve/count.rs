//! Counts resolved rows.

use super::row::{ResolvedRow, RowLead};
use super::tally::{Contender, Tally};
use super::visit::Visit;
use crate::engine::Engine;
use crate::engine::exchange::row::{Field, Flags};
use crate::engine::map::names::Names;
use crate::engine::plan::{Ledger, Verdict};
use crate::event::CallType;

/// A visitor that counts rows in a [`Tally`].
pub struct Count<'a> {
    engine: &'a Engine,
    ledger: &'a Ledger,
    /// All event names.
    names: &'a Names,
    /// The counts so far.
    pub tally: Tally,
}

impl<'a> Count<'a> {
    /// Creates a visitor with all counts 0.
    pub fn new(engine: &'a Engine, ledger: &'a Ledger, names: &'a Names) -> Self {
        let tally = Tally::new(ledger.periods.len(), engine.rules.rules.len());
        Self { engine, ledger, names, tally }
    }

    fn flags(&mut self, row: &ResolvedRow<'_>) {
        let tally = &mut self.tally;
        let has = |flag| u64::from(row.row.head.flags.has(flag));
        if row.row.head.call == CallType::Identify {
            tally.identifies += 1;
            tally.address_as_user_id += has(Flags::ADDRESS_AS_USER_ID);
        }
        tally.identify_without_email += has(Flags::WITHOUT_EMAIL);
        tally.invalid_email += has(Flags::INVALID_EMAIL);
        tally.blocked_emails += has(Flags::BLOCKED_EMAIL);
        tally.blocked_ids += has(Flags::BLOCKED_ANONYMOUS_ID) + has(Flags::BLOCKED_USER_ID);
    }

    fn facts(&mut self, row: &ResolvedRow<'_>) {
        let anonymous = row.ids.anonymous.is_some();
        let user = row.ids.user.is_some() && self.engine.rules.identity.user_id;
        let is_identify = row.row.head.call == CallType::Identify;
        let identifies = is_identify || row.rule.is_some_and(|rule| rule.identify);
        if (identifies && row.ids.email.is_some()) || row.user_lead.is_some() {
            self.tally.facts += u64::from(anonymous) + u64::from(user);
        }
        self.tally.facts += u64::from(anonymous && user);
        self.tally.facts += u64::from(row.row.head.flags.has(Flags::TIES_PREVIOUS));
    }

    fn mix(&mut self, row: &ResolvedRow<'_>) {
        let Some(mix) = row.period.and_then(|period| self.tally.mix.get_mut(period)) else {
            return;
        };
        match row.row.head.call {
            CallType::Identify => mix.identifies += 1,
            call if !call.is_signal() => mix.other += 1,
            _ if row.rule.is_some() => mix.mapped += 1,
            _ => mix.unmapped += 1,
        }
    }

    /// Adds an event that brings no e-mail to the contenders of its minute.
    fn contend(&mut self, row: &ResolvedRow<'_>) {
        if let Some(minute) = row.minute
            && matches!(self.ledger.verdict(minute), Verdict::Partial { .. })
        {
            self.tally.partial.push(Contender::new(minute, row.row.head.key, false, None));
        }
    }

    /// Counts an event that the service would have lost, or adds it to the contenders of its
    /// minute.
    fn loss(&mut self, row: &ResolvedRow<'_>) {
        let Some(minute) = row.minute else { return };
        let is_identify = row.row.head.call == CallType::Identify;
        match self.ledger.verdict(minute) {
            Verdict::Accepted => {}
            Verdict::Lost => self.tally.lost_identifies += u64::from(is_identify),
            Verdict::Partial { .. } => {
                let brings = row.brought.and_then(RowLead::external);
                let contender = Contender::new(minute, row.row.head.key, is_identify, brings);
                self.tally.partial.push(contender);
            }
        }
    }
}

/// Adds 1 to the count at index `place`.
fn count_at(counts: &mut Vec<u64>, place: u32) {
    let place = place as usize;
    if counts.len() <= place {
        counts.resize(place + 1, 0);
    }
    counts[place] += 1;
}

impl Visit for Count<'_> {
    fn event(&mut self, row: &ResolvedRow<'_>) {
        self.tally.outside_window += u64::from(!row.in_window);
        self.flags(row);
        self.facts(row);
        self.mix(row);
        self.loss(row);
    }

    fn signal(&mut self, row: &ResolvedRow<'_>) {
        let tally = &mut self.tally;
        if let Some(rule) = row.row.head.rule {
            tally.matches[rule as usize] += 1;
        } else if let Some(place) = self.names.place(row.row.head.call, row.row.text(Field::Event))
        {
            count_at(&mut tally.unmapped, place);
        }
        tally.resolved(row.resolution(), row.owner);
        for (count, moved) in tally.would_change.iter_mut().zip(row.moved_by.each()) {
            *count += u64::from(moved);
        }
        tally.internal_signals += u64::from(row.lead.is_some_and(|lead| lead.internal));
    }

    fn duplicate(&mut self, row: &ResolvedRow<'_>) {
        self.tally.outside_duplicates += u64::from(!row.in_window);
        if let Some(period) = row.period {
            self.tally.mix[period].duplicates += 1;
        }
        self.contend(row);
    }

    /// Events covered by deletion requests were raw signals nevertheless.
    fn forgotten(&mut self, row: &ResolvedRow<'_>) {
        if row.in_window {
            let forgotten = &mut self.tally.forgotten;
            forgotten.events += 1;
            forgotten.signals += u64::from(row.row.head.call.is_signal());
            forgotten.brought.extend(row.brought.and_then(RowLead::external));
        } else {
            self.tally.outside_window += 1;
        }
        self.mix(row);
        self.contend(row);
    }
}
