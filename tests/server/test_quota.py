"""An account that may store nothing more is told so by every API in its own form; reading goes on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from qumulus.apis.ibm.instances import LOCAL_CRN
from qumulus.serving.app import create_app
from qumulus.settings import Settings

IBM = {"Authorization": "Bearer qumulus-local", "Service-CRN": LOCAL_CRN, "IBM-API-Version": "2025-05-01"}
OQTOPUS = {"q-api-token": "local.qumulus-local"}
PLANQK = {"X-Auth-Token": "qumulus-local"}
CODE = "OPENQASM 3; qubit[1] q; bit[1] c; c = measure q;"
TASK = {"code": CODE, "device": "Kawasaki", "n_shots": 10}
RUNTIME_JOB = {"program_id": "sampler", "backend": "ibm_brisbane", "params": {"pubs": []}}
QUANTUM_JOB = {
    "backend_id": "kipu.sim.qsim",
    "shots": 100,
    "input": 'OPENQASM 2.0; include "qelib1.inc"; qreg q[1]; creg c[1]; h q[0]; measure q -> c;',
    "input_format": "OPEN_QASM_V2",
    "input_params": {},
}
QUOTA = "Account local has"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    settings = Settings(
        home=tmp_path_factory.mktemp("home") / "state", quota="account=local jobs=0 gib=0.001", simulations=1
    )
    with TestClient(create_app(settings), base_url="http://localhost") as client:
        yield client


def test_ibm_says_it_as_a_limit_that_is_reached(cloud):
    answer = cloud.post("/api/v1/jobs", json=RUNTIME_JOB, headers=IBM)
    assert answer.status_code == 409
    (error,) = answer.json()["errors"]
    assert (error["code"], error["solution"]) == (1244, "Delete jobs that you don't need any more.")
    assert error["message"].startswith(QUOTA)


def test_oqtopus_says_it_as_a_bad_request(cloud):
    answer = cloud.post("/task", json=TASK, headers=OQTOPUS)
    assert (answer.status_code, answer.json()["detail"][: len(QUOTA)]) == (400, QUOTA)


def test_planqk_says_it_as_a_problem(cloud):
    answer = cloud.post("/quantum/jobs", json=QUANTUM_JOB, headers=PLANQK)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(QUOTA)
    pool = cloud.post("/platform/datapools", json={"name": "a pool"}, headers=PLANQK).json()
    files = f"/platform/datapools/{pool['id']}/files"
    assert cloud.post(files, files={"file": ("small", b"x")}, headers=PLANQK).status_code == 201
    answer = cloud.post(files, files={"file": ("large", bytes(2 << 20))}, headers=PLANQK)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(QUOTA)


def test_the_administrator_sees_who_has_what_and_the_rules(cloud):
    stored = cloud.get("/emulator/storage", headers={"Authorization": "Bearer qumulus-admin"}).json()
    assert stored["quota"] == "account=local jobs=0 gib=0.001"
    assert [(each["account"], each["kind"], each["bytes"]) for each in stored["held"]] == [("local", "data pools", 1)]


def test_reading_goes_on(cloud):
    assert cloud.get("/api/v1/jobs", headers=IBM).status_code == 200
    assert cloud.get("/task", headers=OQTOPUS).status_code == 200


def test_rules_that_are_none_are_told_at_the_start():
    with pytest.raises(ValueError, match=r"'weeks=3' is not a rule"):
        Settings(keep="weeks=3")
