"""Deploying a folder as a service of a cloud."""

from __future__ import annotations

import base64
import time
from pathlib import Path
from typing import Any

import typer

from qumulus.core.errors import InvalidRequest
from qumulus.core.services import path_name
from qumulus.services import archive, definition

from . import show
from .cloud import Cloud, at
from .options import fail

LOOK_SECONDS = 0.5


def deploy(
    cloud: Cloud, folder: Path, name: str | None, *, entrypoint: str | None = None, strict: bool = False
) -> dict[str, Any]:
    """Send the files of a folder, and wait until the packages are installed."""
    try:
        files = archive.pack(folder)
        name = path_name(name or definition.title_of(folder))
    except InvalidRequest as error:
        fail(error.message)
    body: dict[str, Any] = {
        "files": {path: base64.b64encode(content).decode() for path, content in files.items()},
        **({"entrypoint": entrypoint} if entrypoint else {}),
        **({"strict": True} if strict else {}),
    }
    with show.progress(f"Sending {len(files)} files"):
        service = cloud.put(at("services", name), body)
    if service["state"] == "BUILDING":
        typer.echo("Getting the service ready: its packages are installed, or its image is built …", err=True)
    with show.progress("Installing"):
        while service["state"] == "BUILDING":
            time.sleep(LOOK_SECONDS)
            service = cloud.get(at("services", name))
    if service["state"] == "FAILED":
        fail(service["reason"])
    if notice := service.get("reason"):
        typer.echo(notice, err=True)
    return service
