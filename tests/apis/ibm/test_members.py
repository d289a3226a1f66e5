"""Every parameter and every member of a body of every operation: a test shows what it does, or a reason says that it does nothing.

The table is compared with the document: one that gains a member without a row here fails.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from qumulus.apis.ibm.runtime.app import DOCUMENT
from qumulus.openapi.jobs import REPOSITORY

HERE = Path(__file__).parent
JOBS, SESSIONS, WORKLOADS, INSTANCES = "test_jobs", "test_sessions", "test_workloads", "test_instances"
NARROWS = f"{JOBS}.test_every_filter_narrows_and_the_count_is_exact"
LISTED = f"{WORKLOADS}.test_each_parameter_narrows_or_orders_the_list"
SUMMED = f"{WORKLOADS}.test_usage_is_that_of_the_jobs"
ANALYTICS = {
    "instance": SUMMED,
    "interval_start": SUMMED,
    "interval_end": SUMMED,
    "backend": SUMMED,
    "user_id": SUMMED,
    "plan": SUMMED,
    "simulators": "No device here is a simulator: so says differences.yaml.",
}

ROWS: dict[str, dict[str, str]] = {  # by operation and member: the test that shows the effect, or a sentence
    "getAccount": {"plan_id": f"{WORKLOADS}.test_an_account_is_told_by_the_plans_of_its_instances"},
    "getAnalyticsFilters": {"instance": f"{WORKLOADS}.test_the_filters_of_analytics_are_what_there_is"},
    "getUsageAnalytics": ANALYTICS,
    "getUsageAnalyticsGrouped": ANALYTICS | {"group_by": f"{WORKLOADS}.test_usage_is_grouped"},
    "getUsageAnalyticsGroupedByDate": ANALYTICS | {"group_by": f"{WORKLOADS}.test_usage_is_grouped_by_day"},
    "listBackends": {
        "fields": "test_members.test_the_time_of_waiting_is_told_to_who_asks_for_it",
        "include_mocks": f"{INSTANCES}.test_devices_for_tests_are_shown_to_who_asks_for_them",
    },
    "getBackendConfiguration": {"calibration_id": f"{JOBS}.test_a_calibration_is_chosen_by_its_id"},
    "getBackendProperties": {
        "calibration_id": f"{JOBS}.test_a_calibration_is_chosen_by_its_id",
        "updated_before": "test_documents.test_a_device_has_no_properties_of_a_time_before_its_first_calibration",
    },
    "replaceInstanceConfiguration": {
        "instance_limit": f"{INSTANCES}.test_an_instance_that_has_used_its_limit_takes_no_more_jobs"
    },
    "listJobs": {
        **dict.fromkeys(
            ("offset", "pending", "program", "backend", "created_after", "created_before", "sort", "tags"), NARROWS
        ),
        "session_id": NARROWS,
        "exclude_params": NARROWS,
        "limit": f"{JOBS}.test_any_number_of_jobs_may_be_asked_for_and_an_answer_has_at_most_200",
        "include_mocks": f"{INSTANCES}.test_devices_for_tests_are_shown_to_who_asks_for_them",
    },
    "runJob": {
        "program_id": "test_guide_estimator.test_an_estimator_job_gives_expectation_values_to_read",
        "backend": f"{SESSIONS}.test_a_job_for_another_device_or_session_is_refused",
        "params": "simulation/programs/test_runtime_members.test_every_member_of_a_schema_has_a_row",
        "session_id": f"{SESSIONS}.test_a_job_for_another_device_or_session_is_refused",
        "tags": NARROWS,
        "cost": f"{JOBS}.test_a_job_over_its_cost_is_cancelled_with_the_code_of_the_registry",
        "log_level": "The log of a job is kept whole: so says the document.",
        "runtime": "There is one image, whatever it is called: so says the document.",
        "private": f"{JOBS}.test_a_private_job_shows_no_inputs_and_gives_its_result_once",
        "calibration_id": f"{JOBS}.test_a_calibration_is_chosen_by_its_id",
        "start_session": f"{SESSIONS}.test_a_job_may_open_its_session",
        "session_time": f"{SESSIONS}.test_a_job_may_open_its_session",
        "dry_run": f"{JOBS}.test_a_dry_run_checks_and_returns_data_at_random",
    },
    "getJob": {"exclude_params": "test_members.test_the_inputs_of_a_job_are_left_out_for_who_does_not_want_them"},
    "replaceJobTags": {"tags": "test_members.test_the_tags_of_a_job_are_replaced_and_found"},
    "createSession": {
        "mode": "test_guide_execution_modes.test_jobs_run_in_a_session_that_is_closed_afterwards",
        "backend": f"{SESSIONS}.test_a_job_for_another_device_or_session_is_refused",
        "backend_name": "test_members.test_a_session_may_name_its_device_and_its_life_by_the_older_names",
        "instance": "The header decides, as the document says: a request has one instance.",
        "max_ttl": f"{SESSIONS}.test_a_session_ends_when_it_has_lived_its_time",
        "interactive_ttl": "IBM's guide says that it can't be chosen; it counts where --ibm-limits is off.",
        "active_ttl": "test_members.test_a_session_may_name_its_device_and_its_life_by_the_older_names",
    },
    "updateSession": {
        "accepting_jobs": f"{SESSIONS}.test_a_session_is_open_then_active_then_inactive_then_active_again_and_closed"
    },
    "listTags": {
        "type": "It can have one value.",
        "search": "test_members.test_the_tags_of_a_job_are_replaced_and_found",
    },
    "listWorkloads": {
        **dict.fromkeys(
            ("sort", "limit", "backend", "search", "status", "mode", "created_after", "created_before", "tags"), LISTED
        ),
        "user": "A list is that of its caller, as the document says.",
        "previous": f"{WORKLOADS}.test_a_page_names_its_neighbours_by_address_and_by_cursor",
        "next": f"{WORKLOADS}.test_a_page_names_its_neighbours_by_address_and_by_cursor",
        "include_mocks": LISTED,
    },
}


def resolved(document: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in part:
        found: Any = document
        for name in part["$ref"].split("/")[1:]:
            found = found[name]
        part = found
    return part


def members(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Every parameter of a query and every member of a body, with its operation."""
    for path in document["paths"].values():
        for operation in path.values():
            if not isinstance(operation, dict) or "operationId" not in operation:
                continue
            for each in operation.get("parameters", []):
                if (parameter := resolved(document, each))["in"] == "query":
                    yield operation["operationId"], parameter["name"]
            for content in operation.get("requestBody", {}).get("content", {}).values():
                for name in resolved(document, content["schema"]).get("properties", {}):
                    yield operation["operationId"], name


