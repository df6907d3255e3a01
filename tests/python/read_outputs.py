#!/usr/bin/env python3
"""Reads the tables of an output directory with readers that are not ours, and compares them.

    read_outputs.py [--csv-raw] DIRECTORY

Every format of a table that is there (csv, ndjson, json; parquet where pyarrow is installed) must
hold the same rows. Prints what was compared; prints each difference and exits with 1 if there is
one, with 2 if there is no table at all. --csv-raw says that CSV was written without the guard
against formula injection.
"""

import csv
import json
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

LISTS = {"anonymous_ids", "user_ids", "sources"}
TIMES = {"timestamp", "received_at", "first_seen", "last_seen", "identified_at"}
INTEGERS = {"score", "signals", "high_intent_signals", "rehydrated_signals"}
MOST_DIFFERENCES = 20


class Number(str):
    """A JSON number, digit for digit."""


def compact(value):
    """The text of a JSON value, members in the order in which they came."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, list):
        return "[" + ",".join(map(compact, value)) + "]"
    if isinstance(value, dict):
        members = (json.dumps(k, ensure_ascii=False) + ":" + compact(v) for k, v in value.items())
        return "{" + ",".join(members) + "}"
    return json.dumps(value, ensure_ascii=False)


def cell(name, value):
    """What a value is as text: the form in which all formats are compared."""
    if value is None:
        return ""
    if name in LISTS:
        return ";".join(value)
    if isinstance(value, str):
        return str(value)
    return compact(value)


def check_json_types(name, value):
    if name in LISTS:
        right = isinstance(value, list) and all(type(item) is str for item in value)
    elif name in INTEGERS:
        right = isinstance(value, Number) and value.lstrip("-").isdigit()
    elif name == "high_intent":
        right = isinstance(value, bool)
    else:
        right = value != ""
    if not right:
        raise ValueError(f"column {name}: {value!r} is of the wrong type")


def objects(rows):
    if not rows:
        return None, []
    names = list(rows[0])
    for at, row in enumerate(rows):
        if list(row) != names:
            raise ValueError(f"row {at + 1}: columns {list(row)}, not {names}")
        for name, value in row.items():
            check_json_types(name, value)
    return names, [[cell(name, row[name]) for name in names] for row in rows]


def no_duplicates(pairs):
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member name stands twice")
    return members


def parse(text):
    return json.loads(
        text, parse_int=Number, parse_float=Number, object_pairs_hook=no_duplicates
    )


def read_ndjson(path):
    text = path.read_bytes().decode("utf-8")
    if text and not text.endswith("\n"):
        raise ValueError("the last line does not end")
    return objects([parse(line) for line in text.split("\n")[:-1]])


def read_json(path):
    rows = parse(path.read_bytes().decode("utf-8"))
    if not isinstance(rows, list):
        raise ValueError("not an array")
    return objects(rows)


def read_csv(path):
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file, strict=True))
    names, rows = rows[0], rows[1:]
    for at, row in enumerate(rows):
        if len(row) != len(names):
            raise ValueError(f"row {at + 1}: {len(row)} cells, not {len(names)}")
    return names, rows


def time_text(millis):
    """RFC 3339 in UTC to the millisecond, also of the year 0, which datetime does not know."""
    year_0 = millis < -62_135_596_800_000
    days = 146_097 if year_0 else 0
    time = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(days=days, milliseconds=millis)
    year = time.year - (400 if year_0 else 0)
    return f"{year:04}-{time:%m-%dT%H:%M:%S}.{time.microsecond // 1000:03}Z"


def read_parquet(path):
    import pyarrow
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(path)
    columns = []
    for name in table.column_names:
        column, kind = table[name], table.schema.field(name).type
        if name in TIMES:
            wanted = pyarrow.timestamp("ms", "UTC")
            values = [None if v is None else time_text(v) for v in column.cast("int64").to_pylist()]
        else:
            values = column.to_pylist()
            if name in LISTS:
                wanted = pyarrow.list_(pyarrow.field(kind.value_field.name, "string", False))
            elif name in INTEGERS:
                wanted = pyarrow.int64()
            elif name == "high_intent":
                wanted = pyarrow.bool_()
            elif pyarrow.types.is_dictionary(kind):
                wanted = pyarrow.dictionary("int32", "string")
            else:
                wanted = pyarrow.string()
        if kind != wanted:
            raise ValueError(f"column {name}: type {kind}, not {wanted}")
        columns.append([cell(name, value) for value in values])
    return table.column_names, [list(row) for row in zip(*columns)]


def is_formula(text):
    if text[:1] in set("=@\t\r\n\uff1d\uff20"):
        return True
    return text[:1] in set("+-\uff0b\uff0d") and not set(text[1:]) <= set("0123456789 ().-+")


def guarded(name, text):
    if name in TIMES | INTEGERS | {"high_intent", "signal_id", "type", "resolution"}:
        return text
    items = text.split(";") if name in LISTS else [text]
    return ";".join("'" + item if is_formula(item) else item for item in items)


def read(path, raw):
    """The column names (None where a table without rows does not tell them) and the rows."""
    reader = {
        "csv": read_csv,
        "ndjson": read_ndjson,
        "json": read_json,
        "parquet": read_parquet,
    }[path.suffix[1:]]
    names, rows = reader(path)
    if path.suffix != ".csv" and not raw and names is not None:
        # The guard is applied rather than taken off: a text may begin with an apostrophe.
        rows = [[guarded(name, text) for name, text in zip(names, row)] for row in rows]
        names = [guarded("", name) for name in names]
    return names, rows


def differences(first, second):
    (names, rows), (other_names, other_rows) = first, second
    if None not in (names, other_names) and names != other_names:
        yield f"columns {names}, not {other_names}"
        return
    if len(rows) != len(other_rows):
        yield f"{len(rows)} rows, not {len(other_rows)}"
    for at, (row, other) in enumerate(zip(rows, other_rows)):
        for name, text, other_text in zip(names, row, other):
            if text != other_text:
                yield f"row {at + 1}, {name}: {text!r}, not {other_text!r}"


def can_read_parquet():
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        return False
    return True


def compare(directory, table, raw):
    """How many formats of a table are there, and what is wrong with them."""
    paths = [directory / f"{table}.{suffix}" for suffix in ("csv", "ndjson", "json", "parquet")]
    paths = [path for path in paths if path.exists()]
    readable = [path for path in paths if path.suffix != ".parquet" or can_read_parquet()]
    found, problems = [], []
    for path in readable:
        try:
            found.append((path, read(path, raw)))
        except (ValueError, csv.Error, IndexError) as error:
            problems.append(f"{path.name}: {error}")
    for path, content in found[1:]:
        first_path, first = found[0]
        for difference in differences(content, first):
            problems.append(f"{path.name} against {first_path.name}: {difference}")
    for path in paths:
        if path not in readable:
            print(f"{path.name}: not read, pyarrow is not installed")
    if found:
        print(f"{table}: {len(found[0][1][1])} rows in {', '.join(p.name for p, _ in found)}")
    return len(paths), problems


def main(arguments):
    raw = "--csv-raw" in arguments
    arguments = [argument for argument in arguments if argument != "--csv-raw"]
    if len(arguments) != 1:
        print(__doc__)
        return 2
    results = [compare(Path(arguments[0]), table, raw) for table in ("signals", "leads")]
    problems = [problem for _, found in results for problem in found]
    for problem in problems[:MOST_DIFFERENCES]:
        print(problem)
    if len(problems) > MOST_DIFFERENCES:
        print(f"and {len(problems) - MOST_DIFFERENCES} more")
    if sum(count for count, _ in results) == 0:
        print("no table found")
        return 2
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
