"""The job with DuckDB: duckdb_job.py INPUT OUTPUT_FOLDER."""

import sys

sys.dont_write_bytecode = True

import duckdb

from sql import statements

with duckdb.connect() as connection:
    for statement in statements("duckdb.sql", *sys.argv[1:]):
        connection.execute(statement)
