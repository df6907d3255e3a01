//! A host that distributes the work: it moves batches between stages, and reads no values but those
//! it groups and joins by.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use backtrail::emit::arrow::Types;
use backtrail::engine::Engine;
use backtrail::engine::bucket::census::census;
use backtrail::engine::bucket::counts::Counts;
use backtrail::engine::bucket::decide::decide;
use backtrail::engine::bucket::dedup::dedup;
use backtrail::engine::bucket::fold::fold;
use backtrail::engine::bucket::forget::{Forgettable, forget};
use backtrail::engine::bucket::leads::{LeadParts, leads};
use backtrail::engine::bucket::links::{Linkable, links, settle_links, wanted};
use backtrail::engine::bucket::map::{InputFile, map_files};
use backtrail::engine::bucket::merge::{LeadNames, email_ties, lead_names};
use backtrail::engine::bucket::resolve::{Resolvable, resolve};
use backtrail::engine::bucket::signals::signals;
use backtrail::engine::bucket::{Job, MAX_HOPS};
use backtrail::engine::compile::Options;
use backtrail::engine::exchange::arrow::ExchangeError;
use backtrail::jobs::run::{Merged, merged_report};
use backtrail::rules::Rules;
use backtrail::source::discover;
use serde_json::Value;

use super::tables;
use crate::support::Row;

/// The input of a job.
pub struct Given<'a> {
    pub paths: &'a [PathBuf],
    pub rules: &'a str,
    /// Determines the order of batches.
    pub salt: u64,
}

/// The results of the stages.
pub struct Outcome {
    pub signals: Vec<Row>,
    pub leads: Vec<Row>,
    pub report: Value,
}

/// The results of mapping files.
struct Mapped {
    rows: Slices,
    deletions: Slices,
    sightings: Slices,
    counts: Counts,
}

/// A host of one job.
pub struct Cluster<'a> {
    job: Job,
    given: &'a Given<'a>,
}

/// Batches of one row each, as a host can divide batches in any way.
pub type Slices = Vec<RecordBatch>;

fn slices(batches: &[RecordBatch]) -> Slices {
    let of_batch = |batch: &RecordBatch| {
        (0..batch.num_rows()).map(|row| batch.slice(row, 1)).collect::<Slices>()
    };
    batches.iter().flat_map(of_batch).collect()
}

fn int32(batch: &RecordBatch, column: &str) -> i32 {
    batch.column_by_name(column).unwrap().as_primitive::<Int32Type>().value(0)
}

fn int64(batch: &RecordBatch, column: &str) -> i64 {
    batch.column_by_name(column).unwrap().as_primitive::<Int64Type>().value(0)
}

fn text<'b>(batch: &'b RecordBatch, column: &str) -> &'b str {
    batch.column_by_name(column).unwrap().as_string::<i32>().value(0)
}

/// Groups rows by the value of a column.
fn grouped(slices: Slices, column: &str) -> BTreeMap<i32, Slices> {
    let mut groups: BTreeMap<i32, Slices> = BTreeMap::new();
    for slice in slices {
        groups.entry(int32(&slice, column)).or_default().push(slice);
    }
    groups
}

impl<'a> Cluster<'a> {
    /// Creates a host that distributes the work over `buckets` buckets.
    pub fn new(buckets: u32, given: &'a Given<'a>) -> Self {
        let rules = Rules::parse(given.rules).unwrap();
        let compiled = Engine::compile(rules, Options::default()).unwrap();
        Self { job: Job::new(compiled, buckets, [("rules", given.rules)]), given }
    }

