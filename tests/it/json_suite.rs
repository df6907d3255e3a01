//! The JSON Parsing Test Suite (<https://github.com/nst/JSONTestSuite>): what a parser must accept
//! and reject, as lines and as values in events.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

#[cfg(target_arch = "x86_64")]
use crate::support::emulator;
use crate::support::{Finished, Workspace, testdata};
use crate::targets::canonical::canonical;

/// One text of the suite. Its name begins with `y` if parsers must accept it, with `n` if they must
/// reject it, and with `i` if they can do either.
struct Case {
    name: String,
    text: Vec<u8>,
}

/// The outcome of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Taken,
    /// A value of the line was accepted, and the rest rejected.
    TakenInPart,
    /// The line is blank, and not a record.
    Blank,
    Refused,
}

/// The position of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Position {
    /// A line between two events.
    Line,
    /// The value of a property, in a line after others of the same structure, so that the parser
    /// uses their outline.
    Property,
    /// The value of a property in an event of several lines.
    PropertyOverLines,
}

const POSITIONS: [Position; 3] = [Position::Line, Position::Property, Position::PropertyOverLines];

/// Texts that are not JSON but are accepted, as documented for inputs.
#[rustfmt::skip]
const TAKEN: [(&str, Position, Verdict); 28] = {
    use Position::{Line, Property, PropertyOverLines};
    use Verdict::{Blank, Taken, TakenInPart};
    [
        // Numbers that are not valid JSON become `null`.
        ("n_number_NaN", Line, Taken),
        ("n_number_NaN", Property, Taken),
        ("n_number_NaN", PropertyOverLines, Taken),
        ("n_number_infinity", Line, Taken),
        ("n_number_infinity", Property, Taken),
        ("n_number_infinity", PropertyOverLines, Taken),
        ("n_number_minus_infinity", Line, Taken),
        ("n_number_minus_infinity", Property, Taken),
        ("n_number_minus_infinity", PropertyOverLines, Taken),
        // Escapes such as `\x22`, as nginx writes them.
        ("n_string_escape_x", Line, Taken),
        ("n_string_escape_x", Property, Taken),
        ("n_string_escape_x", PropertyOverLines, Taken),
        // Blank lines are skipped.
        ("n_single_space", Line, Blank),
        ("n_structure_no_data", Line, Blank),
        // A comma at the end of a line separates values.
        ("n_array_comma_after_close", Line, Taken),
        // Several values in a line are separate records.
        ("n_structure_double_array", Line, Taken),
        ("n_structure_object_with_trailing_garbage", Line, Taken),
        // The text after a complete value is a separate record, and is rejected.
        ("n_array_extra_close", Line, TakenInPart),
        ("n_object_trailing_comment", Line, TakenInPart),
        ("n_object_trailing_comment_open", Line, TakenInPart),
        ("n_object_trailing_comment_slash_open", Line, TakenInPart),
        ("n_object_trailing_comment_slash_open_incomplete", Line, TakenInPart),
        ("n_object_with_trailing_garbage", Line, TakenInPart),
        ("n_structure_array_trailing_garbage", Line, TakenInPart),
        ("n_structure_array_with_extra_array_close", Line, TakenInPart),
        ("n_structure_object_followed_by_closing_object", Line, TakenInPart),
        ("n_structure_trailing_#", Line, TakenInPart),
        // Text before an object that ends the line, here `[`, is the beginning of a log line.
        ("n_array_unclosed_with_object_inside", Line, Taken),
    ]
};

fn cases() -> Vec<Case> {
    let table = std::fs::read_to_string(testdata("json-suite/cases.ndjson")).unwrap();
    let case = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        let times = usize::try_from(row["times"].as_u64().unwrap_or(1)).unwrap();
        let text = STANDARD.decode(row["base64"].as_str().unwrap()).unwrap().repeat(times);
        Case { name: row["name"].as_str().unwrap().to_owned(), text }
    };
    let cases: Vec<Case> = table.lines().map(case).collect();
    assert_eq!(cases.len(), 318, "texts of the suite");
    cases
}

