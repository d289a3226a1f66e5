"""Tables of Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence


def cell(text: object) -> str:
    """Return a text as a cell: one line, with its bars kept."""
    return " ".join(str(text).split()).replace("|", "\\|").replace("<", "\\<")


def sentence(text: str) -> str:
    """Return a text with a large first letter and a full stop."""
    told = " ".join(text.split())
    return told if not told else told[0].upper() + told[1:] + ("" if told.endswith((".", "?", "!")) else ".")


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield the lines of a table, and an empty one."""
    yield f"| {' | '.join(heads)} |"
    yield f"|{' --- |' * len(heads)}"
    for row in rows:
        yield f"| {' | '.join(map(cell, row))} |"
    yield ""
