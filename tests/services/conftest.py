"""Fixtures for the tests of users' programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from qumulus.services import sandbox
from services.programs import Programs


@pytest.fixture(scope="session")
def here() -> sandbox.Sandbox:
    """The strongest isolation of this machine."""
    return sandbox.probe()


@pytest.fixture
def programs(tmp_path: Path, here: sandbox.Sandbox) -> Programs:
    """Runs programs in folders of this test."""
    return Programs(tmp_path, here)
