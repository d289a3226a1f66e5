"""The output of commands: JSON for programs, tables for people."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from qumulus.http.printable import printable

UNLIMITED = 10_000  # columns, where no person looks


def as_json(content: Any) -> None:
    """Print JSON."""
    typer.echo(json.dumps(content, indent=2, ensure_ascii=False))


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table with a line of headings."""
    drawn = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for column in columns:
        drawn.add_column(column, overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(text(value)) for value in row))
    _console().print(drawn)


def fields(content: Mapping[str, object]) -> None:
    """Print names and values, one a line, without those that have none."""
    drawn = Table.grid(padding=(0, 2))
    for name, value in content.items():
        if value not in (None, "", [], {}):
            drawn.add_row(Text(name, style="bold"), Text(text(value)))
    _console().print(drawn)


@contextmanager
def progress(what: str, steps: int | None = None) -> Generator[Callable[..., None]]:
    """A bar on the standard error of a terminal, while something takes its time; nothing where no person looks.

    What it gives is called with another text, or with ``done=1`` after each of the ``steps``.
    """
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # few commands need it

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(text(what), total=steps)

        def tell(what: str | None = None, *, done: int = 0) -> None:
            bar.update(task, advance=done, description=None if what is None else text(what))

        yield tell


def text(value: object) -> str:
    """Return a value as people read it; nothing in it can move their cursor."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(text, value)) or "-"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {text(each)}" for name, each in value.items())
    return printable(str(value))


def size(count: int) -> str:
    """Return a number of bytes as people read it."""
    unit = max(0, min(4, (count.bit_length() - 1) // 10))
    return f"{count / (1 << 10 * unit):.4g} {('B', 'KiB', 'MiB', 'GiB', 'TiB')[unit]}"


def moment(value: str | None) -> str:
    """Return a time of the API, in the person's own zone."""
    return "-" if value is None else datetime.fromisoformat(value).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _console() -> Console:
    return Console() if sys.stdout.isatty() else Console(width=UNLIMITED, color_system=None)
