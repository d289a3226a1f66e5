"""Commands of installers and of engines of containers: what is said where they fail, or take too long."""

from __future__ import annotations

import sys

import pytest

from qumulus.services import making
from qumulus.services.installing import NotInstalled

SAYS = {"late": "It was not made", "failed": "It could not be made"}


def run(program: str) -> str:
    return making.done([sys.executable, "-S", "-c", program], **SAYS)


def test_what_a_command_prints_is_returned():
    assert run("print('made')") == "made\n"


def test_one_that_fails_is_told_of_with_what_it_said_last():
    with pytest.raises(NotInstalled) as told:
        run("import sys; [print(n, file=sys.stderr) for n in range(20)]; print('no error'); sys.exit(3)")
    assert str(told.value).splitlines() == ["It could not be made:", *map(str, range(8, 20))]


def test_one_that_takes_too_long_is_told_of(monkeypatch):
    monkeypatch.setattr(making, "MINUTES", 0)
    with pytest.raises(NotInstalled, match="It was not made within 0 minutes"):
        run("import time; time.sleep(60)")
