"""The tables of a job as files."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as f
from pyspark.sql.types import ArrayType, BooleanType, StringType, TimestampType

# What spreadsheets run as formulas, as the command guards its CSV cells.
FORMULA = "^[=@\\t\\r\\uFF1D\\uFF20]"
SIGN = "^[+\\-\\uFF0B\\uFF0D]"
NUMBER = "^[+\\-\\uFF0B\\uFF0D][0-9 ().\\-+]*$"


def write(table: DataFrame, path: str, format: str, guarded: bool) -> None:
    """Writes ``table`` to the folder ``path``, whose files Spark puts in place at the end.

    CSV cells are those that the command writes; each file has a header.
    """
    if format == "parquet":
        table.write.mode("overwrite").option("compression", "zstd").parquet(path)
        return
    cells = [_cell(table, name, guarded).alias(name) for name in table.columns]
    writer = table.select(*cells).write.mode("overwrite").options(header=True, escape='"')
    writer = writer.options(emptyValue="", nullValue="")
    writer.options(ignoreLeadingWhiteSpace=False, ignoreTrailingWhiteSpace=False).csv(path)


def _cell(table: DataFrame, name: str, guarded: bool) -> Column:
    kind, cell = table.schema[name].dataType, f.col(f"`{name}`")
    if isinstance(kind, TimestampType):
        return f.date_format(cell, "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'")
    if isinstance(kind, BooleanType):
        return cell.cast("string")
    if isinstance(kind, ArrayType):
        return f.concat_ws(";", f.transform(cell, lambda item: _guard(item, guarded)))
    return _guard(cell, guarded) if isinstance(kind, StringType) else cell


def _guard(cell: Column, guarded: bool) -> Column:
    if not guarded:
        return cell
    runs = cell.rlike(FORMULA) | (cell.rlike(SIGN) & ~cell.rlike(NUMBER))
    return f.when(runs, f.concat(f.lit("'"), cell)).otherwise(cell)
