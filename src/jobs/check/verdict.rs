//! Combines the results of a check: levels, fixtures that must fail, and order.

use super::examine::{Examined, Part};
use super::finding::{Case, Checked, Finding, Level, Suite, Violation};
use super::flaw::Flaw;
use crate::source::FileId;

/// The part of a file name that marks a fixture as expected to fail.
const EXPECTED_TO_FAIL: &str = ".invalid.";

/// Returns `true` if the name of the fixture at `path` marks it as expected to fail.
pub fn must_fail(path: &str) -> bool {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    name.contains(EXPECTED_TO_FAIL)
}

/// Kinds of findings whose level differs from the default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Levels {
    /// Kinds that make a check fail.
    pub deny: Vec<Violation>,
    /// Kinds that do not.
    pub note: Vec<Violation>,
}

impl Levels {
    /// Sets the level of `finding`.
    pub fn apply(&self, finding: &mut Finding) {
        if self.deny.contains(&finding.violation) {
            finding.level = Level::Error;
        } else if self.note.contains(&finding.violation) {
            finding.level = Level::Note;
        }
    }
}

/// A case with its findings.
#[derive(Debug)]
pub struct NewCase {
    /// The name of what was checked.
    pub name: String,
    /// The rule that it was checked against.
    pub rule: String,
    /// The findings.
    pub findings: Vec<Finding>,
}

/// Findings and cases that are being collected.
#[derive(Debug, Default)]
pub struct Verdict {
    levels: Levels,
    checked: Checked,
}

impl Verdict {
    /// Creates an empty result.
    pub fn new(levels: Levels) -> Self {
        Self { levels, checked: Checked::default() }
    }

    /// Adds the results of the fixtures; `names` are their names, in order. For a fixture that must
    /// fail, the only finding is that it does not.
    pub fn fixtures(&mut self, examined: Examined, names: &[(FileId, String)]) {
        self.checked.events += examined.events;
        self.checked.files += names.len() as u64;
        let mut suites: Vec<Option<Suite>> = names.iter().map(|_| None).collect();
        let mut failed = vec![false; names.len()];
        for mut part in examined.parts {
            let Ok(file) = names.binary_search_by_key(&part.file, |(file, _)| *file) else {
                continue;
            };
            let name = &names[file].1;
            part.findings.iter_mut().for_each(|finding| self.levels.apply(finding));
            if must_fail(name) {
                let is_error = |finding: &Finding| finding.level == Level::Error;
                failed[file] |= part.findings.iter().any(is_error);
                part.findings.clear();
                part.cases.iter_mut().for_each(|case| case.findings.clear());
            }
            let suite =
                suites[file].get_or_insert_with(|| Suite { file: name.clone(), cases: Vec::new() });
            self.part(part, suite);
        }
        for (file, suite) in suites.into_iter().enumerate() {
            let Some(suite) = suite else { continue };
            let (name, has_cases) = (suite.file.clone(), !suite.cases.is_empty());
            self.checked.suites.push(suite);
            if has_cases && must_fail(&name) {
                let message = "nothing is wrong with this fixture, which is expected to fail: \
                    make it fail, or take `.invalid` out of its name";
                let passes = Flaw::new(Violation::UnexpectedPass, message).of_file(&name);
                let findings = if failed[file] { Vec::new() } else { vec![passes] };
                let case =
                    NewCase { name: "expected to fail".into(), rule: String::new(), findings };
                self.suite(&name, vec![case]);
            }
        }
    }

    fn part(&mut self, part: Part, suite: &mut Suite) {
        let before = self.checked.findings.len();
        self.checked.findings.extend(part.findings);
        suite.cases.extend(part.cases.into_iter().map(|case| Case {
            name: format!("{} (line {})", case.event, case.line),
            rule: case.rule,
            findings: case.findings.into_iter().map(|place| before + place).collect(),
        }));
    }

    /// Adds cases of `file`.
    pub fn suite(&mut self, file: &str, cases: Vec<NewCase>) {
        if cases.is_empty() {
            return;
        }
        let known = self.checked.suites.iter().position(|suite| suite.file == file);
        let place = known.unwrap_or_else(|| {
            self.checked.suites.push(Suite { file: file.to_owned(), cases: Vec::new() });
            self.checked.suites.len() - 1
        });
        for case in cases {
            let first = self.checked.findings.len();
            self.checked.findings.extend(case.findings);
            self.checked.findings[first..].iter_mut().for_each(|found| self.levels.apply(found));
            let findings = (first..self.checked.findings.len()).collect();
            let case = Case { name: case.name, rule: case.rule, findings };
            self.checked.suites[place].cases.push(case);
        }
    }

    /// Returns everything, in order.
    pub fn finish(self) -> Checked {
        let mut checked = self.checked;
        let mut order: Vec<usize> = (0..checked.findings.len()).collect();
        order.sort_by(|&a, &b| checked.findings[a].cmp(&checked.findings[b]));
        let mut now = vec![0; order.len()];
        for (place, &before) in order.iter().enumerate() {
            now[before] = place;
        }
        let mut findings: Vec<Option<Finding>> = checked.findings.into_iter().map(Some).collect();
        checked.findings = order.iter().filter_map(|&before| findings[before].take()).collect();
        for case in checked.suites.iter_mut().flat_map(|suite| &mut suite.cases) {
            case.findings.iter_mut().for_each(|place| *place = now[*place]);
            case.findings.sort_unstable();
        }
        checked
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::check::finding::Place;

    fn case(line: u64, violation: Violation) -> NewCase {
        let place = Place { file: "a".into(), line, ..Place::default() };
        let found = Flaw::new(violation, "x").placed(place, None, None);
        NewCase { name: line.to_string(), rule: String::new(), findings: vec![found] }
    }

    #[test]
    fn findings_are_sorted_and_cases_follow_them() {
        let mut verdict = Verdict::new(Levels::default());
        let cases = [9, 3, 7].into_iter().map(|line| case(line, Violation::InvalidType)).collect();
        verdict.suite("a", cases);
        let checked = verdict.finish();
        for case in &checked.suites[0].cases {
            let [place] = case.findings[..] else { panic!("{case:?}") };
            assert_eq!(checked.findings[place].place.line.to_string(), case.name);
        }
        let lines: Vec<u64> = checked.findings.iter().map(|found| found.place.line).collect();
        assert_eq!(lines, [3, 7, 9]);
    }

    #[test]
    fn levels_can_be_turned_both_ways() {
        let levels =
            Levels { deny: vec![Violation::Uncovered], note: vec![Violation::InvalidType] };
        let mut verdict = Verdict::new(levels);
        verdict.suite("a", vec![case(1, Violation::Uncovered), case(2, Violation::InvalidType)]);
        let levels: Vec<Level> =
            verdict.finish().findings.into_iter().map(|found| found.level).collect();
        assert_eq!(levels, [Level::Error, Level::Note]);
    }

    #[test]
    fn only_the_name_of_a_file_says_that_it_must_fail() {
        assert!(must_fail("a/b.invalid.ndjson") && must_fail("b.invalid.ndjson.gz"));
        assert!(!must_fail("a.invalid.d/b.ndjson") && !must_fail("invalid.ndjson"));
    }
}
