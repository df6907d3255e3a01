//! The stage that counts visitors.

use std::collections::BTreeMap;

use arrow_array::RecordBatch;

use super::Job;
use super::counts::Counts;
use crate::engine::exchange::arrow::id_links::kind_of;
use crate::engine::exchange::arrow::sightings::{EMAIL, UNUSED_EMAIL};
use crate::engine::exchange::arrow::{ExchangeError, sightings};
use crate::engine::identity::ids::Space;

/// An id with more e-mails than one person has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SharedId {
    /// `anonymous_id` or `user_id`.
    pub kind: String,
    /// The id.
    pub id: String,
    /// The number of its e-mails, counted up to one more than the limit.
    pub emails: u32,
}

/// The result of [`census`].
#[derive(Debug)]
pub struct Census {
    /// The numbers of ids, and of those that resolve to an e-mail.
    pub counts: Vec<RecordBatch>,
    /// Ids with more e-mails than one person has, in order.
    pub shared: Vec<SharedId>,
}

/// The combined sightings of an id.
#[derive(Default)]
struct Known {
    is_resolved: bool,
    emails: u32,
    /// For each period, whether an event in it had a user id.
    periods: BTreeMap<u32, bool>,
}

/// Combines the sightings of each id and counts ids. All sightings of a `bucket` must be given
/// together.
///
/// # Errors
/// Returns an error if a batch was not made by a stage of `job`.
pub fn census(job: &Job, batches: &[RecordBatch]) -> Result<Census, ExchangeError> {
    let mut ids: BTreeMap<(Box<str>, Box<str>), Known> = BTreeMap::new();
    for batch in batches {
        sightings::each(batch, job.fingerprint, |sighting| {
            let known = ids.entry((sighting.kind.into(), sighting.id.into())).or_default();
            known.is_resolved |= sighting.is_resolved;
            known.emails = known.emails.max(sighting.emails);
            if let Some(period) = sighting.period {
                *known.periods.entry(period).or_default() |= sighting.with_user;
            }
        })?;
    }
    let (mut counts, mut shared) = (Counts::default(), Vec::new());
    for ((kind, id), known) in &ids {
        count(kind, known, &mut counts);
        if **kind == *UNUSED_EMAIL && !ids.contains_key(&(EMAIL.into(), id.clone())) {
            counts.add("identity.unused_emails.unknown_addresses", "", 1);
        }
        if known.emails > job.engine.rules.identity.max_emails {
            let (kind, id) = (kind.to_string(), id.to_string());
            shared.push(SharedId { kind, id, emails: known.emails });
        }
    }
    Ok(Census { counts: counts.write(job)?, shared })
}

fn count(kind: &str, known: &Known, counts: &mut Counts) {
    let member = match kind {
        kind if kind == kind_of(Space::Anonymous) => "anonymous_ids",
        kind if kind == kind_of(Space::User) => "user_ids",
        _ => return,
    };
    counts.add(&format!("identity.{member}"), "seen", 1);
    counts.add(&format!("identity.{member}"), "resolved", i64::from(known.is_resolved));
    for (period, &with_user) in &known.periods {
        // An anonymous id that came with a user id is counted as that user.
        if member == "user_ids" || !with_user {
            counts.add("plan.periods.monthly_tracked_users", &period.to_string(), 1);
        }
    }
}
