"""The job and device repositories of oqtopus-engine 2.1.1, unmodified, as the engine of a device.

Its source is on no index: OQTOPUS_ENGINE_SOURCE names a checkout, or a git repository that has the tag.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from apis.oqtopus.cloud import USER, ended, submitted, unpacked
from clients.environments import NoPython, environment
from servers import Server
from sources import source_of

VERSION = "2.1.1"
DEVICE = "anemone"
SCRIPTS = Path(__file__).parent / "scripts"
BELL = "OPENQASM 3; qubit[2] q; bit[2] c; h q[0]; cnot q[0], q[1]; c = measure q;"
LEASE = 5.0


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that has the engine's package."""
    named = source_of("OQTOPUS_ENGINE_SOURCE", f"oqtopus-engine {VERSION}")
    place = Path(named)
    if (place / "core" / "src").is_dir():
        return place / "core" / "src"
    folder = tmp_path_factory.mktemp("engine")
    archive = subprocess.run(
        ["git", "-C", place, "archive", f"v{VERSION}", "core/src"], capture_output=True, check=True
    ).stdout
    subprocess.run(["tar", "x", "-C", folder], input=archive, check=True)
    return folder / "core" / "src"


@pytest.fixture(scope="module")
def python() -> Path:
    try:
        return environment(f"oqtopus-engine-{VERSION}")
    except NoPython as error:
        pytest.skip(f"{error} The engine runs on no other version.")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A cloud in which an administrator has registered the device that oqtopus' device gateway has by default."""
    home = tmp_path_factory.mktemp("cloud") / "state"
    with Server(home, environment={"QUMULUS_PROVIDER_LEASE": str(LEASE)}) as server:
        administrator = {"authorization": "Bearer qumulus-admin"}
        text = json.dumps({"device_id": DEVICE, "qubits": []})
        new = {"device_info": text, "device_type": "QPU", "status": "unavailable", "n_qubits": 5}
        httpx2.post(f"{server.url}/admin/devices", json=new, headers=administrator).raise_for_status()
        yield server


@pytest.fixture
def client(cloud: Server) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=cloud.url, timeout=30) as client:
        yield client


Engine = Callable[[Path], AbstractContextManager[subprocess.Popen[bytes]]]


@pytest.fixture
def engine(source: Path, python: Path, cloud: Server) -> Engine:
    """Starts an engine that writes to a log; it is killed at the end."""

    @contextmanager
    def running(log: Path) -> Iterator[subprocess.Popen[bytes]]:
        gateway = [sys.executable, str(SCRIPTS / "gateway.py")]
        command = [python, SCRIPTS / "engine.py", f"{cloud.url}/provider", "qumulus-provider", DEVICE, *gateway]
        with log.open("wb") as file:
            process = subprocess.Popen(
                command,
                env={"PATH": os.environ["PATH"], "PYTHONPATH": str(source), "OTEL_SDK_DISABLED": "true"},
                stdout=file,
                stderr=subprocess.STDOUT,
            )
            try:
                yield process
            finally:
                process.send_signal(signal.SIGKILL)
                process.wait()

    return running


def ready(client: httpx2.Client) -> None:
    """Wait until the engine has said that its device takes jobs."""
    deadline = time.monotonic() + 60
    while client.get(f"/devices/{DEVICE}", headers=USER).json()["status"] != "available":
        assert time.monotonic() < deadline
        time.sleep(0.05)


def send(client: httpx2.Client, content: Any = None, kind: str = "sampling") -> str:
    given = {"program": [BELL]} if content is None else content
    return submitted(client, given, device_id=DEVICE, job_type=kind, shots=100)


def test_jobs_are_fetched_run_and_reported(engine: Engine, client: httpx2.Client, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with engine(log):
        ready(client)
        sampling, many = send(client), send(client, {"program": [BELL, BELL]}, "multi_manual")
        operator = [{"pauli": "Z0 Z1", "coeff": 2.0}]
        estimation = send(client, {"program": [BELL], "operator": operator}, "estimation")
        wrong = send(client, {"program": ["OPENQASM 3; what"]})
        jobs = {job: ended(client, job) for job in (sampling, many, estimation, wrong)}
    assert [job["status"] for job in jobs.values()] == ["succeeded"] * 3 + ["failed"], log.read_text()
    for job in (sampling, many, estimation):
        information = jobs[job]["job_info"]
        assert ("combined_program" in information) == (job == many)
        assert "transpile_result" in information
        assert jobs[job]["execution_time"] > 0
        assert jobs[job]["transpiler_info"]["transpiler_lib"] == "qiskit"
        result = unpacked(client.get(information["result"]).content)
        assert (result["estimation"] is not None) == (job == estimation)
    assert jobs[wrong]["job_info"]["message"].startswith("Line 1")
    assert {"running_at", "execution_time"} & set(jobs[wrong]) == set()
    device = client.get(f"/devices/{DEVICE}", headers=USER).json()
    assert (device["status"], device["calibrated_at"]) == ("available", "2026-11-25T00:00:00Z")
    assert unpacked(client.get(device["device_info"]).content)["qubits"] == [{"id": 0}]


def test_none_of_a_hundred_jobs_is_lost_when_the_engine_is_killed_in_between(
    engine: Engine, client: httpx2.Client, tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    jobs = [send(client) for _ in range(100)]
    with engine(first):
        deadline = time.monotonic() + 60
        while first.read_text().count("succeeded") < 33:
            assert time.monotonic() < deadline, first.read_text()
            time.sleep(0.01)
    with engine(second):
        ends = [ended(client, job, seconds=90) for job in jobs]
    assert [job["status"] for job in ends] == ["succeeded"] * 100, second.read_text()
    for job in ends:
        counts = unpacked(client.get(job["job_info"]["result"]).content)["sampling"]["counts"]
        assert sum(counts.values()) == 100
    told = re.findall(r"succeeded (\S+)", first.read_text() + second.read_text())
    assert set(told) <= set(jobs)
    assert len(told) == len(set(told)) >= 99  # the last word of the one that was killed may be unheard
