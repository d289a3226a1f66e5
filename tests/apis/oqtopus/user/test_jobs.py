"""Jobs of today's API over plain HTTP: what is refused, in whose words, and what each state allows."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from apis.oqtopus.cloud import USER, ended, packed, submitted, unpacked, upload
from qumulus.core.accounts import DEFAULT_ACCOUNT
from qumulus.core.devices import DeviceSettings
from qumulus.core.jobs import NewJob
from qumulus.core.results import Failure, Outcome
from qumulus.storage import open_storage
from servers import Server

BELL = "OPENQASM 3; qubit[2] q; bit[2] c; h q[0]; cnot q[0], q[1]; c = measure q;"
STATE = "OPENQASM 3; qubit[2] q; h q[0]; cnot q[0], q[1];"
SUBMIT = {"device_id": "Kawasaki", "job_type": "sampling", "shots": 10}
REQUEST = {"job_type": "sampling", "transpiler_info": {}, "simulator_info": {}, "mitigation_info": {}}
STATES = ("ready", "running", "cancelling", "succeeded", "failed", "cancelled", "registered", "submitted")
NOT_FOUND = {"message": "job not found with the given id"}


def in_each_state(storage: Any) -> dict[str, str]:
    """A job in each state, on a device whose engine does not come again; by the name of the state."""
    storage.device_settings.set("lima", DeviceSettings(provider=True))
    common = {"account": DEFAULT_ACCOUNT, "kind": "openqasm.job", "api": "oqtopus/user", "shots": 10}
    jobs = {}
    for state in STATES:
        new = NewJob(**common, device="lima", request=REQUEST, name=state, registered=state == "registered")
        jobs[state] = storage.jobs.submit(new).id
        if state in ("registered", "submitted"):
            continue
        (claim,) = (each for each in storage.queue.fetch("lima", 10) if each.job_id == jobs[state])
        if state not in ("ready", "cancelled"):
            storage.queue.start(claim)
        if state in ("cancelling", "cancelled"):
            storage.jobs.cancel(jobs[state], storage.accounts.authenticate("oqtopus", "local.qumulus-local"))
        if state in ("succeeded", "failed"):
            failure = None if state == "succeeded" else Failure.CRASHED
            storage.queue.finish(claim, Outcome(failure=failure, reason=failure and "It is so."))
    return jobs


@pytest.fixture(scope="module")
def jobs() -> dict[str, str]:
    """Filled when the server's state is made."""
    return {}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, jobs: dict[str, str]) -> Iterator[httpx2.Client]:
    home = tmp_path_factory.mktemp("jobs") / "state"
    storage = open_storage(home, credentials=[("oqtopus", "local.qumulus-local")])
    try:
        new = NewJob(account="another", device="lima", kind="openqasm.job", api="oqtopus/user", request=REQUEST)
        jobs["foreign"] = storage.jobs.submit(new).id
        storage.queue.fetch("lima", 10)
        jobs |= in_each_state(storage)
        storage.device_settings.set("belem", DeviceSettings(online=False))
    finally:
        storage.close()
    with Server(home) as server, httpx2.Client(base_url=server.url, timeout=30, headers=USER) as client:
        yield client


def registered(client: httpx2.Client, content: bytes | None = None) -> str:
    job = client.post("/jobs").json()
    if content is not None:
        assert upload(client, job["presigned_url"], content).status_code == 204
    return job["job_id"]


def test_a_job_shows_its_state_by_every_operation_that_tells_it(client: httpx2.Client, jobs: dict[str, str]):
    for state in STATES:
        assert client.get(f"/jobs/{jobs[state]}").json()["status"] == state
        assert client.get(f"/jobs/{jobs[state]}/status").json() == {"job_id": jobs[state], "status": state}
        listed = client.get("/jobs", params={"status": state, "q": jobs[state]}).json()
        assert [job["job_id"] for job in listed] == [jobs[state]]
    assert set(client.get(f"/jobs/{jobs['registered']}").json()) == {"job_id", "status"}


def test_another_users_job_is_not_found(client: httpx2.Client, jobs: dict[str, str]):
    path = f"/jobs/{jobs['foreign']}"
    answers = [
        client.get(path),
        client.get(f"{path}/status"),
        client.post(f"{path}/cancel"),
        client.delete(path),
        client.post(f"{path}/submit", json=SUBMIT),
    ]
    assert [(answer.status_code, answer.json()) for answer in answers] == [(404, NOT_FOUND)] * 5
    assert jobs["foreign"] not in {job["job_id"] for job in client.get("/jobs", params={"size": 1000}).json()}


