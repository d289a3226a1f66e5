"""The table that `make test-faults` prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fault_table import FAULTS, rows, text

pytestmark = pytest.mark.only("sqlite")

REPOSITORY = Path(__file__).parents[2]


def report(name: str, seconds: float = 1.0, outcome: str = "passed", measured: str | None = None) -> pytest.TestReport:
    """What pytest tells of a test that ran."""
    return pytest.TestReport(
        nodeid=f"tests/a.py::{name}",
        location=("tests/a.py", 1, name),
        keywords={},
        outcome=outcome,  # ty: ignore[invalid-argument-type]
        longrepr=None,
        when="call",
        duration=seconds,
        user_properties=[] if measured is None else [("measured", measured)],
    )


def test_each_test_of_the_table_is_there_and_is_run():
    makefile = (REPOSITORY / "Makefile").read_text().replace("\\\n", " ")
    attacked = re.findall(r"^attacked = (.*)$", makefile, re.MULTILINE)[0].split()
    files = [
        file
        for place in ("tests/faults", "tests/cluster", *attacked)
        for file in ([REPOSITORY / place] if place.endswith(".py") else (REPOSITORY / place).glob("test_*.py"))
    ]
    there = {name for file in files for name in re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE)}
    assert sorted(FAULTS.keys() - there) == []


def test_a_row_has_what_was_measured_on_each_database_beside_the_target():
    first, second, *_ = FAULTS
    table = rows(
        [
            report(f"{first}[sqlite]", measured="0 of 7"),
            report(f"{first}[postgres]", measured="0 of 9"),
            report(f"{second}[sqlite-a]", outcome="failed"),
            report(f"{second}[sqlite-b]"),
            report("test_something_else"),
        ]
    )
    assert table == [
        (*FAULTS[first], "0 of 7", "0 of 9", "yes"),
        (*FAULTS[second], "1 of 2: see above", "-", "NO"),
    ]
    assert text(table).splitlines()[1].endswith("0 of 7             0 of 9                yes")
