"""The lock of a state folder where the disk is full, or no file more may be opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatchers import Cloud, wait_for
from qumulus.core.jobs import JobState
from qumulus.execution.ownership import Ownership

FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="only Linux has a file that is always full")
def test_the_lock_is_taken_on_a_full_disk_though_its_owner_cannot_be_named(tmp_path: Path) -> None:
    (tmp_path / "dispatcher").symlink_to(FULL)
    ownership = Ownership(tmp_path)
    try:
        assert ownership.acquire()
        assert ownership.held
    finally:
        ownership.release()


@pytest.mark.only("sqlite")
def test_a_process_that_cannot_take_over_at_once_takes_over_later(start, monkeypatch: pytest.MonkeyPatch) -> None:
    owner: Cloud = start(workers=1)
    joined: Cloud = start(workers=1)
    assert (owner.dispatcher.owner, joined.dispatcher.owner) == (True, False)
    refused: list[Path] = []
    really = Path.open

    def refuse(path: Path, *arguments, **options):
        if path.name == "dispatcher" and not refused:
            refused.append(path)
            raise OSError(24, "Too many open files")
        return really(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", refuse)
    wait_for(lambda: refused)
    owner.dispatcher.stop()
    assert joined.end(joined.submit("echo")).state is JobState.SUCCEEDED
