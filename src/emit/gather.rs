//! A table in memory, as Arrow record batches, for programs that take it from there.

use std::io;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use super::arrow::{Types, schema};
use super::encoder::{Body, Chunk};
use super::{Encoder, Format, FormulaGuard, Layout, Table};

/// The rows of one table, with the columns and types that its Parquet file would have.
#[derive(Clone, Debug)]
pub struct Gathered {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
}

impl Gathered {
    /// `table` without a row.
    pub fn new(table: Table<'_>) -> Self {
        Self { schema: schema(table, Types::Compact), batches: Vec::new() }
    }

    /// An encoder of rows of `table` for [`push`](Self::push); one for each worker.
    pub fn encoder(table: Table<'_>) -> Encoder {
        Layout { table, format: Format::Parquet, guard: FormulaGuard::Off }.encoder()
    }

    /// Appends the rows of `chunk`.
    ///
    /// # Errors
    /// `InvalidInput` for a chunk of another format or table.
    pub fn push(&mut self, chunk: Chunk) -> io::Result<()> {
        let invalid = |error| io::Error::new(io::ErrorKind::InvalidInput, error);
        let Body::Columns(batches) = chunk.body else {
            return Err(invalid("a chunk of another format".into()));
        };
        for columns in batches {
            let batch = RecordBatch::try_new(self.schema.clone(), columns);
            self.batches.push(batch.map_err(|error| invalid(error.to_string()))?);
        }
        Ok(())
    }

    /// The columns and their types.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The rows in order, each batch with dictionaries of its own.
    pub fn batches(&self) -> &[RecordBatch] {
        &self.batches
    }

    /// How many rows it has.
    pub fn rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emit::row::LeadRow;

    #[test]
    fn rows_are_those_that_were_encoded_and_other_chunks_are_refused() {
        let mut leads = Gathered::new(Table::Leads);
        let mut encoder = Gathered::encoder(Table::Leads);
        leads.push(encoder.take()).unwrap();
        assert_eq!((leads.rows(), leads.schema().fields().len()), (0, 24));
        for email in ["a@x.example", "b@x.example"] {
            encoder.lead(&LeadRow { email, ..LeadRow::default() });
        }
        leads.push(encoder.take()).unwrap();
        assert_eq!(leads.rows(), 2);
        let emails = format!("{:?}", leads.batches()[0].column(0));
        assert!(emails.contains("a@x.example") && emails.contains("b@x.example"), "{emails}");

        let csv = Layout { table: Table::Leads, format: Format::Csv, guard: FormulaGuard::On };
        let refused = leads.push(csv.encoder().take()).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::InvalidInput);
        let signals = Gathered::encoder(Table::Signals(&[])).take();
        assert!(leads.push(signals).is_ok(), "no row, nothing to refuse");
    }
}
