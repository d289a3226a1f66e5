"""Numbers are computed on one thread, as in a worker: the package says so before numpy is there."""

from __future__ import annotations

import pytest

import qumulus.simulation  # noqa: F401

from .accuracy import TABLES, markdown


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was measured of the accuracy."""
    for title in TABLES:
        terminalreporter.write_line("")
        terminalreporter.write_line(markdown(title))
