"""`qumulus emulator calibrations`: devices that drift, and qubits that go bad."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from . import show
from .cloud import Cloud, at
from .devices import Name
from .options import Json, Url

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def list_calibrations(device: Name, url: Url, json: Json = False) -> None:
    """List the calibrations of a device, also those to come."""
    _print(Cloud(url).get(at("calibrations", device)), json=json)


@app.command("add")
def add(
    device: Name,
    url: Url,
    number: Annotated[int, typer.Option(min=1, max=48, help="How many calibrations follow.")] = 7,
    every: Annotated[float, typer.Option(min=0.01, help="Hours between two.")] = 24,
    drift: Annotated[float, typer.Option(min=0, help="How far figures go, in terms of the usual.")] = 1,
    seed: Annotated[int | None, typer.Option(min=0, help="What the drift is drawn from.")] = None,
    bad_qubit: Annotated[list[int] | None, typer.Option(min=0, help="A qubit that goes bad; may be repeated.")] = None,
    since: Annotated[int, typer.Option(min=1, help="Since which of the calibrations qubits are bad.")] = 1,
    json: Json = False,
) -> None:
    """Let calibrations follow, by the clock of the cloud."""
    body: dict[str, Any] = {"number": number, "every_hours": every, "drift": drift}
    if seed is not None:
        body["seed"] = seed
    if bad_qubit:
        body["bad_qubits"] = [{"qubit": qubit, "since": since} for qubit in bad_qubit]
    _print(Cloud(url).post(at("calibrations", device), body), json=json)


@app.command("clear")
def clear(device: Name, url: Url, json: Json = False) -> None:
    """Give a device its own calibration back."""
    Cloud(url).delete(at("calibrations", device))
    if json:
        show.as_json({"cleared": device})
    else:
        typer.echo(f"{device} has its own calibration again.")


def _print(series: dict[str, Any], *, json: bool) -> None:
    if json:
        show.as_json(series)
        return
    rows = ((each["id"], show.moment(each["at"]), each["current"]) for each in series["calibrations"])
    show.table(("calibration", "since", "current"), rows)
