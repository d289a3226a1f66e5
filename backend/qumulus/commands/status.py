"""`qumulus status`, `qumulus storage` and `qumulus reset`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from . import show
from .cloud import Cloud
from .options import Json, Url, fail


def status(url: Url, json: Json = False) -> None:
    """Say what runs; exit status 0 if it takes jobs."""
    cloud = Cloud(url)
    information, health = cloud.get("/"), cloud.get("/health")
    devices = cloud.get("/emulator/devices")["devices"]
    unwell = {check["name"]: check["reason"] for check in health.get("checks", ()) if not check["well"]}
    pending = {device["name"]: device["pending"] for device in devices if device["pending"]}
    offline = [device["name"] for device in devices if not device["settings"]["online"]]
    if json:
        show.as_json({"url": url, **information, **health, "pending": pending, "offline": offline})
    else:
        show.fields(
            {
                "cloud": f"{information['name']} {information['version']} on {url}",
                "takes jobs": health["ready"],
                "because": health.get("reason"),
                "not well": [f"{name}: {reason}" for name, reason in unwell.items() if reason != health.get("reason")],
                "APIs": [api["title"] for api in information["apis"]],
                "devices": len(devices),
                "offline": offline,
                "pending jobs": pending or "none",
            }
        )
    raise typer.Exit(0 if health["ready"] else 1)


def storage(url: Url, json: Json = False) -> None:
    """Say who has what stored, and by which rules it is kept."""
    stored = Cloud(url).get("/emulator/storage")
    if json:
        show.as_json(stored)
        return
    rows = (
        (each["account"], each["kind"], each["count"], each["pending"], show.size(each["bytes"]), show.moment(each.get("oldest")))
        for each in stored["held"]
    )  # fmt: skip
    show.table(("account", "kind", "number", "pending", "size", "oldest"), rows)
    typer.echo(f"\nKept: {stored['keep'] or 'all'} (QUMULUS_KEEP). Quota: {stored['quota'] or 'none'} (QUMULUS_QUOTA).")


def reset(
    url: Url,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Forget all jobs, sessions, added tokens and settings."""
    if not yes:
        if not sys.stdin.isatty():
            fail("A reset forgets all jobs and results: say --yes.", 2)
        typer.confirm(f"Forget all jobs and results of the cloud at {url}?", abort=True)
    forgotten = Cloud(url).post("/emulator/reset")
    if json:
        show.as_json(forgotten)
    else:
        typer.echo(f"Forgotten: {show.text(forgotten)}.")
