"""`qumulus emulator queue`: whom else the devices serve."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from . import show
from .cloud import Cloud, at
from .devices import Name
from .options import Json, Url

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def list_queues(url: Url, json: Json = False) -> None:
    """List the devices at which others are served."""
    queues = Cloud(url).get("/emulator/queues")["queues"]
    if json:
        show.as_json(queues)
        return
    columns = ("device", "others now", "free at", "come an hour", "run scale")
    show.table(columns, map(_row, queues))


@app.command("set")
def set_queue(
    device: Name,
    url: Url,
    waiting: Annotated[int, typer.Option(min=0, help="How many jobs of others are there now.")] = 0,
    arrivals: Annotated[float, typer.Option(min=0, help="How many more come in an hour.")] = 0,
    mean_run: Annotated[float, typer.Option(min=0.001, help="Seconds that one of them takes, on average.")] = 10,
    hours: Annotated[float, typer.Option(min=0, help="For how long they come.")] = 168,
    run_scale: Annotated[
        float, typer.Option(min=0, help="How long jobs run here, in what their service counts; 0: as long as it takes.")
    ] = 0,
    seed: Annotated[int | None, typer.Option(min=0, help="What they are drawn from.")] = None,
    json: Json = False,
) -> None:
    """Let others queue at a device, which serves one by one."""
    body: dict[str, Any] = {
        "waiting": waiting,
        "arrivals_per_hour": arrivals,
        "mean_run_seconds": mean_run,
        "for_hours": hours,
        "run_scale": run_scale,
        **({} if seed is None else {"seed": seed}),
    }
    made = Cloud(url).put(at("queues", device), body)
    if json:
        show.as_json(made)
    else:
        typer.echo(f"{made['present']} jobs of others are at {made['device']}, until {show.moment(made['free_at'])}.")


@app.command("clear")
def clear(device: Name, url: Url, json: Json = False) -> None:
    """Let nobody else be served at a device."""
    Cloud(url).delete(at("queues", device))
    if json:
        show.as_json({"cleared": device})
    else:
        typer.echo(f"Nobody else is served at {device}.")


def _row(queue: dict[str, Any]) -> tuple[object, ...]:
    setting = queue["setting"]
    arrivals = "as recorded" if setting.get("recorded") else setting["arrivals_per_hour"]
    return queue["device"], queue["present"], show.moment(queue["free_at"]), arrivals, setting["run_scale"]
