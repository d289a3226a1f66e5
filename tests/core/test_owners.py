"""Whether who holds a claim still lives, and why it did not renew it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from qumulus.core.owners import lives, owner_name, silence

SOME = "some avg10=0.00 avg60={} avg300=0.00 total=1\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"


@pytest.fixture
def pressure(tmp_path):
    for name in ("memory", "cpu"):
        (tmp_path / name).write_text(SOME.format("0.00"))
    return tmp_path


def test_a_process_that_ended_is_told_from_one_that_is_silent(pressure):
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    gone = f"{socket.gethostname()}:{process.pid}:abc"
    assert (lives(owner_name()), lives(gone), lives("elsewhere:1:abc")) == (True, False, None)
    assert silence(f"services:{gone}", pressure) == "The server that ran it ended."
    assert silence(owner_name(), pressure).endswith("it, or its disk, was too busy. It has not ended.")
    assert "(elsewhere:1) ended, or could not be reached" in silence("elsewhere:1:abc", pressure)


def test_what_a_silent_one_was_short_of_is_told(pressure):
    (pressure / "memory").write_text(SOME.format("35.10"))
    assert "it was short of memory." in silence(owner_name(), pressure)
    (pressure / "cpu").write_text(SOME.format("90.00"))
    assert "it was short of memory and processor time." in silence(owner_name(), pressure)


def test_a_kernel_that_tells_nothing_of_pressure_does_no_harm(tmp_path):
    assert f"{os.getpid()}" in owner_name()
    assert "too busy" in silence(owner_name(), tmp_path / "none")
