"""Jobs of the Qiskit Runtime REST API, sent without any client."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import httpx2
import pytest
import qiskit

from apis.ibm.cloud import BELL, LOCAL_CRN
from qumulus.core.results import LogLine, Progress
from qumulus.storage import open_storage

ADMIN = {"Authorization": "Bearer qumulus-admin"}


@pytest.fixture(scope="module")
def bell(runtime) -> str:
    """A job that has run."""
    return runtime.run(tags=["bell", "first"])


def test_the_metrics_tell_of_the_circuits(runtime, bell):
    metrics = runtime.get(f"/jobs/{bell}/metrics")
    assert (metrics["num_circuits"], metrics["executions"], metrics["num_qubits"]) == (1, 100, [2])
    assert metrics["circuit_depths"] == [6]
    assert metrics["qiskit_version"] == qiskit.__version__
    times = [datetime.fromisoformat(metrics["timestamps"][name]) for name in ("created", "running", "finished")]
    assert times == sorted(times)


def test_how_long_a_job_has_its_device_is_told_while_it_runs(server, runtime):
    device = f"{server.url}/emulator/devices/kyiv/settings"
    admin = {"Authorization": "Bearer qumulus-admin"}
    httpx2.put(device, json={"online": True, "provider": True}, headers=admin).raise_for_status()  # so that we run it
    job = runtime.job(backend="ibm_kyiv")
    assert "estimated_running_time_seconds" not in runtime.get(f"/jobs/{job}")
    storage = open_storage(server.home)
    try:
        (claim,) = storage.queue.fetch("kyiv", 1)
        so_far = Progress(method=None, parts=1, parts_done=0, seconds_used=0.1, usage_seconds=2.5)
        storage.queue.log(claim, [LogLine(storage.clock.now(), "Estimated usage: 2.5 s", progress=so_far)])
    finally:
        storage.close()
    assert runtime.get(f"/jobs/{job}")["estimated_running_time_seconds"] == 2.5
    (workload,) = runtime.get("/workloads", search=job)["workloads"]
    assert workload["estimated_running_time_seconds"] == 2.5
    assert "usage_seconds" not in workload
    assert runtime.send("POST", f"/jobs/{job}/cancel").status_code == 204
    httpx2.put(device, json={"online": True, "provider": False}, headers=admin).raise_for_status()


@pytest.mark.parametrize("program", ["estimator", "sampler"])
def test_each_set_of_values_is_as_many_executions_as_it_has_shots(runtime, program):
    rotated = "OPENQASM 3.0; input float a; bit[1] c; rz(a) $3; sx $3; "
    values = [[0.1], [0.2], [0.3]]
    on_the_whole_device = {"I" * 123 + "ZIII": 1.0}
    sampled = [rotated + "c[0] = measure $3;", values, 64]
    pub = sampled if program == "sampler" else [rotated, on_the_whole_device, values]
    bare = {} if program == "sampler" else {"resilience": {"measure_mitigation": False}}  # or it calibrates the readout
    job = runtime.run([pub, pub], program=program, options={"default_shots": 64, **bare})
    metrics = runtime.get(f"/jobs/{job}/metrics")
    width = 4 if program == "sampler" else 127  # observables make a circuit as wide as they are
    assert (metrics["num_circuits"], metrics["num_qubits"]) == (2, [width, width])
    assert metrics["executions"] == 2 * 3 * 64


def test_usage_is_told_in_the_words_of_the_version(runtime, bell):
    def told(version: str) -> tuple[set[str], set[str], set[str]]:
        as_of = runtime.of(version=version)
        metrics = as_of.get(f"/jobs/{bell}/metrics")
        listed = as_of.get("/jobs", tags="bell")["jobs"][0]
        assert listed["usage"] == as_of.get(f"/jobs/{bell}")["usage"]
        apart = {"bss", "circuits_execution_time_ns"}
        return set(listed["usage"]), set(metrics["usage"]), apart & set(metrics)

    billed = ({"seconds"}, {"seconds", "quantum_seconds"}, {"bss"})
    charged = {"status", "qpu_charge_time_seconds"}
    together = charged | {"circuits_execution_time_ns"}
    assert told("2024-01-01") == told("2025-05-01") == told("2026-03-14") == billed
    assert told("2026-03-15") == told("2026-04-14") == (together, together, set())
    assert told("2026-04-15") == (charged, charged, {"circuits_execution_time_ns"})
    assert runtime.get(f"/jobs/{bell}")["usage"]["status"] == "complete"
    metrics = runtime.get(f"/jobs/{bell}/metrics")
    executing = metrics["circuits_execution_time_ns"] / 1e9
    assert executing == pytest.approx(metrics["usage"]["qpu_charge_time_seconds"] - 2)


def test_billed_seconds_are_whole(runtime, bell):
    metrics = runtime.of(version="2025-05-01").get(f"/jobs/{bell}/metrics")
    assert metrics["bss"] == {"seconds": 3}
    assert metrics["usage"] == {"seconds": 3, "quantum_seconds": 3}


def test_every_filter_narrows_and_the_count_is_exact(runtime, bell):
    of_osaka = runtime.run(backend="ibm_osaka", tags=["bell"])
    mock = runtime.run(backend="test_eagle")
    elsewhere = runtime.of(instance=LOCAL_CRN).run()
    session = runtime.send("POST", "/sessions", json={"mode": "batch", "backend": "ibm_brisbane"}).json()["id"]
    in_session = runtime.run(session_id=session)
    estimated = runtime.run([[BELL.partition("c[0]")[0], {"I" * 125 + "ZZ": 1.0}]], program="estimator")

    def found(**query: object) -> list[str]:
        answer = runtime.get("/jobs", **query)
        assert answer["count"] == len(answer["jobs"])
        return [job["id"] for job in answer["jobs"]]

    everything = [bell, of_osaka, in_session, estimated]
    listed = found(sort="ASC")
    assert [job for job in listed if job in everything] == everything
    assert not {mock, elsewhere} & set(listed)
    assert found() == listed[::-1]
    assert mock in found(include_mocks="True")
    assert found(tags=["bell"]) == [of_osaka, bell]
    assert found(tags=["bell", "first"]) == [bell]
    assert found(backend="ibm_osaka") == [of_osaka]
    assert found(backend="IBM_OSAKA") == [of_osaka]
    assert found(backend="osaka") == found(backend="ibm_atlantis") == []
    assert set(everything) & set(found(program="estimator")) == {estimated}
    assert found(program="nonsense") == []
    assert found(session_id=session) == [in_session]
    assert found(pending=True) == []
    assert found(pending=False) == listed[::-1]
    created = datetime.fromisoformat(runtime.get(f"/jobs/{bell}")["created"])
    assert bell in found(created_before=created.isoformat())
    assert bell not in found(created_after=(created + timedelta(microseconds=1)).isoformat())
    page = runtime.get("/jobs", limit=2, offset=1)
    assert ([job["id"] for job in page["jobs"]], page["count"]) == (listed[::-1][1:3], len(listed))
    assert runtime.get("/jobs", tags="first", exclude_params="False")["jobs"][0]["params"]["version"] == 2
    assert "params" not in runtime.get("/jobs", tags="first")["jobs"][0]


def test_a_private_job_shows_no_inputs_and_gives_its_result_once(runtime):
    job = runtime.run(private=True)
    assert "params" not in runtime.get(f"/jobs/{job}")
    assert runtime.get(f"/jobs/{job}")["private"] is True
    assert len(runtime.send("GET", f"/jobs/{job}/results").json()["results"]) == 1
    again = runtime.send("GET", f"/jobs/{job}/results")
    assert (again.status_code, again.content) == (200, b"")


def test_a_dry_run_checks_and_returns_data_at_random(runtime):
    job = runtime.run(dry_run=True)
    (pub,) = runtime.get(f"/jobs/{job}/results")["results"]
    assert set(pub["data"]["c"]["samples"]) == {"0x0", "0x1", "0x2", "0x3"}
    assert runtime.get(f"/jobs/{job}")["backend"] == "ibm_brisbane"
    assert runtime.get(f"/jobs/{job}")["usage"]["qpu_charge_time_seconds"] > 2  # what it would use
    wrong = runtime.ended(runtime.job([["OPENQASM 3.0; h $0;"]], dry_run=True))
    assert wrong["state"]["status"] == "Failed"
    assert "h" in wrong["state"]["reason"]


def test_a_job_on_a_mock_is_a_dry_run_of_the_device_for_which_it_stands(runtime):
    job, real = runtime.run(backend="mock_brisbane"), runtime.run()
    shown = runtime.get(f"/jobs/{job}")
    assert shown["backend"] == "mock_brisbane"
    assert shown["usage"]["qpu_charge_time_seconds"] == runtime.get(f"/jobs/{real}")["usage"]["qpu_charge_time_seconds"]
    assert runtime.get(f"/jobs/{job}/results")["results"][0]["metadata"]["simulation"] == {"dry_run": True}
    assert job not in [each["id"] for each in runtime.get("/jobs")["jobs"]]
    mocked = runtime.get("/jobs", include_mocks="True", backend="mock_brisbane")["jobs"]
    assert job in [each["id"] for each in mocked]
    assert real not in [each["id"] for each in mocked]


def test_a_dry_run_may_be_in_a_session_on_its_device_and_on_no_other(runtime):
    session = runtime.send("POST", "/sessions", json={"backend": "ibm_brisbane", "mode": "batch"}).json()["id"]
    job = runtime.run(backend="mock_brisbane", session_id=session)
    assert runtime.get(f"/jobs/{job}")["session_id"] == session
    body = {"program_id": "sampler", "backend": "mock_osaka", "params": {}, "session_id": session}
    assert runtime.error("POST", "/jobs", json=body)[0] == 400


def test_a_device_that_was_added_has_a_mock_with_its_own_calibration(server, runtime):
    made_up = {"name": "mine", "topology": "line 3", "gates": ["cx", "id", "rz", "sx", "x"]}
    added = httpx2.post(f"{server.url}/emulator/devices", json={"documents": [made_up]}, headers=ADMIN, timeout=30)
    assert added.status_code == 200
    try:
        text = 'OPENQASM 3.0; include "stdgates.inc"; bit[1] c; x $2; c[0] = measure $2;'
        dry, real = (runtime.run([[text, [], 10]], backend=f"{prefix}_mine") for prefix in ("mock", "ibm"))
        dry, real = (runtime.get(f"/jobs/{each}")["usage"]["qpu_charge_time_seconds"] for each in (dry, real))
        assert dry == real > 2
    finally:
        httpx2.delete(f"{server.url}/emulator/devices/mine", headers=ADMIN, timeout=30)


def test_there_is_no_mock_of_what_is_not_there(runtime):
    for name in ("mock_nowhere", "mock_qulacs", "mock_mock_brisbane"):
        body = {"program_id": "sampler", "backend": name, "params": {}}
        status, _code, message = runtime.error("POST", "/jobs", json=body)
        assert status == 404
        assert name in message


def test_a_job_over_its_cost_is_cancelled_with_the_code_of_the_registry(runtime):
    job = runtime.ended(runtime.job(cost=1))
    assert (job["cost"], job["usage"]["qpu_charge_time_seconds"]) == (1, 1)
    assert (job["state"]["status"], job["state"]["reason_code"]) == ("Cancelled", 1305)
    assert job["status"] == "Cancelled - Ran too long"
    assert "max_execution_time" in job["state"]["reason_solution"]


def test_a_calibration_is_chosen_by_its_id(runtime):
    known = runtime.get("/backends/ibm_brisbane/properties")["calibration_id"]
    job = runtime.run(calibration_id=known)
    assert runtime.get(f"/jobs/{job}")["calibration_id"] == known
    body = {"program_id": "sampler", "backend": "ibm_brisbane", "params": {}, "calibration_id": "nonsense"}
    status, code, message = runtime.error("POST", "/jobs", json=body)
    assert (status, code) == (404, 1009)
    assert (
        message
        == "Required backend information not found. Device ibm_brisbane has no calibration with the id 'nonsense'."
    )
    for document in ("configuration", "properties"):
        found = runtime.error("GET", f"/backends/ibm_brisbane/{document}", params={"calibration_id": "nonsense"})
        assert found == (404, 1009, message)


def test_nothing_writes_interim_results(runtime, bell):
    answer = runtime.send("GET", f"/jobs/{bell}/interim_results")
    assert (answer.status_code, answer.text) == (200, "")
    assert runtime.error("GET", "/jobs/nothing/interim_results")[:2] == (404, 1291)


def test_transpiled_circuits_are_gone_since_the_version_that_dropped_them(runtime, bell):
    assert runtime.of(version="2026-01-31").get(f"/jobs/{bell}/transpiled_circuits")["url"].endswith(bell)
    status, _, message = runtime.error("GET", f"/jobs/{bell}/transpiled_circuits")
    assert status == 404
    assert "2026-02-01" in message


def test_what_is_wrong_with_a_request_has_its_code(runtime):
    def answered(**changed: object) -> tuple[int, int, str]:
        body = {"program_id": "sampler", "backend": "ibm_brisbane", "params": {}} | changed
        return runtime.error("POST", "/jobs", json=body)

    def refused(**changed: object) -> tuple[int, int]:
        return answered(**changed)[:2]

    assert answered(backend="ibm_atlantis")[2].startswith("Backend not found. ")  # the service's words, and then ours
    assert refused(backend="ibm_atlantis") == (404, 1007)
    assert refused(program_id="circuit-runner") == (404, 3211)
    assert refused(session_id="nothing") == (404, 1292)
    assert refused(cost=0) == (400, 3220)
    assert refused(tags="bell") == (400, 3220)
    assert runtime.error("GET", "/jobs/nothing")[:2] == (404, 1291)
    assert runtime.error("POST", "/jobs/nothing/cancel")[:2] == (404, 1291)


def test_a_job_that_is_too_large_has_the_code_of_the_registry(runtime):
    answer = runtime.send("POST", "/jobs", content=b'{"params": "' + bytes(64 << 20) + b'"}')
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["code"]) == (413, 3248)
    assert "fewer circuits" in error["solution"]


def test_a_final_job_is_neither_cancelled_nor_brought_back(runtime):
    job = runtime.run()
    assert runtime.error("POST", f"/jobs/{job}/cancel")[:2] == (409, 1228)
    assert runtime.send("PUT", f"/jobs/{job}/tags", json={"tags": ["a", "b"]}).status_code == 204
    assert runtime.get("/tags", type="job", search="a")["tags"] == ["a"]
    assert runtime.send("DELETE", f"/jobs/{job}").status_code == 204
    assert runtime.error("GET", f"/jobs/{job}")[:2] == (404, 1291)


def test_the_log_says_what_an_option_could_not_do(runtime):
    job = runtime.run(options={"experimental": {"magic": True}})
    text = runtime.send("GET", f"/jobs/{job}/logs").text
    assert "magic" in text
    assert json.loads(runtime.send("GET", f"/jobs/{job}/results").text)["results"]


def test_any_number_of_jobs_may_be_asked_for_and_an_answer_has_at_most_200(runtime, bell):
    answer = runtime.get("/jobs", limit=1000)
    assert answer["limit"] == 200
    assert bell in [job["id"] for job in answer["jobs"]]
