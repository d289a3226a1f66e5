"""One form for all backends, lists of all that was sent, and what the program of a service has sent, on a live server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from apis.planqk.cloud import deploy
from apis.planqk.test_quantum import AQT, BELL, client, finished, submit
from servers import Server, server

BRAKET = "OPENQASM 3; qubit[2] q; bit[2] b; x q[0]; b[0] = measure q[0]; b[1] = measure q[1];"
IONQ = {"qubits": 2, "gateset": "qis", "circuit": [{"gate": "x", "target": 0}]}
INSIDE = """
    import json, os, urllib.request
    def run(circuit):
        given = {"backend_id": "kipu.sim.qsim", "input": circuit, "shots": 10, "name": "inside"}
        asked = [
            ("/sessions", {"backend_id": "ibm.qpu.fez", "mode": "batch"}),
            ("/jobs", given),
        ]
        ids = []
        for path, body in asked:
            request = urllib.request.Request(os.environ["QHUB_QUANTUM_BASE_URL"] + path, json.dumps(body).encode())
            request.add_header("X-Auth-Token", os.environ["KQH_SERVICE_EXECUTION_TOKEN"])
            request.add_header("Content-Type", "application/json")
            ids.append(json.load(urllib.request.urlopen(request, timeout=30))["id"])
        return {"session": ids[0], "job": ids[1]}
    """


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with server(tmp_path_factory.mktemp("views") / "state") as running:
        yield running


@pytest.fixture(scope="module")
def http(cloud: Server) -> Iterator[httpx2.Client]:
    with client(cloud) as http:
        yield http


def done(http: httpx2.Client, backend: str, given: Any, **members: Any) -> str:
    """The path of a job at its end."""
    job = submit(http, backend, given, **members)
    assert finished(http, job)["status"] in ("COMPLETED", "FAILED")
    return f"/jobs/{job['id']}"


@pytest.mark.parametrize(
    ("backend", "given", "outcome"),
    [
        ("kipu.sim.qsim", BELL.replace("h q[0]; cx q[0],q[1];", "x q[0];"), {"counts": {"01": 20}, "shots": 20}),
        ("aws.sim.sv1", BRAKET, {"counts": {"01": 20}, "shots": 20}),
        ("azure.ionq.simulator", IONQ, {"probabilities": {"01": 1.0}}),
        ("aqt.sim.ideal", {"payload": {"circuits": [{**AQT, "repetitions": 20}]}}, {"counts": {"01": 20}, "shots": 20}),
    ],
)
def test_results_of_all_backends_have_one_form(http: httpx2.Client, backend: str, given: Any, outcome: dict[str, Any]):
    path = done(http, backend, given, shots=20, name="one")
    kind = next(iter(outcome))
    (pub,) = http.get(f"{path}/result/normalized").json()["pubs"]
    assert pub == {"type": kind, "index": 0, "name": "one", "key_format": "bitstring", "qubits": 2, **outcome}


def test_simulators_are_as_wide_as_the_real_ones(http: httpx2.Client):
    assert http.get("/backends/aws.sim.sv1").json()["configuration"]["qubit_count"] == 34
    chain = "".join(f"cnot q[{qubit}], q[{qubit + 1}];" for qubit in range(33))
    measured = "".join(f"b[{qubit}] = measure q[{qubit}];" for qubit in range(34))
    path = done(http, "aws.sim.sv1", f"OPENQASM 3; qubit[34] q; bit[34] b; h q[0]; {chain} {measured}", shots=10)
    (pub,) = http.get(f"{path}/result/normalized").json()["pubs"]
    assert pub["qubits"] == 34
    assert set(pub["counts"]) <= {"0" * 34, "1" * 34}


def test_every_shot_is_told_where_the_backend_tells_them(http: httpx2.Client):
    path = done(http, "aws.sim.sv1", BRAKET, shots=3)
    assert http.get(f"{path}/result/normalized/memory").json() == {"memory": ["0x1"] * 3, "qubits": 2, "shots": 3}
    assert http.get(f"{done(http, 'kipu.sim.qsim', BELL)}/result/normalized/memory").status_code == 204


def test_a_result_that_nothing_was_measured_for_has_no_such_form(http: httpx2.Client):
    path = done(http, "kipu.sim.qsim", BELL, input_params={"mode": "statevector"})
    assert http.get(f"{path}/result/normalized").status_code == 204


def test_a_failed_job_has_its_reason_in_every_form(http: httpx2.Client):
    path = done(http, "kipu.sim.qsim", "no circuit")
    (pub,) = http.get(f"{path}/result/normalized").json()["pubs"]
    assert pub["type"] == "error"
    assert pub["error"] == http.get(f"{path}/result").json()["error"]
    assert http.get(f"{path}/result/normalized/memory").status_code == 204


def test_inputs_are_told_as_openqasm_or_refused(http: httpx2.Client):
    pub = {"qasm": BELL, "shots": 5}
    path = done(http, "kipu.sim.qsim", BELL, shots=5)
    assert http.get(f"{path}/input/normalized").json() == {"format": "openqasm.v2", "pubs": [pub]}
    path = done(http, "aws.sim.sv1", {"qasm": [BRAKET, BRAKET]}, shots=4)
    assert [pub["qasm"] for pub in http.get(f"{path}/input/normalized").json()["pubs"]] == [BRAKET, BRAKET]
    captured = {"format": "openqasm.v3", "programs": [{"qasm": BRAKET, "name": "mine"}, {"name": "nothing"}, 7]}
    path = done(http, "azure.ionq.simulator", IONQ, qasm=captured)
    assert http.get(f"{path}/input/normalized").json()["pubs"] == [{"qasm": BRAKET, "name": "mine", "shots": 1}]
    refused = http.get(f"{done(http, 'azure.ionq.simulator', IONQ)}/input/normalized")
    assert refused.status_code == 422
    assert "can't be written as OpenQASM" in refused.json()["detail"]


def test_a_result_can_be_saved_as_a_file(http: httpx2.Client):
    path = done(http, "kipu.sim.qsim", BELL)
    answer = http.get(f"{path}/result-stream")
    assert answer.headers["content-disposition"] == f'attachment; filename="{path.removeprefix("/jobs/")}.json"'
    assert answer.json() == http.get(f"{path}/result").json()


def test_what_a_program_sends_belongs_to_its_execution(cloud: Server, http: httpx2.Client):
    service = deploy(cloud, "inside", INSIDE)
    execution = service.start({"circuit": BELL})
    service.wait(execution)
    sent = service.get(f"/{execution}/result")
    job, session = sent["job"], sent["session"]
    base = f"/service-executions/{execution}"
    finished(http, {"id": job})
    assert http.get(f"{base}/jobs/{job}").json()["name"] == "inside"
    for path in ("status", "input", "input/normalized", "result/normalized", "result-stream"):
        answer = http.get(f"{base}/jobs/{job}/{path}")
        assert answer.json() == http.get(f"/jobs/{job}/{path}").json(), path
    assert http.get(f"{base}/jobs/{job}/calibration").status_code == 204
    assert http.get(f"{base}/sessions/{session}").json()["mode"] == "batch"
    assert http.get(f"{base}/sessions/{session}/status").json() == {"status": "OPEN"}
    assert http.get(f"{base}/sessions/{session}/jobs").json()["total_elements"] == 0
    listed = http.get(f"{base}/workloads").json()
    assert {each["id"]: each["type"] for each in listed["content"]} == {job: "JOB", session: "SESSION"}
    assert {each["service_execution_id"] for each in listed["content"]} == {execution}
    assert [each["id"] for each in http.get("/jobs", params={"serviceExecutionId": execution}).json()["content"]] == [
        job
    ]
    closed = http.patch(f"{base}/sessions/{session}", json={"accept_jobs": False})
    assert closed.json()["status"] == "CLOSED"
    assert http.delete(f"{base}/sessions/{session}").status_code == 204
    assert http.delete(f"{base}/jobs/{job}").status_code == 204


def test_what_others_have_sent_is_unknown_within_an_execution(http: httpx2.Client):
    job = done(http, "kipu.sim.qsim", BELL)
    session = http.post("/sessions", json={"backend_id": "ibm.qpu.fez", "mode": "batch"}).json()["id"]
    base = "/service-executions/ee49be82-593d-4d12-b732-ab84e0b11be1"
    assert http.get(f"{base}{job}").status_code == 404
    assert http.get(f"{base}/sessions/{session}").status_code == 404


def test_workloads_are_found_by_all_that_they_have(http: httpx2.Client):
    job = done(http, "aws.sim.sv1", BRAKET, name="found", tags=["Blue"]).removeprefix("/jobs/")
    session = http.post("/sessions", json={"backend_id": "ibm.qpu.marrakesh", "mode": "dedicated"}).json()["id"]
    for query, found in (
        ({"tag": "blue"}, [job]),
        ({"tag": ["blue", "red"], "provider": "aws", "type": "job", "status": "completed"}, [job]),
        ({"backendId": "ibm.qpu.marrakesh"}, [session]),
        ({"type": "SESSION", "provider": "IBM", "backendId": "ibm.qpu.marrakesh", "origin": "STANDALONE"}, [session]),
        ({"tag": "blue", "type": "SESSION"}, []),
    ):
        listed = http.get("/workloads", params=query).json()
        assert [each["id"] for each in listed["content"]] == found, query
        assert listed["total_elements"] == len(found)
    oldest, newest = (
        http.get("/workloads", params={"sort": f"created_at,{order}", "size": 1}).json()["content"][0]["created_at"]
        for order in ("asc", "desc")
    )
    assert oldest <= newest
    assert http.get("/workloads", params={"sort": "name,asc"}).status_code == 400
