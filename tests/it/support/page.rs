//! The contents of a page, read from its document.

use serde_json::Value;

/// Returns the element that begins with `start`, up to `end`.
#[track_caller]
pub fn element<'d>(dom: &'d str, start: &str, end: &str) -> &'d str {
    let (_, rest) = dom.split_once(start).unwrap_or_else(|| panic!("no {start} in the page"));
    rest.split_once(end).unwrap_or_else(|| panic!("no {end} after {start}")).0
}

/// The texts of the cells of each row in the body of the table `id`.
pub fn rows(dom: &str, id: &str) -> Vec<Vec<String>> {
    let table = element(dom, &format!(" id=\"{id}\"><caption>"), "</table>");
    let body = element(table, "<tbody>", "</tbody>");
    let rows = body.split("<tr").skip(1);
    rows.map(|row| {
        let cells = cells_of(row).map(plain);
        cells.collect()
    })
    .collect()
}

/// The text of some markup.
pub fn plain(markup: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for char in markup.chars() {
        match char {
            '<' => inside = true,
            '>' => inside = false,
            char if !inside => text.push(char),
            _ => {}
        }
    }
    text.trim().replace("&amp;", "&")
}

/// Returns a number as on the page.
pub fn shown(number: &Value) -> String {
    let number = number.as_i64().unwrap();
    let digits = number.unsigned_abs().to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if number < 0 { format!("-{out}") } else { out }
}

/// Returns the list at `pointer`.
#[track_caller]
pub fn list<'r>(report: &'r Value, pointer: &str) -> &'r Vec<Value> {
    report.pointer(pointer).unwrap().as_array().unwrap()
}

/// The markup of each cell of a row.
fn cells_of(row: &str) -> impl Iterator<Item = &str> {
    let cells = row.split("<t").skip(1).filter(|cell| cell.starts_with(['h', 'd']));
    cells.map(|cell| cell.split_once('>').unwrap().1)
}
