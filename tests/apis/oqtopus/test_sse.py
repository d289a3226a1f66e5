"""Jobs of the type sse: a Python program that runs beside a device and sends jobs itself."""

from __future__ import annotations

import fcntl
import io
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from apis.oqtopus.cloud import USER, ended, packed, submitted, unpacked
from qumulus.services.host import environments_in
from servers import Server
from services.wheels import only_from, wheel

BELL = "OPENQASM 3; qubit[2] q; bit[2] c; h q[0]; cnot q[0], q[1]; c = measure q;"
HEAD = f"""
import json, os, sys, sse_driver

class Model(dict):  # as the client's models
    def to_dict(self):
        return dict(self)

def run(shots=100, device="", program={BELL!r}, kind="sampling", **members):
    job = Model(device_id=device, job_type=kind, shots=shots, **members)
    return sse_driver.submit_job(job, Model(program=[program]))
"""


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    """A server whose programs can import what it has itself: nothing is installed."""
    home = tmp_path_factory.mktemp("sse") / "state"
    environment = {"QUMULUS_SSE_REQUIREMENTS": ""}
    with Server(home, environment=environment) as server, httpx2.Client(base_url=server.url, timeout=60) as client:
        yield client


@pytest.fixture
def hasty(tmp_path: Path) -> Iterator[httpx2.Client]:
    """A server whose programs may take no time."""
    environment = {"QUMULUS_SSE_REQUIREMENTS": "", "QUMULUS_SERVICE_SECONDS": "2"}
    with (
        Server(tmp_path / "state", environment=environment) as server,
        httpx2.Client(base_url=server.url, timeout=60) as client,
    ):
        yield client


def sent(client: httpx2.Client, program: Any, device: str = "Kawasaki") -> str:
    content = program if isinstance(program, bytes) else {"sse_program": HEAD + program}
    return submitted(client, content, device_id=device, job_type="sse", shots=1, name="a program")


def ran(client: httpx2.Client, program: Any, device: str = "Kawasaki") -> dict[str, Any]:
    return ended(client, sent(client, program, device))


def until(look: Callable[[], Any], there: Callable[[Any], bool]) -> Any:
    """What is seen once it is as it is to be."""
    deadline = time.monotonic() + 60
    while not there(seen := look()):
        assert time.monotonic() < deadline, seen
        time.sleep(0.1)
    return seen


def log(client: httpx2.Client, job: dict[str, Any]) -> str:
    with zipfile.ZipFile(io.BytesIO(client.get(job["job_info"]["sse_log"]).content)) as archive:
        assert archive.namelist() == ["sse_log.log"]
        return archive.read("sse_log.log").decode()


def test_its_result_is_its_last_jobs(client: httpx2.Client):
    job = ran(
        client, "for shots in (100, 200):\n    print(run(shots, name='inner')['job_info']['result'])\nprint('ends')"
    )
    assert job["status"] == "succeeded", job["job_info"].get("message")
    assert (job["device_id"], job["shots"], job["job_type"]) == ("Kawasaki", 1, "sse")
    assert job["submitted_at"] <= job["ready_at"] <= job["running_at"] <= job["ended_at"]
    assert job["execution_time"] > 0
    assert job["transpiler_info"] == {"transpiler_lib": "qiskit", "transpiler_options": {"optimization_level": 1}}
    result = unpacked(client.get(job["job_info"]["result"]).content)
    assert sum(result["sampling"]["counts"].values()) == 200
    lines = log(client, job).splitlines()
    assert str(result) == lines[1]
    assert lines[2] == "ends"
    assert unpacked(client.get(job["job_info"]["transpile_result"]).content)["stats"]["after"]["n_qubits"] == 127
    inner = client.get("/jobs", params={"q": "inner", "order": "DESC"}, headers=USER).json()
    assert [(each["device_id"], each["shots"]) for each in inner] == [("Kawasaki", 200), ("Kawasaki", 100)]


@pytest.mark.parametrize(("named", "device"), [("", "Lima"), ("sse", "Lima"), ("qulacs", "qulacs")])
def test_no_name_and_sse_stand_for_the_device_that_it_runs_beside(client: httpx2.Client, named: str, device: str):
    job = ran(client, f"print(run(device={named!r})['device_id'])", "Lima")
    assert job["status"] == "succeeded"
    assert log(client, job) == f"{device}\n"


def test_the_device_called_sse_is_an_ideal_simulator_to_everybody_else(client: httpx2.Client):
    job = ended(client, submitted(client, {"program": [BELL]}, device_id="sse", job_type="sampling", shots=100))
    assert set(unpacked(client.get(job["job_info"]["result"]).content)["sampling"]["counts"]) == {"00", "11"}


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("raise SystemExit(3)", "exit status 3"),
        ("import nowhere_to_be_found", "No module named 'nowhere_to_be_found'"),
        ("print('nothing else')", "fails such a program, too.\nIts log ends:\nnothing else"),
        ("try:\n    run(program='OPENQASM 3; what;')\nexcept sse_driver.SseRuntimeError as e:\n    print(e)", "failed"),
        ("run(device='Nowhere')", "device not found"),
        ("run(kind='sse')", "can't send another one"),
    ],
)
def test_a_program_that_does_not_end_well_says_why(client: httpx2.Client, program: str, said: str):
    does_not_end_well(client, program, said)


def test_a_program_that_takes_longer_than_it_may_says_so(hasty: httpx2.Client):
    does_not_end_well(hasty, "import time\ntime.sleep(60)", "longer than 2 s")


