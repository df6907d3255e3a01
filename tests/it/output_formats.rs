//! One table in every format, read by other programs and compared cell by cell.

use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::Path;
use std::process::Command;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampMillisecondType};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, TimeUnit};
use backtrail::emit::row::{Cell, LeadRow, SignalRow};
use backtrail::emit::staging::{Overwrite, Staging};
use backtrail::emit::{Encoder, Format, FormulaGuard, Layout, Table};
use backtrail::event::CallType;
use backtrail::time::Time;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use proptest::prelude::*;
use serde_json::{Map, Value};

/// The values of a signal that a test chooses; the others follow from these.
#[derive(Clone, Debug)]
struct Sample {
    id: u128,
    millis: Option<i64>,
    score: i64,
    texts: [String; 4],
    json: Option<i64>,
}

impl Sample {
    fn time(&self) -> Time {
        self.millis.and_then(Time::from_millis).unwrap_or(Time::MISSING)
    }

    fn encode_signal(&self, encoder: &mut Encoder) {
        let json = self.json.map(|number| format!("{{\"n\":[{number},null,\"a,b\"]}}"));
        let columns =
            [Cell::Text(&self.texts[3]), json.as_deref().map_or(Cell::Absent, Cell::Json)];
        encoder.signal(&SignalRow {
            signal_id: self.id,
            timestamp: self.time(),
            received_at: Time::MISSING,
            call: CallType::Page,
            event: &self.texts[0],
            signal: &self.texts[1],
            signal_type: "Form Fill",
            high_intent: self.score > 0,
            rule: "",
            score: self.score,
            lead_email: &self.texts[2],
            resolution: "rehydrated",
            anonymous_id: &self.texts[3],
            user_id: "",
            page_url: &self.texts[2],
            page_name: &self.texts[1],
            source: "segment",
            message_id: &self.texts[0],
            columns: &columns,
        });
    }

    fn encode_lead(&self, encoder: &mut Encoder) {
        let ids: Vec<&str> = self.texts[..2].iter().map(String::as_str).collect();
        encoder.lead(&LeadRow {
            email: &self.texts[0],
            name: &self.texts[1],
            first_name: "",
            last_name: &self.texts[2],
            company: &self.texts[3],
            title: "",
            phone: "+49 30 1234",
            score: self.score,
            signals: 3,
            high_intent_signals: 1,
            rehydrated_signals: 0,
            first_seen: self.time(),
            last_seen: self.time(),
            identified_at: Time::MISSING,
            first_page_url: "",
            first_referrer: &self.texts[3],
            utm_source: "",
            utm_medium: "cpc",
            utm_campaign: &self.texts[1],
            last_signal: &self.texts[2],
            top_signal: "",
            anonymous_ids: &ids,
            user_ids: &[],
            sources: &["segment"],
        });
    }
}

/// The text of a cell, often one that a format has to escape.
fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[=+@\t\r\n\",;'a-c0-9 -]{0,24}",
        Just(String::new()),
        Just("Demo Requested".to_owned()),
    ]
}

fn sample() -> impl Strategy<Value = Sample> {
    let texts = [cell(), cell(), cell(), cell()];
    let millis = proptest::option::of(-62_135_596_800_000_i64..253_402_300_799_999);
    (any::<u128>(), millis, any::<i64>(), texts, any::<Option<i64>>())
        .prop_map(|(id, millis, score, texts, json)| Sample { id, millis, score, texts, json })
}

fn own_columns() -> Vec<String> {
    vec!["form".to_owned(), "a \"quoted\", name".to_owned()]
}

