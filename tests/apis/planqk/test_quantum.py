"""The quantum API on a live server: what no client of its own sends, and what goes wrong."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from servers import Server, server

BELL = 'OPENQASM 2.0; include "qelib1.inc"; qreg q[2]; creg c[2]; h q[0]; cx q[0],q[1]; measure q -> c;'
NO_MEASUREMENT = 'OPENQASM 2.0; include "qelib1.inc"; qreg q[2]; x q[0];'
AQT = {
    "repetitions": 10,
    "number_of_qubits": 2,
    "quantum_circuit": [
        {"operation": "R", "qubit": 0, "theta": 1.0, "phi": 0.0},
        {"operation": "RZ", "qubit": 1, "phi": 0.5},
        {"operation": "MEASURE"},
    ],
}
FINAL = {"COMPLETED", "FAILED", "CANCELLED"}


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    with server(tmp_path_factory.mktemp("quantum") / "state") as running, client(running) as http:
        yield http


def client(running: Server) -> httpx2.Client:
    return httpx2.Client(base_url=f"{running.url}/quantum", headers={"X-Auth-Token": "qumulus-local"}, timeout=60)


def submit(http: httpx2.Client, backend: str, given: Any, **members: Any) -> dict[str, Any]:
    answer = http.post("/jobs", json={"backend_id": backend, "input": given, **members})
    assert answer.status_code == 201, answer.text
    return answer.json()


def finished(http: httpx2.Client, job: dict[str, Any]) -> dict[str, Any]:
    """The job at its end."""
    deadline = time.monotonic() + 60
    while http.get(f"/jobs/{job['id']}/status").json()["status"] not in FINAL:
        assert time.monotonic() < deadline
    return http.get(f"/jobs/{job['id']}").json()


def failure(http: httpx2.Client, job: dict[str, Any]) -> str:
    assert finished(http, job)["status"] == "FAILED"
    return http.get(f"/jobs/{job['id']}/result").json()["error"]["message"]


def test_a_job_tells_what_it_used_and_what_was_sent(http: httpx2.Client):
    job = submit(http, "kipu.sim.qsim", BELL, shots=50, name="bell", tags=["a"])
    assert job["usage_time_state"] == "PENDING"
    done = finished(http, job)
    assert done["usage_time_state"] == "MEASURED"
    assert done["usage_time_millis"] >= 0
    assert http.get(f"/jobs/{job['id']}/input").json() == {"input": BELL}
    assert http.get(f"/jobs/{job['id']}/calibration").status_code == 204
    assert sum(http.get(f"/jobs/{job['id']}/result").json()["counts"].values()) == 50


def test_circuits_of_aqt_are_turned_by_multiples_of_pi(http: httpx2.Client):
    given = {"job_type": "quantum_circuit", "payload": {"circuits": [AQT]}}
    job = submit(http, "aqt.sim.ideal", given, shots=10)
    assert finished(http, job)["status"] == "COMPLETED"
    assert http.get(f"/jobs/{job['id']}/result").json()["counts"] == {"01": 10}


@pytest.mark.parametrize(
    ("backend", "given", "members", "words"),
    [
        ("kipu.sim.qsim", BELL, {"input_params": {"mode": "dream"}}, "has no mode 'dream'"),
        ("kipu.sim.qsim", BELL, {"input_params": {"mode": "amplitudes"}}, "needs bitstrings"),
        (
            "kipu.sim.qsim",
            NO_MEASUREMENT.replace("q[2]", "q[30]"),
            {"input_params": {"mode": "statevector"}},
            "up to 18 qubits",
        ),
        ("kipu.sim.qsim", {"qasm": [BELL, BELL]}, {}, "takes from 1 to 1"),
        ("kipu.sim.qsim", 7, {}, "has to be the text"),
        ("kipu.sim.qsim", NO_MEASUREMENT, {}, "measures nothing"),
        ("kipu.sim.qsim", BELL, {"input_format": "QIR_V1"}, "reads another format"),
        ("kipu.sim.qsim", BELL, {"shots": 1_000_000}, "ask for 1 to 100000"),
        ("aws.sim.sv1", {"qasm": ["OPENQASM 3;", "OPENQASM 3;"]}, {"shots": 3}, "shared evenly"),
        ("aqt.sim.ideal", {"payload": {"circuits": [{**AQT, "quantum_circuit": []}]}}, {}, "MEASURE the last"),
        ("aqt.sim.ideal", {"payload": {"circuits": [{**AQT, "number_of_qubits": 1}]}}, {}, "from 0 to 0"),
        ("qudora.sim.xg1", {"qasm": []}, {}, "The job has 0 circuits"),
        ("azure.ionq.simulator", {"qubits": 0, "circuit": []}, {}, "from 1 to 64"),
    ],
)
def test_an_input_that_a_backend_can_not_run_fails_in_a_sentence(
    http: httpx2.Client, backend: str, given: Any, members: dict[str, Any], words: str
):
    assert words in failure(http, submit(http, backend, given, **members))


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"backend_id": "aws.sim.none", "input": ""}, 404, "'aws.sim.none'"),
        ({"backend_id": "ibm.qpu.fez", "input": {}}, 400, "program_id has to be one of"),
        (
            {"backend_id": "ibm.qpu.fez", "input": {}, "input_params": {"program_id": "sampler"}, "session_id": "x"},
            404,
            "'x'",
        ),
        ({"backend_id": "kipu.sim.qsim"}, 400, "input"),
    ],
)
def test_a_job_that_can_not_be_taken_is_refused(http: httpx2.Client, body: dict[str, Any], status: int, words: str):
    answer = http.post("/jobs", json=body)
    assert answer.status_code == status
    told = answer.json()
    assert words in told["detail"]
    assert told["detail"] == told["error"] == told["error_message"]


def test_a_session_takes_jobs_of_its_own_backend_until_it_is_closed(http: httpx2.Client):
    refused = http.post("/sessions", json={"backend_id": "kipu.sim.qsim", "mode": "batch"})
    assert refused.status_code == 400
    wanted = {"backend_id": "ibm.test.heron", "mode": "dedicated", "ttl": 600, "sdk_provider": "QISKIT"}
    session = http.post("/sessions", json=wanted).json()
    assert (session["tags"], session["sdk_provider"]) == ([], "QISKIT")
    address = f"/sessions/{session['id']}"
    assert (session["backend_id"], session["status"], session["metadata"]["max_ttl"]) == ("ibm.test.heron", "OPEN", 600)
    sampler = {"input_params": {"program_id": "sampler"}, "session_id": session["id"]}
    job = submit(http, "ibm.test.heron", {"pubs": []}, tags=["vqe", "mine"], **sampler)
    told = http.get(address).json()
    assert (told["tags"], told["sdk_provider"]) == (["mine", "vqe"], "QISKIT")
    other = http.post("/jobs", json={"backend_id": "ibm.qpu.miami", "input": {}, **sampler})
    assert other.status_code == 400
    assert [each["id"] for each in http.get(f"{address}/jobs").json()["content"]] == [job["id"]]
    finished(http, job)
    assert http.get(f"{address}/status").json() == {"status": "ACTIVE"}
    assert http.patch(address, json={"accept_jobs": True}).json()["status"] == "ACTIVE"
    assert http.patch(address, json={"accept_jobs": False}).json()["status"] == "CLOSED"
    assert http.patch(address, json={"accept_jobs": True}).status_code == 409
    late = http.post("/jobs", json={"backend_id": "ibm.test.heron", "input": {}, **sampler})
    assert late.status_code == 409
    assert http.get(address).json()["final"] is True
    assert http.delete(address).status_code == 204


def test_the_backends_of_one_provider_are_listed_in_any_spelling(http: httpx2.Client):
    ids = {
        name: [each["id"] for each in http.get("/backends", params={"provider": name}).json()]
        for name in ("aws", "IBM")
    }
    assert ids["aws"] == ["aws.sim.sv1", "aws.sim.dm1"]
    assert len(ids["IBM"]) > 10
    assert http.get("/backends", params={"provider": "q-ryd"}).json() == []
    (known,) = http.get("/backends", params={"provider": "kipu"}).json()
    assert (known["queue_size"], known["availability"]) == (0, [])
    assert "without noise" in known["documentation"]["description"]


def test_the_least_busy_backend_is_large_enough(http: httpx2.Client):
    found = http.get("/backends/least-busy", params={"provider": "IBM", "minQubits": 150}).json()
    assert found["configuration"]["qubit_count"] >= 150
    assert found["configuration"]["connectivity"]["graph"]["0"]
    assert http.get("/backends/least-busy", params={"provider": "IBM", "minQubits": 5000}).status_code == 404
    assert http.get("/backends/least-busy", params={"provider": "AWS"}).status_code == 400


def test_a_calibration_is_that_of_its_time(http: httpx2.Client):
    newest = http.get("/backends/ibm.qpu.fez/calibration").json()
    qubits = newest["calibration"]["qubits"]
    assert len(qubits) == 156
    assert 1 < newest["calibration"]["medians"]["t1_us"] < 1000
    assert newest["calibration"]["medians"]["gates"]["cz"]["error"] < 0.1
    assert {"sx", "x", "rz"} <= set(qubits[0]["gates"])
    before = http.get("/backends/ibm.qpu.fez/calibration", params={"effectiveAt": "2000-01-01T00:00:00Z"})
    assert before.status_code == 204
    assert http.get("/backends/kipu.sim.qsim/calibration").status_code == 204
    history = http.get(
        "/backends/ibm.qpu.fez/calibration-history",
        params={"from": newest["calibrated_at"], "to": newest["calibrated_at"]},
    ).json()
    assert history["content"] == [newest]
    assert http.get("/backends/ibm.qpu.fez/calibration-history").status_code == 400
