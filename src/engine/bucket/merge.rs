//! The stages that merge leads with several e-mails.

use std::collections::BTreeMap;

use ahash::RandomState;
use arrow_array::RecordBatch;

use super::Job;
use super::load::{self, Loader};
use super::resolve::rows_of;
use crate::engine::exchange::arrow::event_rows::EventRows;
use crate::engine::exchange::arrow::{ExchangeError, email_ties};
use crate::engine::identity::all_ids::AllIds;
use crate::engine::identity::fact::{Fact, OrderKey};
use crate::engine::identity::facts::Facts;
use crate::engine::identity::ids::{Ids, Space};
use crate::engine::identity::merge::Merged;
use crate::error::Error;
use crate::rules::Merge;

/// Returns the e-mails that kept rows connect to user ids; empty if the rules merge none.
///
/// # Errors
/// Returns an error if a batch was not made by a stage of `job`.
pub fn email_ties(job: &Job, rows: &[RecordBatch]) -> Result<Vec<RecordBatch>, ExchangeError> {
    if job.engine.rules.identity.merge == Merge::None {
        return Ok(Vec::new());
    }
    let mut loading = Loader::new(job, load::Facts::OfKept);
    for batch in &rows_of(job, rows)? {
        loading.add(&EventRows::new(batch))?;
    }
    let loaded = loading.finish();
    let ids = &loaded.ids;
    let mut latest: BTreeMap<(&str, &str), OrderKey> = BTreeMap::new();
    for fact in loaded.facts.iter().filter(|fact| ids.space(fact.target) == Space::Email) {
        let user = match ids.space(fact.source) {
            Space::User => ids.text(fact.source),
            _ => "",
        };
        let key = latest.entry((user, ids.text(fact.target))).or_insert(fact.key);
        *key = fact.key.max(*key);
    }
    let ties = latest.into_iter().map(|((user, email), key)| (user, email, key));
    email_ties::write(ties, job.fingerprint)
}

/// The result of [`lead_names`].
#[derive(Debug)]
pub struct LeadNames {
    /// The lead of each e-mail that shares one.
    pub names: Vec<RecordBatch>,
    /// The number of e-mails that became part of the lead of another one.
    pub joined: u64,
    /// Groups of e-mails that share user ids but are too many for one person: the number of
    /// e-mails, and the user ids, in order.
    pub refused: Vec<(u64, Vec<String>)>,
}

/// Merges e-mails that share a user id. The `ties` of all rows must be given together.
///
/// # Errors
/// Returns an error if a batch was not made by a stage of `job`.
pub fn lead_names(job: &Job, ties: &[RecordBatch]) -> Result<LeadNames, ExchangeError> {
    let (mut ids, mut facts) = (Ids::new(RandomState::new()), Vec::new());
    for batch in ties {
        email_ties::each(batch, job.fingerprint, |user, email, key| {
            let space = if user.is_empty() { Space::Anonymous } else { Space::User };
            let (source, target) = (ids.intern(space, user), ids.intern(Space::Email, email));
            facts.push(Fact { key, source, target, event: u64::MAX });
        })?;
    }
    let (all, mut facts) = (AllIds::Memory(ids), Facts::Memory(facts));
    facts.sort(&all);
    let merged = match job.engine.rules.identity.merge {
        Merge::None => Merged::default(),
        Merge::UserId => {
            let max_emails = job.engine.rules.identity.max_emails as usize;
            Merged::new(&facts, &all, max_emails).map_err(Error::Spill)?
        }
    };
    let mut names: Vec<_> =
        merged.names().map(|(email, name)| (all.text(email), all.text(name))).collect();
    names.sort_unstable();
    let names = names.iter().map(|(email, name)| (&**email, &**name));
    let texts = |user_ids: &[_]| user_ids.iter().map(|&id| all.text(id).into_owned()).collect();
    let refused = merged.refused().iter();
    Ok(LeadNames {
        names: email_ties::write_names(names, job.fingerprint)?,
        joined: merged.joined() as u64,
        refused: refused.map(|one| (one.emails as u64, texts(&one.user_ids))).collect(),
    })
}