/// Writes `samples` as two chunks.
fn write<W: Write + Send>(layout: &Layout<'_>, samples: &[Sample], out: W) -> io::Result<W> {
    let mut writer = layout.writer(out)?;
    let mut encoder = layout.encoder();
    let (first, second) = samples.split_at(samples.len() / 2);
    for part in [first, second] {
        for sample in part {
            match layout.table {
                Table::Signals(_) | Table::RedactedSignals(_) => sample.encode_signal(&mut encoder),
                Table::Leads | Table::RedactedLeads | Table::LeadsFor(_) => {
                    sample.encode_lead(&mut encoder);
                }
            }
        }
        let chunk = encoder.take();
        assert_eq!(chunk.rows(), part.len());
        writer.write(chunk)?;
    }
    assert_eq!(writer.rows(), samples.len() as u64);
    writer.finish()
}

fn bytes(format: Format, table: Table<'_>, samples: &[Sample]) -> Vec<u8> {
    let layout = Layout { table, format, guard: FormulaGuard::Off };
    write(&layout, samples, Vec::new()).unwrap()
}

/// Rows as JSON objects.
type Rows = Vec<Map<String, Value>>;

fn read_ndjson(bytes: &[u8]) -> Rows {
    let text = std::str::from_utf8(bytes).unwrap();
    text.split_terminator('\n').map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Returns the CSV cell for a JSON value.
fn csv_cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            items.iter().map(|item| item.as_str().unwrap()).collect::<Vec<_>>().join(";")
        }
        other => other.to_string(),
    }
}

fn assert_csv_equals(bytes: &[u8], rows: &Rows, table: Table<'_>) {
    let mut reader = csv::Reader::from_reader(bytes);
    let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let records: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(records.len(), rows.len(), "{}", table.name());
    for (record, row) in records.iter().zip(rows) {
        assert_eq!(header.iter().collect::<Vec<_>>(), row.keys().collect::<Vec<_>>());
        for ((cell, value), name) in record.iter().zip(row.values()).zip(&header) {
            assert_eq!(cell, csv_cell(value), "{name}");
        }
    }
}

