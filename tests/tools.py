"""Programs that some tests need and no package brings: where one is missing, its tests are skipped and name it."""

from __future__ import annotations

import os
import shutil

import pytest


def program(*names: str, needed_in_ci: bool = False) -> str:
    """The path of the first of ``names`` that is installed; without one the test is skipped, or fails where CI has to have it."""
    for name in names:
        if path := shutil.which(name):
            return path
    if needed_in_ci and os.environ.get("CI"):
        pytest.fail(f"{names[0]} is not installed, and CI has to have it", pytrace=False)
    pytest.skip(f"{names[0]} is not installed")
