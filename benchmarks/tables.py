"""How a measurement is written down and printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measured figure beside its targets. Texts carry their units, such as "1.2 ms"."""

    what: str
    ours: str
    other: str = ""  # what it is compared with, measured in the same run
    ratio: str = ""
    least: str = ""
    aim: str = ""
    met: bool | None = None  # whether the least is reached; None where the row only informs


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Some rows about one thing. ``note`` says under what conditions they were measured."""

    title: str
    rows: Sequence[Row]
    note: str = ""


HEADINGS = ("what", "ours", "beside", "ratio", "at least", "aim", "")
MARKS = {True: "✓", False: "✗", None: ""}


def markdown(table: Table) -> str:
    """The table as Markdown, aligned so that it reads well in a terminal too."""
    cells = [HEADINGS] + [
        (row.what, row.ours, row.other, row.ratio, row.least, row.aim, MARKS[row.met]) for row in table.rows
    ]
    kept = [index for index in range(len(HEADINGS)) if any(line[index] for line in cells[1:])]
    widths = {index: max(len(line[index]) for line in cells) for index in kept}
    lines = ["| " + " | ".join(line[index].ljust(widths[index]) for index in kept) + " |" for line in cells]
    lines.insert(1, "|" + "|".join("-" * (widths[index] + 2) for index in kept) + "|")
    parts = [f"## {table.title}", "", *lines]
    if table.note:
        parts += ["", table.note]
    return "\n".join(parts)


def ratio(slow: float, fast: float) -> str:
    """How many times faster, such as "2,518×"."""
    times = slow / fast
    return f"{times:,.0f}×" if times >= 10 else f"{times:.1f}×"


def seconds(value: float) -> str:
    """A duration with the unit that suits it."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= size:
            return f"{value / size:,.3g} {unit}" if value / size < 100 else f"{value / size:,.0f} {unit}"
    return f"{value * 1e9:.0f} ns"
