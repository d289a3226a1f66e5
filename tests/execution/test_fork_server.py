"""The fork server's own work."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from dispatchers import alive, wait_for
from qumulus.execution import admission

# In a process of its own: it waits for any child, and that of the tests has others.
SEEN_ONCE = """
import os, subprocess, sys, time
if sys.argv[1] == "macos":
    del os.waitid
from qumulus.execution.fork_server import ended

sleeper = "import time; time.sleep(60)"
code = f"import subprocess, sys; null = subprocess.DEVNULL; print(subprocess.Popen([sys.executable, '-c', {sleeper!r}], stdout=null, stderr=null).pid, flush=True); sys.exit(7)"
child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, start_new_session=True)
grandchild = int(child.stdout.readline())
deadline = time.monotonic() + 30
while (end := ended()) is None:
    assert time.monotonic() < deadline
    time.sleep(0.01)
pid, status, usage = end
child.returncode = 7  # it was reaped here
assert (pid, os.waitstatus_to_exitcode(status)) == (child.pid, 7), end
assert usage.ru_maxrss > 0
try:
    ended()
except ChildProcessError:
    print(grandchild)
"""


@pytest.mark.parametrize("system", ["linux", "macos"])
def test_the_end_of_a_child_is_seen_once_with_its_status_and_its_own_children_end_too(system):
    done = subprocess.run(
        [sys.executable, "-c", SEEN_ONCE, system], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    grandchild = int(done.stdout)
    if system == "linux":
        wait_for(lambda: not alive(grandchild), 40)  # of the minute that it would sleep
    else:
        os.kill(grandchild, 9)


def test_memory_is_given_in_the_order_of_asking_so_that_a_large_run_gets_its_turn():
    budget = admission.Budget(100)
    assert budget.take(60)
    order: list[str] = []

    def take(name: str, wanted: int) -> None:
        budget.take(wanted)
        order.append(name)

    large = threading.Thread(target=take, args=("large", 100))
    large.start()
    wait_for(lambda: budget.waiting == 1)
    small = threading.Thread(target=take, args=("small", 10))
    small.start()
    wait_for(lambda: budget.waiting == 2)
    assert order == []
    budget.give_back(60)
    large.join(60)
    assert order == ["large"]
    budget.give_back(100)
    small.join(60)
    assert order == ["large", "small"]
    assert budget.free == 90


def test_who_asks_for_more_than_there_is_gets_all_and_who_gives_up_gets_nothing():
    budget = admission.Budget(100)
    assert budget.take(1000)
    assert budget.free == 0
    given_up = threading.Event()
    got: list[bool] = []
    waiting = threading.Thread(target=lambda: got.append(budget.take(1, given_up)))
    waiting.start()
    given_up.set()
    budget.look()
    waiting.join(60)
    assert got == [False]
