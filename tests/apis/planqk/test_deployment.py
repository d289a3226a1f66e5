"""Services over the platform API, on a live server: who may deploy, what is sent, and what changes."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import httpx2
import pytest

from apis.planqk.cloud import ADMIN, packed
from qumulus.core.errors import InvalidRequest, TooLarge
from qumulus.core.services import FUNCTION
from qumulus.services import archive
from servers import Server, server

PROGRAM = "def run(data, params):\n    return {'sum': sum(data['values']), 'params': params}\n"
FINAL = {"SUCCEEDED", "FAILED", "CANCELLED"}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with server(tmp_path_factory.mktemp("platform") / "state") as running:
        yield running


@pytest.fixture(scope="module")
def http(cloud: Server) -> Iterator[httpx2.Client]:
    headers = {"X-Auth-Token": "qumulus-local"}
    with httpx2.Client(base_url=f"{cloud.url}/platform", headers=headers, timeout=60) as http:
        yield http


def zipped(files: Mapping[str, str]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as package:
        for name, text in files.items():
            package.writestr(name, text)
    return written.getvalue()


def create(http: httpx2.Client, name: str, files: Mapping[str, str], **query: Any) -> httpx2.Response:
    sent = {"userCode": ("user_code.zip", zipped(files))}
    return http.post("/v2/managed-services", params={"name": name, **query}, files=sent)


def version_of(service: Mapping[str, Any]) -> str:
    return f"/services/{service['id']}/versions/{service['serviceDefinitions'][0]['id']}"


def run(http: httpx2.Client, service: Mapping[str, Any], **members: Any) -> dict[str, Any]:
    """The job at its end."""
    body = {"serviceDefinitionId": service["serviceDefinitions"][0]["id"], **members}
    answer = http.post("/jobs", json=body)
    assert answer.status_code == 201, answer.text
    deadline = time.monotonic() + 90
    while (job := http.get(f"/jobs/{answer.json()['id']}").json())["status"] not in FINAL:
        assert time.monotonic() < deadline
    return job


def test_a_service_is_sent_run_changed_and_removed(http: httpx2.Client):
    created = create(
        http, "My Sum", {"src/program.py": PROGRAM, "node_modules/a.js": ""}, milliCpus=500, description="Adds"
    )
    assert created.status_code == 201
    service = created.json()
    assert (service["name"], service["displayName"]) == ("my-sum", "My Sum")
    assert service["serviceDefinitions"][0]["description"] == "Adds"
    assert http.get(f"{version_of(service)}/build-status").json()["status"] == "SUCCESS"
    job = run(http, service, inputData='{"values": [1, 2]}', parameters='{"a": 1}')
    assert job["status"] == "SUCCEEDED"
    assert json.loads(job["result"]) == {"sum": 3, "params": {"a": 1}}
    assert json.loads(job["inputData"]) == {"values": [1, 2]}
    base = version_of(service)
    assert http.put(base, json={"description": "Adds up"}).json()["description"] == "Adds up"
    assert http.put(f"{base}/resource-configuration", json={"type": "memory", "amount": 512, "unit": "M"}).is_success
    refused = http.put(
        f"{base}/resource-configuration", json={"type": "gpu", "amount": 1, "accelerator": "NVIDIA_TESLA_T4"}
    )
    assert refused.status_code == 400
    assert "GPU" in refused.json()["errorMessage"]
    source = {"file": ("code.zip", zipped({"src/program.py": PROGRAM.replace("sum(", "max(")}))}
    assert http.post(f"/v3{base}/source-code", files=source).is_success
    assert json.loads(run(http, service, inputData='{"values": [1, 2]}')["result"])["sum"] == 2
    document = {"file": ("openapi.yaml", b"info: {title: Best}\npaths: {/: {get: {summary: All of them}}}\n")}
    assert http.put(f"/v3{base}/api-spec", files=document).is_success
    told = json.loads(http.get(f"/services/{service['id']}/openapi").json())
    assert told["paths"]["/"]["get"]["summary"] == "All of them"
    assert http.put(f"/services/{service['id']}/display-name", json={"displayName": "Best"}).status_code == 204
    assert http.put(f"/services/{service['id']}/description", json={"description": "The best"}).status_code == 204
    assert [each["displayName"] for each in http.get("/services").json()] == ["Best"]
    assert http.delete(f"/services/{service['id']}").status_code == 204
    assert http.get(f"/services/{service['id']}").status_code == 404


def test_what_can_not_be_deployed_is_refused_in_a_sentence(http: httpx2.Client):
    for files, told in (
        ({"src/other.py": ""}, "has no src/program.py"),
        ({"../src/program.py": PROGRAM}, "leads out of its folder"),
        ({"src/program.py": PROGRAM, "planqk.json": "[]"}, "has to hold an object"),
    ):
        answer = create(http, "refused", files)
        assert answer.status_code == 400
        assert told in answer.json()["detail"]
    sent = {"userCode": ("user_code.zip", b"no zip file")}
    assert "not a zip file" in http.post("/v2/managed-services", params={"name": "a"}, files=sent).json()["detail"]
    assert create(http, "twice", {"src/program.py": PROGRAM}).status_code == 201
    assert create(http, "Twice!", {"src/program.py": PROGRAM}).status_code == 409


def test_an_input_that_is_no_json_is_refused_and_one_of_somebody_else_is_unknown(http: httpx2.Client):
    service = create(http, "inputs", {"src/program.py": PROGRAM}).json()
    body = {"serviceDefinitionId": service["serviceDefinitions"][0]["id"], "inputData": "{"}
    answer = http.post("/jobs", json=body)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("inputData is not JSON")
    assert http.post("/jobs", json={"serviceDefinitionId": "00000000-0000-4000-8000-000000000000"}).status_code == 404


def test_where_others_can_reach_the_server_the_administrator_alone_deploys(tmp_path):
    with server(tmp_path / "state", allow_exposed="true", token="mine", admin_token="the-boss") as running:
        for token, status in (("mine", 403), ("nobody's", 401), ("the-boss", 201)):
            with httpx2.Client(base_url=f"{running.url}/platform", headers={"X-Auth-Token": token}, timeout=60) as http:
                answer = create(http, "sum", {"src/program.py": PROGRAM})
                assert answer.status_code == status, answer.text
                assert status != 403 or "administrator's token" in answer.json()["detail"]


def test_a_zip_file_is_not_believed(monkeypatch: pytest.MonkeyPatch):
    assert archive.opened(zipped({"a/b.py": "1", ".git/c": "", "d/": ""})) == {"a/b.py": b"1"}
    monkeypatch.setattr(archive, "MOST_BYTES", 10)
    with pytest.raises(TooLarge):
        archive.opened(zipped({"a": "1" * 11}))
    with pytest.raises(InvalidRequest):
        archive.opened(zipped({"a": "1"})[:-30])
    with pytest.raises(TooLarge, match="lists more than"):  # before they are looked at
        archive.opened(archive.LISTED * (archive.MOST_LISTED + 1) + zipped({"a": "1"}))


def test_a_function_that_an_account_keeps_is_no_service_for_anybody(cloud: Server, http: httpx2.Client):
    name = f"{FUNCTION}{'0' * 32}"
    deployed = httpx2.put(
        f"{cloud.url}/emulator/services/{name}",
        json=packed({"src/program.py": PROGRAM}),
        headers=ADMIN,
    )
    assert deployed.is_success, deployed.text
    caller = {"Authorization": "Bearer qumulus-local"}
    assert httpx2.get(f"{cloud.url}/services/{name}/", headers=caller).status_code == 404
    assert httpx2.post(f"{cloud.url}/services/{name}/", json={}, headers=caller).status_code == 404
    assert name not in [each["name"] for each in http.get("/services").json()]
    replaced = create(http, name, {"src/program.py": PROGRAM})
    assert (replaced.status_code, "choose another name" in replaced.text) == (409, True)
