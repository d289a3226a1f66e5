"""Every command with its usage, its arguments and its options, as the command line itself says them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any, NamedTuple

import typer.main

from qumulus.commands import app

from .markdown import table

ELSEWHERE = {"serve": "settings", "worker": "settings"}
"""Commands whose options are the settings of the server."""


class Option(NamedTuple):
    """An argument or an option: how it is written, and what it is for."""

    written: str
    told: str


class Described(NamedTuple):
    """A command."""

    name: str
    usage: str
    told: str
    options: list[Option]


def described() -> Iterator[Described]:
    """Yield all commands, as deep as they go, in the order of the help."""
    yield from _below(typer.main.get_command(app), "qumulus")


def page() -> Iterator[str]:
    """Yield the lines of the page."""
    yield from (
        "[The command line](../command-line.md) says it in one line a command, with links to how it is used.",
        "",
    )
    for each in described():
        yield from (f"## {each.name}", "", each.told, "", f"    {each.usage}", "")
        if each.name.removeprefix("qumulus ") in ELSEWHERE:
            yield from ("It takes [the settings](settings.md) as options.", "")
        elif each.options:
            yield from table(("option", "what it is for"), ((f"`{written}`", told) for written, told in each.options))


def _below(group: Any, words: str) -> Iterator[Described]:
    for name, command in group.commands.items():
        full = f"{words} {name}"
        if hasattr(command, "commands"):
            yield from _below(command, full)
        else:
            yield _described(command, full)


def _described(command: Any, name: str) -> Described:
    context = command.context_class(command, info_name=name)
    records = [parameter.get_help_record(context) for parameter in command.params]
    told = inspect.cleandoc(command.help or "")
    short = name.removeprefix("qumulus ") in ELSEWHERE
    return Described(
        name,
        command.get_usage(context).removeprefix("Usage: "),
        told,
        [] if short else [Option(*record) for record in records if record],
    )
