"""Services as today's clients make them: a name first, then the source, then the build."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from apis.planqk.cloud import TOKEN, Service
from servers import Server, server

PROGRAM = "def run(values):\n    return {'sum': sum(values)}\n"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with server(tmp_path_factory.mktemp("managed") / "state") as running:
        yield running


@pytest.fixture(scope="module")
def http(cloud: Server) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=f"{cloud.url}/platform", headers=TOKEN, timeout=30) as http:
        yield http


def made(http: httpx2.Client, name: str, **members: Any) -> str:
    """The path of a new service."""
    answer = http.post("/managed-services", json={"name": name, "source": {"type": "file"}, **members})
    assert answer.status_code == 201, answer.text
    return f"/managed-services/{answer.json()['id']}"


def zipped(**files: str) -> dict[str, bytes]:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(
                name.replace("__", "/").replace("_py", ".py").replace("_json", ".json").replace("_txt", ".txt"), text
            )
    return {"file": content.getvalue()}


def status(http: httpx2.Client, path: str) -> Any:
    deadline = time.monotonic() + 60
    while (build := http.get(f"{path}/build-status").json())["status"] == "WORKING":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return build["status"]


def test_a_service_is_made_fed_built_and_run(http: httpx2.Client, cloud: Server):
    path = made(
        http, "Sum of all", description="Adds up", resourceConfigurations=[{"type": "cpu", "amount": 2000, "unit": "m"}]
    )
    service = Service(cloud, "sum-of-all")
    waiting = service.start({"values": []})
    assert service.wait(waiting)["status"] == "FAILED"
    assert "upload a zip file of its folder" in service.get(f"/{waiting}/result")["detail"]
    assert http.put(f"{path.replace('managed-', '')}/description", json={"description": "Sums up"}).status_code == 204
    assert http.put(f"{path}/build").status_code == 204
    assert status(http, path) == "FAILURE"
    assert http.put(f"{path}/source/file", files=zipped(src__program_py=PROGRAM)).status_code == 204
    assert status(http, path) == "SUCCESS"
    build = http.get(f"{path}/build-status").json()
    assert build["createdAt"] <= build["finishedAt"]
    assert service.run({"values": [1, 2]})["sum"] == 3
    assert http.put(f"{path}/build").status_code == 204
    memory = {"type": "memory", "amount": 512, "unit": "M"}
    assert http.put(f"{path}/resource-configuration", json=memory).status_code == 204
    answer = http.get(f"{path}/source")
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.read("src/program.py").decode() == PROGRAM
        manifest = json.loads(archive.read("planqk.json"))
    assert manifest == {"name": "Sum of all", "description": "Sums up", "resources": {"cpu": 2.0, "memory": 0.5}}


def test_a_build_that_failed_tells_what_the_installer_said(http: httpx2.Client):
    path = made(http, "unbuildable", runtimeConfiguration={"runtime": "PYTHON_TEMPLATE"})
    assert [line["message"] for line in http.get(f"{path}/build-logs").json()] == [
        "The service has no source yet: upload a zip file of its folder."
    ]
    files = zipped(src__program_py=PROGRAM, requirements_txt="./nothing-here\n", qhub_json='{"name": "Mine"}')
    answer = http.put(f"{path}/source/file", files=files)
    assert (answer.status_code, "nothing-here" in answer.json()["detail"]) == (400, True)


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"source": {"type": "registry"}}, "not taken from a registry"),
        ({"source": {"type": "repository"}}, "not taken from a repository"),
        ({"runtimeConfiguration": {"runtime": "DOCKER", "environment": {"A": "b"}}}, "can't be set here"),
    ],
)
def test_what_is_not_here_is_refused(http: httpx2.Client, members: Any, said: str):
    answer = http.post("/managed-services", json={"name": "refused", "source": {"type": "file"}, **members})
    assert (answer.status_code, said in answer.json()["detail"]) == (400, True)


def test_two_services_have_no_name_in_common(http: httpx2.Client):
    made(http, "twice")
    again = {"name": "Twice", "source": {"type": "file"}}
    assert http.post("/managed-services", json=again).status_code == 409