def test_every_parameter_and_member_has_a_row():
    rows = {(operation, member) for operation, of_it in ROWS.items() for member in of_it}
    assert set(members(DOCUMENT.content)) == rows


@pytest.mark.parametrize(
    "shown", sorted({each for of_it in ROWS.values() for each in of_it.values() if " " not in each})
)
def test_a_row_names_a_test_that_there_is(shown):
    module, _, name = shown.rpartition(".")
    folder = HERE if "/" not in module else REPOSITORY / "tests"
    tree = ast.parse((folder / f"{module}.py").read_text())
    assert name in {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}


def test_the_time_of_waiting_is_told_to_who_asks_for_it(runtime):
    plain = runtime.get("/backends")["devices"][0]
    asked = runtime.get("/backends", fields="wait_time_seconds")["devices"][0]
    assert set(asked) - set(plain) == {"wait_time_seconds"}


def test_the_inputs_of_a_job_are_left_out_for_who_does_not_want_them(runtime):
    job = runtime.run()
    assert "params" in runtime.get(f"/jobs/{job}")
    assert "params" not in runtime.get(f"/jobs/{job}", exclude_params="true")


def test_the_tags_of_a_job_are_replaced_and_found(runtime):
    job = runtime.run(tags=["old tag"])
    assert runtime.send("PUT", f"/jobs/{job}/tags", json={"tags": ["new tag"]}).status_code == 204
    assert runtime.get(f"/jobs/{job}")["tags"] == ["new tag"]
    assert runtime.get("/tags", type="job", search="new")["tags"] == ["new tag"]
    assert runtime.get("/tags", type="job", search="old")["tags"] == []


def test_a_session_may_name_its_device_and_its_life_by_the_older_names(runtime):
    session = runtime.send("POST", "/sessions", json={"mode": "batch", "backend_name": "ibm_fez", "active_ttl": 120})
    assert (session.json()["backend_name"], session.json()["max_ttl"]) == ("ibm_fez", 120)
