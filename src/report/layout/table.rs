//! Tables whose columns fit their cells and the width of the page.

use unicode_width::UnicodeWidthStr;

use super::Layout;
use super::words::fitted;
use crate::diagnostic::printable;
use crate::report::colour::Tone;

/// The indentation of a table, in columns.
const INDENT: usize = 2;
/// The number of spaces between columns.
const GAP: usize = 2;
/// The minimum width of a column that is cut, however little room there is.
const LEAST: usize = 6;

/// How a column behaves on a narrow page, and how its cells are aligned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Left-aligned, cut to the room that the other columns leave.
    Name,
    /// Left-aligned, never cut.
    Word,
    /// Right-aligned, never cut.
    Figure,
}

/// A column of a table.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    head: String,
    kind: Kind,
}

impl Column {
    /// Creates a column of names of any length, which are cut on a narrow page.
    pub fn name(head: impl Into<String>) -> Self {
        Self { head: head.into(), kind: Kind::Name }
    }

    /// Creates a column of words of limited length.
    pub fn word(head: impl Into<String>) -> Self {
        Self { head: head.into(), kind: Kind::Word }
    }

    /// Creates a column of figures.
    pub fn figure(head: impl Into<String>) -> Self {
        Self { head: head.into(), kind: Kind::Figure }
    }
}

/// A cell of a table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cell {
    text: String,
    tone: Option<Tone>,
}

impl Cell {
    /// Returns the cell in the colour of `tone`.
    pub fn toned(self, tone: Tone) -> Self {
        Self { tone: Some(tone), ..self }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: text.into(), tone: None }
    }
}

struct Row {
    cells: Vec<Cell>,
    /// Lines below the row, written unchanged.
    below: Vec<String>,
}

/// A table with its rows.
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Row>,
}

impl Table {
    /// Creates a table with `columns`.
    pub fn new(columns: impl IntoIterator<Item = Column>) -> Self {
        Self { columns: columns.into_iter().collect(), rows: Vec::new() }
    }

    /// Appends a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(Row { cells: cells.into_iter().collect(), below: Vec::new() });
    }

    /// Appends lines below the last row.
    pub fn below(&mut self, lines: impl IntoIterator<Item = String>) {
        if let Some(row) = self.rows.last_mut() {
            row.below.extend(lines);
        }
    }

    /// Returns the lines of the table for `layout`.
    pub fn lines(&self, layout: Layout) -> Vec<String> {
        let widths = self.widths(layout.width());
        let mut lines = Vec::new();
        if self.columns.iter().any(|column| !column.head.is_empty()) {
            let heads: Vec<Cell> =
                self.columns.iter().map(|column| Cell::from(column.head.as_str())).collect();
            lines.push(self.line(&heads, &widths, layout));
        }
        for row in &self.rows {
            lines.push(self.line(&row.cells, &widths, layout));
            lines.extend(row.below.iter().cloned());
        }
        lines
    }

    fn line(&self, cells: &[Cell], widths: &[usize], layout: Layout) -> String {
        let mut line = " ".repeat(INDENT);
        for (place, ((cell, column), &width)) in
            cells.iter().zip(&self.columns).zip(widths).enumerate()
        {
            if place > 0 {
                line.push_str(&" ".repeat(GAP));
            }
            let text = match column.kind {
                Kind::Name => fitted(&cell.text, width),
                Kind::Word | Kind::Figure => cell.text.clone(),
            };
            let blanks = " ".repeat(width.saturating_sub(text.width()));
            let text = cell.tone.map_or_else(|| text.clone(), |tone| layout.paint(&text, tone));
            match column.kind {
                Kind::Figure => line.extend([blanks, text]),
                Kind::Name | Kind::Word => line.extend([text, blanks]),
            }
        }
        line.truncate(line.trim_end().len());
        line
    }

    /// Returns the width of each column: that of its widest cell, except that name columns share
    /// the rest.
    fn widths(&self, page: usize) -> Vec<usize> {
        let mut widths: Vec<usize> = (0..self.columns.len()).map(|at| self.widest(at)).collect();
        let gaps = GAP * self.columns.len().saturating_sub(1);
        let is_name = |at: &usize| self.columns[*at].kind == Kind::Name;
        let fixed: usize = (0..widths.len()).filter(|at| !is_name(at)).map(|at| widths[at]).sum();
        let mut room = page.saturating_sub(INDENT + gaps + fixed);
        // The narrowest comes first, so that the room it does not need goes to the others.
        let mut names: Vec<usize> = (0..widths.len()).filter(is_name).collect();
        names.sort_by_key(|&at| widths[at]);
        let count = names.len();
        for (place, at) in names.into_iter().enumerate() {
            let share = room / (count - place);
            widths[at] = widths[at].min(share.max(LEAST));
            room = room.saturating_sub(widths[at]);
        }
        widths
    }

    fn widest(&self, at: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.cells.get(at));
        let head = self.columns[at].head.as_str();
        cells.map(|cell| cell.text.as_str()).chain([head]).map(shown_width).max().unwrap_or(0)
    }
}

/// Returns the width of `text` in columns, as [`fitted`] shows it.
fn shown_width(text: &str) -> usize {
    printable(text).width()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::report::colour::Colour;

    #[test]
    fn columns_are_as_wide_as_what_they_hold() {
        let mut table =
            Table::new([Column::name("event"), Column::figure("count"), Column::word("")]);
        table.row(["試用".into(), "1,200".into(), Cell::from("red").toned(Tone::Bad)]);
        table.below(["    a line".into()]);
        table.row(["Demo Requested".into(), "7".into(), "".into()]);
        let expected = [
            "  event           count",
            "  試用            1,200  red",
            "    a line",
            "  Demo Requested      7",
        ];
        assert_eq!(table.lines(Layout::plain()), expected);
        let coloured = table.lines(Layout::new(80, Colour::On));
        assert!(coloured[1].ends_with("1,200  \u{1b}[31mred\u{1b}[0m"), "{coloured:?}");
    }

    #[test]
    fn names_share_what_is_left_and_what_one_does_not_need_goes_to_the_others() {
        let mut table = Table::new([Column::name(""), Column::figure(""), Column::name("")]);
        table.row(["a".repeat(100).into(), "5".into(), "short".into()]);
        assert_eq!(table.widths(60), [48, 1, 5]);
        table.row(["b".into(), "5".into(), "c".repeat(100).into()]);
        assert_eq!(table.widths(60), [26, 1, 27]);
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_the_page(
            rows in prop::collection::vec((r"[a-z 試用❤️👩‍💻\t]{0,90}", any::<u32>(), "[a-zé試]{0,50}"), 1..6),
            columns in 20_usize..200,
        ) {
            let heads = [Column::name("event"), Column::figure("count"), Column::name("by")];
            let mut table = Table::new(heads);
            for (name, count, by) in rows {
                table.row([name.into(), count.to_string().into(), by.into()]);
            }
            let layout = Layout::new(columns, Colour::Off);
            for line in table.lines(layout) {
                prop_assert!(line.width() <= layout.width(), "{line:?}");
            }
        }
    }
}
