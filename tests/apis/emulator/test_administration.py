"""The administrator's operations: devices, jobs, tokens, reset."""

from __future__ import annotations

import re
import time

import pytest
import requests

from commands.cli import qumulus
from qumulus.core.jobs import NewJob
from qumulus.core.results import LogLine, Progress
from qumulus.storage import open_storage
from servers import Server

PROGRAM = "OPENQASM 3; qubit[2] q; bit[2] c; h q[0]; cnot q[0], q[1]; c = measure q;"


class Cloud:
    """A server as its administrator sees it."""

    def __init__(self, server: Server, token: str = "qumulus-admin") -> None:
        self.server = server
        self.headers = {"Authorization": f"Bearer {token}"}

    def __call__(self, method: str, path: str, status: int = 200, **more: object) -> object:
        answer = requests.request(method, f"{self.server.url}/emulator{path}", headers=self.headers, timeout=30, **more)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content and "json" in answer.headers["content-type"] else answer.content

    def submit(self, device: str = "qulacs", shots: int = 100) -> str:
        body = {"device": device, "n_shots": shots, "code": PROGRAM, "name": "a name to find"}
        answer = requests.post(f"{self.server.url}/task", json=body, timeout=30)
        assert answer.ok, answer.text
        return answer.json()["task_id"]

    def ended(self, job_id: str) -> dict[str, object]:
        deadline = time.monotonic() + 60
        while (job := self("GET", f"/jobs/{job_id}"))["state"] not in ("succeeded", "failed", "cancelled"):
            assert time.monotonic() < deadline, job
            time.sleep(0.05)
        return job


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("administration") / "state") as server:
        yield Cloud(server)


def test_a_job_of_another_api_is_seen_with_its_result(cloud):
    job_id = cloud.submit()
    job = cloud.ended(job_id)
    assert (job["state"], job["api"], job["device"], job["shots"]) == ("succeeded", "oqtopus/task", "qulacs", 100)
    assert job["created_at"] <= job["queued_at"] <= job["running_at"] <= job["ended_at"]
    assert b"11" in cloud("GET", f"/jobs/{job_id}/result")
    assert isinstance(cloud("GET", f"/jobs/{job_id}/log")["lines"], list)


def test_a_job_that_runs_says_how_far_it_is(cloud):
    cloud("PUT", "/devices/osaka/settings", json={"online": True, "provider": True})
    storage = open_storage(cloud.server.home)
    try:
        job_id = storage.jobs.submit(NewJob(account="local", device="osaka", kind="any", api="test")).id
        assert cloud("GET", f"/jobs/{job_id}")["progress"] is None
        (claim,) = storage.queue.fetch("osaka", 1)
        so_far = Progress(method="pauli", parts=10, parts_done=3, seconds_used=4.2, seconds_left=9.8)
        now = storage.clock.now()
        storage.queue.log(claim, [LogLine(now, "three of ten", progress=so_far), LogLine(now, "and a word")])
    finally:
        storage.close()
    job = cloud("GET", f"/jobs/{job_id}")
    said = {"method": "pauli", "parts": 10, "parts_done": 3, "seconds_used": 4.2, "seconds_left": 9.8}
    assert job["progress"].items() >= (said | {"text": "three of ten"}).items()
    assert job["metadata"] == {}
    shown = qumulus("jobs", "show", job_id, QUMULUS_URL=cloud.server.url)
    assert re.search(r"^progress +three of ten *$", shown.stdout, re.MULTILINE), shown


def test_jobs_are_listed_newest_first_and_narrowed(cloud):
    first, second = cloud.submit(), cloud.submit()
    listed = [job["id"] for job in cloud("GET", "/jobs")["jobs"]]
    assert listed.index(second) < listed.index(first)
    assert [job["id"] for job in cloud("GET", "/jobs", params={"q": first})["jobs"]] == [first]
    assert cloud("GET", "/jobs", params={"device": "Brisbane"}) == {"jobs": [], "total": 0}
    assert cloud("GET", "/jobs", params={"api": "oqtopus/task", "limit": 1})["total"] >= 2


