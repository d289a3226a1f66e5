"""Rules before every handler: whatever the API, they see what a request is about, and may answer, delay or fail it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from fastapi import Response
from fastapi.testclient import TestClient

from qumulus.apis.ibm.instances import LOCAL_CRN
from qumulus.apis.ibm.runtime.app import DOCUMENT
from qumulus.core.errors import DeviceUnavailable, NotAuthenticated
from qumulus.openapi.contract import Call, Fault, Rule, Subjects
from qumulus.serving.app import create_app
from qumulus.settings import Settings

IBM = {"Authorization": "Bearer qumulus-local", "Service-CRN": LOCAL_CRN, "IBM-API-Version": "2025-05-01"}
OQTOPUS = {"q-api-token": "local.qumulus-local"}
PLANQK = {"X-Auth-Token": "qumulus-local"}
TASK = {"code": "OPENQASM 3; qubit[1] q; bit[1] c; c = measure q;", "device": "Kawasaki", "n_shots": 10}
RUNTIME_JOB = {"program_id": "sampler", "backend": "ibm_brisbane", "params": {"pubs": []}}


@dataclass
class Rules:
    """The rules in force, and what they saw."""

    client: TestClient
    rules: list[Rule]
    seen: list[dict[str, Any]] = field(default_factory=list)

    def watch(self) -> None:
        """Note what each call is about."""

        async def rule(call: Call) -> None:
            self.seen.append(
                {
                    "api": call.api,
                    "operation": call.operation,
                    "caller": call.caller and call.caller.account,
                    "device": await call.device(),
                    "job": call.job_id,
                }
            )

        self.rules.append(rule)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rules]:
    rules: list[Rule] = []
    settings = Settings(home=tmp_path_factory.mktemp("home") / "state", status_hold=30, simulations=1)
    with TestClient(create_app(settings, rules), base_url="http://localhost") as client:
        yield Rules(client, rules)


@pytest.fixture
def cloud(server: Rules) -> Iterator[Rules]:
    yield server
    server.rules.clear()
    server.seen.clear()


def fails(error: Exception) -> Rule:
    """A rule that fails every request."""

    async def rule(_call: Call) -> None:
        raise error

    return rule


def test_a_rule_knows_what_a_request_is_about(cloud):
    cloud.watch()
    cloud.client.get("/api/v1/backends/ibm_Fez/status", headers=IBM)
    cloud.client.post("/api/v1/jobs", json=RUNTIME_JOB, headers=IBM)
    answer = cloud.client.post("/task", json=TASK, headers=OQTOPUS)
    task = answer.json()["task_id"]
    cloud.client.post(f"/task/{task}/cancel", headers=OQTOPUS)
    cloud.client.get("/quantum/backends/ibm.qpu.torino", headers=PLANQK)
    cloud.client.get("/services/adder", headers={"Authorization": "Bearer qumulus-local"})
    cloud.client.get("/provider/jobs?device_id=Kawasaki", headers={"x-api-key": "qumulus-provider"})
    cloud.client.get("/hello")
    assert [tuple(seen.values()) for seen in cloud.seen] == [
        ("ibm/runtime", "getBackendStatus", "local", "fez", None),
        ("ibm/runtime", "runJob", "local", "brisbane", None),
        ("oqtopus/user", "postTask", "local", "kawasaki", None),
        ("oqtopus/user", "cancelTaskByTaskId", "local", "kawasaki", task),
        ("planqk/quantum", "getBackend", "local", "torino", None),
        ("planqk/service", "getHealth", "local", "service:adder", None),
        ("oqtopus/provider", "getJobs", "local", "kawasaki", None),
        ("oqtopus/user", "getHello", None, None, None),
    ]


def test_a_fault_with_any_status_has_the_form_of_its_api(cloud):
    cloud.rules.append(fails(Fault(418, "The fault of a test.", {"Retry-After": "7"})))
    runtime = cloud.client.get("/api/v1/backends", headers=IBM)
    assert runtime.status_code == 418
    assert runtime.headers["retry-after"] == "7"
    assert runtime.json()["errors"][0]["message"] == "The fault of a test."
    assert cloud.client.get("/task", headers=OQTOPUS).json() == {"detail": "The fault of a test."}
    assert cloud.client.get("/jobs", headers=OQTOPUS).json() == {"message": "The fault of a test."}
    assert cloud.client.get("/health").status_code == 418


def test_an_error_of_the_core_has_the_status_that_is_declared_for_it(cloud):
    cloud.rules.append(fails(DeviceUnavailable("brisbane")))
    answer = cloud.client.post("/api/v1/jobs", json=RUNTIME_JOB, headers=IBM)
    assert answer.status_code == 409
    assert answer.json()["errors"][0]["code"] == 1004
    cloud.rules[:] = [fails(NotAuthenticated("Revoked."))]
    assert cloud.client.get("/devices", headers=OQTOPUS).status_code == 401


def test_a_rule_may_answer_itself(cloud):
    async def proxy(_call: Call) -> Response:
        return Response("<html>A proxy.</html>", media_type="text/html")

    cloud.rules.append(proxy)
    answer = cloud.client.get("/api/v1/backends", headers=IBM)
    assert (answer.status_code, answer.text) == (200, "<html>A proxy.</html>")


def test_a_rule_acts_before_a_request_is_held(cloud):
    cloud.client.put(
        "/emulator/devices/kawasaki/settings",
        json={"online": True, "least_queue_seconds": 3600},
        headers={"Authorization": "Bearer qumulus-admin"},
    )
    answer = cloud.client.post("/task", json=TASK, headers=OQTOPUS)
    task = answer.json()["task_id"]
    cloud.rules.append(fails(Fault(502, "Bad gateway.")))
    begun = time.monotonic()
    assert cloud.client.get(f"/task/{task}/status", headers=OQTOPUS).status_code == 502
    assert time.monotonic() - begun < 15  # of the 30 seconds that it would be held


def test_who_may_not_call_is_told_so_before_any_rule(cloud):
    cloud.watch()
    assert cloud.client.get("/api/v1/backends", headers={**IBM, "Authorization": "Bearer no"}).status_code == 401
    assert cloud.seen == []


def test_without_rules_all_is_as_before(cloud):
    assert cloud.client.get("/api/v1/backends", headers=IBM).status_code == 200


def test_a_place_that_no_path_has_keeps_the_server_from_starting():
    paths = [operation.path for operation in DOCUMENT.operations.values()]
    operations = DOCUMENT.operations
    assert Subjects(jobs=("/jobs/{id}",), submits=("runJob",)).mistakes(paths, operations) == []
    (mistake,) = Subjects(jobs=("/jobs/{id}", "/nothing/{id}")).mistakes(paths, operations)
    assert mistake.startswith("/nothing/{id}: ")
    (mistake,) = Subjects(tokens=("getNothing",)).mistakes(paths, operations)
    assert mistake.startswith("getNothing: ")
