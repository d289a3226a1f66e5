"""The description of a service by the signature of its `run()`, which is imported for that: in a process of its own, not sandboxed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qumulus.core.errors import InvalidRequest
from qumulus.core.services import Deployment

from . import definition, description
from .resources import Resources
from .sandbox import CHILD

SECONDS = 60


def document(folder: Path, python: Path | None = None, entrypoint: str | None = None) -> Mapping[str, Any]:
    """Return an OpenAPI document of the service in ``folder``; ``python`` is the interpreter that has its packages.

    Raises:
        InvalidRequest: it is no service, or can't be imported; with what it said.
    """
    read = definition.read(folder, folder.resolve().name, Deployment(entrypoint=entrypoint), Resources())
    return description.from_signature(read, _told(folder.resolve(), read.entrypoint, python or Path(sys.executable)))


def _told(folder: Path, entrypoint: str, python: Path) -> Mapping[str, Any]:
    reading, writing = os.pipe()
    with os.fdopen(reading) as report:
        try:
            ended = subprocess.run(  # noqa: S603
                [python, "-I", "-B", CHILD, "--describe", folder, entrypoint, str(writing)],
                pass_fds=[writing],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise InvalidRequest(f"The program was not imported within {SECONDS} seconds.") from None
        except OSError as error:
            raise InvalidRequest(f"{python} can't be started: {error.strerror}.") from None
        finally:
            os.close(writing)
        if ended.returncode:
            said = ended.stderr.strip().splitlines()[-1:] or [f"it ended with exit status {ended.returncode}."]
            raise InvalidRequest(f"The program can't be imported: {said[0]}")
        return json.loads(report.read())
