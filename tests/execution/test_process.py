"""What a process asks of the kernel about itself."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from qumulus.execution import process

GROWN = """
import os
from qumulus.execution import process

before = process.resident_bytes(), process.highest_bytes()
if not os.fork():
    grown = bytearray(b"x") * (64 << 20)
    after = process.resident_bytes(), process.highest_bytes()
    os._exit(not all(now > then + (32 << 20) for then, now in zip(before, after)))
_, status = os.wait()
assert os.waitstatus_to_exitcode(status) == 0
assert process.resident_bytes() < before[0] + (32 << 20)
"""


@pytest.mark.skipif(not process.LINUX, reason="Only Linux tells a process how much memory it has in RAM now.")
def test_a_forked_process_asks_for_its_own_memory() -> None:
    subprocess.run([sys.executable, "-c", GROWN], check=True, timeout=60)


@pytest.mark.skipif(
    not os.access("/proc/self/clear_refs", os.W_OK),
    reason="This kernel does not forget the most memory that a process had.",
)
def test_the_peak_of_one_run_is_not_that_of_the_next() -> None:
    process.forget_peak()
    grown = bytearray(b"x") * (96 << 20)
    most = process.highest_bytes()
    assert most >= len(grown)
    del grown
    process.forget_peak()
    assert process.highest_bytes() < most - (48 << 20)
