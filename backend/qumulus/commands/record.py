"""`qumulus record` and `qumulus compare`: what a client and a cloud say to each other, and where another cloud differs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from qumulus.control.ephemeral import CloudNotStarted, EphemeralCloud
from qumulus.control.exchanges import NoExchanges, Replay, read

from . import show
from .options import Json, Url, address, fail
from .relay import NOT_EXECUTABLE, relay

File = Annotated[Path, typer.Argument(metavar="FILE", help="Where the exchanges are.")]


def record(
    command: Annotated[list[str], typer.Argument(metavar="COMMAND", help="What to run, with its arguments.")],
    url: Annotated[str, typer.Option("--url", help="The cloud that answers the command.", callback=address)],
    file: Annotated[Path, typer.Option("--to", help="The file that the exchanges are added to.")] = Path(
        "exchanges.jsonl"
    ),
) -> None:
    """Keep what a command and a cloud elsewhere say."""
    settings = {"upstream": url, "record": str(file.absolute())}
    try:
        file.open("ab").close()
        with EphemeralCloud(settings=settings) as cloud:
            status = relay(command, cloud.environment(os.environ))
    except CloudNotStarted as error:
        fail(str(error))
    except OSError as error:
        fail(f"{error.filename or command[0]}: {error.strerror}.", NOT_EXECUTABLE)
    raise typer.Exit(status)


def compare(file: File, url: Url, json: Json = False) -> None:
    """Say where a cloud differs from a recorded one."""
    try:
        exchanges = read(file)
    except NoExchanges as error:
        fail(str(error))
    try:
        found = list(Replay(url).differences(exchanges))
    except OSError:
        fail(f"No cloud answers at {url}: start one with `qumulus serve`, or name another one with --url.")
    if json:
        show.as_json([{"request": request, "difference": difference} for request, difference in found])
    else:
        for request, difference in found:
            typer.echo(f"{request}: {difference}")
        typer.echo(f"{len(exchanges)} requests, {len(found)} differences.")
    raise typer.Exit(1 if found else 0)
