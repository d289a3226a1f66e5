"""`qumulus provider`: an engine of a device as a process of its own, and a cloud that it serves."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from apis.oqtopus.cloud import USER, ended, submitted, unpacked
from servers import Server

BELL = "OPENQASM 3; qubit[2] q; bit[2] c; h q[0]; cnot q[0], q[1]; c = measure q;"
STATE = "OPENQASM 3; qubit[2] q; h q[0]; cnot q[0], q[1];"
LONG = f"OPENQASM 3; qubit[2] q; bit[2] c; {'cx q[0], q[1]; ' * 60_000} c = measure q;"
"""Takes many seconds to be read alone."""
ADMIN = {"authorization": "Bearer qumulus-admin"}
WORKERS = 2
LEASE = 6.0  # more than two seconds, after which an engine asks after what it runs


class Provider:
    """A process that serves the device Lima."""

    def __init__(self, cloud: Server, log: Path, *arguments: str, **environment: str) -> None:
        self._log = log.open("w")
        self.log = log
        command = [sys.executable, "-m", "qumulus", "provider", "--device", "Lima", "--url", f"{cloud.url}/provider"]
        self.process = subprocess.Popen(
            [*command, "--poll", "0.1", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env={"PATH": "/usr/bin:/bin", "PYTHONUNBUFFERED": "1", **environment},
        )

    def end(self, number: signal.Signals) -> str:
        """Send a signal and wait; what was printed."""
        self.process.send_signal(number)
        self.process.wait(30)
        self._log.close()
        return self.log.read_text()


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("provider") / "state"
    with Server(home, environment={"QUMULUS_PROVIDER_LEASE": str(LEASE)}) as server:
        settings = f"{server.url}/emulator/devices/lima/settings"
        httpx2.put(settings, json={"provider": True}, headers=ADMIN).raise_for_status()
        yield server


@pytest.fixture
def client(cloud: Server) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=cloud.url, timeout=30) as client:
        yield client


def send(client: httpx2.Client, content: Any = None, **members: Any) -> str:
    asked = {"device_id": "Lima", "job_type": "sampling", "shots": 200, **members}
    return submitted(client, {"program": [BELL]} if content is None else content, **asked)


def available(client: httpx2.Client, value: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while client.get("/devices/Lima", headers=USER).json()["status"] != value:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def counts(client: httpx2.Client, job: dict[str, Any]) -> dict[str, int]:
    return unpacked(client.get(job["job_info"]["result"]).content)["sampling"]["counts"]


def test_jobs_of_every_type_are_run_and_reported(cloud: Server, client: httpx2.Client, tmp_path: Path):
    provider = Provider(cloud, tmp_path / "log")
    available(client, "available")
    sampling = send(client)
    many = send(client, {"program": [BELL, BELL]}, job_type="multi_manual")
    operator = [{"pauli": "Z0 Z1", "coeff": 1.0}]
    estimation = send(client, {"program": [STATE], "operator": operator}, job_type="estimation")
    wrong = send(client, {"program": ["OPENQASM 3; what"]})
    program = send(client, {"sse_program": "print(1)"}, job_type="sse")
    job = ended(client, sampling)
    assert sum(counts(client, job).values()) == 200
    assert job["transpiler_info"]["transpiler_lib"] == "qiskit"
    assert job["execution_time"] > 0
    assert "transpile_result" in job["job_info"]
    assert "combined_program" in ended(client, many)["job_info"]
    result = unpacked(client.get(ended(client, estimation)["job_info"]["result"]).content)
    assert 0.7 < result["estimation"]["exp_value"] <= 1
    assert ended(client, wrong)["job_info"]["message"].startswith("Line 1")
    assert "are not run by this engine" in ended(client, program)["job_info"]["message"]
    device = client.get("/devices/Lima", headers=USER).json()
    assert len(unpacked(client.get(device["device_info"]).content)["qubits"]) == device["n_qubits"] == 5
    printed = provider.end(signal.SIGINT)
    assert provider.process.returncode == 0
    assert f"{sampling}: succeeded after" in printed
    assert printed.rstrip().endswith("2 failed, 3 succeeded")
    available(client, "unavailable")


def started(cloud: Server, client: httpx2.Client, log: Path, *arguments: str) -> Provider:
    """A provider that has begun to work: the device takes jobs."""
    provider = Provider(cloud, log, *arguments)
    available(client, "available")
    return provider


def some_have_ended(log: Path, least: int) -> None:
    deadline = time.monotonic() + 60
    while len(re.findall(": succeeded", log.read_text())) < least:
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.02)


def test_no_job_is_lost_when_the_engine_is_killed_in_between(cloud: Server, client: httpx2.Client, tmp_path: Path):
    first = started(cloud, client, tmp_path / "first", "--workers", str(WORKERS))
    jobs = [send(client) for _ in range(100)]
    some_have_ended(first.log, 20)
    first.end(signal.SIGKILL)
    second = started(cloud, client, tmp_path / "second")
    ends = [ended(client, job, seconds=90) for job in jobs]
    assert [job["status"] for job in ends] == ["succeeded"] * 100
    assert all(sum(counts(client, job).values()) == 200 for job in ends)
    reported = re.findall(r"(\S+): succeeded", first.log.read_text() + second.end(signal.SIGTERM))
    assert len(reported) == len(set(reported))  # none twice
    assert len(reported) >= 100 - WORKERS  # it may be killed when a job has ended, and before it says so


def test_an_engine_that_is_stopped_hands_back_what_it_has_not_finished(
    cloud: Server, client: httpx2.Client, tmp_path: Path
):
    first = started(cloud, client, tmp_path / "first", "--drain-seconds", "0", "--workers", "1")
    job = send(client, {"program": [LONG]})
    deadline = time.monotonic() + 60
    while client.get(f"/jobs/{job}/status", headers=USER).json()["status"] != "running":
        assert time.monotonic() < deadline, first.log.read_text()
    printed = first.end(signal.SIGINT)
    assert f"{job}: handed back" in printed
    assert client.get(f"/jobs/{job}/status", headers=USER).json()["status"] == "submitted"
    client.post(f"/jobs/{job}/cancel", headers=USER).raise_for_status()


def test_a_running_job_that_its_user_cancels_is_killed(cloud: Server, client: httpx2.Client, tmp_path: Path):
    provider = started(cloud, client, tmp_path / "log", "--workers", "1")
    job = send(client, {"program": [LONG]})
    deadline = time.monotonic() + 60
    while client.get(f"/jobs/{job}/status", headers=USER).json()["status"] != "running":
        assert time.monotonic() < deadline, provider.log.read_text()
    client.post(f"/jobs/{job}/cancel", headers=USER).raise_for_status()
    assert ended(client, job)["status"] == "cancelled"
    assert "1 cancelled" in provider.end(signal.SIGINT)


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        ((), {"QUMULUS_PROVIDER_KEY": "wrong"}, "answers 401"),
        (("--device", "Nowhere"), {}, "no device named 'Nowhere' to run jobs on"),
        (("--device", "Nowhere", "--like", "lima"), {}, "answers 404"),
        (("--url", "http://127.0.0.1:9"), {}, "No cloud answers at http://127.0.0.1:9"),
        (("--url", "nowhere"), {}, "no address of a server"),
    ],
)
def test_what_is_wrong_is_said_at_once(
    cloud: Server, tmp_path: Path, arguments: tuple[str, ...], environment: dict[str, str], said: str
):
    provider = Provider(cloud, tmp_path / "log", *arguments, **environment)
    assert provider.process.wait(20) != 0
    assert said in " ".join(provider.log.read_text().replace("│", " ").split())