/// The JSON value at `at` of an Arrow column.
fn arrow_value(column: &ArrayRef, at: usize) -> Value {
    if column.is_null(at) {
        return Value::Null;
    }
    match column.data_type() {
        DataType::Utf8 => column.as_string::<i32>().value(at).into(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(at).into(),
        DataType::Boolean => column.as_boolean().value(at).into(),
        DataType::Timestamp(TimeUnit::Millisecond, zone) => {
            assert_eq!(zone.as_deref(), Some("UTC"));
            let millis = column.as_primitive::<TimestampMillisecondType>().value(at);
            Time::from_millis(millis).unwrap().to_string().into()
        }
        DataType::Dictionary(_, _) => {
            let words = column.as_dictionary::<Int32Type>();
            arrow_value(words.values(), words.key(at).unwrap())
        }
        DataType::List(_) => {
            let items = column.as_list::<i32>().value(at);
            (0..items.len()).map(|item| arrow_value(&items, item)).collect()
        }
        other => panic!("no column is of type {other}"),
    }
}

/// The rows of a Parquet file.
pub fn read_parquet(bytes: &[u8]) -> Rows {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    reader.flat_map(|batch| batch_rows(&batch.unwrap())).collect()
}

/// The rows of `batch`.
pub fn batch_rows(batch: &RecordBatch) -> Rows {
    let schema = batch.schema();
    let row = |at| {
        let cells = schema.fields().iter().zip(batch.columns());
        cells.map(|(field, column)| (field.name().clone(), arrow_value(column, at))).collect()
    };
    (0..batch.num_rows()).map(row).collect()
}

/// Returns `row` as in Parquet: JSON values of custom columns are texts, and missing values of
/// required columns are not null.
fn as_parquet(mut row: Map<String, Value>) -> Map<String, Value> {
    for (name, value) in &mut row {
        if value.is_object() {
            *value = value.to_string().into();
        }
        if value.is_null() && ["email", "message_id"].contains(&name.as_str()) {
            *value = "".into();
        }
    }
    row
}

fn assert_formats_agree(table: Table<'_>, samples: &[Sample]) {
    let rows = read_ndjson(&bytes(Format::Ndjson, table, samples));
    assert_eq!(rows.len(), samples.len());
    let array: Rows = serde_json::from_slice(&bytes(Format::Json, table, samples)).unwrap();
    assert_eq!(array, rows);
    assert_csv_equals(&bytes(Format::Csv, table, samples), &rows, table);
    let expected: Rows = rows.into_iter().map(as_parquet).collect();
    assert_eq!(read_parquet(&bytes(Format::Parquet, table, samples)), expected);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_format_holds_the_same_rows(samples in proptest::collection::vec(sample(), 0..6)) {
        assert_formats_agree(Table::Signals(&own_columns()), &samples);
        assert_formats_agree(Table::Leads, &samples);
    }
}

fn one_sample() -> Sample {
    Sample {
        id: 0xab,
        millis: Some(1_751_328_034_985),
        score: 50,
        texts: ["Demo, Requested", "=cmd", "ana@acme.example", ""].map(str::to_owned),
        json: Some(-7),
    }
}

fn one_signal(format: Format) -> String {
    let own = own_columns();
    let layout = Layout { table: Table::Signals(&own), format, guard: FormulaGuard::On };
    String::from_utf8(write(&layout, &[one_sample()], Vec::new()).unwrap()).unwrap()
}

#[test]
fn a_signal_as_csv() {
    let expected = "signal_id,timestamp,received_at,type,event,signal,signal_type,high_intent,\
        rule,score,lead_email,resolution,anonymous_id,user_id,page_url,page_name,source,\
        message_id,form,\"a \"\"quoted\"\", name\"\n\
        000000000000000000000000000000ab,2025-07-01T00:00:34.985Z,,page,\"Demo, Requested\",\
        '=cmd,Form Fill,true,,50,ana@acme.example,rehydrated,,,ana@acme.example,'=cmd,segment,\
        \"Demo, Requested\",,\"{\"\"n\"\":[-7,null,\"\"a,b\"\"]}\"\n";
    assert_eq!(one_signal(Format::Csv), expected);
}

#[test]
fn a_signal_as_ndjson_and_json() {
    let row = r#"{"signal_id":"000000000000000000000000000000ab","timestamp":"2025-07-01T00:00:34.985Z","received_at":null,"type":"page","event":"Demo, Requested","signal":"=cmd","signal_type":"Form Fill","high_intent":true,"rule":null,"score":50,"lead_email":"ana@acme.example","resolution":"rehydrated","anonymous_id":null,"user_id":null,"page_url":"ana@acme.example","page_name":"=cmd","source":"segment","message_id":"Demo, Requested","form":null,"a \"quoted\", name":{"n":[-7,null,"a,b"]}}"#;
    assert_eq!(one_signal(Format::Ndjson), format!("{row}\n"));
    assert_eq!(one_signal(Format::Json), format!("[\n{row}\n]\n"));
}

#[test]
fn a_lead_as_ndjson_has_lists() {
    let text = bytes(Format::Ndjson, Table::Leads, &[one_sample()]);
    let row = &read_ndjson(&text)[0];
    let names = "email name first_name last_name company title phone score signals \
        high_intent_signals rehydrated_signals first_seen last_seen identified_at first_page_url \
        first_referrer utm_source utm_medium utm_campaign last_signal top_signal anonymous_ids \
        user_ids sources";
    assert_eq!(row.keys().cloned().collect::<Vec<_>>().join(" "), names);
    assert_eq!(row["anonymous_ids"], serde_json::json!(["Demo, Requested", "=cmd"]));
    assert_eq!(row["user_ids"], serde_json::json!([]));
}

#[test]
fn guarded_cells_are_counted() {
    let own = own_columns();
    let layout =
        Layout { table: Table::Signals(&own), format: Format::Csv, guard: FormulaGuard::On };
    let mut encoder = layout.encoder();
    one_sample().encode_signal(&mut encoder);
    let mut writer = layout.writer(io::sink()).unwrap();
    writer.write(encoder.take()).unwrap();
    one_sample().encode_signal(&mut encoder);
    writer.write(encoder.take()).unwrap();
    assert_eq!(writer.guarded_cells(), 4);
}

#[test]
fn a_table_without_rows_is_valid() {
    assert_eq!(bytes(Format::Json, Table::Leads, &[]), b"[\n]\n");
    assert_eq!(bytes(Format::Ndjson, Table::Leads, &[]), b"");
    assert!(bytes(Format::Csv, Table::Leads, &[]).ends_with(b",sources\n"));
    assert!(read_parquet(&bytes(Format::Parquet, Table::Leads, &[])).is_empty());
}

#[test]
fn text_does_not_depend_on_where_chunks_end() {
    let samples = vec![one_sample(); 5];
    for format in [Format::Csv, Format::Ndjson, Format::Json] {
        let layout = Layout { table: Table::Leads, format, guard: FormulaGuard::Off };
        let mut writer = layout.writer(Vec::new()).unwrap();
        let mut encoder = layout.encoder();
        for sample in &samples {
            sample.encode_lead(&mut encoder);
            writer.write(encoder.take()).unwrap();
            writer.write(encoder.take()).unwrap(); // an empty one
        }
        assert_eq!(writer.finish().unwrap(), bytes(format, Table::Leads, &samples), "{format}");
    }
}

#[test]
fn what_is_never_missing_is_not_nullable_in_parquet() {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&bytes(Format::Parquet, Table::Signals(&[]), &[one_sample()])).unwrap();
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let required: Vec<_> = builder.schema().fields().iter().filter(|f| !f.is_nullable()).collect();
    let names: Vec<_> = required.iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, ["signal_id", "type", "high_intent", "score", "resolution", "message_id"]);
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_an_error_of_its_kind_in_every_format() {
    let samples = vec![one_sample(); 100];
    for format in Format::ALL {
        let layout = Layout { table: Table::Leads, format, guard: FormulaGuard::On };
        let full = File::create("/dev/full").unwrap();
        let error = write(&layout, &samples, full).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull, "{format}: {error}");
    }
}

