//! The report of a job whose stages ran in other processes.

use std::collections::BTreeSet;
use std::time::Duration;

use super::produce::Produced;
use super::summary::{Facts, LISTED, Read};
use crate::engine::bucket::Job;
use crate::engine::bucket::census::SharedId;
use crate::engine::bucket::counts::Counts;
use crate::engine::identity::ids::Space;
use crate::engine::map::example::Lines;
use crate::engine::map::names::Names;
use crate::jobs::refused::mostly_refused;
use crate::report::{Fault, Input, Report, Visitors};
use crate::rules::PeriodLength;

/// All that such a report is made of.
#[derive(Debug, Default)]
pub struct Merged {
    /// The counts of all stages, added up.
    pub counts: Counts,
    /// The users whom deletion requests name.
    pub deleted_users: BTreeSet<String>,
    /// The shared ids of all censuses.
    pub shared: Vec<SharedId>,
    /// How many e-mails became part of another's lead.
    pub merged_emails: u64,
    /// E-mails that share user ids, but are too many to be one person.
    pub merge_refused: Vec<(u64, Vec<String>)>,
    /// The lowest and the highest score of all leads.
    pub scores: Option<(i64, i64)>,
    /// The e-mails of leads that the service would not have made.
    pub lost_leads: Vec<String>,
    /// The inputs, in order.
    pub inputs: Vec<Input>,
    /// What could not be read.
    pub faults: Vec<Fault>,
    /// Warnings about inputs that were skipped.
    pub skipped: Vec<String>,
    /// Bytes read, as they are stored.
    pub bytes_read: u64,
    /// The name of the rules file.
    pub rules_file: Option<String>,
    /// The name of the file of destination filters.
    pub filters_file: Option<String>,
    /// What is doubtful about these.
    pub warnings: Vec<String>,
    /// How long it took.
    pub elapsed: Duration,
}

/// The report of what stages of `job` gave: that of a run, but for examples of times and
/// rejects, and profiles of duplicates, which are not counts.
pub fn merged_report(job: &Job, mut merged: Merged) -> Report {
    merged.shared.sort();
    merged.lost_leads.sort_unstable();
    merged.merge_refused.sort_by(|a, b| a.1.cmp(&b.1));
    let counts = &merged.counts;
    let (counters, timeframe) =
        (counts.counters(job, &merged.deleted_users), counts.timeframe(job));
    merged.warnings.extend(mostly_refused(&counters, &Lines::default()));
    let produced = produced(job, &merged, &counters.names);
    let mut report = Facts {
        engine: &job.engine,
        read: Read {
            inputs: merged.inputs,
            faults: merged.faults,
            skipped: merged.skipped,
            bytes_read: merged.bytes_read,
        },
        counters: &counters,
        duplicates: counts.duplicates(),
        profile: None,
        lines: &Lines::default(),
        produced: &produced,
        timeframe: &timeframe,
        terms: &job.terms,
        rules_file: merged.rules_file,
        filters_file: merged.filters_file,
        warnings: merged.warnings,
        elapsed: merged.elapsed,
    }
    .report();
    if let Some(redaction) = &job.engine.redaction {
        report.redact(redaction);
    }
    report
}

fn produced(job: &Job, merged: &Merged, names: &Names) -> Produced {
    let counts = &merged.counts;
    let timeframe = counts.timeframe(job);
    let count = |counter, key| u64::try_from(counts.get(counter, key)).unwrap_or(0);
    let visitors =
        |counter| Visitors { seen: count(counter, "seen"), resolved: count(counter, "resolved") };
    let shared = |id: &SharedId| {
        let space = if id.kind == "user_id" { Space::User } else { Space::Anonymous };
        (space, id.id.clone(), id.emails as usize)
    };
    let size = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    let is_monthly = job.engine.rules.plan.period == PeriodLength::Month;
    let tracked = || counts.by_period("plan.periods.monthly_tracked_users", &timeframe);
    let refused = merged.merge_refused.iter();
    Produced {
        tally: counts.tally(job, &timeframe, names),
        visitors: ["identity.anonymous_ids", "identity.user_ids"].map(visitors),
        shared: merged.shared.iter().map(shared).collect(),
        merged_emails: size(merged.merged_emails),
        merge_refused: refused.map(|(emails, ids)| (size(*emails), ids.clone())).collect(),
        unknown_addresses: count("identity.unused_emails.unknown_addresses", ""),
        leads: counts.lead_sums(merged.scores.unwrap_or((0, 0))),
        lost_leads: merged.lost_leads.len() as u64,
        lost_lead_emails: merged.lost_leads.iter().take(LISTED).cloned().collect(),
        active_leads: counts.by_period("plan.periods.active_leads", &timeframe),
        tracked_users: if is_monthly { tracked() } else { Vec::new() },
        forgotten_leads: count("deleted.leads", ""),
        guarded_cells: 0,
        history: counts.history(&timeframe),
        cold_times: counts.cold_times(),
        top_leads: Vec::new(),
    }
}
