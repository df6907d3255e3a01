//! Encodes rows to chunks: the half of writing that workers do in parallel.

use super::Format;
use super::arrow::{ArrowRows, Columns, Types};
use super::crm::{Crm, CrmLead};
use super::csv::CsvRows;
use super::json::{Between, JsonRows};
use super::row::{LeadRow, RedactedLead, Row, SignalRow};
use super::table::{Layout, Table};

/// Encodes the rows of one chunk after the other. Created by [`Layout::encoder`], one for each
/// worker, and reused: its buffers keep their size.
pub struct Encoder {
    rows: usize,
    format: Rows,
    /// The kind of rows that it accepts.
    kind: RowKind,
}

/// The kind of the rows of a table.
#[derive(Clone, Copy, PartialEq, Eq)]
enum RowKind {
    Signals,
    Leads,
    RedactedLeads,
    LeadsFor(Crm),
}

enum Rows {
    Csv(CsvRows),
    Json(JsonRows),
    Parquet(Box<ArrowRows>),
}

/// Encoded rows, to be passed to the [`TableWriter`](super::TableWriter) of the same layout.
pub struct Chunk {
    pub(super) body: Body,
    rows: usize,
    guarded_cells: u64,
}

pub(super) enum Body {
    Text(Vec<u8>),
    Columns(Vec<Columns>),
}

/// The buffers of a chunk that has been written.
pub struct Spent(pub(super) Option<Vec<u8>>);

impl Chunk {
    /// Returns the number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Returns the number of CSV cells that were guarded against being run as formulas.
    pub fn guarded_cells(&self) -> u64 {
        self.guarded_cells
    }
}

impl Encoder {
    pub(super) fn new(layout: &Layout<'_>) -> Self {
        let table = layout.table;
        let format = match layout.format {
            Format::Csv => Rows::Csv(CsvRows::new(table, layout.guard)),
            Format::Ndjson => Rows::Json(JsonRows::new(table, Between::Lines)),
            Format::Json => Rows::Json(JsonRows::new(table, Between::Commas)),
            Format::Parquet => Rows::Parquet(Box::new(ArrowRows::new(table, Types::Compact))),
        };
        let kind = match table {
            Table::Signals(_) | Table::RedactedSignals(_) => RowKind::Signals,
            Table::Leads => RowKind::Leads,
            Table::RedactedLeads => RowKind::RedactedLeads,
            Table::LeadsFor(crm) => RowKind::LeadsFor(crm),
        };
        Self { rows: 0, format, kind }
    }

    /// Appends a row of `signals`; the encoder must be for that table.
    #[inline]
    pub fn signal(&mut self, row: &SignalRow<'_>) {
        debug_assert!(self.kind == RowKind::Signals, "a signal among leads");
        self.push(row);
    }

    /// Appends a row of `leads`; the encoder must be for that table.
    #[inline]
    pub fn lead(&mut self, row: &LeadRow<'_>) {
        debug_assert!(self.kind != RowKind::Signals, "a lead among signals");
        match self.kind {
            RowKind::Signals | RowKind::Leads => self.push(row),
            RowKind::RedactedLeads => self.push(&RedactedLead(row)),
            RowKind::LeadsFor(crm) => self.push(&CrmLead { crm, lead: row }),
        }
    }

    /// Returns the rows appended since the last call.
    pub fn take(&mut self) -> Chunk {
        let (body, guarded_cells) = match &mut self.format {
            Rows::Csv(rows) => {
                let (text, guarded) = rows.take();
                (Body::Text(text), guarded)
            }
            Rows::Json(rows) => (Body::Text(rows.take()), 0),
            Rows::Parquet(rows) => (Body::Columns(rows.take()), 0),
        };
        Chunk { body, rows: std::mem::take(&mut self.rows), guarded_cells }
    }

    /// Takes back the buffers of a chunk that has been written, so that the next chunk needs no
    /// allocation.
    pub fn reuse(&mut self, spent: Spent) {
        match (&mut self.format, spent.0) {
            (Rows::Csv(rows), Some(buffer)) => rows.reuse(buffer),
            (Rows::Json(rows), Some(buffer)) => rows.reuse(buffer),
            _ => {}
        }
    }

    #[inline]
    fn push(&mut self, row: &impl Row) {
        self.rows += 1;
        match &mut self.format {
            Rows::Csv(rows) => rows.push(row),
            Rows::Json(rows) => rows.push(row),
            Rows::Parquet(rows) => rows.push(row),
        }
    }
}
