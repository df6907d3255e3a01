//! CSV: what is written is read back, and no cell begins a formula.

use backtrail::emit::row::{Cell, LeadRow, SignalRow};
use backtrail::emit::{Format, FormulaGuard, Layout, Table};
use backtrail::event::CallType;
use backtrail::time::Time;

/// Writes rows of the texts that zero bytes divide `data` into, and reads them back.
///
/// # Panics
/// If a cell is another one, or one that is guarded begins a formula.
pub fn target(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let texts: Vec<&str> = text.split('\0').collect();
    let at = |place: usize| texts.get(place).copied().unwrap_or_default();
    for guard in [FormulaGuard::Off, FormulaGuard::On] {
        signal(&[at(0), at(1), at(2), at(3)], guard);
        lead(&[at(0), at(1), at(2)], guard);
    }
}

fn signal(texts: &[&str; 4], guard: FormulaGuard) {
    let columns = [Cell::Text(texts[3]), Cell::Absent, Cell::Json("{\"a\":1}")];
    let row = SignalRow {
        signal_id: 7,
        timestamp: Time::MISSING,
        received_at: Time::MISSING,
        call: CallType::Track,
        event: texts[0],
        signal: texts[1],
        signal_type: "",
        high_intent: false,
        rule: "",
        score: -7,
        lead_email: "",
        resolution: "cold",
        anonymous_id: texts[2],
        user_id: "",
        page_url: texts[1],
        page_name: texts[0],
        source: "segment",
        message_id: texts[2],
        columns: &columns,
    };
    let names = ["own", "two", "three"].map(str::to_owned);
    let layout = Layout { table: Table::Signals(&names), format: Format::Csv, guard };
    let mut encoder = layout.encoder();
    encoder.signal(&row);
    let cells = read(&layout, encoder.take());
    for (name, text) in [
        ("event", texts[0]),
        ("signal", texts[1]),
        ("anonymous_id", texts[2]),
        ("page_url", texts[1]),
        ("message_id", texts[2]),
        ("own", texts[3]),
        ("score", "-7"),
        ("three", "{\"a\":1}"),
    ] {
        let found = &cells.iter().find(|(column, _)| column == name).unwrap().1;
        check(found, text, guard, name);
    }
}

fn lead(texts: &[&str; 3], guard: FormulaGuard) {
    let row = LeadRow {
        email: texts[0],
        name: texts[1],
        first_name: texts[2],
        last_name: "",
        company: "",
        title: "",
        phone: "",
        score: 1,
        signals: 2,
        high_intent_signals: 3,
        rehydrated_signals: 4,
        first_seen: Time::MISSING,
        last_seen: Time::MISSING,
        identified_at: Time::MISSING,
        first_page_url: "",
        first_referrer: "",
        utm_source: "",
        utm_medium: "",
        utm_campaign: "",
        last_signal: "",
        top_signal: "",
        anonymous_ids: &texts[..2],
        user_ids: &[],
        sources: &["segment"],
    };
    let layout = Layout { table: Table::Leads, format: Format::Csv, guard };
    let mut encoder = layout.encoder();
    encoder.lead(&row);
    let cells = read(&layout, encoder.take());
    for (name, text) in [("email", texts[0]), ("name", texts[1]), ("first_name", texts[2])] {
        let found = &cells.iter().find(|(column, _)| column == name).unwrap().1;
        check(found, text, guard, name);
    }
}

/// The only row of a table, by column.
fn read(layout: &Layout<'_>, chunk: backtrail::emit::Chunk) -> Vec<(String, String)> {
    let mut writer = layout.writer(Vec::new()).unwrap();
    writer.write(chunk).unwrap();
    let bytes = writer.finish().unwrap();
    let mut reader = ::csv::ReaderBuilder::new().from_reader(bytes.as_slice());
    let names = reader.headers().unwrap().clone();
    let rows: Vec<::csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 1, "{}", String::from_utf8_lossy(&bytes));
    names.iter().map(str::to_owned).zip(rows[0].iter().map(str::to_owned)).collect()
}

fn check(found: &str, text: &str, guard: FormulaGuard, name: &str) {
    let is_guarded = guard == FormulaGuard::On && found != text;
    let shown = if is_guarded { found.strip_prefix('\'').unwrap_or(found) } else { found };
    assert_eq!(shown, text, "{name}");
    if guard == FormulaGuard::On {
        assert!(
            !found.starts_with(['=', '@', '\t', '\r', '\u{ff1d}', '\u{ff20}']),
            "{name}: {found:?}"
        );
    }
}
