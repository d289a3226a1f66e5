"""Engines on a state folder of their own, with programs made for tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from databases import database as database
from dispatchers import PROGRAMS, Cloud


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Cloud]]:
    monkeypatch.setenv("PYTHONPATH", str(PROGRAMS))
    begun: list[Cloud] = []

    def begin(entry: str = "programs:run", home: Path | None = None, **options: object) -> Cloud:
        begun.append(Cloud(home or tmp_path / "state", entry, **options).start())
        return begun[-1]

    yield begin
    for cloud in begun:
        cloud.stop()
