"""What tests measure of the accuracy, to be printed as tables at the end of a run (see `conftest`)."""

from __future__ import annotations

TABLES: dict[str, dict[str, dict[str, str]]] = {}
"""Title -> row -> column -> figure, in the order in which they were recorded."""


def record(title: str, row: str, column: str, figure: float | str) -> None:
    """Write a figure down. Of several for the same place the largest stays."""
    cells = TABLES.setdefault(title, {}).setdefault(row, {})
    if isinstance(figure, str):
        cells[column] = figure
    elif column not in cells or figure > float(cells[column]):
        cells[column] = f"{figure:.1e}"


def markdown(title: str) -> str:
    """One table as Markdown."""
    rows = TABLES[title]
    columns = list(dict.fromkeys(column for cells in rows.values() for column in cells))
    lines = [[title, *columns], *([row, *(cells.get(column, "") for column in columns)] for row, cells in rows.items())]
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns) + 1)]
    text = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    text.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
    return "\n".join(text)
