"""Faults of jobs and devices: how jobs end that a fault is for, that they say so, and what is seen of a device."""

from __future__ import annotations

import pytest
import requests

from dispatchers import wait_for
from emulation.jobs import BELL, IBM, OQTOPUS, ended, in_state, log, shown, submit


def test_a_job_fails_with_a_code_of_the_registry(control):
    fault = control.fault("job-fails", code=1517, api="oqtopus", message="The qubits are tired.", times=1)
    job = ended(control, submit(control), "failed")
    assert (job["reason"], job["reason_code"]) == ("The qubits are tired.", 1517)
    assert job["metadata"]["injected"] == {"fault": fault, "kind": "job-fails"}
    assert f"What happens to this job is injected by the fault {fault} (job-fails)." in log(control, job["id"])
    assert f"Is injected by the fault {fault} (job-fails): job {job['id']}." in control.server.output()
    assert control.hits(fault) == 1
    ended(control, submit(control), "succeeded")


def test_a_job_that_fails_at_its_end_keeps_what_it_had(control):
    control.fault("job-fails-at-end")
    job = ended(control, submit(control), "failed")
    assert "injected" in job["reason"]
    assert job["run_seconds"] > 0
    assert sum(control.administer("GET", f"/jobs/{job['id']}/result").json()["counts"].values()) == 10


def test_a_job_that_runs_too_long_is_cancelled_with_1305_at_ibm(control):
    control.fault("job-runs-too-long", device="brisbane")
    body = {"program_id": "sampler", "backend": "ibm_brisbane", "params": {"pubs": []}}
    sent = requests.post(f"{control.url}/api/v1/jobs", json=body, headers=IBM, timeout=30).json()["id"]
    ended(control, sent, "failed")
    state = control.get(f"/api/v1/jobs/{sent}", headers=IBM).json()["state"]
    assert (state["status"], state["reason_code"]) == ("Cancelled", 1305)


def test_a_job_whose_worker_is_lost_once_is_run_again(control):
    fault = control.fault("worker-lost", times=1)
    job = ended(control, submit(control), "succeeded")
    assert job["attempt"] == 2
    assert fault in log(control, job["id"])


def test_a_job_whose_worker_is_always_lost_fails(control):
    fault = control.fault("worker-lost")
    job = ended(control, submit(control), "failed")
    assert "died in each of its 3 attempts" in job["reason"]
    assert fault in job["reason"]
    assert control.hits(fault) == 3


def test_a_job_stays_queued_until_the_fault_is_taken_back(control):
    fault = control.fault("job-stays-queued", times=1)
    first, second = submit(control), submit(control)
    ended(control, second, "succeeded")
    assert shown(control, first)["state"] == "queued"
    assert shown(control, first)["metadata"]["injected"]["fault"] == fault
    assert fault in log(control, first)
    assert control.get(f"/task/{first}/status", headers=OQTOPUS).json()["status"] == "QUEUED"
    control.administer("DELETE", f"/faults/{fault}")
    ended(control, first, "succeeded")


def test_a_job_that_stays_queued_can_be_cancelled(control):
    control.fault("job-stays-queued")
    job = submit(control)
    wait_for(lambda: "injected" in shown(control, job)["metadata"], 30)
    control.administer("POST", f"/jobs/{job}/cancel")
    ended(control, job, "cancelled")


def test_a_job_whose_provider_is_silent_runs_until_the_fault_is_over(control):
    fault = control.fault("provider-silent", device="qulacs")
    job = submit(control)
    in_state(control, job, "running")
    control.administer("DELETE", f"/faults/{fault}")
    assert ended(control, job, "succeeded")["attempt"] == 2


def test_a_job_whose_provider_is_silent_is_not_cancelled_before_that_speaks_again(control):
    fault = control.fault("provider-silent")
    job = submit(control)
    in_state(control, job, "running")
    control.administer("POST", f"/jobs/{job}/cancel")
    assert shown(control, job)["state"] == "cancelling"
    control.administer("DELETE", f"/faults/{fault}")
    ended(control, job, "cancelled")


def test_a_dry_run_lets_jobs_run(control):
    fault = control.fault("job-fails", dry_run=True)
    assert "injected" not in ended(control, submit(control), "succeeded")["metadata"]
    assert control.hits(fault) == 1


@pytest.mark.parametrize(
    ("kind", "told"), [("device-paused", "It is paused"), ("device-in-maintenance", "It is in maintenance")]
)
def test_a_device_takes_no_jobs_while_a_fault_is_in_force(control, kind, told):
    fault = control.fault(kind, device="brisbane")
    status = control.get("/api/v1/backends/ibm_brisbane/status", headers=IBM).json()
    assert (status["state"], status["message"]) == (False, f"{told}, by a fault of the emulator.")
    body = {"program_id": "sampler", "backend": "ibm_brisbane", "params": {"pubs": []}}
    job = requests.post(f"{control.url}/api/v1/jobs", json=body, headers=IBM, timeout=30).json()["id"]
    assert f"It waits: device brisbane takes no jobs now ({told}, by a fault of the emulator)." in log(control, job)
    assert control.administer("GET", "/devices/brisbane").json()["settings"]["online"] is True
    control.administer("DELETE", f"/faults/{fault}")
    ended(control, job, "failed")  # of having no circuits, which is its own affair
    assert control.get("/api/v1/backends/ibm_brisbane/status", headers=IBM).json()["state"] is True


def sampler(control, backend="ibm_brisbane"):
    """A job at IBM that has no circuits; its id."""
    body = {"program_id": "sampler", "backend": backend, "params": {"pubs": []}}
    return requests.post(f"{control.url}/api/v1/jobs", json=body, headers=IBM, timeout=30).json()["id"]


