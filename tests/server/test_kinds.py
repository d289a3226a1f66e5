"""A server that would accept what it does not run."""

from __future__ import annotations

from pathlib import Path

import pytest

from qumulus.core.kinds import Kind, Kinds
from qumulus.payloads import USER_PROGRAMS
from qumulus.payloads.archive import Archive
from qumulus.serving.app import create_app
from qumulus.serving.start_error import StartError
from qumulus.settings import Settings


def test_it_does_not_start_and_says_which_kinds_of_programs_differ(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = Kinds(*USER_PROGRAMS.values(), Kind("newthing", Archive))
    monkeypatch.setattr("qumulus.services.host.USER_PROGRAMS", more)
    with pytest.raises(StartError) as raised:
        create_app(Settings(home=tmp_path))
    assert str(raised.value) == (
        "Not all that is accepted would be run:\n"
        "The host of user programs has no runner for jobs of the kind 'newthing'."
    )
