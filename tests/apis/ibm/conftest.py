"""The API on a server of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from apis.ibm.cloud import TEST_CRN, Runtime
from servers import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A fresh server for the tests of a module."""
    home: Path = tmp_path_factory.mktemp("ibm") / "state"
    with Server(home) as running:
        yield running


@pytest.fixture(scope="module")
def runtime(server: Server) -> Runtime:
    """The API as the built-in account uses it."""
    return Runtime(server.url)


@pytest.fixture(scope="module")
def rest(server: Server) -> Iterator[httpx2.Client]:
    """A plain HTTP client at upstream's address, with the headers that the guides name and no version."""
    form = {"grant_type": "urn:ibm:params:oauth:grant-type:apikey", "apikey": "qumulus-local"}
    token = httpx2.post(f"{server.url}/identity/token", data=form).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}", "Service-CRN": TEST_CRN, "Content-Type": "application/json"}
    with httpx2.Client(base_url=f"{server.url}/api/v1", headers=headers, timeout=30) as client:
        yield client
