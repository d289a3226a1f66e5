"""Workloads, accounts and analytics: what was sent, and what it used."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from apis.ibm.cloud import LOCAL_CRN, TEST_CRN


@pytest.fixture(scope="module")
def sent(runtime) -> dict[str, str]:
    """The ids of what has been sent for one instance, in this order: two jobs, a batch with a job, a session, a job of a mock."""
    first = runtime.run(tags=["bell", "first"])
    second = runtime.run(backend="ibm_osaka", tags=["bell"])
    batch = runtime.send("POST", "/sessions", json={"mode": "batch", "backend": "ibm_brisbane"}).json()["id"]
    inside = runtime.run(session_id=batch)
    session = runtime.send("POST", "/sessions", json={"mode": "dedicated", "backend": "ibm_fez"}).json()["id"]
    mock = runtime.run(backend="test_eagle")
    runtime.of(instance=LOCAL_CRN).run()
    return {"first": first, "second": second, "batch": batch, "session": session, "mock": mock, "inside": inside}


def test_sessions_and_single_jobs_are_listed_together(runtime, sent):
    page = runtime.get("/workloads", user="me")
    assert [each["id"] for each in page["workloads"]] == [sent[n] for n in ("first", "second", "batch", "session")]
    assert (page["total_count"], page["limit"]) == (4, 10)
    assert not {"next", "previous"} & set(page)
    job, _, batch, session = page["workloads"]
    known = runtime.get(f"/jobs/{sent['first']}")
    assert job == {
        "id": sent["first"],
        "created": known["created"],
        "ended": known["ended"],
        "backend": "ibm_brisbane",
        "instance": TEST_CRN,
        "user_id": "local",
        "mode": "job",
        "status": "completed",
        "tags": ["bell", "first"],
        "usage_seconds": known["usage"]["qpu_charge_time_seconds"],
        "estimated_running_time_seconds": known["estimated_running_time_seconds"],
    }
    used = runtime.get(f"/jobs/{sent['inside']}")["usage"]["qpu_charge_time_seconds"]
    assert (batch["mode"], batch["status"], batch["accepting_jobs"]) == ("batch", "in_progress", True)
    assert batch["usage_seconds"] == used
    assert (session["mode"], session["status"], session["backend"]) == ("session", "pending", "ibm_fez")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"sort": "-createdAt"}, ["session", "batch", "second", "first"]),
        ({"include_mocks": "True"}, ["first", "second", "batch", "session", "mock"]),
        ({"mode": "session"}, ["session"]),
        ({"mode": "job", "tags": ["bell", "first"]}, ["first"]),
        ({"status": ["pending", "in_progress"]}, ["batch", "session"]),
        ({"status": "failed"}, []),
        ({"backend": "ibm_osaka"}, ["second"]),
        ({"search": "irs"}, ["first"]),
        ({"created_after": "2100-01-01T00:00:00Z"}, []),
        ({"created_before": "2100-01-01T00:00:00Z", "limit": 50}, ["first", "second", "batch", "session"]),
    ],
)
def test_each_parameter_narrows_or_orders_the_list(runtime, sent, query, names):
    page = runtime.get("/workloads", **query)
    assert [each["id"] for each in page["workloads"]] == [sent[name] for name in names]
    assert page["total_count"] == len(names)


def test_a_page_names_its_neighbours_by_address_and_by_cursor(runtime, sent):
    first = runtime.get("/workloads", limit=3, backend="ibm_brisbane", include_mocks="true", mode="job")
    assert "next" not in first
    first = runtime.get("/workloads", limit=1, tags="bell", sort="-createdAt")
    assert [each["id"] for each in first["workloads"]] == [sent["second"]]
    address = first["next"]["href"]
    last = runtime.send("GET", address).json()
    assert [each["id"] for each in last["workloads"]] == [sent["first"]]
    assert (last["total_count"], "next" in last) == (2, False)
    assert runtime.send("GET", last["previous"]["href"]).json()["workloads"] == first["workloads"]
    query = {"limit": 1, "tags": "bell", "sort": "-createdAt"}
    assert runtime.get("/workloads", **query, next=address) == last
    assert runtime.get("/workloads", **query, next=address.rpartition("=")[2])["workloads"] == last["workloads"]


@pytest.mark.parametrize("query", [{"limit": 51}, {"next": "nonsense"}, {"status": "Completed"}, {"user": "you"}])
def test_what_is_no_value_of_a_parameter_is_refused(runtime, query):
    assert runtime.error("GET", "/workloads", params=query)[:2] == (400, 3220)


def test_an_account_is_told_by_the_plans_of_its_instances(runtime):
    (plan,) = runtime.get("/accounts/test")["plans"]
    assert plan["plan_id"] == runtime.get("/instance")["plan_id"]
    assert len(plan["backends"]) == 68
    assert (plan["max_ttl"], plan["interactive_ttl"]) == (28800, 60)
    assert "usage_limit_seconds" not in plan
    assert runtime.get("/accounts/test", plan_id="another")["plans"] == []
    assert runtime.get("/accounts/00000000000000000000000000000000")["plans"] == [plan]
    assert runtime.error("GET", "/accounts/other")[0] == 404


def test_the_filters_of_analytics_are_what_there_is(runtime, sent):
    filters = runtime.get("/analytics/filters", instance=TEST_CRN)
    backends = ["ibm_brisbane", "ibm_fez", "ibm_osaka", "test_eagle"]
    assert filters == {
        "backends": [{"name": name} for name in backends],
        "instances": [{"id": TEST_CRN, "deleted": False}],
        "users": [{"id": "local"}],
        "plans": [{"name": "internal"}],
        "subscriptions": [],
    }
    assert len(runtime.get("/analytics/filters")["instances"]) == 2


def milliseconds(runtime: Any, *ids: str) -> float:
    """What the jobs used."""
    return sum(1e3 * runtime.get(f"/jobs/{job}")["usage"]["qpu_charge_time_seconds"] for job in ids)


def test_usage_is_that_of_the_jobs(runtime, sent):
    usage = runtime.get("/analytics/usage", instance=TEST_CRN)
    single = [sent[name] for name in ("first", "second", "mock")]
    assert (usage["jobs"], usage["individual_jobs"], usage["sessions"]) == (4, 3, 2)
    assert (usage["batch_sessions"], usage["dedicated_sessions"]) == (1, 1)
    assert usage["usage"] == pytest.approx(milliseconds(runtime, sent["inside"], *single))
    assert usage["individual_jobs_usage"] == pytest.approx(milliseconds(runtime, *single))
    assert usage["avg_individual_jobs_usage"] == pytest.approx(usage["individual_jobs_usage"] / 3)
    assert usage["max_batch_sessions_usage"] == pytest.approx(milliseconds(runtime, sent["inside"]))
    assert 0 < usage["avg_queue_time"] <= usage["max_queue_time"] <= usage["queue_time"]
    assert runtime.get("/analytics/usage")["jobs"] == 5
    assert runtime.get("/analytics/usage", backend=["ibm_osaka", "ibm_fez"])["jobs"] == 1
    for nothing in ({"user_id": "you"}, {"plan": "open"}, {"instance": "crn:other"}, {"backend": "osaka"}):
        assert runtime.get("/analytics/usage", **nothing)["jobs"] == 0
    long_ago = {"interval_start": "2020-01-01T00:00:00Z", "interval_end": "2020-02-01T00:00:00+01:00"}
    assert runtime.get("/analytics/usage", **long_ago)["jobs"] == 0


def test_usage_is_grouped(runtime, sent):
    def grouped(by: str) -> dict[str, int]:
        return {each["key"]: each["jobs"] for each in runtime.get("/analytics/usage_grouped", group_by=by)["data"]}

    assert grouped("backend") == {"ibm_brisbane": 3, "ibm_fez": 0, "ibm_osaka": 1, "test_eagle": 1}
    assert grouped("instance") == {TEST_CRN: 4, LOCAL_CRN: 1}
    assert grouped("user_id") == {"local": 5}
    assert grouped("plan") == {"internal": 5}
    assert runtime.error("GET", "/analytics/usage_grouped")[0] == 400


def test_usage_is_grouped_by_day(runtime, sent):
    found = runtime.get("/analytics/usage_grouped_by_date", group_by="instance", instance=LOCAL_CRN)
    start, end = (datetime.fromisoformat(found[f"interval_{name}"]) for name in ("start", "end"))
    assert (end - start).days == 28
    (day,) = found["data"]
    assert (day["key"], day["jobs"]) == (LOCAL_CRN, 1)
    created = datetime.fromisoformat(runtime.of(instance=LOCAL_CRN).get("/jobs")["jobs"][0]["created"])
    midnight = created.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    assert datetime.fromisoformat(day["interval_start"]) == midnight
    assert datetime.fromisoformat(day["interval_end"]) <= end
