//! Converts batches of tables to the rows of a CSV file.

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use backtrail::time::Time;

use crate::support::Row;

/// The rows of `batches`.
pub fn rows(batches: &[RecordBatch]) -> Vec<Row> {
    let of_batch = |batch: &RecordBatch| {
        let row = |row| {
            let schema = batch.schema();
            let fields = schema.fields().iter().zip(batch.columns());
            fields.map(|(field, column)| (field.name().clone(), cell(&**column, row))).collect()
        };
        (0..batch.num_rows()).map(row).collect::<Vec<Row>>()
    };
    batches.iter().flat_map(of_batch).collect()
}

fn cell(column: &dyn Array, row: usize) -> String {
    if column.is_null(row) {
        return String::new();
    }
    match column.data_type() {
        DataType::Utf8 => column.as_string::<i32>().value(row).to_owned(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Boolean => column.as_boolean().value(row).to_string(),
        DataType::Timestamp(..) => {
            let micros = column.as_primitive::<TimestampMicrosecondType>().value(row);
            Time::from_millis(micros.div_euclid(1000)).unwrap().to_string()
        }
        DataType::List(_) => {
            let items = column.as_list::<i32>().value(row);
            let items: Vec<&str> = items.as_string::<i32>().iter().flatten().collect();
            items.join(";")
        }
        other => panic!("a table has a column of {other}"),
    }
}
