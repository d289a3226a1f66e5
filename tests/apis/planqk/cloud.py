"""Services on a live server, for tests: deploy, start, wait, ask."""

from __future__ import annotations

import base64
import textwrap
import time
from collections.abc import Mapping
from typing import Any

import httpx2

from servers import Server

TOKEN = {"Authorization": "Bearer qumulus-local"}
ADMIN = {"Authorization": "Bearer qumulus-admin"}
FINAL = {"SUCCEEDED", "FAILED", "CANCELLED"}


def packed(files: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """The body of a deployment."""
    return {"files": {name: base64.b64encode(textwrap.dedent(text).encode()).decode() for name, text in files.items()}}


class Service:
    """A service as a client sees it, with the credentials of the default account."""

    def __init__(self, server: Server, name: str) -> None:
        self.name = name
        self.base = f"{server.url}/services/{name}"
        self.http = httpx2.Client(base_url=self.base, headers=TOKEN, timeout=30)

    def start(self, body: Any = None) -> str:
        """Start an execution; its id."""
        answer = self.http.post("/", json={} if body is None else body)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def get(self, path: str) -> Any:
        """The JSON of a GET that succeeds."""
        answer = self.http.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def wait(self, execution: str, *, until: set[str] | None = None, seconds: float = 90) -> dict[str, Any]:
        """Wait for a status."""
        deadline = time.monotonic() + seconds
        while (status := self.get(f"/{execution}"))["status"] not in (until or FINAL):
            assert time.monotonic() < deadline, status
            time.sleep(0.02)
        return status

    def run(self, body: Any = None) -> dict[str, Any]:
        """Run to the end; the result."""
        execution = self.start(body)
        self.wait(execution)
        return self.get(f"/{execution}/result")


def deploy(server: Server, name: str, source: str = "", **files: str) -> Service:
    """Deploy a program under a name and wait until it is ready."""
    content = packed({"src/program.py": source, **{path.replace("__", "."): text for path, text in files.items()}})
    answer = httpx2.put(
        f"{server.url}/emulator/services/{name}",
        json=content,
        headers=ADMIN,
        timeout=60,
    )
    assert answer.status_code == 201, answer.text
    deadline = time.monotonic() + 120
    while (state := answer.json())["state"] == "BUILDING":
        assert time.monotonic() < deadline, state
        time.sleep(0.1)
        answer = httpx2.get(f"{server.url}/emulator/services/{name}", headers=ADMIN)
    assert state["state"] == "READY", state
    return Service(server, name)