def does_not_end_well(client: httpx2.Client, program: str, said: str) -> None:
    job = ended(client, sent(client, program), seconds=60)
    assert job["status"] == "failed"
    assert job["job_info"]["message"].startswith("user program execution error: ")
    assert said in job["job_info"]["message"]
    assert {"result", "sse_log"} & set(job["job_info"]) == set()
    assert job["execution_time"] > 0
    assert "running_at" in job


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no zip", "not a zip file"),
        (packed("input.json", {"program": [BELL]}), "no Python program"),
        (packed("input.json", [1]), "no Python program"),
    ],
)
def test_an_input_without_a_program_fails_with_a_sentence(client: httpx2.Client, content: bytes, said: str):
    job = ran(client, content)
    assert job["status"] == "failed"
    assert said in job["job_info"]["message"]


def test_the_credential_of_a_program_ends_with_it_and_is_in_no_log(client: httpx2.Client):
    job = ran(client, "run()\nprint(os.environ['OQTOPUS_API_TOKEN'][::-1])\nprint(os.environ['OQTOPUS_API_TOKEN'])")
    turned, plain, *_ = log(client, job).splitlines()
    assert plain == "[redacted]"
    assert client.get("/devices", headers={"q-api-token": turned[::-1]}).status_code == 401


def test_a_program_that_is_cancelled_takes_the_jobs_that_it_left_with_it(client: httpx2.Client):
    settings = {"least_queue_seconds": 30}
    admin = {"authorization": "Bearer qumulus-admin"}
    client.put("/emulator/devices/belem/settings", json=settings, headers=admin).raise_for_status()
    job_id = sent(client, "run(device='Belem', name='left')", "Lima")
    deadline = time.monotonic() + 60
    while not (left := client.get("/jobs", params={"q": "left", "status": "submitted"}, headers=USER).json()):
        assert time.monotonic() < deadline
    assert client.get("/devices/Lima", headers=USER).json()["n_pending_jobs"] == 1
    assert client.post(f"/jobs/{job_id}/cancel", headers=USER).status_code == 200
    assert ended(client, job_id)["status"] == "cancelled"
    assert ended(client, left[0]["job_id"])["status"] == "cancelled"


def test_a_program_whose_packages_are_being_installed_says_so_until_they_are_there(tmp_path: Path):
    wheels, home = tmp_path / "wheels", tmp_path / "state"
    wheels.mkdir()
    wheel(wheels, "mine")
    environment = {**only_from(wheels), "QUMULUS_SSE_REQUIREMENTS": "mine"}
    place = environments_in(home)._place(("mine",))
    place.parent.mkdir(parents=True)
    with place.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # as a process that makes it
        with Server(home, environment=environment) as server, httpx2.Client(base_url=server.url, timeout=30) as client:
            job_id = sent(client, "import mine; run(shots=mine.ANSWER)")
            waited = until(
                lambda: client.get(f"/jobs/{job_id}", headers=USER).json(), lambda job: "message" in job["job_info"]
            )
            assert waited["status"] == "submitted"
            assert waited["job_info"]["message"] == "Its packages are being installed."
            fcntl.flock(lock, fcntl.LOCK_UN)
            job = ended(client, job_id)
            assert job["status"] == "succeeded", job
            assert "message" not in job["job_info"]


def test_where_no_network_is_a_program_fails_with_the_reason(tmp_path: Path):
    environment = {**only_from(tmp_path), "QUMULUS_SSE_REQUIREMENTS": "nowhere", "QUMULUS_SSE_PREPARE": "on"}
    with (
        Server(tmp_path / "state", environment=environment) as server,
        httpx2.Client(base_url=server.url, timeout=30) as client,
    ):
        job = ran(client, "run()")
        assert job["status"] == "failed"
        assert "The packages could not be installed" in job["job_info"]["message"]
        assert "nowhere" in job["job_info"]["message"]


def test_the_first_start_prepares_the_packages_before_any_program_comes(tmp_path: Path):
    wheels, home = tmp_path / "wheels", tmp_path / "state"
    wheels.mkdir()
    wheel(wheels, "mine")
    environment = {**only_from(wheels), "QUMULUS_SSE_REQUIREMENTS": "mine", "QUMULUS_SSE_PREPARE": "auto"}
    with Server(home, environment=environment) as server, httpx2.Client(base_url=server.url, timeout=30) as client:
        until(lambda: environments_in(home).ready(("mine",)), bool)
        assert "--sse-prepare off leaves that to the first of them" in server.output()
        job = ran(client, "import mine; run(shots=mine.ANSWER)")
        assert job["status"] == "succeeded", job


def test_what_could_not_be_prepared_is_tried_again_when_a_program_comes(tmp_path: Path):
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    environment = {**only_from(wheels), "QUMULUS_SSE_REQUIREMENTS": "mine", "QUMULUS_SSE_PREPARE": "auto"}
    with (
        Server(tmp_path / "state", environment=environment) as server,
        httpx2.Client(base_url=server.url, timeout=30) as client,
    ):
        until(server.output, lambda told: "tried again when the first of them comes" in told)
        wheel(wheels, "mine")
        job = ran(client, "import mine; run(shots=mine.ANSWER)")
        assert job["status"] == "succeeded", job


def test_a_module_that_is_missing_names_the_setting(client: httpx2.Client):
    job = ran(client, "import nowhere")
    assert job["status"] == "failed"
    assert "No module named 'nowhere'" in job["job_info"]["message"]
    assert "QUMULUS_SSE_REQUIREMENTS" in job["job_info"]["message"]
