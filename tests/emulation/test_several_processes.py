"""Processes on one state go by the same faults, and count together."""

from __future__ import annotations

import requests

from dispatchers import wait_for
from servers import Server


def test_a_fault_that_one_process_was_told_of_hits_in_the_other(control):
    with Server(control.server.home) as other:
        fault = control.fault("error", operation="getHello", status=418, times=2)
        statuses = []

        def ask(url: str) -> int:
            statuses.append(requests.get(f"{url}/hello", timeout=30).status_code)
            return statuses[-1]

        wait_for(lambda: ask(other.url) == 418, 10)
        assert ask(control.url) == 418
        assert (ask(control.url), ask(other.url)) == (200, 200)
        assert control.hits(fault) == 2
        control.administer("DELETE", f"/faults/{fault}")
        wait_for(
            lambda: (
                requests.get(
                    f"{other.url}/emulator/faults", headers={"Authorization": "Bearer qumulus-admin"}, timeout=30
                ).json()
                == {"faults": []}
            ),
            10,
        )