/// Writes both tables in every format to `dir`.
fn write_all(dir: &Path, samples: &[Sample]) {
    let own = own_columns();
    let staging = Staging::new(dir, Overwrite::No, &[]).unwrap();
    let mut files = Vec::new();
    for table in [Table::Signals(&own), Table::Leads] {
        for format in Format::ALL {
            let name = format!("{}.{}", table.name(), format.extension());
            let layout = Layout { table, format, guard: FormulaGuard::On };
            files.push(write(&layout, samples, staging.create(&name).unwrap()).unwrap());
        }
    }
    staging.commit(files).unwrap();
}

/// The same comparison with Python's readers, if there is a Python.
#[test]
fn python_reads_the_same_rows_from_every_format() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/read_outputs.py");
    let python = std::env::var_os("BACKTRAIL_TEST_PYTHON").unwrap_or_else(|| "python3".into());
    if Command::new(&python).arg("--version").output().is_err() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut samples = vec![one_sample()];
    let mut millis = -62_135_596_800_000;
    for (at, text) in ["+49 (30) 1", "a;b", "\ttab", "\r\n", "\"", "Grüße 🦀", "\u{1f}\\", "-1e3"]
        .iter()
        .enumerate()
    {
        let mut sample = one_sample();
        sample.texts[at % 4] = (*text).to_owned();
        sample.texts[3 - at % 4] = format!("{text},{text}");
        sample.millis = (at > 2).then_some(millis);
        millis += 86_400_001;
        sample.json = (at % 2 == 0).then_some(i64::MAX);
        samples.push(sample);
    }
    write_all(dir.path(), &samples);
    let check = |dir: &Path| Command::new(&python).arg(&script).arg(dir).output().unwrap();
    let output = check(dir.path());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));

    let path = dir.path().join("signals.csv");
    let changed = std::fs::read_to_string(&path).unwrap().replacen("Form Fill", "Form Full", 1);
    std::fs::write(&path, changed).unwrap();
    let output = check(dir.path());
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("signal_type") && said.contains("Form Full"), "{said}");
}
