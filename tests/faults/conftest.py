"""Engines to be hurt."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from databases import database as database
from dispatchers import PROGRAMS, Cloud


@pytest.fixture
def measured(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Returns what says what the table of faults shows beside the target of a test."""
    return functools.partial(record_property, "measured")


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Cloud]]:
    """Begins a dispatcher in this process with the programs of `tests/execution`."""
    monkeypatch.setenv("PYTHONPATH", str(PROGRAMS))
    begun: list[Cloud] = []

    def begin(entry: str = "programs:run", **options: object) -> Cloud:
        begun.append(Cloud(tmp_path / f"state-{len(begun)}", entry, **options).start())
        return begun[-1]

    yield begin
    for cloud in begun:
        cloud.stop()
