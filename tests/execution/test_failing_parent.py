"""A parent that can't get warm."""

from __future__ import annotations

import time

from qumulus.execution.nursery import Nursery


def test_a_parent_that_ends_before_it_is_warm_is_said_to_fail() -> None:
    nursery = Nursery("qumulus.no_such_module:run")
    nursery.start()
    try:
        deadline = time.monotonic() + 20
        while not nursery.failing and time.monotonic() < deadline:
            time.sleep(0.05)
        assert nursery.failing
        assert not nursery.ready
    finally:
        nursery.stop()
