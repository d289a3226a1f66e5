"""One service at the root of a cloud of its own, deployed anew whenever its files change."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import typer

from qumulus.core.errors import InvalidRequest
from qumulus.core.services import path_name
from qumulus.services import archive, definition

from .cloud import Cloud
from .deployment import deploy
from .options import fail

LOOK_SECONDS = 0.5
ADDRESS = re.compile(r"quantum cloud on (http://\S+)")


def serve_at_root(folder: Path, port: int, name: str | None, *, entrypoint: str | None, strict: bool) -> None:
    """Start the server, deploy, and go on until the server ends or Ctrl-C."""
    try:
        name = path_name(name or definition.title_of(folder))
    except InvalidRequest as error:
        fail(error.message)
    environment = os.environ | {
        "QUMULUS_SERVICE_AT_ROOT": name,
        "QUMULUS_PARENT": str(os.getpid()),
        "PYTHONUNBUFFERED": "1",
    }
    environment.setdefault("QUMULUS_SERVICES_RELATIVE_LINKS", "true")
    environment.setdefault("QUMULUS_SSE_PREPARE", "off")
    server = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "qumulus", "serve", "--port", str(port)],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    try:
        cloud = Cloud(_address(server))
        state: object = None
        while server.poll() is None:
            files = _state(folder)
            if files != state:
                try:
                    service = deploy(cloud, folder, name, entrypoint=entrypoint, strict=strict)
                    typer.echo(f"{service['title']}, version {service['version']}, is at {cloud.url}/")
                except typer.Exit:
                    if state is None:
                        raise
                state = files
            time.sleep(LOOK_SECONDS)
    except KeyboardInterrupt:
        pass
    finally:
        server.terminate()
        server.wait()


def _address(server: subprocess.Popen[str]) -> str:
    """Return the URL that the server says it answers at."""
    found = next(filter(None, (ADDRESS.search(line) for line in server.stdout or ())), None)
    if found is None:
        fail("The server did not start: see what it said.")
    return found[1]


def _state(folder: Path) -> dict[Path, tuple[int, int]]:
    """Return the time of change and the size of each file."""
    found = {}
    for path in archive.files_of(folder):
        try:
            status = path.stat()
        except FileNotFoundError:  # an editor is writing it
            continue
        found[path] = (status.st_mtime_ns, status.st_size)
    return found
