"""What a job came to, read from the files that it wrote, and whether all came to the same."""

import csv
import json
import shutil
import sys
from collections import Counter
from typing import NamedTuple


class Outcome(NamedTuple):
    duplicates: int
    resolutions: dict
    """How many signals have each."""
    leads: dict
    """Score and signals by e-mail."""


def fresh(folder):
    """`folder`, empty."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def read(folder):
    with open(folder / "signals.csv", newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        column = next(rows).index("resolution")
        resolutions = Counter(row[column] for row in rows)
    with open(folder / "leads.csv", newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        leads = {row["email"]: (int(row["score"]), int(row["signals"])) for row in rows}
    return Outcome(duplicates(folder), dict(resolutions), leads)


def duplicates(folder):
    report = folder / "report.json"  # backtrail's; the peers write a row of CSV
    if report.exists():
        return json.loads(report.read_text(encoding="utf-8"))["duplicates"]["total"]
    with open(folder / "report.csv", newline="", encoding="utf-8") as file:
        return int(next(csv.DictReader(file))["duplicates"])


def require_same(found):
    """Ends the program unless all outcomes are alike, leads compared one by one."""
    (base, expected), *others = found.items()
    for name, outcome in others:
        if outcome != expected:
            differ = set(expected.leads.items()) ^ set(outcome.leads.items())
            leads = len({email for email, _ in differ})
            sys.exit(
                f"compare: {name} and {base} disagree; {leads} leads differ\n"
                f"  {base}: {describe(expected)}\n  {name}: {describe(outcome)}"
            )


def describe(outcome):
    resolutions = sorted(outcome.resolutions.items())
    by_resolution = ", ".join(f"{count:,} {name}" for name, count in resolutions)
    return (
        f"{outcome.duplicates:,} duplicates; {sum(outcome.resolutions.values()):,} signals "
        f"({by_resolution}); {len(outcome.leads):,} leads with a score of "
        f"{sum(score for score, _ in outcome.leads.values()):,} in all"
    )
