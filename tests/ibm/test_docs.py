"""The pages about IBM Quantum say what the specifications say."""

from __future__ import annotations

import subprocess
import sys

from qumulus.openapi.jobs import REPOSITORY


def test_the_pages_made_from_the_specifications_are_up_to_date():
    check = subprocess.run(
        [sys.executable, REPOSITORY / "docs" / "reference.py", "--check"], capture_output=True, text=True
    )
    assert check.returncode == 0, check.stderr
