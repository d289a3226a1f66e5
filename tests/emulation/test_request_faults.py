"""Faults of requests: which requests they hit, what the client gets, and that nobody takes them for real ones."""

from __future__ import annotations

import time

import pytest
import requests

from qumulus.apis.ibm.instances import LOCAL_CRN

IBM = {"Authorization": "Bearer qumulus-local", "Service-CRN": LOCAL_CRN, "IBM-API-Version": "2025-05-01"}
OQTOPUS = {"q-api-token": "local.qumulus-local"}
TASK = {"code": "OPENQASM 3; qubit[1] q; bit[1] c; c = measure q;", "device": "qulacs", "n_shots": 10}
RUNTIME_JOB = {"program_id": "sampler", "backend": "ibm_brisbane", "params": {"pubs": []}, "tags": ["nightly"]}


def test_an_error_has_the_form_of_its_api_and_says_that_it_is_injected(control):
    fault = control.fault("error", status=503, retry_after=2)
    runtime = control.get("/api/v1/backends", headers=IBM)
    assert (runtime.status_code, runtime.headers["retry-after"]) == (503, "2")
    assert runtime.headers["x-qumulus-fault"] == fault
    assert runtime.json()["errors"][0]["message"] == f"This failure was injected by the fault {fault} (error)."
    assert fault in control.get("/devices", headers=OQTOPUS).json()["message"]
    assert f"Is injected by the fault {fault} (error): listBackends of ibm/runtime." in control.server.output()
    assert (control.known(fault)["seen"], control.hits(fault)) == (2, 2)


def test_the_emulator_itself_is_never_hit(control):
    fault = control.fault("error")
    assert control.get("/health").status_code == 200
    assert control.administer("DELETE", f"/faults/{fault}").status_code == 204
    assert control.get("/hello").status_code == 200


def test_a_page_of_a_proxy_comes_with_status_200(control):
    control.fault("page", message="<Log in> first")
    answer = control.get("/api/v1/backends", headers=IBM)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "&lt;Log in&gt; first" in answer.text


def test_a_slow_answer_is_the_answer(control):
    control.fault("slow", seconds=0.3)
    begun = time.monotonic()
    assert control.get("/hello").status_code == 200
    assert time.monotonic() - begun >= 0.3


def test_a_garbled_answer_has_the_right_length(control):
    whole = control.get("/api/v1/backends", headers=IBM).content
    control.fault("garbled")
    answer = control.get("/api/v1/backends", headers=IBM)
    assert answer.status_code == 200
    assert len(answer.content) == len(whole)
    assert answer.content[: len(whole) // 2] == whole[: len(whole) // 2]
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()


def test_an_answer_that_is_cut_off_was_carried_out(control):
    control.fault("cut", operation="postTask")
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        requests.post(f"{control.url}/task", json=TASK, headers=OQTOPUS, timeout=30)
    assert control.administer("GET", "/jobs").json()["total"] == 1


def test_a_connection_that_is_reset_carried_nothing_out(control):
    control.fault("reset", operation="postTask")
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.post(f"{control.url}/task", json=TASK, headers=OQTOPUS, timeout=30)
    assert control.administer("GET", "/jobs").json()["total"] == 0
    assert "Traceback" not in control.server.output()
    assert "ASGI" not in control.server.output()


@pytest.mark.parametrize(
    ("rule", "hit"),
    [
        ({"api": "ibm"}, ["backends", "job"]),
        ({"api": "ibm/account"}, []),
        ({"api": "oqtopus/user"}, ["devices", "hello"]),
        ({"operation": "runJob"}, ["job"]),
        ({"device": "brisbane"}, ["job"]),
        ({"tag": "nightly"}, ["job"]),
        ({"account": "local"}, ["backends", "job", "devices"]),
        ({"account": "somebody"}, []),
    ],
)
def test_every_member_narrows(control, rule, hit):
    fault = control.fault("error", status=418, **rule)
    answers = {
        "backends": control.get("/api/v1/backends", headers=IBM),
        "job": requests.post(f"{control.url}/api/v1/jobs", json=RUNTIME_JOB, headers=IBM, timeout=30),
        "devices": control.get("/devices", headers=OQTOPUS),
        "hello": control.get("/hello"),
    }
    assert [name for name, answer in answers.items() if answer.status_code == 418] == hit
    assert control.hits(fault) == len(hit)


def statuses(control, count):
    return [control.get("/hello").status_code for _ in range(count)]


def test_only_the_nth_is_hit(control):
    control.fault("error", nth=3)
    assert statuses(control, 5) == [200, 200, 500, 200, 200]


def test_it_hits_no_more_often_than_it_may(control):
    control.fault("error", times=2)
    assert statuses(control, 4) == [500, 500, 200, 200]


def test_the_same_seed_hits_the_same_ones(control):
    control.fault("error", probability=0.5, seed=7)
    first = statuses(control, 12)
    assert set(first) == {200, 500}
    control.administer("DELETE", "/faults")
    control.fault("error", probability=0.5, seed=7)
    assert statuses(control, 12) == first
    control.administer("DELETE", "/faults")
    control.fault("error", probability=0.5, seed=8)
    assert statuses(control, 12) != first


def test_it_is_in_force_between_its_beginning_and_its_end(control):
    later = control.fault("error", after_seconds=3600)
    over = control.fault("error", begins_at="2020-01-01T00:00:00Z", ends_at="2020-01-02T00:00:00Z")
    assert statuses(control, 1) == [200]
    now = control.fault("error", begins_at="2020-01-01T00:00:00Z", for_seconds=3 * 10**8)
    assert statuses(control, 1) == [500]
    assert [control.known(each)["seen"] for each in (later, over, now)] == [0, 0, 1]


def test_a_dry_run_counts_what_it_would_hit_and_lets_all_pass(control):
    fault = control.fault("error", dry_run=True)
    answer = control.get("/hello")
    assert answer.status_code == 200
    assert "x-qumulus-fault" not in answer.headers
    assert control.hits(fault) == 1
    assert f"Would be injected by the fault {fault}" in control.server.output()


def test_a_reset_of_the_state_takes_faults_back(control):
    control.fault("error")
    control.administer("POST", "/reset")
    assert control.administer("GET", "/faults").json() == {"faults": []}
    assert statuses(control, 1) == [200]


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ({"kind": "slow", "status": 500}, "A fault of the kind slow takes seconds: leave out status."),
        ({"kind": "error", "api": "imb"}, "There is no API imb: name one of ibm/account, "),
        ({"kind": "error", "api": "ibm", "operation": "postTask"}, "No operation of ibm is called postTask: "),
        ({"kind": "error", "begins_at": "2030-01-01T00:00:00Z", "after_seconds": 3}, "say one of the two"),
        ({"kind": "error", "after_seconds": 5, "for_seconds": 0}, "ends before it begins"),
    ],
)
def test_what_can_not_be_is_refused_with_a_sentence(control, rule, told):
    answer = control.administer("POST", "/faults", rule)
    assert answer.status_code == 400
    assert told in answer.json()["detail"]


def test_an_unknown_device_or_fault_is_not_found(control):
    answer = control.administer("POST", "/faults", {"kind": "error", "device": "nowhere"})
    assert (answer.status_code, "There is no device" in answer.json()["detail"]) == (404, True)
    assert control.administer("DELETE", "/faults/none").status_code == 404
