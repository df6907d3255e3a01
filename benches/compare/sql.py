"""The statements of an SQL file."""

from pathlib import Path
from string import Template

HERE = Path(__file__).resolve().parent


def statements(name, source, output):
    """Those of the file `name`, one by one, for what is at `source` and the folder `output`."""
    text = (HERE / name).read_text(encoding="utf-8")
    values = {"input": source, "rules": HERE / "rules.csv", "output": output}
    return [part for part in Template(text).substitute(values).split(";\n") if part.strip()]
