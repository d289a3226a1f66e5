"""OQTOPUS: listing devices and registering jobs over HTTP, and a job as its user feels it."""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

from tests.clients.environments import environment

from .load import rate, request
from .tables import Row, Table, seconds

CONNECTIONS = 16
SECONDS = 3.0
RUNS = 15
TOKEN = "local.qumulus-local"
THEIRS = {"GET /devices": 45, "POST /jobs": 40}  # upstream's answers a second, on two cores of another day
PROGRAM = "OPENQASM 3; qubit[2] q; bit[2] c; h q[0]; cnot q[0], q[1]; c = measure q;"


def rates(url: str) -> dict[str, float]:
    """Answers a second of each request."""
    found = {}
    for what in THEIRS:
        data = request(*what.split()).replace(b"\r\n\r\n", f"\r\nq-api-token: {TOKEN}\r\n\r\n".encode())
        found[what] = asyncio.run(rate(url, data, connections=CONNECTIONS, seconds=SECONDS))
    return found


def felt(url: str) -> float:
    """Seconds from a task's POST to its counts, the median of some."""
    body = b'{"code": "%s", "device": "Kawasaki", "n_shots": 1000}' % PROGRAM.encode()
    spent = []
    for _ in range(RUNS):
        start = time.perf_counter()
        post = urllib.request.Request(f"{url}/task", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(post, timeout=60) as answer:
            task_id = answer.read().decode().split('"')[3]
        with urllib.request.urlopen(f"{url}/task/{task_id}/result", timeout=60) as answer:
            assert b'"COMPLETED"' in answer.read()
        spent.append(time.perf_counter() - start)
    return statistics.median(spent)


CLIENT = """
import statistics, time
from oqtopus_client import OqtopusClient, OqtopusConfig, OqtopusJobSpec
client = OqtopusClient(OqtopusConfig.from_env())
spec = OqtopusJobSpec.sampling(device_id="Kawasaki", program={program!r}, shots=1000)
spent = []
for _ in range({runs}):
    start = time.perf_counter()
    assert sum(client.run_sampling(spec).get_counts().values()) == 1000
    spent.append(time.perf_counter() - start)
print(statistics.median(spent))
"""


def by_client(url: str) -> float:
    """Seconds that `run_sampling` of the unmodified oqtopus-client takes, the median of some."""
    variables = {"OQTOPUS_URL": url, "OQTOPUS_API_TOKEN": TOKEN, "PATH": os.environ["PATH"]}
    script = CLIENT.format(program=PROGRAM, runs=RUNS)
    done = subprocess.run(
        [environment("oqtopus-client-1.3.0"), "-W", "ignore", "-c", script],
        env=variables,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


def tables() -> list[Table]:
    """The table of OQTOPUS' User API."""
    with tempfile.TemporaryDirectory() as home:
        environment = os.environ | {"QUMULUS_HOME": home, "QUMULUS_PORT": "0", "QUMULUS_LOG": "off"}
        process = subprocess.Popen(
            [sys.executable, "-m", "qumulus", "serve"], env=environment, stdout=subprocess.PIPE, text=True
        )
        try:
            assert process.stdout is not None
            url = process.stdout.readline().rsplit(" ", 1)[-1].strip()
            time.sleep(5)  # the simulator gets ready beside the server
            job, run = felt(url), by_client(url)
            found = rates(url)
        finally:
            process.terminate()
            process.wait(30)
    rows = [
        Row(
            what=what,
            ours=f"{found[what]:,.0f}/s",
            other=f"{theirs}/s",
            ratio=f"{found[what] / theirs:.1f}×",
            least="10×",
            met=found[what] >= 10 * theirs,
        )
        for what, theirs in THEIRS.items()
    ]
    rows.append(
        Row(what="a Bell task on Kawasaki, from POST to counts", ours=seconds(job), least="0.3 s", met=job < 0.3)
    )
    rows.append(
        Row(
            what="`run_sampling` of the unmodified client, the same circuit",
            ours=seconds(run),
            least="0.3 s",
            met=run < 0.3,
        )
    )
    note = f"{CONNECTIONS} connections, one server process; beside it upstream's figures. Last rows: medians of {RUNS}."
    return [Table(title="OQTOPUS User API", rows=rows, note=note)]
