"""The README's table of what is emulated."""

from __future__ import annotations

from pathlib import Path

import pytest

from qumulus.openapi import upstream
from qumulus.openapi.coverage import BEGIN, END, Coverage, CoverageError, coverage, inserted, table
from qumulus.openapi.jobs import REPOSITORY, Api, apis


def test_the_readme_says_what_the_specifications_and_measurements_say() -> None:
    readme = (REPOSITORY / "README.md").read_text()
    assert readme == inserted(readme, table([coverage(api) for api in apis()])), "run make generate-all"


def test_a_row_counts_operations_and_those_that_clients_reached() -> None:
    one = Coverage(
        "A", ("getA", "postA", "dropA"), ("a-client 1.0",), frozenset(["getA"]), {"dropA": "Nothing is dropped."}
    )
    new = Coverage("B", ("getB",), ("b-client",), None, {})
    own = Coverage("C", ("getC",), (), None, {})
    assert table([one, new, own]).splitlines()[2:] == [
        "| A | 3 | 1 | 1 | a-client 1.0 |",
        "| B | 1 | – | not measured | b-client |",
        "| C | 1 | – | has none |  |",
        "",
        "Known gaps:",
        "",
        "- A, `dropA`: Nothing is dropped.",
    ]


def test_what_a_client_can_call_and_is_not_served_counts_as_a_gap() -> None:
    entry = {
        "client": "a-client 1.0",
        "resources": {
            "jobs": {"calls": 3, "missing": ["stop"], "fewer": {"get": ["query sort"]}},
            "bills": {"calls": 1, "missing": ["pay"]},
        },
    }
    known = upstream.read(entry)
    one = Coverage("A", ("getA",), ("a-client 1.0",), frozenset(), {"getA": "Half."}, known)
    assert one.row == "| A | 1 | 3 | 0 | a-client 1.0 |"
    assert upstream.table({"A": known, "B": upstream.read(None)}).splitlines() == [
        "Of the 4 operations that a-client 1.0 can call, 2 are served.",
        "",
        *upstream.HEAD.splitlines(),
        "| A | jobs | 3 | 2 | `stop` | `get`: query sort |",
        "| A | bills | 1 | 0 | all |  |",
    ]


def test_an_operation_that_is_not_there_is_refused(sample_tree: Path) -> None:
    (sample,) = apis(repository=sample_tree)
    path = sample_tree / "oas" / "coverage.yaml"
    path.write_text("clients: [a]\nreached: [getJob, getNothing]\n")
    with pytest.raises(CoverageError, match="names getNothing, which sample does not have"):
        coverage(sample, sample_tree)
    path.write_text("clients: [a]\nreached: [getJob]\n")
    assert coverage(Api(sample.name, sample.bundle, sample.models), sample_tree).reached == {"getJob"}
    path.unlink()


def test_only_what_stands_between_the_markers_is_replaced() -> None:
    assert inserted(f"a\n{BEGIN}\nold\n{END}\nb", "new") == f"a\n{BEGIN}\nnew\n{END}\nb"
    with pytest.raises(CoverageError, match="has no place for the table"):
        inserted("a", "new")