/// An event with `id` whose property `value` is `value`.
fn event(id: &str, value: &[u8]) -> Vec<u8> {
    let head = format!(
        r#"{{"anonymousId":"a","event":"E","messageId":"{id}","properties":{{"before":1,"value":"#
    );
    [head.as_bytes(), value, br#","z":"z"},"type":"track"}"#].concat()
}

impl Position {
    /// Returns the file with `case` in this position, or `None` if a line cannot contain it.
    fn file(self, case: &Case) -> Option<Vec<u8>> {
        let text = case.text.strip_suffix(b"\n").unwrap_or(&case.text);
        if self != Self::PropertyOverLines && text.contains(&b'\n') {
            return None;
        }
        let after = event("after", b"1");
        let lines = match self {
            Self::Line => vec![event("before", b"1"), text.to_vec(), after],
            Self::Property => {
                let learned = [&b"1"[..], b"\"one\"", b"2.5", b"[]", b"{}", b"null"];
                let mut lines: Vec<_> = learned.map(|value| event("learned", value)).into();
                lines.extend([event(&case.name, text), after]);
                lines
            }
            Self::PropertyOverLines => {
                let event = event(&case.name, &[b"\n", &case.text[..], b"\n"].concat());
                vec![b"{".to_vec(), event[1..].to_vec(), after]
            }
        };
        Some(lines.join(&b'\n'))
    }

    fn path(self, case: &Case) -> String {
        format!("{self:?}/{}.json", case.name)
    }
}

/// The results of a run over the whole suite.
struct Run {
    verdicts: BTreeMap<(Position, String), Verdict>,
    /// The cells with the values of properties, by case.
    cells: BTreeMap<String, Vec<String>>,
}

const RULES: &str = "version = 1\n[dedup]\nby = 'none'\n[[rule]]\nid = 'all'\nwhen = 'all'\n\
                     map = { value = 'properties.value' }\n";

/// Runs the program over all cases, optionally with the command `through`.
fn run(through: &[&str]) -> Run {
    let workspace = Workspace::new();
    workspace.write("rules.toml", RULES);
    let cases = cases();
    let places =
        POSITIONS.iter().flat_map(|&position| cases.iter().map(move |case| (position, case)));
    let places: Vec<_> = places
        .filter_map(|(position, case)| {
            workspace.write(&position.path(case), position.file(case)?);
            Some((position, case))
        })
        .collect();
    let mut command = workspace.command([""; 0]);
    if let [program, arguments @ ..] = through {
        let folder = command.get_current_dir().unwrap().to_owned();
        let own = command.get_program().to_owned();
        command = Command::new(program);
        command.args(arguments).arg(own).arg("run").current_dir(folder);
    }
    command.args(POSITIONS.map(|position| format!("{position:?}")));
    command.args(["--rules", "rules.toml", "--csv-raw", "--threads", "1", "-o", "out"]);
    let output = command.output().unwrap();
    Finished::of(&command, output).exits(0);

    let signals = workspace.rows("out/signals.csv");
    let of_id = |id: &str| signals.iter().filter(|row| row["message_id"] == id).count();
    assert_eq!(of_id("after"), places.len(), "events behind cases");
    let rejects = workspace.rejects("out");
    let verdict = |(position, case): (Position, &Case)| {
        let file = position.path(case);
        let rejects = rejects.iter().filter(|reject| reject["file"] == *file);
        let reasons: Vec<&str> = rejects.map(|reject| reject["reason"].as_str().unwrap()).collect();
        let faults = ["invalid_json", "not_utf8", "too_deep"];
        let is_refused = reasons.iter().any(|reason| faults.contains(reason));
        let is_taken = match position {
            Position::Line => reasons.iter().any(|reason| !faults.contains(reason)),
            _ => signals.iter().any(|row| row["message_id"] == case.name),
        };
        match (is_taken, is_refused) {
            (true, true) => Verdict::TakenInPart,
            (true, false) => Verdict::Taken,
            (false, true) => Verdict::Refused,
            (false, false) => Verdict::Blank,
        }
    };
    let verdicts = places
        .iter()
        .map(|&(position, case)| ((position, case.name.clone()), verdict((position, case))))
        .collect();
    let mut cells: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in &signals {
        cells.entry(row["message_id"].clone()).or_default().push(row["value"].clone());
    }
    Run { verdicts, cells }
}

#[test]
fn texts_are_accepted_and_rejected_as_the_suite_requires() {
    let taken: BTreeMap<_, _> =
        TAKEN.iter().map(|&(name, position, verdict)| ((position, name), verdict)).collect();
    let mut wrong = Vec::new();
    for ((position, name), verdict) in run(&[]).verdicts {
        let usual = if name.starts_with('y') { Verdict::Taken } else { Verdict::Refused };
        let expected = *taken.get(&(position, &*name)).unwrap_or(&usual);
        if !name.starts_with('i') && verdict != expected {
            wrong.push(format!("{name} as {position:?}: {verdict:?}, not {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn accepted_texts_have_the_values_of_serde_json() {
    let cells = run(&[]).cells;
    let mut compared = 0;
    for case in cases().iter().filter(|case| case.name.starts_with('y')) {
        let value: Value = serde_json::from_slice(&case.text).unwrap();
        let text = match &value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => canonical(other),
        };
        let cells = &cells[&case.name];
        assert!(cells.iter().all(|cell| *cell == text), "{}: {cells:?}, not {text:?}", case.name);
        compared += cells.len();
    }
    assert!(compared >= 95 + 90, "{compared} values compared");
}

#[test]
fn optional_texts_have_the_known_verdicts() {
    let mut table = String::new();
    let verdicts = run(&[]).verdicts;
    for case in cases().iter().filter(|case| case.name.starts_with('i')) {
        let of = |position| verdicts[&(position, case.name.clone())];
        let [line, rest @ ..] = POSITIONS.map(of);
        assert!(rest.iter().all(|&verdict| verdict == line), "{}", case.name);
        writeln!(table, "{:<48} {line:?}", case.name).unwrap();
    }
    insta::assert_snapshot!(table);
}

/// The QEMU processors for which simd-json selects each of its kernels.
#[cfg(target_arch = "x86_64")]
const KERNELS: [(&str, &str); 3] =
    [("core2duo", "Native"), ("Nehalem", "SSE42"), ("Haswell", "AVX2")];

#[cfg(target_arch = "x86_64")]
#[test]
fn every_kernel_gives_the_same_verdicts_and_values() {
    let Some(emulator) = emulator::find() else { return };
    let usual = run(&[]);
    for (processor, kernel) in KERNELS {
        let mut told = Command::new(&emulator);
        told.args(["-cpu", processor]).arg(std::env::current_exe().unwrap());
        told.args(["--exact", "json_suite::the_kernel_is_reported", "--nocapture"]);
        let told = String::from_utf8(told.output().unwrap().stdout).unwrap();
        assert!(told.contains(&format!("kernel {kernel}\n")), "{processor}: {told}");
        let run = run(&[&emulator, "-cpu", processor]);
        assert_eq!(run.verdicts, usual.verdicts, "{kernel}");
        assert_eq!(run.cells, usual.cells, "{kernel}");
    }
}

#[cfg(target_arch = "x86_64")]
#[test]
fn the_kernel_is_reported() {
    println!("kernel {:?}", simd_json::Deserializer::algorithm());
}
