"""Costs as a Markdown table."""

from statistics import median

HEAD = """\
| | wall | CPU | peak memory | wall ratio | CPU ratio | memory ratio |
| --- | ---: | ---: | ---: | ---: | ---: | ---: |"""


def markdown(costs, base):
    """A row for each job: median (least–most), and the median of its rounds' ratios to `base`."""
    rows = [HEAD]
    for name, rounds in costs.items():
        pairs = list(zip(rounds, costs[base]))
        cells = [
            spread([cost.wall for cost in rounds], 2, "s"),
            spread([cost.cpu for cost in rounds], 2, "s"),
            spread([cost.peak for cost in rounds], 0, "MB"),
            ratio([cost.wall / other.wall for cost, other in pairs]),
            ratio([cost.cpu / other.cpu for cost, other in pairs]),
            ratio([cost.peak / other.peak for cost, other in pairs]),
        ]
        rows.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(rows)


def spread(values, digits, unit):
    least, middle, most = min(values), median(values), max(values)
    return f"{middle:,.{digits}f} {unit} ({least:,.{digits}f}–{most:,.{digits}f})"


def ratio(values):
    return f"{median(values):.2f}"
