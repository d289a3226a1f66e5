"""Instances: their limits, their usage, and who may use them."""

from __future__ import annotations

import pytest

from apis.ibm.cloud import LOCAL_CRN, TEST_CRN


def test_an_instance_that_has_used_its_limit_takes_no_more_jobs(runtime):
    runtime.run()
    used = runtime.get("/instances/usage")
    assert used["usage_consumed_seconds"] == 3
    assert not {"usage_limit_seconds", "usage_allocation_seconds", "usage_limit_reached"} & set(used)
    assert runtime.send("PUT", "/instances/configuration", json={"instance_limit": 0}).status_code == 204
    try:
        assert runtime.get("/instances/configuration") == {"instance_limit": 0}
        assert runtime.get("/instance")["instance_limit_seconds"] == 0
        assert runtime.get("/instances/usage")["usage_limit_reached"] is True
        body = {"program_id": "sampler", "backend": "ibm_brisbane", "params": {}}
        status, code, message = runtime.error("POST", "/jobs", json=body)
        assert (status, code) == (409, 1244)
        assert "0 seconds" in message
        runtime.of(instance=LOCAL_CRN).run()
        assert runtime.send("PUT", "/instances/configuration", json={"instance_limit": 600}).status_code == 204
        usage = runtime.get("/instances/usage")
        assert (usage["usage_limit_seconds"], usage["usage_limit_reached"]) == (600, False)
        runtime.run()
    finally:
        runtime.send("PUT", "/instances/configuration", json={"instance_limit": None})
    assert runtime.get("/instances/configuration") == {"instance_limit": None}


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"token": "nonsense"}, 401, 1201),
        ({"instance": TEST_CRN.replace("test:test", "other:other")}, 403, 1200),
        ({"version": "2026-04-16"}, 400, 1214),
        ({"version": "yesterday"}, 400, 1214),
    ],
)
def test_who_is_not_known_here_is_told_so(runtime, changed, status, code):
    assert runtime.of(**changed).error("GET", "/backends")[:2] == (status, code)


def test_an_instance_is_named_by_its_name_or_its_crn(runtime):
    assert runtime.of(instance="test").get("/instances/usage")["instance_id"] == TEST_CRN


def test_jobs_of_another_instance_are_not_listed(runtime):
    job = runtime.of(instance=LOCAL_CRN).run()
    assert job not in [each["id"] for each in runtime.get("/jobs")["jobs"]]


def test_the_versions_say_until_when_they_are_served(runtime):
    versions = {each["version"]: each for each in runtime.get("/versions")["versions"]}
    assert versions["2025-05-01"] == {"version": "2025-05-01", "status": "deprecated", "sunset_date": "2027-01-01"}
    assert versions["2026-04-15"] == {"version": "2026-04-15", "status": "live"}


def test_the_first_version_lists_names_and_the_next_one_devices(runtime):
    first = runtime.of(version="2024-12-31").get("/backends")["devices"]
    assert "ibm_brisbane" in first
    assert len(first) == 68
    devices = {device["name"]: device for device in runtime.of(version="2025-01-01").get("/backends")["devices"]}
    assert list(devices) == first
    assert devices["ibm_brisbane"]["qubits"] == devices["ibm_brisbane"]["physical_qubits"] == 127
    assert "wait_time_seconds" in runtime.get("/backends", fields="wait_time_seconds")["devices"][0]


def test_devices_for_tests_are_shown_to_who_asks_for_them(runtime):
    assert "test_eagle" not in [device["name"] for device in runtime.get("/backends")["devices"]]
    shown = {device["name"]: device for device in runtime.get("/backends", include_mocks="True")["devices"]}
    assert shown["test_eagle"]["class"] == "mock"
    assert "class" not in shown["ibm_brisbane"]
    assert shown["mock_brisbane"] == {**shown["ibm_brisbane"], "name": "mock_brisbane", "class": "mock"}
    assert len(shown) == 2 * 68 + 1
