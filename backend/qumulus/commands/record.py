"""`qumulus record` and `qumulus compare`: what a client and a cloud say to each other, and where another cloud differs."""

from __future__ import annotations

import os
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from qumulus.control.ephemeral import CloudNotStarted, EphemeralCloud
from qumulus.control.exchanges import NoExchanges, Replay, read

from . import show
from .options import Json, Url, address, fail
from .relay import NOT_EXECUTABLE, relay

PATIENCE_SECONDS = 5.0  # for which a request is sent again whose answer differs: jobs take their time

File = Annotated[Path, typer.Argument(metavar="FILE", help="Where the exchanges are.")]


def record(
    command: Annotated[list[str], typer.Argument(metavar="COMMAND", help="What to run, with its arguments.")],
    url: Annotated[
        str | None,
        typer.Option("--url", help="The cloud that answers the command; the real ones if left out.", callback=address),
    ] = None,
    at: Annotated[
        list[str] | None,
        typer.Option("--at", metavar="HOST=URL", help="Where a host of the real clouds is, if elsewhere. Repeatable."),
    ] = None,
    passed: Annotated[
        list[str] | None,
        typer.Option("--pass", help="Another host that the command may reach, unrecorded. Repeatable."),
    ] = None,
    file: Annotated[Path, typer.Option("--to", help="The file that the exchanges are added to.")] = Path(
        "exchanges.jsonl"
    ),
) -> None:
    """Keep what a command and a cloud elsewhere say."""
    if url and at:
        fail("--at is for the hosts of the real clouds: leave out --url.", 2)
    for each in at or ():
        address(each.partition("=")[2])
    upstream = {"upstream": url} if url else {"upstream_hosts": ",".join(at or ("real",))}
    settings = {**upstream, "record": str(file.absolute()), "pass_hosts": ",".join(passed or ())}
    try:
        file.open("ab").close()
        with EphemeralCloud(settings=settings) as cloud:
            status = relay(command, cloud.environment(os.environ))
    except CloudNotStarted as error:
        fail(str(error))
    except OSError as error:
        fail(f"{error.filename or command[0]}: {error.strerror}.", NOT_EXECUTABLE)
    raise typer.Exit(status)


def compare(
    file: File,
    url: Url,
    replay: Annotated[
        bool,
        typer.Option("--replay", help="Send them to a new cloud, which has nothing yet, and not to one that runs."),
    ] = False,
    seed: Annotated[int | None, typer.Option(min=0, help="The seed of the new cloud.")] = None,
    scenario: Annotated[str | None, typer.Option(help="The scenario that the new cloud begins with.")] = None,
    values: Annotated[bool, typer.Option("--values", help="Compare texts and numbers, too.")] = False,
    json: Json = False,
) -> None:
    """Say where a cloud differs from a recorded one."""
    if not replay and (seed is not None or scenario is not None):
        fail("--seed and --scenario are for a new cloud: say --replay, too.", 2)
    begins = {"seed": None if seed is None else str(seed), "scenario": scenario}
    settings = {name: value for name, value in begins.items() if value is not None}
    try:
        exchanges = read(file)
        with EphemeralCloud(intercept=False, settings=settings) if replay else nullcontext() as new:
            found = list(Replay(new.url if new else url, values, PATIENCE_SECONDS).differences(exchanges))
    except (NoExchanges, CloudNotStarted) as error:
        fail(str(error))
    except OSError:
        fail(f"No cloud answers at {url}: start one with `qumulus serve`, or name another one with --url.")
    if json:
        show.as_json([{"request": request, "difference": difference} for request, difference in found])
    else:
        for request, difference in found:
            typer.echo(f"{request}: {difference}")
        typer.echo(f"{len(exchanges)} requests, {len(found)} differences.")
    raise typer.Exit(1 if found else 0)
