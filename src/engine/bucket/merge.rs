//! Which e-mails become one lead.

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

/// What the kept rows tell of the e-mails that share a user id; nothing where the rules merge none.
///
/// # Errors
/// When a batch is none that a stage of `job` gave.
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

/// The leads of several e-mails.
#[derive(Debug)]
pub struct LeadNames {
    /// The name of each e-mail that is part of one.
    pub names: Vec<RecordBatch>,
    /// How many e-mails became part of another's lead.
    pub joined: u64,
    /// E-mails that share user ids, but are too many to be one person: how many, and the user ids,
    /// sorted.
    pub refused: Vec<(u64, Vec<String>)>,
}

/// Joins the e-mails that share a user id, by the ties of all rows.
///
/// # Errors
/// When a batch is none that a stage of `job` gave.
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
