"""The page on the command line names every command and nothing else; the page on untouched scripts every option of `run`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import typer.main

from qumulus.apis.families import real_sites
from qumulus.commands import app

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "command-line.md").read_text()
UNTOUCHED = (DOCS / "zero-change.md").read_text()


def commands(group: click.Command, *before: str) -> Iterator[tuple[str, click.Command]]:
    """Every command with its words."""
    for name, command in getattr(group, "commands", {}).items():
        if hasattr(command, "commands"):
            yield from commands(command, *before, name)
        else:
            yield " ".join((*before, name)), command


def documented() -> set[str]:
    rows = re.findall(r"^\| `qumulus ([a-z ]+)", PAGE, re.MULTILINE)
    return {row.strip() for row in rows}


def test_every_command_has_its_line():
    assert documented() == {name for name, _ in commands(typer.main.get_command(app))}


def test_every_command_prints_json_that_prints_anything_of_its_own():
    # These run until they are told to stop, and show what others print.
    others = {"serve", "worker", "run", "record", "provider", "services serve", "sse prepare"}
    for name, command in commands(typer.main.get_command(app)):
        options = {option for parameter in command.params for option in parameter.opts}
        assert ("--json" in options) != (name in others), name


def test_no_help_is_cut_short_on_a_narrow_terminal():
    def groups(group):
        yield group
        for command in group.commands.values():
            if hasattr(command, "commands"):
                yield from groups(command)

    for group in groups(typer.main.get_command(app)):
        listed = group.get_help(group.make_context(group.name, [], resilient_parsing=True, terminal_width=80))
        assert "..." not in listed.partition("Commands:")[2], listed


def test_every_option_of_run_is_explained():
    run = dict(commands(typer.main.get_command(app)))["run"]
    options = {name for parameter in run.params for name in parameter.opts if name.startswith("--")} - {"--log"}
    assert options
    assert all(f"`{option}" in UNTOUCHED for option in options)


def test_every_host_that_is_answered_for_is_named():
    last = {site.host.removeprefix("*.").removesuffix(".cloud.ibm.com").split(".")[-1] for site in real_sites()}
    assert all(name in UNTOUCHED for name in last)


def test_every_fixture_and_setting_of_the_plugin_is_explained():
    source = (DOCS.parent / "backend" / "qumulus" / "testing.py").read_text()
    names = re.findall(r"@pytest\.fixture.*\ndef ([a-z]\w+)", source) + re.findall(
        r'"(--qumulus-\w+|qumulus_\w+)"', source
    )
    assert len(names) >= 8
    assert all(f"`{name}" in UNTOUCHED for name in names)
