//! The stage that decides which events of partially accepted minutes the service would have
//! accepted.

use ahash::RandomState;
use arrow_array::RecordBatch;

use super::Job;
use super::assign::bucket_of;
use super::counts::Counts;
use crate::engine::exchange::arrow::{ExchangeError, contenders, lead_parts};
use crate::engine::exchange::lead_part::LeadPart;
use crate::engine::identity::ids::{Ids, Space};
use crate::engine::plan::Ledger;
use crate::engine::resolve::tally::{Contender, decide_contenders};

/// The result of [`decide`].
#[derive(Debug)]
pub struct Decided {
    /// Parts of the leads whose e-mails accepted contenders bring.
    pub parts: Vec<RecordBatch>,
    /// The count of identify calls that would have been lost.
    pub counts: Vec<RecordBatch>,
}

/// Decides about `batches` of contenders. All contenders of a minute must be given together.
///
/// # Errors
/// Returns an error if a batch was not made by a stage of `job`.
pub fn decide(
    job: &Job,
    ledger: &Ledger,
    batches: &[RecordBatch],
) -> Result<Decided, ExchangeError> {
    let mut leads: Vec<Box<str>> = Vec::new();
    let each = |take: &mut dyn FnMut(contenders::NamedContender<'_>)| {
        batches.iter().try_for_each(|batch| contenders::each(batch, job.fingerprint, &mut *take))
    };
    each(&mut |contender| leads.push(contender.brings.into()))?;
    // Ids are numbered in the order of their texts, so that equal contenders order by text.
    leads.sort_unstable();
    let mut ids = Ids::new(RandomState::new());
    leads.iter().filter(|lead| !lead.is_empty()).for_each(|lead| {
        ids.intern(Space::Email, lead);
    });
    let mut all = Vec::new();
    each(&mut |contender| {
        let brings = ids.find(Space::Email, contender.brings);
        all.push(Contender::new(contender.minute, contender.key, contender.is_identify, brings));
    })?;
    let decided = decide_contenders(all, ledger);
    let mut accepted: Vec<&str> = decided.accepted.iter().map(|&lead| ids.text(lead)).collect();
    accepted.sort_unstable();
    accepted.dedup();
    let part = |email: &&str| LeadPart {
        accepted: true,
        ..LeadPart::empty(bucket_of(email, job.buckets), email)
    };
    let mut counts = Counts::default();
    counts.add_unsigned("plan.lost_identifies", "", decided.lost_identifies);
    Ok(Decided {
        parts: lead_parts::write(accepted.iter().map(part), job.fingerprint)?,
        counts: counts.write(job)?,
    })
}