    /// Shuffles `slices`.
    fn shuffled(&self, mut slices: Slices) -> Slices {
        let (mut state, len) = (self.given.salt | 1, slices.len());
        for at in (1..len).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            slices.swap(at, usize::try_from(state >> 33).unwrap() % (at + 1));
        }
        slices
    }

    /// Calls `dedup` with the rows that `other` maps.
    pub fn dedup_of(&self, other: &Self) -> Result<Slices, ExchangeError> {
        dedup(&self.job, &other.map().rows)
    }

    /// Runs all stages.
    pub fn outcome(&self) -> Outcome {
        let Mapped { rows, deletions, mut sightings, counts } = self.map();
        let mut rows = self.dedup(rows);
        let mut links = self.links(&rows, &deletions);
        if !deletions.is_empty() {
            rows = self.forget(rows, &links, &deletions);
            links = self.links(&rows, &deletions);
        }
        let names = self.lead_names(&rows);
        let (resolved, more_sightings) = self.resolve(rows, &links, &names.names, &deletions);
        sightings.extend(more_sightings);
        let users = deletions.iter().flat_map(|batch| slices(std::slice::from_ref(batch)));
        let merged = Merged {
            counts,
            deleted_users: users.map(|user| text(&user, "user_id").to_owned()).collect(),
            merged_emails: names.joined,
            merge_refused: names.refused,
            ..Merged::default()
        };
        self.finish(resolved, sightings, merged)
    }

    fn map(&self) -> Mapped {
        let (mut rows, mut deletions) = (Slices::new(), Slices::new());
        let (mut sightings, mut counts) = (Slices::new(), Slices::new());
        for (number, path) in (0..).zip(self.given.paths) {
            let found = discover(&[path.into()], true).unwrap();
            let input = found.inputs.get(0).unwrap();
            let (more, sums) = map_files(&self.job, [InputFile { number, input }]).unwrap();
            rows.extend(slices(&more));
            deletions.extend(sums.deletions);
            sightings.extend(slices(&sums.sightings));
            counts.extend(sums.counts);
        }
        let counts = Counts::read(&self.job, &counts).unwrap();
        Mapped { rows: self.shuffled(rows), deletions, sightings, counts }
    }

    fn forget(&self, rows: Slices, links: &Slices, deletions: &Slices) -> Slices {
        let links_of = grouped(links.clone(), "bucket");
        let forget = |(bucket, rows): (i32, Slices)| {
            let links = links_of.get(&bucket).map_or(&[][..], Vec::as_slice);
            let of_part = |rows: Slices| {
                slices(&forget(&self.job, Forgettable { rows: &rows, links, deletions }).unwrap())
            };
            self.divided(bucket, rows).into_iter().flat_map(of_part).collect::<Slices>()
        };
        grouped(rows, "bucket").into_iter().flat_map(forget).collect()
    }

    /// Into how many parts the rows of `bucket` are divided.
    fn parts(&self, bucket: u32) -> usize {
        usize::try_from((self.given.salt >> (bucket % 32)) % 4).unwrap()
    }

    /// The parts of the rows of a bucket, of which some are divided.
    fn divided(&self, bucket: i32, rows: Slices) -> Vec<Slices> {
        let count = self.parts(bucket.cast_unsigned()).max(1);
        let mut parts = vec![Slices::new(); count];
        for (at, row) in self.shuffled(rows).into_iter().enumerate() {
            parts[at % count].push(row);
        }
        parts
    }

    fn lead_names(&self, rows: &Slices) -> LeadNames {
        let ties = rows.chunks(5).flat_map(|rows| email_ties(&self.job, rows).unwrap());
        lead_names(&self.job, &self.shuffled(ties.collect())).unwrap()
    }

    fn dedup(&self, rows: Slices) -> Slices {
        let groups = grouped(rows, "copies_bucket").into_values();
        self.shuffled(groups.flat_map(|rows| slices(&dedup(&self.job, &rows).unwrap())).collect())
    }

    fn links(&self, rows: &Slices, deletions: &Slices) -> Slices {
        let divided: Vec<u32> =
            (0..self.job.buckets()).filter(|&bucket| self.parts(bucket) > 1).collect();
        let of = |rows| {
            let given = Linkable { rows, deletions, divided: &divided };
            slices(&links(&self.job, given).unwrap())
        };
        let some = rows.chunks(3).flat_map(of);
        let groups = grouped(self.shuffled(some.collect()), "bucket").into_values();
        groups.flat_map(|links| slices(&settle_links(&self.job, &links).unwrap())).collect()
    }

    /// Returns the rows with their owners, and the sightings.
    fn resolve(
        &self,
        rows: Slices,
        links: &Slices,
        lead_names: &Slices,
        deletions: &Slices,
    ) -> (Slices, Slices) {
        let mut links_of = grouped(links.clone(), "bucket");
        let mut rows_of = grouped(rows, "bucket");
        let buckets: BTreeSet<i32> = links_of.keys().chain(rows_of.keys()).copied().collect();
        let (mut resolved, mut sightings) = (Slices::new(), Slices::new());
        for bucket in buckets {
            let rows = rows_of.remove(&bucket).unwrap_or_default();
            let mut own = links_of.remove(&bucket).unwrap_or_default();
            let asked = slices(&wanted(&self.job, &rows, &own).unwrap());
            let of_bucket = asked.iter().filter(|asked| int32(asked, "bucket") == bucket);
            let hop = of_bucket.map(|asked| text(asked, "user_id").to_owned()).collect();
            own.extend(reached(links, hop));
            for rows in self.divided(bucket, rows) {
                let given = Resolvable { rows: &rows, links: &own, lead_names, deletions };
                let of_part = resolve(&self.job, given).unwrap();
                resolved.extend(slices(&of_part.rows));
                sightings.extend(slices(&of_part.sightings));
            }
        }
        (resolved, sightings)
    }

    fn finish(&self, mut resolved: Slices, mut sightings: Slices, mut merged: Merged) -> Outcome {
        let timeframe = &merged.counts.timeframe(&self.job);
        let (mut parts, mut names) = (Slices::new(), Slices::new());
        let (mut contenders, mut more_counts) = (Slices::new(), Slices::new());
        for some in self.shuffled(resolved.clone()).chunks(4) {
            let folded = fold(&self.job, timeframe, some).unwrap();
            parts.extend(slices(&folded.parts));
            names.extend(folded.group_names);
            contenders.extend(folded.contenders);
            sightings.extend(slices(&folded.sightings));
            more_counts.extend(folded.counts);
        }
        let decided = decide(&self.job, &timeframe.ledger, &self.shuffled(contenders)).unwrap();
        parts.extend(slices(&decided.parts));
        more_counts.extend(decided.counts);
        for sightings in grouped(self.shuffled(sightings), "bucket").into_values() {
            let census = census(&self.job, &sightings).unwrap();
            more_counts.extend(census.counts);
            merged.shared.extend(census.shared);
        }
        let mut rows = Vec::new();
        for parts in grouped(self.shuffled(parts), "bucket").into_values() {
            let given = LeadParts { parts: &parts, group_names: &names };
            let table = leads(&self.job, given, Types::Plain).unwrap();
            rows.extend(tables::rows(&table.rows));
            more_counts.extend(table.counts);
            merged.lost_leads.extend(table.lost);
            let scores = merged.scores.into_iter().chain(table.scores);
            merged.scores = scores.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
        }
        merged.counts += Counts::read(&self.job, &more_counts).unwrap();
        rows.sort_by_key(|row| {
            (std::cmp::Reverse(row["score"].parse::<i64>().unwrap()), row["email"].clone())
        });
        resolved.sort_by_key(|row| (int32(row, "file"), int64(row, "record")));
        let signals = tables::rows(&signals(&self.job, &resolved, Types::Plain).unwrap());
        let report = serde_json::to_value(merged_report(&self.job, merged)).unwrap();
        Outcome { signals, leads: rows, report }
    }
}

/// Returns the links of the user ids in `hop`, and of those that they lead to.
fn reached(links: &Slices, mut hop: BTreeSet<String>) -> Slices {
    let (mut seen, mut reached) = (hop.clone(), Slices::new());
    for _ in 0..MAX_HOPS {
        let of_users = links.iter().filter(|link| text(link, "source_kind") == "user_id");
        let found: Slices =
            of_users.filter(|link| hop.contains(text(link, "source"))).cloned().collect();
        let targets = found.iter().filter(|link| text(link, "target_kind") == "user_id");
        hop = targets.map(|link| text(link, "target").to_owned()).collect();
        hop.retain(|user| seen.insert(user.clone()));
        reached.extend(found);
        if hop.is_empty() {
            break;
        }
    }
    reached
}
