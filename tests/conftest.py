"""Fixtures for all tests."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import databases
from servers import Server


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What SQLite alone has is not asked of PostgreSQL, and the other way round."""

    def fits(item: pytest.Item) -> bool:
        chosen = getattr(item, "callspec", None)
        on = chosen.params.get("database") if chosen else None
        only = item.get_closest_marker("only")
        if only is not None and (on or databases.kind()) not in only.args:
            return False
        everywhere = item.path.parent.name == "storage" or item.get_closest_marker("everywhere") is not None
        return on is None or databases.wanted(on, everywhere=everywhere)

    left = [item for item in items if not fits(item)]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if fits(item)]


@pytest.fixture(scope="session")
def live_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One running cloud for all tests that only need some cloud; tests leave the jobs of others alone."""
    with Server(tmp_path_factory.mktemp("cloud") / "state") as server:
        yield server