def test_what_meets_a_device_that_was_taken_off_is_counted_and_says_by_what(control):
    fault = control.fault("device-paused", device="brisbane")
    seen = control.get("/api/v1/backends/ibm_brisbane/status", headers=IBM)
    assert seen.headers["X-Qumulus-Fault"] == fault
    job = sampler(control)
    assert control.hits(fault) == 2
    assert shown(control, job)["metadata"] == {"injected": {"fault": fault, "kind": "device-paused"}}
    assert control.get(f"/api/v1/jobs/{job}", headers=IBM).json()["state"]["status"] == "Queued"
    assert control.get("/api/v1/backends/ibm_fez/status", headers=IBM).json()["state"] is True
    assert control.hits(fault) == 2
    assert control.server.output().count(f"Is injected by the fault {fault} (device-paused): ") == 2
    control.administer("DELETE", f"/faults/{fault}")
    assert "injected" not in ended(control, job, "failed")["metadata"]


def test_a_submission_that_a_paused_device_refuses_is_counted(control):
    fault = control.fault("device-in-maintenance", device="qulacs")
    body = {"code": BELL, "device": "qulacs", "n_shots": 10}
    answer = requests.post(f"{control.url}/task", json=body, headers=OQTOPUS, timeout=30)
    assert (answer.status_code, answer.headers["X-Qumulus-Fault"]) == (409, fault)
    assert control.hits(fault) == 1


def test_jobs_that_wait_already_are_counted_when_their_device_is_taken_off(control):
    control.administer("PUT", "/devices/qulacs/settings", {"least_queue_seconds": 3600})
    waiting = submit(control)
    fault = control.fault("device-retired", device="qulacs")
    assert control.hits(fault) == 1
    assert shown(control, waiting)["metadata"]["injected"]["fault"] == fault


def test_jobs_are_told_of_a_maintenance_that_begins_while_they_wait(control):
    control.administer("PUT", "/clock", {"rate": 0})
    control.administer("PUT", "/devices/qulacs/settings", {"least_queue_seconds": 3600})
    waiting = submit(control)
    fault = control.fault("device-in-maintenance", device="qulacs", after_seconds=600, message="At noon.")
    assert control.hits(fault) == 0
    control.administer("POST", "/clock/advance", {"seconds": 601})
    wait_for(lambda: "It waits: device qulacs takes no jobs now (At noon)." in log(control, waiting), 30)
    assert control.hits(fault) == 1
    assert shown(control, waiting)["metadata"]["injected"]["fault"] == fault


def test_a_dry_run_of_a_pause_counts_and_takes_nothing_off(control):
    fault = control.fault("device-paused", device="brisbane", dry_run=True)
    assert control.get("/api/v1/backends/ibm_brisbane/status", headers=IBM).json()["state"] is True
    assert control.hits(fault) == 1
    assert "injected" not in ended(control, sampler(control), "failed")["metadata"]


def test_a_device_that_was_retired_is_not_found(control):
    fault = control.fault("device-retired", device="brisbane")
    assert control.get("/api/v1/backends/ibm_brisbane/status", headers=IBM).status_code == 404
    assert control.hits(fault) == 1
    listed = control.get("/api/v1/backends", headers=IBM).json()["devices"]
    names = [each if isinstance(each, str) else each["name"] for each in listed]
    assert "ibm_brisbane" not in names
    assert "ibm_fez" in names


def test_jobs_that_wait_say_that_their_device_was_taken_off(control):
    control.administer("PUT", "/devices/qulacs/settings", {"least_queue_seconds": 3600})
    job = submit(control)
    control.administer("PUT", "/devices/qulacs/settings", {"online": False, "message": "Gone fishing."})
    assert "It waits: device qulacs takes no jobs now (Gone fishing)." in log(control, job)


def test_a_credential_is_let_in_no_more(control):
    control.fault("not-authenticated", api="ibm/runtime")
    answer = control.get("/api/v1/backends", headers=IBM)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (401, 1201)


def test_the_limit_of_usage_is_reached_where_jobs_are_submitted(control):
    control.fault("limit-reached")
    assert control.get("/api/v1/backends", headers=IBM).status_code == 200
    body = {"program_id": "sampler", "backend": "ibm_brisbane", "params": {"pubs": []}}
    answer = requests.post(f"{control.url}/api/v1/jobs", json=body, headers=IBM, timeout=30)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, 1244)


def test_a_result_can_not_be_fetched_yet(control):
    job = ended(control, submit(control), "succeeded")["id"]
    fault = control.fault("no-result", times=1)
    answer = control.get(f"/task/{job}/result", headers=OQTOPUS)
    assert answer.status_code == 404
    assert fault in answer.text
    assert control.get(f"/task/{job}/result", headers=OQTOPUS).status_code == 200


def test_tokens_can_not_be_had_while_their_service_is_down(control):
    control.fault("error", purpose="token", status=503)
    form = {"grant_type": "urn:ibm:params:oauth:grant-type:apikey", "apikey": "qumulus-local"}
    assert requests.post(f"{control.url}/identity/token", data=form, timeout=30).status_code == 503
    grant = {"grant_type": "client_credentials"}
    keys = ("qumulus", "qumulus-local")
    assert requests.post(f"{control.url}/token", data=grant, auth=keys, timeout=30).status_code == 503
    assert control.get("/api/v1/backends", headers=IBM).status_code == 200


def test_an_error_has_the_code_that_was_asked_for(control):
    control.fault("error", api="ibm/runtime", status=500, code=9999)
    assert control.get("/api/v1/backends", headers=IBM).json()["errors"][0]["code"] == 9999
