"""What is said where a shell allows too little, before a server begins."""

from __future__ import annotations

import os
import resource
import subprocess
import sys

import pytest

from qumulus.serving.process_limits import LEAST_TASKS, running, too_few

ASK = "from qumulus.serving.process_limits import objections; import resource; print(objections(1000), resource.getrlimit(resource.RLIMIT_NOFILE)[0])"


def said(which: int, soft: int, hard: int) -> str:
    """What a process says that has such limits."""
    limits = (soft, hard)
    return subprocess.run(
        [sys.executable, "-c", ASK],
        preexec_fn=lambda: resource.setrlimit(which, limits),
        capture_output=True,
        text=True,
        check=True,
    ).stdout


@pytest.mark.parametrize(
    ("which", "most", "told"),
    [
        (resource.RLIMIT_NOFILE, 32, "may have 32 files open here, and a server needs 64: ulimit -n"),
        (resource.RLIMIT_AS, 300 << 20, "may have 300 MiB of addresses here, and a server needs 512: ulimit -v"),
    ],
)
def test_a_limit_that_is_too_small_is_named_with_what_to_do(which, most, told):
    assert told in said(which, most, most)


def test_a_limit_that_is_in_our_hands_is_raised():
    assert said(resource.RLIMIT_NOFILE, 32, 4096) == "[] 1200\n"


def test_a_user_whose_processes_are_nearly_all_is_told_how_many_run():
    (told,) = too_few(100, 90)
    assert told.startswith("This user may have 100 processes and threads, of which 90 run,")
    assert "ulimit -u 1114" in told
    assert too_few(90 + LEAST_TASKS, 90) == []


def test_the_threads_of_a_user_are_counted():
    assert running(os.getuid()) >= 1
    assert running(4_000_000_000) == 0
