"""What tests measure of the accuracy, to be printed as tables at the end of a run (see `tests/conftest.py`)."""

from __future__ import annotations

from typing import TypeAlias

Tables: TypeAlias = dict[str, dict[str, dict[str, float | str]]]

TABLES: Tables = {}
"""Title -> row -> column -> figure, in the order in which they were recorded."""


def record(title: str, row: str, column: str, figure: float | str) -> None:
    """Write a figure down. Of several for the same place the largest stays."""
    cells = TABLES.setdefault(title, {}).setdefault(row, {})
    cells[column] = figure if isinstance(figure, str) else max(float(figure), float(cells.get(column, figure)))


def merge(tables: Tables) -> None:
    """Write down what another process has recorded."""
    for title, rows in tables.items():
        for row, cells in rows.items():
            for column, figure in cells.items():
                record(title, row, column, figure)


def markdown(title: str) -> str:
    """One table as Markdown."""
    rows = TABLES[title]
    columns = list(dict.fromkeys(column for cells in rows.values() for column in cells))
    lines = [
        [title, *columns],
        *([row, *(_shown(cells.get(column, "")) for column in columns)] for row, cells in rows.items()),
    ]
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns) + 1)]
    text = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    text.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
    return "\n".join(text)


def _shown(figure: float | str) -> str:
    return figure if isinstance(figure, str) else f"{figure:.1e}"
