"""The API on a server of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from apis.ibm.cloud import Runtime
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
