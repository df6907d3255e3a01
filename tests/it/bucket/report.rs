//! Compares the report of stages with the report of a run.

use serde_json::Value;

/// Members that are not counts, or are about one run only.
const OTHERS: [&str; 5] =
    ["/inputs", "/elapsed_seconds", "/bytes_read", "/rules/file", "/events/timestamp_examples"];

/// Returns the first difference between the report of a run and that of the stages.
pub fn difference(run: &Value, stages: &Value) -> Option<String> {
    let [run, stages] = [run, stages].map(|report| {
        let mut report = report.clone();
        for path in OTHERS {
            *report.pointer_mut(path).unwrap() = Value::Null;
        }
        report
    });
    first_difference("", &run, &stages)
}

/// Returns `text` without the position of an example.
fn without_first(text: &str) -> String {
    let text = text.split(", as in ").next().unwrap_or_default();
    let mut parts = text.split(", the first at ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.find(';').map_or("", |end| &part[end..]))
}

fn first_difference(path: &str, run: &Value, stages: &Value) -> Option<String> {
    match (run, stages) {
        (Value::Object(run), Value::Object(stages)) => {
            let mut names = run.keys().chain(stages.keys());
            names.find_map(|name| {
                let of = |object: &serde_json::Map<String, Value>| object.get(name).cloned();
                let (run, stages) = (of(run).unwrap_or_default(), of(stages).unwrap_or_default());
                first_difference(&format!("{path}/{name}"), &run, &stages)
            })
        }
        (Value::Array(run), Value::Array(stages)) if run.len() == stages.len() => {
            let pairs = run.iter().zip(stages).enumerate();
            pairs.into_iter().find_map(|(at, (run, stages))| {
                first_difference(&format!("{path}/{at}"), run, stages)
            })
        }
        // The positions of first examples are not counts.
        (Value::String(run), Value::String(stages)) if without_first(run) == *stages => None,
        _ => (run != stages).then(|| format!("{path}: a run has {run}, stages {stages}")),
    }
}
