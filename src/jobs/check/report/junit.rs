//! The `JUnit` report: a fixture is a test suite, an event checked against a rule is a test case.
//!
//! Readers show only the first failure of a case, so each failing case has a single one with all
//! findings. The report contains no times, so that the same findings give the same bytes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};

use ahash::{AHashMap, AHashSet};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use super::shown::{Shown, mask};
use crate::jobs::check::finding::{Case, Checked, Level};

/// The content of a suite.
#[derive(Default)]
struct Part<'c> {
    cases: Vec<Test<'c>>,
    notes: Vec<&'c Shown<'c>>,
}

/// A test case.
struct Test<'c> {
    name: String,
    findings: Vec<&'c Shown<'c>>,
}

impl Test<'_> {
    fn errors(&self) -> impl Iterator<Item = &Shown<'_>> {
        self.findings.iter().copied().filter(|shown| shown.level == Level::Error)
    }

    fn fails(&self) -> bool {
        self.errors().next().is_some()
    }
}

impl Part<'_> {
    fn failures(&self) -> usize {
        self.cases.iter().filter(|test| test.fails()).count()
    }
}

pub(super) fn write(checked: &Checked, out: &mut dyn Write) -> io::Result<()> {
    let shown: Vec<Shown<'_>> = checked.findings.iter().map(Shown::new).collect();
    let parts = parts(checked, &shown);
    let mut xml = Writer::new_with_indent(out, b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let tests = parts.iter().map(|(_, part)| part.cases.len()).sum();
    let failures = parts.iter().map(|(_, part)| part.failures()).sum();
    let mut suites = BytesStart::new("testsuites");
    suites.push_attribute(("name", "backtrail check"));
    counts(&mut suites, tests, failures);
    xml.write_event(Event::Start(suites))?;
    for (file, part) in &parts {
        write_part(&mut xml, file, part)?;
    }
    xml.write_event(Event::End(BytesEnd::new("testsuites")))?;
    writeln!(xml.get_mut())
}

/// Returns the suites in order, then those for other files with findings. A finding without a case
/// becomes a case if it is an error, and otherwise output of the suite.
fn parts<'c>(checked: &'c Checked, shown: &'c [Shown<'c>]) -> Vec<(&'c str, Part<'c>)> {
    let mut parts: Vec<(&str, Part<'_>)> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let mut is_in_case = vec![false; shown.len()];
    for suite in &checked.suites {
        let mut part = Part::default();
        for case in &suite.cases {
            let findings = case.findings.iter().filter(|place| **place < shown.len());
            let findings: Vec<&Shown<'_>> = findings
                .inspect(|place| is_in_case[**place] = true)
                .map(|place| &shown[*place])
                .collect();
            part.cases.push(Test { name: case_name(case), findings });
        }
        places.entry(&suite.file).or_insert(parts.len());
        parts.push((&suite.file, part));
    }
    for (finding, _) in shown.iter().zip(is_in_case).filter(|(_, is_in_case)| !is_in_case) {
        let place = *places.entry(finding.file).or_insert_with(|| {
            parts.push((finding.file, Part::default()));
            parts.len() - 1
        });
        let part = &mut parts[place].1;
        match finding.level {
            Level::Error => {
                part.cases.push(Test { name: lone_name(finding), findings: vec![finding] });
            }
            Level::Note => part.notes.push(finding),
        }
    }
    for (_, part) in &mut parts {
        number(&mut part.cases);
    }
    parts
}

/// Numbers cases with equal names except the first, because readers keep one case per name.
fn number(cases: &mut [Test<'_>]) {
    let mut taken: AHashSet<String> = cases.iter().map(|test| test.name.clone()).collect();
    let mut known: AHashMap<String, u32> = AHashMap::new();
    for test in cases {
        let count = known.entry(test.name.clone()).or_default();
        *count += 1;
        if *count == 1 {
            continue;
        }
        let numbered = loop {
            let name = format!("{} #{count}", test.name);
            if taken.insert(name.clone()) {
                break name;
            }
            *count += 1;
        };
        test.name = numbered;
    }
}

fn case_name(case: &Case) -> String {
    match (mask(&case.name), mask(&case.rule)) {
        (name, rule) if rule.is_empty() => name.into_owned(),
        (name, rule) => format!("{name}: {rule}"),
    }
}

fn lone_name(shown: &Shown<'_>) -> String {
    let mut name = shown.violation.name().to_owned();
    for part in [&shown.event, &shown.rule].into_iter().flatten() {
        name.push_str(": ");
        name.push_str(part);
    }
    name
}

fn write_part<W: Write>(xml: &mut Writer<W>, file: &str, part: &Part<'_>) -> io::Result<()> {
    // Readers ignore suites without a name.
    let file = if file.is_empty() { "(no file)".to_owned() } else { line(file) };
    let mut suite = BytesStart::new("testsuite");
    suite.push_attribute(("name", &*file));
    counts(&mut suite, part.cases.len(), part.failures());
    xml.write_event(Event::Start(suite))?;
    for test in &part.cases {
        write_test(xml, &file, test)?;
    }
    if !part.notes.is_empty() {
        let notes: Vec<String> = part.notes.iter().map(|shown| description(shown)).collect();
        write_text(xml, BytesStart::new("system-out"), &notes.join("\n"))?;
    }
    xml.write_event(Event::End(BytesEnd::new("testsuite")))
}

fn write_test<W: Write>(xml: &mut Writer<W>, file: &str, test: &Test<'_>) -> io::Result<()> {
    let mut case = BytesStart::new("testcase");
    case.push_attribute(("name", &*line(&test.name)));
    case.push_attribute(("classname", file));
    case.push_attribute(("file", file));
    if test.findings.is_empty() {
        return xml.write_event(Event::Empty(case));
    }
    xml.write_event(Event::Start(case))?;
    let errors: Vec<&Shown<'_>> = test.errors().collect();
    if let Some(first) = errors.first() {
        let more = match errors.len() - 1 {
            0 => String::new(),
            more => format!(" (and {more} more)"),
        };
        let mut failure = BytesStart::new("failure");
        failure.push_attribute(("message", &*line(&format!("{}{more}", first.message))));
        failure.push_attribute(("type", first.violation.name()));
        let all: Vec<String> = errors.iter().map(|shown| description(shown)).collect();
        write_text(xml, failure, &all.join("\n"))?;
    }
    let notes = test.findings.iter().filter(|shown| shown.level == Level::Note);
    let notes: Vec<String> = notes.map(|shown| description(shown)).collect();
    if !notes.is_empty() {
        write_text(xml, BytesStart::new("system-out"), &notes.join("\n"))?;
    }
    xml.write_event(Event::End(BytesEnd::new("testcase")))
}

fn counts(element: &mut BytesStart<'_>, tests: usize, failures: usize) {
    for (name, count) in [("tests", tests), ("failures", failures), ("errors", 0), ("skipped", 0)] {
        element.push_attribute((name, &*count.to_string()));
    }
}

fn write_text<W: Write>(
    xml: &mut Writer<W>,
    element: BytesStart<'_>,
    text: &str,
) -> io::Result<()> {
    let end = element.to_end().into_owned();
    xml.write_event(Event::Start(element))?;
    xml.write_event(Event::Text(BytesText::new(&allowed(text))))?;
    xml.write_event(Event::End(end))
}

/// Describes a finding in full: its place, what is wrong, and what it is about.
fn description(shown: &Shown<'_>) -> String {
    let (row, column) = shown.position();
    let kind = shown.violation.name();
    let mut lines = vec![format!("{}:{row}:{column}: {kind}: {}", shown.file, shown.message)];
    let pointer = Some(&shown.pointer).filter(|pointer| !pointer.is_empty());
    for (name, part) in
        [("event", shown.event.as_ref()), ("rule", shown.rule.as_ref()), ("at", pointer)]
    {
        lines.extend(part.map(|part| format!("  {name}: {part}")));
    }
    lines.join("\n")
}

/// Returns `text` for an attribute, where line breaks and tabs would become spaces anyway.
fn line(text: &str) -> String {
    allowed(text).replace(['\n', '\t'], " ")
}

/// Returns `text` with U+FFFD in place of characters that XML 1.0 forbids, and with line feeds for
/// all line ends, as XML readers normalise them.
fn allowed(text: &str) -> Cow<'_, str> {
    let is_forbidden =
        |char: char| matches!(char, '\0'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
    if !text.contains(is_forbidden) {
        return Cow::Borrowed(text);
    }
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    Cow::Owned(text.replace(is_forbidden, "\u{fffd}"))
}
