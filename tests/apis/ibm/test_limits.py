"""Limits of the service on requests: of every plan, and of the open one."""

from __future__ import annotations

import httpx2
import pytest

from apis.ibm.cloud import BELL
from qumulus.apis.ibm.runtime.limits import ServiceLimits
from qumulus.core.accounts import Instance
from qumulus.core.sessions import NewSession, SessionMode

ADMIN = {"Authorization": "Bearer qumulus-admin"}
DAY = 86_400.0


@pytest.fixture(scope="module")
def opened(server, runtime):
    """The API for an instance of the open plan, whose jobs wait on ibm_cusco."""
    with httpx2.Client(base_url=f"{server.url}/emulator", headers=ADMIN, timeout=30) as admin:
        made = admin.post("/instances", json={"name": "free", "plan": "open"})
        assert made.status_code in (200, 201), made.text
        assert admin.put("/devices/cusco/settings", json={"online": False}).status_code == 200
    return runtime.of(instance=made.json()["crn"])


def job(**members):
    return {
        "program_id": "sampler",
        "backend": "ibm_cusco",
        "params": {"pubs": [[BELL]], "options": {}, "version": 2},
        **members,
    }


def test_the_open_plan_has_no_sessions_but_batches_of_ten_minutes(opened):
    words = "You are not authorized to run a session when using the open plan."
    session = {"mode": "dedicated", "backend": "ibm_cusco"}
    assert opened.error("POST", "/sessions", json=session) == (400, 1352, words)
    assert opened.error("POST", "/jobs", json=job(start_session=True)) == (400, 1352, words)
    batch = opened.send("POST", "/sessions", json={"mode": "batch", "backend": "ibm_cusco", "max_ttl": 28_800}).json()
    assert (batch["max_ttl"], batch["interactive_ttl"]) == (600, 1)


def test_the_open_plan_has_three_jobs_that_wait_and_five_a_minute(opened):
    waiting = [opened.send("POST", "/jobs", json=job()).json()["id"] for _ in range(3)]
    status, code, words = opened.error("POST", "/jobs", json=job())
    assert (status, code, words.startswith("You have reached the limit of 3 pending jobs.")) == (400, 3458, True)
    for each in waiting:
        assert opened.send("POST", f"/jobs/{each}/cancel").status_code == 204
    for _ in range(2):
        each = opened.send("POST", "/jobs", json=job()).json()["id"]
        assert opened.send("POST", f"/jobs/{each}/cancel").status_code == 204
    answer = opened.send("POST", "/jobs", json=job())
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (429, 1202)
    assert "the limit is 5 per minute" in answer.json()["errors"][0]["message"]
    assert answer.headers["Retry-After"] == "60"


def test_other_plans_send_as_many_jobs_as_they_like(opened, runtime):
    for _ in range(6):
        assert runtime.send("POST", "/jobs", json=job()).status_code == 200


def test_a_job_may_cost_three_hours_and_have_eight_tags(runtime):
    tags = [f"tag {number}" for number in range(9)]
    assert runtime.error("POST", "/jobs", json=job(cost=10_801))[:2] == (400, 3220)
    words = "Exceeded the maximum number of tags a job can have (9 > 8)."
    assert runtime.error("POST", "/jobs", json=job(tags=tags)) == (400, 1204, words)
    sent = runtime.send("POST", "/jobs", json=job(cost=10_800, tags=tags[:8]))
    assert sent.status_code == 200, sent.text
    assert runtime.error("PUT", f"/jobs/{sent.json()['id']}/tags", json={"tags": tags}) == (400, 1204, words)


def test_a_session_lives_eight_hours_at_most(runtime):
    session = {"mode": "dedicated", "backend": "ibm_cusco", "max_ttl": 90_000, "interactive_ttl": 3600}
    opened = runtime.send("POST", "/sessions", json=session).json()
    assert (opened["max_ttl"], opened["interactive_ttl"]) == (28_800, 60)


def test_nothing_is_held_to_the_limits_where_they_are_off():
    new = NewSession(account="a", device="fez", mode=SessionMode.DEDICATED, max_seconds=DAY, interactive_seconds=5.0)
    instance = Instance(crn="crn", name="free", account="a", plan="open", region="us-east")
    assert ServiceLimits(enforced=False).session(new, instance) == new
    ServiceLimits(enforced=False).tags(["tag"] * 50)
