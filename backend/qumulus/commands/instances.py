"""`qumulus instances`: service instances of IBM Quantum."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from . import accounts, show
from .cloud import Cloud, at
from .completion import completing
from .options import Json, Url

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

names = completing(
    "/emulator/instances",
    lambda page: [(each["name"], each["plan"]) for each in page["instances"] if not each["built_in"]],
)

all_names = completing("/emulator/instances", lambda page: [(each["name"], each["plan"]) for each in page["instances"]])


class Plan(StrEnum):
    """What an instance may use, as plans say it."""

    INTERNAL = "internal"
    OPEN = "open"
    PAY_AS_YOU_GO = "pay-as-you-go"
    FLEX = "flex"
    PREMIUM = "premium"


@app.command("list")
def list_instances(url: Url, json: Json = False) -> None:
    """List the instances of all accounts."""
    instances = Cloud(url).get("/emulator/instances")["instances"]
    if json:
        show.as_json(instances)
        return
    rows = (
        (each["name"], each["account"], each["plan"], each["region"], ", ".join(each["tags"]), each["limit_seconds"], each["crn"])
        for each in instances
    )  # fmt: skip
    show.table(("instance", "account", "plan", "region", "tags", "limit (s)", "CRN"), rows)


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What people call it.")],
    url: Url,
    plan: Annotated[Plan, typer.Option(help="What it may use.")] = Plan.INTERNAL,
    account: Annotated[
        str | None, typer.Option(help="Whose it is.", autocompletion=accounts.identifiers, show_default="local")
    ] = None,
    region: Annotated[str | None, typer.Option(help="Where it would stand.", show_default="us-east")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="By which clients choose. Repeatable.")] = None,
    limit: Annotated[float | None, typer.Option(min=0, help="Seconds of devices that it may use in 28 days.")] = None,
    json: Json = False,
) -> None:
    """Make an instance and print its CRN."""
    given = {
        "name": name,
        "plan": plan.value,
        "account": account,
        "region": region,
        "tags": tag,
        "limit_seconds": limit,
    }
    body = {key: value for key, value in given.items() if value is not None}
    made = Cloud(url).post("/emulator/instances", body)
    if json:
        show.as_json(made)
    else:
        typer.echo(made["crn"])


@app.command("limit")
def limit(
    name: Annotated[str, typer.Argument(metavar="NAME", autocompletion=all_names, help="The name of an instance.")],
    url: Url,
    seconds: Annotated[
        float | None,
        typer.Option(min=0, help="Of devices, in 28 days.", show_default="as many as its plan allows"),
    ] = None,
    json: Json = False,
) -> None:
    """Set what an instance may use at most; its account can't raise it."""
    limited = Cloud(url).put(f"{at('instances', name)}/limit", {"limit_seconds": seconds})
    if json:
        show.as_json(limited)
    else:
        typer.echo(
            f"{name} may use {'as much as its plan allows' if seconds is None else f'{seconds:g} s of devices'}."
        )


@app.command("remove")
def remove(
    name: Annotated[str, typer.Argument(metavar="NAME", autocompletion=names, help="The name of an instance.")],
    url: Url,
    json: Json = False,
) -> None:
    """Forget an instance; its jobs stay."""
    Cloud(url).delete(at("instances", name))
    if json:
        show.as_json({"removed": name})
    else:
        typer.echo(f"{name} is gone.")
