"""What `pip install 'qumulus[…]'` asks for can be had together: the lock of everything has each of it, in one set of versions."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
LOCK = (ROOT / "tests" / "requirements-machines.txt").read_text()
NAME = re.compile(r"[\w.-]+")


@pytest.mark.parametrize("extra", EXTRAS)
def test_what_an_extra_brings_is_in_the_lock_of_everything(extra: str):
    locked = set(re.findall(r"^([\w.-]+)==", LOCK, re.MULTILINE))
    names = {match[0] for line in EXTRAS[extra] if (match := NAME.match(line))} - {"qumulus"}
    assert names <= locked
