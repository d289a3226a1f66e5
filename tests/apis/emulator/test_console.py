"""What the console asks for: events, sessions, calibrations, and the way to it."""

from __future__ import annotations

import statistics
import time

import pytest
import requests

from asking import TASK, ask
from qumulus.apis.ibm.instances import LOCAL_CRN
from servers import Server

ADMIN = {"Authorization": "Bearer qumulus-admin"}


def asked(server: Server, path: str) -> dict:
    status, body = ask(server, "GET", path, **ADMIN)
    assert status == 200, body
    return body


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("text/html,application/xhtml+xml,*/*;q=0.8", (303, "/console")),
        ("*/*", (200, None)),
        ("application/json", (200, None)),
    ],
)
def test_a_browser_at_the_root_is_sent_to_the_console(
    live_server: Server, accept: str, expected: tuple[int, str | None]
) -> None:
    answered = requests.get(live_server.url + "/", headers={"Accept": accept}, allow_redirects=False, timeout=10)
    assert (answered.status_code, answered.headers.get("Location")) == expected


def test_a_page_of_the_console_runs_nothing_from_elsewhere(live_server: Server) -> None:
    policy = requests.get(f"{live_server.url}/console/jobs/any", timeout=10).headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe-inline" not in policy.partition("style-src")[0]


def test_the_stream_tells_of_a_job_that_is_submitted_meanwhile(live_server: Server) -> None:
    address = f"{live_server.url}/emulator/events?seconds=20"
    with requests.get(address, headers=ADMIN, stream=True, timeout=30) as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        lines = stream.iter_lines(chunk_size=1, decode_unicode=True)
        assert [next(lines) for _ in range(3)] == ["event: changed", 'data: {"jobs":[]}', ""]
        _, task = ask(live_server, "POST", "/task", TASK)
        assert any(task["task_id"] in line for line in lines)


def test_the_stream_ends_when_it_was_asked_to(live_server: Server) -> None:
    answered = requests.get(f"{live_server.url}/emulator/events?seconds=0", headers=ADMIN, timeout=10)
    assert answered.text == 'event: changed\ndata: {"jobs":[]}\n\n'


def test_sessions_of_all_accounts_are_listed_newest_first(live_server: Server) -> None:
    caller = {"Authorization": "Bearer qumulus-local", "Service_CRN": LOCAL_CRN, "IBM_API_Version": "2025-05-01"}
    made = []
    for mode in ("batch", "dedicated"):
        status, session = ask(live_server, "POST", "/v1/sessions", {"mode": mode, "backend": "ibm_brisbane"}, **caller)
        assert status == 200, session
        made.append(session["id"])
    page = asked(live_server, "/emulator/sessions?limit=2")
    assert [each["id"] for each in page["sessions"]] == made[::-1]
    assert [each["state"] for each in page["sessions"]] == ["open", "open"]
    assert page["total"] >= 2


def test_a_calibration_says_what_the_document_says(live_server: Server) -> None:
    told = asked(live_server, "/emulator/devices/brisbane/calibration")
    assert len(told["qubits"]) == 127
    assert told["qubits"][0]["t1_us"] == pytest.approx(237.36364)
    assert {len(gate["qubits"]) for gate in told["gates"]} == {1, 2}
    assert told["qubits"][14]["at"] == [1, 2]


def test_a_simulator_without_noise_has_qubits_of_which_nothing_is_said(live_server: Server) -> None:
    told = asked(live_server, "/emulator/devices/qulacs/calibration")
    assert told["qubits"]
    assert {each["t1_us"] for each in told["qubits"]} == {None}


def ended(server: Server, job_id: str) -> dict:
    for _ in range(1200):
        job = asked(server, f"/emulator/jobs/{job_id}")
        if job["state"] in ("succeeded", "failed"):
            return job
        time.sleep(0.05)
    raise AssertionError(job)


def test_a_job_is_run_again_as_its_owner_sent_it(live_server: Server) -> None:
    _, task = ask(live_server, "POST", "/task", TASK | {"name": "Again"})
    first = ended(live_server, task["task_id"])
    status, job = ask(live_server, "POST", f"/emulator/jobs/{first['id']}/rerun", **ADMIN)
    assert status == 201, job
    second = ended(live_server, job["id"])
    assert second["id"] != first["id"]
    assert [second[name] for name in ("state", "name", "shots", "device", "account")] == [
        first[name] for name in ("state", "name", "shots", "device", "account")
    ]


def test_a_job_that_nobody_knows_is_not_run_again(live_server: Server) -> None:
    status, body = ask(live_server, "POST", "/emulator/jobs/unknown/rerun", **ADMIN)
    assert status == 404, body


