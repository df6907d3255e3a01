//! Casts columns that a host has converted back to the types of the schemas.
//!
//! Only casts that keep all values are supported: from wider texts and lists, views, dictionaries
//! of texts, other time units, and integers of other widths whose values fit. `arrow-cast` supports
//! these and all other pairs of types, but is the slowest crate of the build to compile.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use arrow_array::{
    Array, ArrayRef, BinaryArray, FixedSizeBinaryArray, GenericListArray, ListArray,
    OffsetSizeTrait, PrimitiveArray, StringArray, StructArray, TimestampMicrosecondArray,
};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{DataType, FieldRef, Fields, TimeUnit};

/// Casts `column` to the type `wanted`; returns `None` if that is not supported.
pub(super) fn cast(column: &ArrayRef, wanted: &DataType) -> Option<ArrayRef> {
    if column.data_type() == wanted {
        return Some(Arc::clone(column));
    }
    Some(match wanted {
        DataType::Utf8 => Arc::new(texts(column)?),
        DataType::Binary => Arc::new(hashes(column)?),
        DataType::Int32 => Arc::new(integers::<Int32Type>(column)?),
        DataType::Int64 => Arc::new(integers::<Int64Type>(column)?),
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            Arc::new(times(column)?.with_timezone("UTC"))
        }
        DataType::List(item) => match column.data_type() {
            DataType::List(_) => Arc::new(list(column.as_list::<i32>(), item)?),
            DataType::LargeList(_) => Arc::new(list(column.as_list::<i64>(), item)?),
            _ => return None,
        },
        DataType::Struct(members) => Arc::new(structs(column.as_struct_opt()?, members)?),
        _ => return None,
    })
}

fn texts(column: &ArrayRef) -> Option<StringArray> {
    Some(match column.data_type() {
        DataType::LargeUtf8 => column.as_string::<i64>().iter().collect(),
        DataType::Utf8View => column.as_string_view().iter().collect(),
        DataType::Dictionary(..) => {
            let dictionary = column.as_any_dictionary_opt()?;
            let values = cast(dictionary.values(), &DataType::Utf8)?;
            let (values, keys) = (values.as_string::<i32>(), dictionary.normalized_keys());
            let text = |(row, &key): (usize, &usize)| {
                let is_valid = column.is_valid(row) && values.is_valid(key);
                is_valid.then(|| values.value(key))
            };
            keys.iter().enumerate().map(text).collect()
        }
        DataType::Null => StringArray::new_null(column.len()),
        _ => return None,
    })
}

fn hashes(column: &ArrayRef) -> Option<BinaryArray> {
    Some(match column.data_type() {
        DataType::LargeBinary => column.as_binary::<i64>().iter().collect(),
        DataType::BinaryView => column.as_binary_view().iter().collect(),
        DataType::FixedSizeBinary(_) => {
            column.as_any().downcast_ref::<FixedSizeBinaryArray>()?.iter().collect()
        }
        _ => return None,
    })
}

fn integers<T: ArrowPrimitiveType>(column: &ArrayRef) -> Option<PrimitiveArray<T>>
where
    T::Native: TryFrom<i64>,
{
    let wide: PrimitiveArray<Int64Type> = match column.data_type() {
        DataType::Int8 => column.as_primitive::<Int8Type>().unary(i64::from),
        DataType::Int16 => column.as_primitive::<Int16Type>().unary(i64::from),
        DataType::Int32 => column.as_primitive::<Int32Type>().unary(i64::from),
        DataType::Int64 => column.as_primitive::<Int64Type>().clone(),
        _ => return None,
    };
    wide.try_unary(|value| T::Native::try_from(value).map_err(|_| ())).ok()
}

fn times(column: &ArrayRef) -> Option<TimestampMicrosecondArray> {
    let DataType::Timestamp(unit, _) = column.data_type() else { return None };
    let scaled = |factor: i64| move |value: i64| value.checked_mul(factor).ok_or(());
    Some(match unit {
        TimeUnit::Second => {
            column.as_primitive::<TimestampSecondType>().try_unary(scaled(1_000_000)).ok()?
        }
        TimeUnit::Millisecond => {
            column.as_primitive::<TimestampMillisecondType>().try_unary(scaled(1_000)).ok()?
        }
        TimeUnit::Microsecond => column.as_primitive::<TimestampMicrosecondType>().clone(),
        TimeUnit::Nanosecond => {
            let column = column.as_primitive::<TimestampNanosecondType>();
            column.unary(|value| value.div_euclid(1_000))
        }
    })
}

fn list<O: OffsetSizeTrait>(list: &GenericListArray<O>, item: &FieldRef) -> Option<ListArray> {
    if list.null_count() > 0 {
        return None;
    }
    let ends: Option<Vec<i32>> =
        list.value_offsets().iter().map(|end| i32::try_from(end.as_usize()).ok()).collect();
    let items = cast(list.values(), item.data_type())?;
    ListArray::try_new(Arc::clone(item), OffsetBuffer::new(ends?.into()), items, None).ok()
}

fn structs(column: &StructArray, members: &Fields) -> Option<StructArray> {
    let member = |field: &FieldRef| cast(column.column_by_name(field.name())?, field.data_type());
    let columns: Option<Vec<ArrayRef>> = members.iter().map(member).collect();
    StructArray::try_new(members.clone(), columns?, column.nulls().cloned()).ok()
}
