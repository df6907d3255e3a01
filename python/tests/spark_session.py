"""The engine that jobs run on: Spark in this process, or Sail where it is installed instead."""

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator
from typing import Any

import pytest

HAS_SAIL = importlib.util.find_spec("pysail") is not None

SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.sql.shuffle.partitions": "3",
    # Small data is not worth generated code.
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
}


def skip_without() -> None:
    """Skips the tests of a module where no engine is installed; in CI there is one."""
    if "CI" in os.environ:
        return
    pytest.importorskip("pyspark", reason="the extra `spark` is not installed")
    if not HAS_SAIL and shutil.which("java") is None:
        pytest.skip("Spark needs Java 17", allow_module_level=True)


def sessions() -> Iterator[Any]:
    """A session, which ends with the tests."""
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    from pyspark.sql import SparkSession

    if HAS_SAIL:
        from pysail.spark import SparkConnectServer

        server = SparkConnectServer()
        server.start(background=True)
        _, port = server.listening_address
        session = SparkSession.builder.remote(f"sc://127.0.0.1:{port}").getOrCreate()
        yield session
        session.stop()
        server.stop()
        return
    builder = SparkSession.builder.master("local[2]").appName("backtrail")
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    yield session
    session.stop()


def ordered_leads(leads: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leads as they stand; Sail names its files at random, and gives no order back."""
    return sorted(leads, key=lambda lead: str(lead["email"])) if HAS_SAIL else leads
