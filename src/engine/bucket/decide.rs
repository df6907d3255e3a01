//! Which events of a minute the service would have taken of which it takes only the first few.

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

/// What contenders come to.
#[derive(Debug)]
pub struct Decided {
    /// Parts of the leads whose e-mails the service would have taken after all.
    pub parts: Vec<RecordBatch>,
    /// The identify calls that it would have lost.
    pub counts: Vec<RecordBatch>,
}

/// Decides about all contenders of some minutes together.
///
/// # Errors
/// When a batch is none that a stage of `job` gave.
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
    // Numbers in the order of the texts, so that these decide where nothing else does.
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
