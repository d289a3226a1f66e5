"""Services: from starting an execution to its finished result, and how many queue and finish in how much memory."""

from __future__ import annotations

import base64
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from typing import Any

from .start import resident
from .tables import Row, Table, seconds

RUNS = 20
MANY = 1000
PROGRAM = b"""
import time
def run(n=0, seconds=0):
    time.sleep(seconds)
    return {'n': n, 'ended': time.time()}
"""
FINAL = {"SUCCEEDED", "FAILED", "CANCELLED"}


def call(method: str, url: str, body: Any = None, token: str = "qumulus-local") -> Any:
    """The JSON that answers."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method), timeout=60) as answer:
        return json.load(answer)


def finished(service: str) -> float:
    """Seconds from the POST to the result."""
    start = time.perf_counter()
    execution = call("POST", f"{service}/", {"n": 1})
    while execution["status"] not in FINAL:
        execution = call("GET", f"{service}/{execution['id']}")
    result = call("GET", f"{service}/{execution['id']}/result")
    assert result["n"] == 1, result
    return time.perf_counter() - start


def noticed(service: str) -> float:
    """Seconds from the end of a run of 0.2 s until one look at its status, as clients look before they sleep, tells it."""
    execution = call("POST", f"{service}/", {"n": 1, "seconds": 0.2})
    status = call("GET", f"{service}/{execution['id']}")["status"]
    seen = time.time()
    assert status in FINAL, f"{status}: the client would sleep for 5 s now"
    return seen - call("GET", f"{service}/{execution['id']}/result")["ended"]


def many(service: str, pid: int) -> tuple[float, float]:
    """Seconds until many executions have finished, and by how many MiB the server has grown."""
    before = resident(pid)
    start = time.perf_counter()
    for n in range(MANY):
        last = call("POST", f"{service}/", {"n": n})["id"]
    while call("GET", f"{service}/{last}")["status"] not in FINAL:
        time.sleep(0.5)
    return time.perf_counter() - start, resident(pid) - before


def tables() -> list[Table]:
    """The table of the services."""
    with tempfile.TemporaryDirectory() as home:
        environment = os.environ | {"QUMULUS_HOME": home, "QUMULUS_PORT": "0", "QUMULUS_LOG": "off"}
        process = subprocess.Popen(
            [sys.executable, "-m", "qumulus", "serve"], env=environment, stdout=subprocess.PIPE, text=True
        )
        try:
            assert process.stdout is not None
            url = process.stdout.readline().rsplit(" ", 1)[-1].strip()
            files = {"src/program.py": base64.b64encode(PROGRAM).decode()}
            call("PUT", f"{url}/emulator/services/bench", {"files": files}, "qumulus-admin")
            service = f"{url}/services/bench"
            finished(service)
            once = statistics.median(finished(service) for _ in range(RUNS))
            late = statistics.median(noticed(service) for _ in range(RUNS))
            elapsed, grown = many(service, process.pid)
        finally:
            process.terminate()
            process.wait(30)
    rows = [
        Row(
            what="from POST to the result of a program that returns at once",
            ours=seconds(once),
            least="0.25 s",
            met=once < 0.25,
        ),
        Row(
            what="from the end of a run of 0.2 s until `wait_for_final_state` of the clients returns",
            ours=seconds(late),
            least="0.2 s",
            met=late < 0.2,
        ),
        Row(what=f"{MANY:,} executions, queued and finished", ours=seconds(elapsed)),
        Row(what="growth of the server's memory by them", ours=f"{grown:.0f} MiB", least="50 MiB", met=grown < 50),
    ]
    return [
        Table(
            title="PLANQK services", rows=rows, note=f"Each execution is a process. First two rows: medians of {RUNS}."
        )
    ]
