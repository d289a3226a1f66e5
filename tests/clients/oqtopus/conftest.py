"""A live server, and scripts in the clients' environments."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from clients.environments import environment
from servers import Server, server

SCRIPTS = Path(__file__).parent / "scripts"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    packages = str(environment("quri-parts-oqtopus-1.1.5"))
    with server(tmp_path_factory.mktemp("oqtopus") / "state", sse_python=packages) as running:
        waiting = {"least_queue_seconds": 600}  # so that jobs can be cancelled before they run
        administrator = {"authorization": "Bearer qumulus-admin"}
        httpx2.put(
            f"{running.url}/emulator/devices/belem/settings", json=waiting, headers=administrator
        ).raise_for_status()
        yield running


@pytest.fixture
def client(cloud: Server) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=cloud.url, timeout=30) as client:
        yield client


@pytest.fixture
def run(cloud: Server, tmp_path: Path) -> Callable[..., Any]:
    """Runs a script in a client's environment; what it printed last, as JSON."""
    (tmp_path / ".oqtopus").write_text(f"[default]\nurl={cloud.url}\napi_token=local.qumulus-local\n")

    def in_environment(client: str, script: str, *arguments: str) -> Any:
        done = subprocess.run(
            [environment(client), "-W", "ignore", SCRIPTS / script, *arguments],
            env={
                "OQTOPUS_URL": cloud.url,
                "OQTOPUS_BASE_URL": cloud.url,
                "OQTOPUS_API_TOKEN": "local.qumulus-local",
                "PATH": os.environ["PATH"],
                "HOME": str(tmp_path),
            },
            capture_output=True,
            text=True,
            timeout=180,
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{cloud.output()[-5000:]}"
        return json.loads(done.stdout.splitlines()[-1])

    return in_environment