def test_a_waiting_job_is_cancelled_and_then_can_not_be_again(cloud):
    cloud("PUT", "/devices/osaka/settings", json={"least_queue_seconds": 600})
    job_id = cloud.submit("Osaka")
    assert cloud("POST", f"/jobs/{job_id}/cancel")["state"] == "cancelled"
    again = cloud("POST", f"/jobs/{job_id}/cancel", 409)
    assert again == {"detail": f"Job {job_id} is cancelled: it cannot be cancelled."}


def test_what_is_not_there_is_a_sentence(cloud):
    assert cloud("GET", "/jobs/none", 404) == {"detail": "There is no job with the id 'none'."}
    assert "There is no device named 'none'" in cloud("GET", "/devices/none", 404)["detail"]
    assert "no credential with that id" in cloud("DELETE", "/tokens/none", 404)["detail"]


def test_a_device_shows_what_was_set_for_it(cloud):
    assert cloud("GET", "/devices/Kyiv")["settings"]["online"] is True
    cloud("PUT", "/devices/kyiv/settings", json={"online": False, "message": "Down for maintenance"})
    shown = next(each for each in cloud("GET", "/devices")["devices"] if each["name"] == "kyiv")
    assert shown["settings"]["online"] is False
    assert shown["settings"]["message"] == "Down for maintenance"
    cloud("PUT", "/devices/kyiv/settings", json={})
    assert cloud("GET", "/devices/kyiv")["settings"]["online"] is True


def test_a_new_token_is_let_in_until_it_is_revoked(cloud):
    made = cloud("POST", "/tokens", 201, json={"api": "ibm"})
    crn = "crn:v1:bluemix:public:quantum-computing:us-east:a/test:test::"

    def asked() -> int:
        headers = {"Authorization": f"Bearer {made['secret']}", "Service-CRN": crn, "IBM-API-Version": "2025-05-01"}
        return requests.get(f"{cloud.server.url}/v1/backends", headers=headers, timeout=30).status_code

    assert asked() == 200
    listed = cloud("GET", "/tokens")["tokens"]
    assert made["id"] in [token["id"] for token in listed]
    assert made["secret"] not in str(listed)
    cloud("DELETE", f"/tokens/{made['id']}", 204)
    assert asked() == 401


def test_the_token_of_an_oqtopus_client_has_an_identifier_before_the_dot(cloud):
    assert cloud("POST", "/tokens", 201, json={"api": "oqtopus"})["secret"].count(".") == 1


def test_a_built_in_token_stays(cloud):
    built_in = next(token for token in cloud("GET", "/tokens")["tokens"] if token["built_in"])
    assert "A built-in credential can't be deleted" in cloud("DELETE", f"/tokens/{built_in['id']}", 403)["detail"]


def test_an_account_has_instances_and_tokens_of_its_own(cloud):
    assert cloud("POST", "/accounts", 201, json={"id": "second"}) == {"id": "second", "name": "second"}
    asked = {
        "name": "theirs",
        "account": "second",
        "plan": "open",
        "region": "eu-de",
        "tags": ["a"],
        "limit_seconds": 5,
    }
    made = cloud("POST", "/instances", 201, json=asked)
    assert made | asked == made
    assert made["crn"].startswith("crn:v1:bluemix:public:quantum-computing:eu-de:a/")
    assert made in cloud("GET", "/instances")["instances"]
    token = cloud("POST", "/tokens", 201, json={"api": "ibm", "account": "second"})
    assert token["account"] == "second"

    def status(crn: str) -> int:
        headers = {"Authorization": f"Bearer {token['secret']}", "Service-CRN": crn, "IBM-API-Version": "2026-04-15"}
        return requests.get(f"{cloud.server.url}/v1/instances/usage", headers=headers, timeout=30).status_code

    assert status(made["crn"]) == 200
    assert status("crn:v1:bluemix:public:quantum-computing:us-east:a/test:test::") == 403
    cloud("DELETE", "/instances/theirs", 204)
    assert status(made["crn"]) == 403


