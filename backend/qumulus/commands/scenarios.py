"""`qumulus emulator scenario`: what a cloud is to be like, as a file."""

from __future__ import annotations

import json as encoding
from typing import Annotated

import typer

from qumulus.serving import scenarios

from . import show
from .cloud import Cloud, at
from .options import Json, Url, fail

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


def names(incomplete: str) -> list[str]:
    """Names of the ready scenarios for the shell to complete."""
    return [name for name in scenarios.ready() if name.startswith(incomplete)]


Name = Annotated[
    str, typer.Argument(metavar="SCENARIO", autocompletion=names, help="The name of a ready scenario, or a file.")
]


@app.command("list")
def list_scenarios(json: Json = False) -> None:
    """List the ready scenarios."""
    known = scenarios.described()
    if json:
        show.as_json(known)
    else:
        show.table(("scenario", "what happens"), known.items())


@app.command("show")
def show_scenario(scenario: Name, json: Json = False) -> None:
    """Print a scenario, to start from."""
    try:
        if json:
            show.as_json(encoding.loads(scenarios.as_json(scenario)))
        else:
            typer.echo(scenarios.text(scenario), nl=False)
    except scenarios.ScenarioUnusable as error:
        fail(str(error))


@app.command("begin")
def begin(scenario: Name, url: Url, json: Json = False) -> None:
    """Set a scenario up in a cloud that runs."""
    try:
        body = encoding.loads(scenarios.as_json(scenario))
    except scenarios.ScenarioUnusable as error:
        fail(str(error))
    begun = Cloud(url).put(at("scenario"), body)
    if json:
        show.as_json(begun)
    else:
        typer.echo(f"{begun['name']} has begun, with {len(begun['faults'])} faults.")


@app.command("schema")
def schema(json: Json = True) -> None:  # noqa: ARG001 - it is JSON anyway
    """Print the JSON schema of scenarios, for editors."""
    show.as_json(scenarios.schema())
