"""`qumulus emulator namespace` and `… snapshot`: clouds of their own in a server that runs, and states that were kept there."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import typer

from qumulus.core.ports.namespaces import PREFIX

from . import show
from .cloud import Cloud, at
from .completion import completing
from .options import Json, Url

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
snapshots = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

names = completing("/emulator/namespaces", lambda page: [(each["name"], each["url"]) for each in page["namespaces"]])
kept = completing("/emulator/snapshots", lambda page: [(each["name"], each["made_at"]) for each in page["snapshots"]])


def within(url: str, namespace: str) -> str:
    """Return the address of a namespace in the server at ``url``."""
    return url + PREFIX + quote(namespace, safe="")


Name = Annotated[str, typer.Argument(metavar="NAMESPACE", autocompletion=names, help="The name of a namespace.")]
Snapshot = Annotated[str, typer.Argument(metavar="SNAPSHOT", autocompletion=kept, help="The name of a snapshot.")]


@app.command("list")
def list_namespaces(url: Url, json: Json = False) -> None:
    """List the clouds of their own in a server."""
    found = Cloud(url).get("/emulator/namespaces")["namespaces"]
    if json:
        show.as_json(found)
    else:
        show.table(("namespace", "url"), ((each["name"], each["url"]) for each in found))


@app.command("add")
def add(
    namespace: Name,
    url: Url,
    fork: Annotated[
        str | None,
        typer.Option(autocompletion=names, help="Begin with the state of another one; 'default': the server's own."),
    ] = None,
    snapshot: Annotated[str | None, typer.Option(autocompletion=kept, help="Begin with a snapshot.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Take the place of one of that name.")] = False,
    json: Json = False,
) -> None:
    """Make a cloud of its own, and print its address."""
    begins = {"fork": fork, "snapshot": snapshot, "replace": replace or None}
    body = {name: value for name, value in begins.items() if value is not None}
    made = Cloud(url).put(at("namespaces", namespace), body)
    if json:
        show.as_json(made)
    else:
        typer.echo(made["url"])


@app.command("remove")
def remove(namespace: Name, url: Url, json: Json = False) -> None:
    """End a namespace, and forget its state."""
    Cloud(url).delete(at("namespaces", namespace))
    if json:
        show.as_json({"removed": namespace})
    else:
        typer.echo(f"{namespace} is gone.")


@snapshots.command("list")
def list_snapshots(url: Url, json: Json = False) -> None:
    """List what was kept in a server."""
    found = Cloud(url).get("/emulator/snapshots")["snapshots"]
    if json:
        show.as_json(found)
    else:
        rows = ((each["name"], show.moment(each["made_at"]), each["bytes"]) for each in found)
        show.table(("snapshot", "made", "bytes"), rows)


@snapshots.command("save")
def save(
    snapshot: Snapshot,
    url: Url,
    namespace: Annotated[
        str, typer.Option(autocompletion=names, help="Whose state; 'default' is the server's own.")
    ] = "default",
    json: Json = False,
) -> None:
    """Keep a state in the server, while it is used."""
    made = Cloud(url).put(at("snapshots", snapshot), {"namespace": namespace})
    if json:
        show.as_json(made)
    else:
        typer.echo(
            f"{snapshot} has the state of {namespace}: qumulus emulator namespace add NAME --snapshot {snapshot}"
        )


@snapshots.command("remove")
def remove_snapshot(snapshot: Snapshot, url: Url, json: Json = False) -> None:
    """Forget what was kept."""
    Cloud(url).delete(at("snapshots", snapshot))
    if json:
        show.as_json({"removed": snapshot})
    else:
        typer.echo(f"{snapshot} is gone.")