def test_an_account_can_lower_the_limit_of_an_administrator_and_not_raise_it(cloud):
    limit = "/instances/test/limit"
    headers = {"Authorization": "Bearer qumulus-local", "Service-CRN": "test", "IBM-API-Version": "2026-04-15"}
    url = f"{cloud.server.url}/v1/instances/configuration"

    def own(seconds: int | None) -> requests.Response:
        return requests.put(url, json={"instance_limit": seconds}, headers=headers, timeout=30)

    assert cloud("PUT", limit, 200, json={"limit_seconds": 600})["limit_seconds"] == 600
    try:
        refused = own(601)
        assert refused.status_code == 403
        assert "lets this instance use 600 seconds" in refused.json()["errors"][0]["message"]
        assert own(60).status_code == 204
        assert requests.get(url, headers=headers, timeout=30).json() == {"instance_limit": 60}
        (test,) = (each for each in cloud("GET", "/instances")["instances"] if each["name"] == "test")
        assert (test["limit_seconds"], test["own_limit_seconds"]) == (600, 60)
        assert own(None).status_code == 204
        assert requests.get(url, headers=headers, timeout=30).json() == {"instance_limit": 600}
    finally:
        cloud("PUT", limit, 200, json={"limit_seconds": None})
    assert own(601).status_code == 204
    own(None)
    cloud("PUT", "/instances/nobody/limit", 404, json={"limit_seconds": 1})


def test_what_is_there_is_not_made_again_and_what_is_always_there_stays(cloud):
    assert "There is an account" in cloud("POST", "/accounts", 409, json={"id": "local"})["detail"]
    assert "named test already" in cloud("POST", "/instances", 409, json={"name": "test"})["detail"]
    assert "no account" in cloud("POST", "/instances", 404, json={"name": "x", "account": "nobody"})["detail"]
    assert "no account" in cloud("POST", "/tokens", 404, json={"api": "ibm", "account": "nobody"})["detail"]
    assert "always there" in cloud("DELETE", "/instances/local", 403)["detail"]
    assert "no instance named 'x'" in cloud("DELETE", "/instances/x", 404)["detail"]


@pytest.mark.parametrize("path", ["/accounts", "/instances", "/jobs", "/devices", "/tokens"])
def test_nobody_else_is_let_in(cloud, path):
    stranger = Cloud(cloud.server, "qumulus-local")
    assert "unknown" in stranger("GET", path, 401)["detail"]
    stranger.headers = {}
    assert "administrator's token" in stranger("GET", path, 401)["detail"]


def test_a_reset_forgets_what_was_done_and_leaves_the_server_at_work(tmp_path):
    with Server(tmp_path / "state") as server:
        cloud = Cloud(server)
        cloud("PUT", "/devices/osaka/settings", json={"least_queue_seconds": 600})
        cloud("POST", "/tokens", 201, json={"api": "planqk"})
        done, waiting = cloud.submit(), cloud.submit("Osaka")
        cloud.ended(done)
        assert cloud("POST", "/reset") == {"jobs": 2, "sessions": 0, "tokens": 1}
        assert cloud("GET", "/jobs") == {"jobs": [], "total": 0}
        assert cloud("GET", "/devices/osaka")["settings"]["least_queue_seconds"] == 0
        for job_id in (done, waiting):
            cloud("GET", f"/jobs/{job_id}", 404)
        assert cloud.ended(cloud.submit())["state"] == "succeeded"
        assert cloud("POST", "/reset") == {"jobs": 1, "sessions": 0, "tokens": 0}


def test_a_reset_ends_what_runs(tmp_path):
    with Server(tmp_path / "state", environment={"QUMULUS_SIMULATIONS": "1"}) as server:
        cloud = Cloud(server)
        cloud("PUT", "/devices/qulacs/settings", json={"least_run_seconds": 300})
        job_id = cloud.submit()
        deadline = time.monotonic() + 60
        while cloud("GET", f"/jobs/{job_id}")["state"] != "running":
            assert time.monotonic() < deadline
            time.sleep(0.05)
        cloud("POST", "/reset")
        assert cloud.ended(cloud.submit())["state"] == "succeeded"
