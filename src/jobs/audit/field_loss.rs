//! Fields that a filter removes from events although a rule maps or tests them.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use crate::engine::Engine;
use crate::engine::map::Mapped;
use crate::event::path::Path;
use crate::event::{CallType, Event};
use crate::jobs::audit::source_line::{Sightings, SourceLine};
use crate::rules::{FieldMap, Rule, Rules, first_present};

/// Something that a filter removed from an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FieldLoss {
    /// The e-mail of an identify call.
    Email,
    /// The rule: another rule or none maps the event now.
    Rule(u32),
    /// The value of a column that the rule maps, as the number of the rule and the index for
    /// [`column()`].
    Column(u32, usize),
}

/// Counts of losses.
#[derive(Clone, Debug, Default)]
pub struct FieldLosses(BTreeMap<FieldLoss, Sightings>);

impl FieldLosses {
    /// Counts what an event lost, given the event and its mapping before and after the filter.
    pub fn see(
        &mut self,
        engine: &Engine,
        (event, left): (&Event<'_>, &Event<'_>),
        (mapped, changed): (Mapped, Mapped),
        source_line: SourceLine,
    ) {
        let is_identify = mapped.call == CallType::Identify;
        if is_identify && mapped.ids.email.is_some() && changed.ids.email.is_none() {
            self.add(FieldLoss::Email, source_line);
        }
        let Some(number) = mapped.rule else { return };
        if changed.rule != mapped.rule {
            return self.add(FieldLoss::Rule(number), source_line);
        }
        let Some(rule) = engine.rules.rules.get(number as usize) else { return };
        for (place, paths) in paths(rule) {
            let is_lost = !paths.is_empty()
                && first_present(paths, event).is_some()
                && first_present(paths, left).is_none();
            if is_lost {
                self.add(FieldLoss::Column(number, place), source_line);
            }
        }
    }

    fn add(&mut self, loss: FieldLoss, source_line: SourceLine) {
        self.0.entry(loss).or_default().see(source_line);
    }

    /// Iterates over all losses, in order.
    pub fn iter(&self) -> impl Iterator<Item = (FieldLoss, &Sightings)> {
        self.0.iter().map(|(loss, seen)| (*loss, seen))
    }
}

impl AddAssign for FieldLosses {
    fn add_assign(&mut self, other: Self) {
        for (loss, seen) in other.0 {
            *self.0.entry(loss).or_default() += seen;
        }
    }
}

/// The columns of leads that rules can map, in the order of [`paths`].
const ENRICHING: [&str; 7] =
    ["email", "name", "first_name", "last_name", "company", "title", "phone"];

/// Returns the name of the column at `place`.
pub fn column(rules: &Rules, place: usize) -> &str {
    match ENRICHING.get(place) {
        Some(name) => name,
        None => rules.columns.get(place - ENRICHING.len()).map_or("", String::as_str),
    }
}

/// Returns the paths that `rule` reads for each column that it maps, by the index of the column.
fn paths(rule: &Rule) -> impl Iterator<Item = (usize, &[Path])> {
    let FieldMap { email, name, first_name, last_name, company, title, phone, columns } = &rule.map;
    let enriching = [email, name, first_name, last_name, company, title, phone];
    let own = columns.iter().map(|(place, paths)| (place + ENRICHING.len(), paths.as_slice()));
    enriching.map(Vec::as_slice).into_iter().enumerate().chain(own)
}
