"""The page on the console says of every command where the console has it, or why it has not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import typer.main

from qumulus.commands import app
from qumulus.openapi.jobs import REPOSITORY

PAGE = (REPOSITORY / "docs" / "console.md").read_text()
ROWS = PAGE.partition("## Commands and where the console has them")[2].partition("## Change it")[0]


def commands(group: Any, words: tuple[str, ...] = ()) -> Iterator[str]:
    """The names of all commands, as deep as they go."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*words, name))
        else:
            yield " ".join((*words, name))


def test_every_command_stands_in_the_table_once() -> None:
    named = [name for row in re.findall(r"^\| (`.*?) \|", ROWS, re.MULTILINE) for name in re.findall("`([^`]+)`", row)]
    assert sorted(named) == sorted(commands(typer.main.get_command(app)))
