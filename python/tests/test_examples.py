"""The notebook and the query of ``examples`` run as they stand."""

import json
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

import backtrail

EXAMPLES = Path(__file__).parents[1] / "examples"


def test_the_notebook_runs_from_its_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(EXAMPLES)
    cells = json.loads((EXAMPLES / "leads.ipynb").read_text())["cells"]
    names: dict[str, Any] = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
    assert isinstance(names["leads"], pl.DataFrame) and len(names["leads"]) == 28
    dated = names["signals"].drop_nulls("timestamp")
    assert names["weekly"].drop("week").sum().sum_horizontal()[0] == len(dated) > 200


def test_the_query_counts_every_lead(
    events: Path, rules: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backtrail.run(events, rules=rules, output=tmp_path / "out", format="parquet")
    monkeypatch.chdir(tmp_path / "out")
    rows = duckdb.sql((EXAMPLES / "top_campaigns.sql").read_text()).fetchall()
    assert 1 < len(rows) < 10
    assert sum(row[1] for row in rows) == 28
