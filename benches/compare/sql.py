"""The text of an SQL file."""

from pathlib import Path
from string import Template

HERE = Path(__file__).resolve().parent


def script(name, source, output):
    """That of the file `name`, for what is at `source` and the folder `output`."""
    text = (HERE / name).read_text(encoding="utf-8")
    return Template(text).substitute(input=source, rules=HERE / "rules.csv", output=output)
