"""The page on troubleshooting quotes messages that there are, and a result has the metadata that are explained, and no others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import requests

from asking import TASK
from qumulus.openapi.jobs import REPOSITORY

DOCS = REPOSITORY / "docs"
PAGE = (DOCS / "troubleshooting.md").read_text()
METADATA = (DOCS / "reference" / "metadata.md").read_text()


def sources() -> str:
    """All code in one line, with the texts that stand on several lines put together."""
    code = " ".join(path.read_text() for path in (REPOSITORY / "backend" / "qumulus").rglob("*.py"))
    return re.sub(r'"\s+f?"', "", code)


def test_every_message_is_one_that_the_code_has():
    quoted = re.findall(r"^\*\*`([^`]+)`", PAGE, re.MULTILINE)
    assert len(quoted) >= 7
    code = sources()
    parts = [part for message in quoted for part in re.split(r" ?… ?", message) if len(part) > 3]
    assert [part for part in parts if part not in code] == []


def members(value: Any) -> Iterator[str]:
    """The names of all members, however deep."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from members(inner)
    for inner in value if isinstance(value, list) else ():
        yield from members(inner)


def test_everything_that_the_metadata_of_a_job_has_is_explained(live_server):
    task = requests.post(f"{live_server.url}/task", json=TASK, timeout=30).json()["task_id"]
    while (result := requests.get(f"{live_server.url}/task/{task}/result", timeout=30)).status_code != 200:
        pass
    explained = set(re.findall(r"`(\w+)`", METADATA))
    assert set(members(result.json()["metadata"])) - explained == set()


def test_every_figure_of_accuracy_is_explained():
    code = sources()
    tables = re.findall(r"(?:accuracy(?:: dict[^=]*)?|found: dict\[str, float[^=]*) = {(.*?)}", code, re.DOTALL)
    named = set(re.findall(r'"(\w+)":', "".join(table for table in tables if "method" not in table)))
    named |= set(re.findall(r'accuracy\["(\w+)"\]', code))
    assert named >= {"error_estimate", "trajectories", "largest_bond", "longest_gate_over_t1", "warning"}
    assert named - set(re.findall(r"`(\w+)`", METADATA)) == set()