def test_the_circuit_of_a_job_is_shown_as_sent_and_as_scheduled_and_leaves_no_job_behind(live_server: Server) -> None:
    _, task = ask(live_server, "POST", "/task", TASK | {"device": "Kawasaki"})
    path = f"/emulator/jobs/{task['task_id']}/circuits/0"
    before = asked(live_server, "/emulator/jobs")["total"]
    sent, scheduled = asked(live_server, path), asked(live_server, f"{path}?stage=scheduled")
    assert (sent["stage"], sent["length"], sent["qubits"]) == ("sent", None, ["q[0]"])
    assert (scheduled["stage"], scheduled["circuits"]) == ("scheduled", 1)
    assert scheduled["length"] > 0
    assert asked(live_server, "/emulator/jobs")["total"] == before


def test_a_circuit_that_a_job_does_not_have_can_not_be_shown(live_server: Server) -> None:
    _, task = ask(live_server, "POST", "/task", TASK)
    status, said = ask(live_server, "GET", f"/emulator/jobs/{task['task_id']}/circuits/5", **ADMIN)
    assert (status, said["detail"]) == (409, "The job has 1 programs: there is none with the number 5.")


def test_the_circuit_of_a_device_that_was_added_is_scheduled_with_its_own_times(live_server: Server) -> None:
    made_up = {"name": "drawn-device", "topology": "line 2", "gates": ["cx", "id", "rz", "sx", "x"]}
    assert ask(live_server, "POST", "/emulator/devices", {"documents": [made_up]}, **ADMIN)[0] == 200
    _, task = ask(live_server, "POST", "/task", TASK | {"device": "drawn-device"})
    scheduled = asked(live_server, f"/emulator/jobs/{task['task_id']}/circuits/0?stage=scheduled")
    assert {each["name"] for each in scheduled["operations"]} <= {"rz", "sx", "x", "measure"}
    assert scheduled["length"] > 0
    gone = requests.delete(f"{live_server.url}/emulator/devices/drawn-device", headers=ADMIN, timeout=10)
    assert gone.status_code in (204, 409)  # its job may still run


def test_the_diagnosis_is_what_the_doctor_says(live_server: Server) -> None:
    found = asked(live_server, "/emulator/diagnosis")["findings"]
    assert {"version", "disk", "workers", "credentials"} <= {each["what"] for each in found}
    assert {each["grade"] for each in found} <= {"well", "look", "wrong"}
    assert all(each["do"] for each in found if each["grade"] == "wrong")
    assert ask(live_server, "GET", "/emulator/diagnosis")[0] == 401


def test_clients_are_told_this_address_and_no_secret(live_server: Server) -> None:
    told = {each["family"]: each for each in asked(live_server, "/emulator/clients")["clients"]}
    assert told.keys() == {"ibm", "oqtopus", "planqk"}
    for family in told.values():
        values = {variable["name"]: variable["value"] for variable in family["variables"]}
        assert any(live_server.url in value for value in values.values())
        assert not any("qumulus-local" in value for value in values.values())
        secret = {variable["name"] for variable in family["variables"] if variable["credential"]}
        assert secret == {name for name, value in values.items() if "{token}" in value} != set()


def test_a_job_has_the_files_that_its_run_left_and_no_other(live_server: Server) -> None:
    _, task = ask(live_server, "POST", "/task", TASK)
    assert asked(live_server, f"/emulator/jobs/{task['task_id']}/files") == {"files": []}
    status, problem = ask(live_server, "GET", f"/emulator/jobs/{task['task_id']}/files/output.json", **ADMIN)
    assert (status, problem["detail"]) == (404, "There is no file 'output.json'.")


def test_jobs_are_looked_for_by_their_service(live_server: Server) -> None:
    assert asked(live_server, "/emulator/jobs?device=service:nobody-has-this")["total"] == 0


def test_the_medians_of_a_device_are_those_of_its_calibration(live_server: Server) -> None:
    assert asked(live_server, "/emulator/devices")["fleet"] == "all"
    (manila,) = [each for each in asked(live_server, "/emulator/medians")["medians"] if each["device"] == "manila"]
    told = asked(live_server, "/emulator/devices/manila/calibration")
    assert manila["t1_us"] == statistics.median(qubit["t1_us"] for qubit in told["qubits"])
    errors = [gate["error"] for gate in told["gates"] if len(gate["qubits"]) == 2]
    assert manila["two_qubit_gate_error"] == statistics.median(errors)
    assert 0 < manila["gate_error"] < manila["two_qubit_gate_error"]
