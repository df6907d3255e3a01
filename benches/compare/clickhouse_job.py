"""The job with ClickHouse, as the library chDB: clickhouse_job.py INPUT OUTPUT_FOLDER."""

import sys

sys.dont_write_bytecode = True

from chdb.session import Session

from sql import script

with Session() as session:
    session.query(script("clickhouse.sql", *sys.argv[1:]))