@pytest.mark.parametrize("name", ["kawasaki", "Kawasaki", "KAWASAKI"])
def test_the_device_comes_back_as_it_was_sent(client: httpx2.Client, name: str):
    job_id = submitted(client, {"program": [BELL]}, **SUBMIT | {"device_id": name})
    assert client.get(f"/jobs/{job_id}").json()["device_id"] == name


def test_a_device_says_that_it_takes_cx_whatever_its_own_gate_is(client: httpx2.Client):
    assert {"cx", "ecr"} <= set(client.get("/devices/Kawasaki").json()["basis_gates"])


@pytest.mark.parametrize("state", [state for state in STATES if state not in ("succeeded", "failed", "cancelled")])
def test_only_a_job_that_has_ended_is_deleted(client: httpx2.Client, jobs: dict[str, str], state: str):
    answer = client.delete(f"/jobs/{jobs[state]}")
    words = "(valid statuses for deletion: 'succeeded', 'failed' and 'cancelled')"
    assert answer.status_code == 400
    assert answer.json() == {"message": f"{jobs[state]} job is not in valid status for deletion {words}"}


@pytest.mark.parametrize("state", [state for state in STATES if state != "registered"])
def test_only_a_registered_job_is_submitted(client: httpx2.Client, jobs: dict[str, str], state: str):
    answer = client.post(f"/jobs/{jobs[state]}/submit", json=SUBMIT)
    words = "(valid status for submission: 'registered')"
    assert answer.status_code == 400
    assert answer.json() == {"message": f"{jobs[state]} job is not in valid status for submission {words}"}


@pytest.mark.parametrize("state", ["succeeded", "failed"])
def test_a_job_that_has_ended_is_not_cancelled(client: httpx2.Client, jobs: dict[str, str], state: str):
    answer = client.post(f"/jobs/{jobs[state]}/cancel")
    assert answer.status_code == 400
    assert "not in valid status for cancellation" in answer.json()["message"]


def test_the_lists_parameters_choose_sort_and_page(client: httpx2.Client, jobs: dict[str, str]):
    def listed(**query: Any) -> list[str]:
        return [job["job_id"] for job in client.get("/jobs", params={"size": 1000, **query}).json()]

    everything = listed(order="ASC")
    assert listed(order="DESC") == everything[::-1]
    assert listed() == everything
    assert listed(size=3, page=2) == everything[3:6]
    assert listed(q="cancelling") == [jobs["cancelling"]]
    job = client.get(f"/jobs/{jobs['failed']}").json()
    assert jobs["failed"] in listed(start_time=job["submitted_at"], end_time=job["submitted_at"])
    assert listed(start_time="2099-01-01T00:00:00.000000+0000") == []
    (only,) = client.get("/jobs", params={"fields": "job_id,shots", "q": jobs["failed"]}).json()
    assert only == {"job_id": jobs["failed"], "shots": 10}


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"fields": "job_id,colour"}, "fields ['colour'] is invalid"),
        ({"status": "unknown"}, "status"),
        ({"size": 0}, "size"),
        ({"page": 0}, "page"),
        ({"order": "UP"}, "order"),
        ({"start_time": "yesterday"}, "start_time"),
    ],
)
def test_a_list_that_is_asked_for_wrongly_is_refused(client: httpx2.Client, query: dict[str, Any], said: str):
    answer = client.get("/jobs", params=query)
    assert answer.status_code == 400
    assert said in answer.json()["message"]


def test_what_a_submission_lacks_is_told_in_upstreams_order(client: httpx2.Client):
    job_id = registered(client)
    path = f"/jobs/{job_id}/submit"

    def said(**members: Any) -> tuple[int, str]:
        answer = client.post(path, json=SUBMIT | members)
        return answer.status_code, answer.json()["message"]

    assert said(device_id="Nowhere") == (400, "device not found")
    assert said(device_id="") == (400, "device not found")
    assert said(device_id="Belem") == (400, "device Belem is not available")
    assert said() == (400, f"job information input for {job_id} job not found")
    for shots in (0, 10_000_001, "10", 1.5):
        status, message = said(shots=shots)
        assert status == 400
        assert "shots" in message
    assert said(job_type="guess")[0] == 400
    assert client.post("/jobs/nothing/submit", json=SUBMIT).json() == NOT_FOUND


def test_a_job_is_submitted_once(client: httpx2.Client):
    job_id = registered(client, packed("input.json", {"program": [BELL]}))
    assert client.post(f"/jobs/{job_id}/submit", json=SUBMIT).json() == {"message": "job submitted"}
    assert client.post(f"/jobs/{job_id}/submit", json=SUBMIT).status_code == 400
    assert ended(client, job_id)["status"] == "succeeded"


