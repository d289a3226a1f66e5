"""Fixtures for all tests."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from servers import Server


@pytest.fixture(scope="session")
def live_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One running cloud for all tests that only need some cloud; tests leave the jobs of others alone."""
    with Server(tmp_path_factory.mktemp("cloud") / "state") as server:
        yield server
