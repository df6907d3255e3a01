"""The job with DuckDB: duckdb_job.py INPUT OUTPUT_FOLDER."""

import sys

sys.dont_write_bytecode = True

import duckdb

from sql import script

with duckdb.connect() as connection:
    connection.execute(script("duckdb.sql", *sys.argv[1:]))