def test_of_those_who_submit_a_job_at_the_same_time_one_has_success_and_the_others_are_told(client: httpx2.Client):
    refused = "job is not in valid status for submission (valid status for submission: 'registered')"
    with ThreadPoolExecutor(4) as pool:
        for _ in range(5):
            job_id = registered(client, packed("input.json", {"program": [BELL]}))
            answers = list(pool.map(lambda path: client.post(path, json=SUBMIT), [f"/jobs/{job_id}/submit"] * 4))
            assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]
            told = {answer.json()["message"] for answer in answers}
            assert told == {"job submitted", f"{job_id} {refused}"}


def test_null_options_count_as_none(client: httpx2.Client):
    options = dict.fromkeys(("transpiler_info", "simulator_info", "mitigation_info", "name", "description"))
    job = ended(client, submitted(client, {"program": [BELL]}, **SUBMIT, **options))
    assert job["status"] == "succeeded"
    assert (job["name"], job["description"], job["simulator_info"], job["mitigation_info"]) == ("", "", {}, {})


def two_entries() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("input.json", "{}")
        archive.writestr("more.json", "{}")
    return content.getvalue()


def bomb() -> bytes:
    """Half a gigabyte in half a megabyte."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("input.json", "w") as entry:
        for _ in range(512):
            entry.write(b"0" * (1 << 20))
    return content.getvalue()


def not_json() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("input.json", '{"program": [')
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "members", "said"),
    [
        (two_entries(), {}, "has 2 entries"),
        (bomb(), {}, "larger than"),
        (not_json(), {}, "not a JSON document"),
        (b"no zip", {}, "not a zip file"),
        (b"", {}, "not a zip file"),
        ({"program": []}, {}, "no programs"),
        ({"program": [1]}, {}, "no programs"),
        ({"program": [BELL, BELL]}, {}, "use the job type multi_manual"),
        ({"program": [STATE]}, {}, "measures nothing"),
        ({"program": ["OPENQASM 3; qubit[2] q; hh q[0];"]}, {}, "Line 1, column 25: gate 'hh' is not defined."),
        ([], {}, "must be a JSON object"),
        (
            {"program": [STATE], "operator": [{"pauli": "Q 0", "coeff": 1}]},
            {"job_type": "estimation"},
            "no Pauli string",
        ),
        ({"program": [STATE], "operator": [{"pauli": "X 0"}]}, {"job_type": "estimation"}, "a number coeff"),
        ({"program": [STATE], "operator": [{"pauli": "X 5", "coeff": 1}]}, {"job_type": "estimation"}, "the qubit 5"),
        ({"program": [STATE]}, {"job_type": "estimation"}, "no operator"),
        ({"program": [BELL]}, {"transpiler_info": {"transpiler_lib": "other"}}, "is not here"),
        ({"program": [BELL]}, {"mitigation_info": {"ro_error_mitigation": "magic"}}, "is not known here"),
    ],
)
def test_a_wrong_input_fails_from_ready_with_a_sentence(
    client: httpx2.Client, content: Any, members: dict[str, Any], said: str
):
    job = ended(client, submitted(client, content, **SUBMIT | members))
    assert job["status"] == "failed"
    assert said in job["job_info"]["message"]
    assert job["submitted_at"] <= job["ready_at"] <= job["ended_at"]
    assert {"running_at", "execution_time"} & set(job) == set()
    assert set(job["job_info"]) == {"input", "message"}


def test_a_deleted_job_takes_its_files_with_it(client: httpx2.Client):
    job_id = submitted(client, {"program": [BELL]}, **SUBMIT)
    information = ended(client, job_id)["job_info"]
    assert unpacked(client.get(information["result"]).content)["sampling"]["counts"]
    assert client.delete(f"/jobs/{job_id}").json() == {"message": "job deleted"}
    assert [client.get(information[name]).status_code for name in ("input", "result", "transpile_result")] == [404] * 3
    assert client.get(f"/jobs/{job_id}").json() == NOT_FOUND


def test_a_job_that_is_cancelled_twice_stays_cancelled(client: httpx2.Client):
    job_id = registered(client)
    for _ in range(2):
        answer = client.post(f"/jobs/{job_id}/cancel")
        assert (answer.status_code, answer.json()) == (200, {"message": "cancel request accepted"})
    assert client.get(f"/jobs/{job_id}/status").json()["status"] == "cancelled"


def test_the_uploads_of_a_job_that_has_ended_are_refused(client: httpx2.Client):
    job = client.post("/jobs").json()
    client.post(f"/jobs/{job['job_id']}/cancel")
    assert upload(client, job["presigned_url"], b"late").status_code == 403
