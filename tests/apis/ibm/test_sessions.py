"""Sessions and batches: their states, how long they live, and what they take."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from apis.ibm.cloud import Runtime


def opened(runtime: Runtime, **members: Any) -> str:
    answer = runtime.send("POST", "/sessions", json={"mode": "dedicated", "backend": "ibm_brisbane", **members})
    assert answer.status_code == 200, answer.text
    return answer.json()["id"]


def awaited(runtime: Runtime, session: str, state: str, seconds: float = 60) -> Mapping[str, Any]:
    """The session once it has come to a state."""
    deadline = time.monotonic() + seconds
    while (found := runtime.get(f"/sessions/{session}"))["state"] != state:
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


def test_a_session_is_open_then_active_then_inactive_then_active_again_and_closed(runtime):
    session = opened(runtime, mode="batch", interactive_ttl=60, max_ttl=600)
    new = runtime.get(f"/sessions/{session}")
    assert (new["state"], new["accepting_jobs"], new["mode"]) == ("open", True, "batch")
    assert (new["interactive_ttl"], new["max_ttl"], new["active_ttl"]) == (1, 600, 600)
    assert not {"started_at", "activated_at", "elapsed_time"} & set(new)
    job = runtime.run(session_id=session)
    assert runtime.get(f"/jobs/{job}")["session_id"] == session
    inactive = awaited(runtime, session, "inactive")
    assert inactive["accepting_jobs"] is True
    assert inactive["elapsed_time"] > 0
    assert inactive["started_at"] == inactive["activated_at"]
    assert inactive["activated_at"] <= inactive["last_job_started"] <= inactive["last_job_completed"]
    runtime.run(session_id=session)
    assert runtime.get(f"/sessions/{session}")["state"] == "active"
    assert runtime.send("PATCH", f"/sessions/{session}", json={"accepting_jobs": False}).status_code == 204
    closed = runtime.get(f"/sessions/{session}")
    assert (closed["state"], closed["accepting_jobs"], closed["active_ttl"]) == ("closed", False, 0)
    assert [each["status"] for each in closed["timestamps"]] == ["open", "active", "closed"]
    body = {"program_id": "sampler", "backend": "ibm_brisbane", "params": {}, "session_id": session}
    assert runtime.error("POST", "/jobs", json=body)[:2] == (409, 1217)
    assert runtime.error("PATCH", f"/sessions/{session}", json={"accepting_jobs": True})[0] == 409


def test_a_session_ends_when_it_has_lived_its_time(runtime):
    session = opened(runtime, max_ttl=1)
    runtime.run(session_id=session)
    assert awaited(runtime, session, "closed")["accepting_jobs"] is False


def test_closing_cancels_what_waits(runtime, server):
    device, admin = f"{server.url}/emulator/devices/cusco/settings", {"Authorization": "Bearer qumulus-admin"}
    runtime.send("PUT", device, json={"least_queue_seconds": 600}, headers=admin)
    session = opened(runtime, backend="ibm_cusco", mode="batch")
    job = runtime.job(backend="ibm_cusco", session_id=session)
    assert runtime.send("DELETE", f"/sessions/{session}/close").status_code == 204
    assert runtime.ended(job)["state"]["status"] == "Cancelled"
    assert runtime.get(f"/sessions/{session}")["state"] == "closed"
    runtime.send("PUT", device, json={}, headers=admin)


def test_a_job_may_open_its_session(runtime):
    job = runtime.run(start_session=True, session_time=300)
    session = runtime.get(f"/jobs/{job}")["session_id"]
    assert runtime.get(f"/sessions/{session}")["max_ttl"] == 300


def test_a_session_without_a_device_gets_one(runtime):
    answer = runtime.send("POST", "/sessions", json={"mode": "batch"})
    assert answer.json()["backend_name"].startswith("ibm_")


def test_a_job_for_another_device_or_session_is_refused(runtime):
    session = opened(runtime)
    body = {"program_id": "sampler", "backend": "ibm_fez", "params": {}}
    status, _, message = runtime.error("POST", "/jobs", json=body | {"session_id": session})
    assert status == 400
    assert "brisbane" in message
    assert runtime.error("GET", "/sessions/nothing")[:2] == (404, 1292)
    assert runtime.error("POST", "/sessions", json={"mode": "magic"})[:2] == (400, 3220)
