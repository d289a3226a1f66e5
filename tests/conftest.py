"""Fixtures for all tests."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))

os.environ.setdefault("QUMULUS_SSE_PREPARE", "off")  # no test's server installs what the test does not need

import databases
import fault_table
from servers import Server
from simulation import accuracy

# The same examples in every run, however slow the machine is, and whatever an earlier run has kept.
settings.register_profile("same", derandomize=True, deadline=None, database=None)
settings.load_profile("same")

# Hundreds of processes start: each would compile all that it imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

FIRST = ("testing_plugin", "contract")
"""Folders whose one file takes long: were it the last to begin, whoever runs the other files would have nothing to do meanwhile."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What SQLite alone has is not asked of PostgreSQL, and the other way round. What takes long begins first."""

    def fits(item: pytest.Item) -> bool:
        chosen = getattr(item, "callspec", None)
        on = chosen.params.get("database") if chosen else None
        only = item.get_closest_marker("only")
        if only is not None and (on or databases.kind()) not in only.args:
            return False
        folder = item.path.parent.name
        everywhere = folder == "storage" or item.get_closest_marker("everywhere") is not None
        everywhere |= fault_table.LONG and folder == "faults"
        return on is None or databases.wanted(on, everywhere=everywhere)

    left = [item for item in items if not fits(item)]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if fits(item)]
    items.sort(key=lambda item: FIRST.index(item.path.parent.name) if item.path.parent.name in FIRST else len(FIRST))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A process that runs some of the tests gives what it has measured to the one that prints."""
    if (output := getattr(session.config, "workeroutput", None)) is not None:
        output["accuracy"] = accuracy.TABLES


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take what such a process has given; one that has died gave nothing."""
    accuracy.merge(getattr(node, "workeroutput", {}).get("accuracy", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was measured of the accuracy, and in the long form what faults have met."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, ())]
    if fault_table.LONG and (table := fault_table.rows(reports)):
        terminalreporter.write_line(f"\n{fault_table.text(table)}")
    for title in accuracy.TABLES:
        terminalreporter.write_line("")
        terminalreporter.write_line(accuracy.markdown(title))


@pytest.fixture(scope="session")
def live_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One running cloud for all tests that only need some cloud; tests leave the jobs of others alone."""
    with Server(tmp_path_factory.mktemp("cloud") / "state") as server:
        yield server
