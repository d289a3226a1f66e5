"""A server for the tests of what is under a person's control; each test finds it without faults."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from servers import Server

ADMIN = {"Authorization": "Bearer qumulus-admin"}


class Control:
    """A running server and its administrator."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.url = server.url

    def administer(self, method: str, path: str, body: object = None) -> requests.Response:
        return requests.request(method, f"{self.url}/emulator{path}", json=body, headers=ADMIN, timeout=30)

    def fault(self, kind: str, **rule: object) -> str:
        """Let something go wrong; the id of the fault."""
        answer = self.administer("POST", "/faults", {"kind": kind, **rule})
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def known(self, fault: str) -> dict[str, Any]:
        return self.administer("GET", f"/faults/{fault}").json()

    def hits(self, fault: str) -> int:
        return self.known(fault)["hits"]

    def get(self, path: str, **options: Any) -> requests.Response:
        return requests.get(self.url + path, timeout=30, **options)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Control]:
    with Server(tmp_path_factory.mktemp("emulation") / "state", environment={"QUMULUS_SIMULATIONS": "1"}) as server:
        yield Control(server)


@pytest.fixture
def control(running: Control) -> Iterator[Control]:
    yield running
    running.administer("POST", "/reset")
