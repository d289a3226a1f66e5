"""The service API on a live server, with programs that really run."""

from __future__ import annotations

import re
import time
from pathlib import Path

import httpx2
import pytest

from apis.planqk.cloud import ADMIN, TOKEN, Service, deploy
from servers import Server, server

SUM = """
def run(data, params):
    print("summing up", len(data["values"]))
    return {"sum": sum(data["values"])}
"""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory):
    """A server for the tests of this module."""
    with server(tmp_path_factory.mktemp("planqk") / "state") as running:
        yield running


@pytest.fixture(scope="module")
def summing(cloud: Server) -> Service:
    return deploy(cloud, "sum", SUM)


def test_an_execution_runs_from_start_to_result(summing: Service):
    answer = summing.http.post("/", json={"data": {"values": [1, 2, 3]}, "params": {}, "$tags": ["a", "b"]})
    started = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"{summing.base}/{started['id']}"
    assert started["status"] == "PENDING"
    assert started["tags"] == ["a", "b"]
    assert "startedAt" not in started
    status = summing.wait(started["id"])
    assert status["status"] == "SUCCEEDED"
    for time_ in ("createdAt", "startedAt", "endedAt"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", status[time_])
    result = summing.get(f"/{started['id']}/result")
    assert result == {
        "sum": 6,
        "_embedded": {"status": status},
        "_links": {
            "self": {"href": f"{summing.base}/{started['id']}/result"},
            "status": {"href": f"{summing.base}/{started['id']}"},
            "output.json": {"href": f"{summing.base}/{started['id']}/result/output.json"},
        },
    }
    (line,) = summing.get(f"/{started['id']}/log")
    assert line["message"] == "summing up 3"
    assert line["severity"] == "INFO"
    assert status in summing.get("/")


def test_the_base_answers_with_and_without_a_slash(cloud: Server, summing: Service):
    bare = httpx2.get(summing.base, headers=TOKEN, follow_redirects=False)
    assert bare.json() == {"status": "Service is up and running"}
    started = httpx2.post(summing.base, headers=TOKEN, json={"data": {"values": []}}, follow_redirects=False)
    assert started.status_code == 201
    assert summing.wait(started.json()["id"])["status"] == "SUCCEEDED"


def test_files_are_downloaded_with_their_content_type(cloud: Server):
    files = deploy(
        cloud,
        "files",
        """
        import os
        def run():
            for name, content in {"hello.txt": b"Hello", "pixel.png": b"\\x89PNG", "what": b"?", "self": b"me"}.items():
                open(os.path.join(os.environ["OUTPUT_DIRECTORY"], name), "wb").write(content)
        """,
    )
    execution = files.start()
    files.wait(execution)
    links = files.get(f"/{execution}/result")["_links"]
    assert set(links) == {"self", "status", "hello.txt", "pixel.png", "what"}
    types = {
        name: files.http.get(f"/{execution}/result/{name}").headers["content-type"]
        for name in (*links, "self")
        if name != "status"
    }
    assert types["hello.txt"].startswith("text/plain")
    assert types["pixel.png"] == "image/png"
    assert types["what"] == types["self"] == "application/octet-stream"
    assert files.http.get(f"/{execution}/result/hello.txt").content == b"Hello"
    assert files.http.get(f"/{execution}/result/self").content == b"me"
    for name in ("nothing", "..%2Fhello.txt", "%2Fetc%2Fpasswd"):
        assert files.http.get(f"/{execution}/result/{name}").status_code == 404


def test_a_failed_execution_has_a_result_that_says_why(cloud: Server):
    failing = deploy(cloud, "failing", "def run():\n    raise ValueError('no such city')")
    execution = failing.start()
    assert failing.wait(execution)["status"] == "FAILED"
    result = failing.get(f"/{execution}/result")
    assert result["title"] == "ValueError"
    assert result["detail"] == "no such city"
    assert result["_embedded"]["status"]["status"] == "FAILED"
    assert "Traceback (most recent call last):" in [line["message"] for line in failing.get(f"/{execution}/log")]


@pytest.mark.parametrize("value", ["[1, 2]", "'text'", "None", "{'a': None}"])
def test_every_kind_of_value_has_a_result(cloud: Server, value: str):
    service = deploy(cloud, "values", f"def run():\n    return {value}")
    result = service.run()
    assert result["_embedded"]["status"]["status"] == "SUCCEEDED"
    assert set(result) - {"_embedded", "_links"} == ({"a"} if value.startswith("{") else set())


def test_logs_and_interim_results_are_there_while_it_runs(cloud: Server):
    service = deploy(
        cloud,
        "telling",
        """
        import time
        def run():
            for step in range(3):
                print("PlanQK:Job:InterimResult: {\\"step\\": %d}" % step)
                time.sleep(0.5)
            time.sleep(20)
        """,
    )
    execution = service.start()
    service.wait(execution, until={"RUNNING"})
    assert service.http.get(f"/{execution}/result").status_code == 404
    deadline = time.monotonic() + 60
    while len(told := service.get(f"/{execution}/interim-results")) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert told[:2] == [{"step": 0}, {"step": 1}]
    last = service.get(f"/{execution}/interim-results?last=true")
    assert last["step"] >= 1
    assert len(service.get(f"/{execution}/log")) >= 2
    assert service.http.put(f"/{execution}/cancel").status_code == 200
    service.wait(execution)


def test_cancel_ends_a_busy_loop(cloud: Server):
    service = deploy(cloud, "busy", "def run():\n    print('on')\n    while True: pass")
    execution = service.start()
    service.wait(execution, until={"RUNNING"})
    answer = service.http.put(f"/{execution}/cancel")
    assert answer.status_code == 200
    assert answer.json()["id"] == execution
    assert service.wait(execution)["status"] == "CANCELLED"
    again = service.http.put(f"/{execution}/cancel")
    assert again.status_code == 200
    assert again.json()["status"] == "CANCELLED"
    result = service.get(f"/{execution}/result")
    assert result["_embedded"]["status"]["status"] == "CANCELLED"


def test_cancel_of_one_that_waits_and_of_one_that_has_ended(cloud: Server):
    service = deploy(cloud, "waiting", "import time\ndef run(seconds=0):\n    time.sleep(seconds)")
    busy = [service.start({"seconds": 30}) for _ in range(8)]
    last = busy.pop()
    assert service.get(f"/{last}")["status"] == "PENDING"
    assert service.http.put(f"/{last}/cancel").json()["status"] == "CANCELLED"
    for execution in busy:
        service.http.put(f"/{execution}/cancel")
    for execution in busy:
        assert service.wait(execution)["status"] == "CANCELLED"
    done = service.start()
    service.wait(done)
    assert service.http.put(f"/{done}/cancel").json()["status"] == "SUCCEEDED"


def test_secrets_reach_the_program_and_nothing_else(cloud: Server):
    service = deploy(
        cloud,
        "secretive",
        """
        import os
        def run(**rest):
            print("I know", os.environ["SECRET_IBM_TOKEN"])
            return {"length": len(os.environ["SECRET_IBM_TOKEN"]), "rest": sorted(rest)}
        """,
    )
    secret = "tell-nobody-4711"
    execution = service.start({"$secrets": {"ibmToken": secret}})
    service.wait(execution)
    answer = service.http.get(f"/{execution}/result")
    assert answer.json()["length"] == len(secret)
    assert answer.json()["rest"] == []
    assert secret not in answer.text
    assert secret not in service.http.get(f"/{execution}/log").text
    assert secret not in cloud.output()
    stored = b"".join(path.read_bytes() for path in cloud.home.rglob("*") if path.is_file())
    assert secret.encode() not in stored


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"[1]", 400),
        (b"1", 400),
        (b"{", 400),
        (b'{"a": NaN}', 400),
        (b'{"$tags": "x"}', 400),
        (b'{"$secrets": {"a": 1}}', 400),
        (b'{"data": {}, "dataRef": {"dataPoolId": "x", "fileId": "y"}}', 400),
        (b"[" * 100_000, 400),
    ],
)
def test_a_wrong_request_is_refused_as_declared(summing: Service, body: bytes, status: int):
    answer = summing.http.post("/", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    assert answer.json()["status"] == status
    assert answer.json()["detail"]


def test_a_parameter_whose_name_no_file_can_have_is_refused_with_a_sentence_and_a_shorter_one_runs(cloud: Server):
    named = deploy(cloud, "named", "def run(**all):\n    return {'bytes': [len(name.encode()) for name in all]}")
    answer = named.http.post("/", json={"ä" * 126: 1})
    assert answer.status_code == 400
    assert "is too long: it may have 250 bytes in UTF-8." in answer.text
    assert named.run({"ä" * 125: 1})["bytes"] == [250]


def test_an_input_of_a_hundred_megabytes_is_refused(summing: Service):
    answer = summing.http.post("/", content=b'{"a": "' + bytes(100 << 20) + b'"}')
    assert answer.status_code == 413


def test_unknown_things_are_not_found(cloud: Server, summing: Service):
    assert httpx2.get(f"{cloud.url}/services/nothing", headers=TOKEN).status_code == 404
    for path in ("/123", "/123/result", "/123/log", "/123/interim-results", "/123/result/x"):
        assert summing.http.get(path).status_code == 404, path
    assert summing.http.put("/123/cancel").status_code == 404
    other = deploy(cloud, "other", "def run(): pass")
    execution = other.start()
    assert summing.http.get(f"/{execution}").status_code == 404


def test_a_token_is_given_for_the_right_key_alone(cloud: Server, summing: Service):
    form = {"grant_type": "client_credentials"}
    right = httpx2.post(f"{cloud.url}/token", data=form, auth=("qumulus", "qumulus-local"))
    assert right.status_code == 200
    assert right.json()["expires_in"] > 120
    token = right.json()["access_token"]
    assert httpx2.get(summing.base, headers={"Authorization": f"Bearer {token}"}).status_code == 200
    in_form = httpx2.post(f"{cloud.url}/token", data={**form, "client_id": "qumulus", "client_secret": "qumulus-local"})
    assert in_form.status_code == 200
    for wrong in (("qumulus", "wrong"), ("", "qumulus-local")):
        assert httpx2.post(f"{cloud.url}/token", data=form, auth=wrong).status_code == 401
    assert httpx2.post(f"{cloud.url}/token", data=form).status_code == 401
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        refused = httpx2.get(f"{summing.base}/", headers=headers)
        assert refused.status_code == 401
        assert refused.json()["title"] == "Unauthorized"


def test_a_service_is_replaced_and_removed(cloud: Server):
    service = deploy(cloud, "changing", "def run(): return {'version': 1}")
    assert service.run()["version"] == 1
    service = deploy(cloud, "changing", "def run(): return {'version': 2}")
    assert service.run()["version"] == 2
    assert len(service.get("/")) == 2
    removed = httpx2.delete(f"{cloud.url}/emulator/services/changing", headers=ADMIN)
    assert removed.status_code == 204
    assert service.http.get("/").status_code == 404


def test_ten_parallel_executions_keep_their_files_and_logs_apart(cloud: Server):
    service = deploy(
        cloud,
        "parallel",
        """
        import os
        def run(n):
            print("I am", n)
            open(os.environ["OUTPUT_DIRECTORY"] + "/mine.txt", "w").write(str(n))
            return {"n": n, "files": os.listdir(os.environ["OUTPUT_DIRECTORY"])}
        """,
    )
    executions = {n: service.start({"n": n}) for n in range(10)}
    for n, execution in executions.items():
        service.wait(execution)
        assert service.get(f"/{execution}/result")["files"] == ["mine.txt"]
        assert service.http.get(f"/{execution}/result/mine.txt").text == str(n)
        assert [line["message"] for line in service.get(f"/{execution}/log")] == [f"I am {n}"]


def test_a_killed_server_loses_no_execution(tmp_path: Path):
    with server(tmp_path / "state", service_slots="1") as cloud:
        service = deploy(
            cloud,
            "slow",
            "import time\ndef run(seconds):\n    print('on')\n    time.sleep(seconds)\n    return {'ok': 1}",
        )
        running = service.start({"seconds": 60})
        service.wait(running, until={"RUNNING"})
        secretive = service.start({"seconds": 0, "$secrets": {"token": "gone-with-it"}})
        queued = service.start({"seconds": 0})
        cloud.kill()
        cloud.start()
        service = Service(cloud, "slow")
        assert len(service.get("/")) == 3
        assert service.wait(running)["status"] == "FAILED"
        assert "The server that ran it ended. A program runs once only" in service.get(f"/{running}/result")["detail"]
        assert service.wait(secretive)["status"] == "FAILED"
        assert "secrets" in service.get(f"/{secretive}/result")["detail"]
        assert service.wait(queued)["status"] == "SUCCEEDED"
        assert not list((cloud.home / "services" / "runs").iterdir())


def test_one_service_can_be_served_at_the_root(tmp_path: Path):
    with server(tmp_path / "state", service_at_root="sum", services_relative_links="true") as cloud:
        deploy(cloud, "sum", SUM)
        http = httpx2.Client(base_url=cloud.url, headers=TOKEN)
        assert http.get("/").json() == []
        execution = http.post("/", json={"data": {"values": [2, 3]}}).json()["id"]
        while http.get(f"/{execution}").json()["status"] not in ("SUCCEEDED", "FAILED"):
            time.sleep(0.05)
        result = http.get(f"/{execution}/result").json()
        assert result["sum"] == 5
        assert result["_links"]["output.json"]["href"] == f"/{execution}/result/output.json"
        assert http.get("/health").json()["live"] is True
        assert http.get("/docs").status_code == 200
        assert http.get("/123").status_code == 404
        deploy(cloud, "sum", SUM, planqk__json='{"name": "Sum", "apiVersion": 1}')
        assert http.get("/").json() == {"status": "Service is up and running"}


def test_a_data_pool_that_a_service_brings_along_is_there_for_its_parameter(cloud: Server):
    service = deploy(
        cloud,
        "pooled",
        """
        import os
        def run(n):
            folder = os.path.join(os.environ["DATAPOOL_DIRECTORY"], "files")
            return {"sum": n + sum(float(open(os.path.join(folder, name)).read()) for name in os.listdir(folder))}
        """,
        **{"datapool/files/a.csv": "1.5", "datapool/files/b.csv": "2"},
    )
    assert service.run({"n": 1})["sum"] == 4.5


def test_a_program_reaches_the_quantum_api_as_its_caller(cloud: Server):
    service = deploy(
        cloud,
        "quantum-inside",
        """
        import json, os, urllib.request
        def run():
            request = urllib.request.Request(os.environ["QHUB_QUANTUM_BASE_URL"] + "/backends")
            request.add_header("X-Auth-Token", os.environ["KQH_SERVICE_EXECUTION_TOKEN"])
            print("with", os.environ["KQH_SERVICE_EXECUTION_TOKEN"])
            with urllib.request.urlopen(request, timeout=10) as answer:
                return {"backends": [backend["id"] for backend in json.load(answer)]}
        """,
    )
    execution = service.start()
    service.wait(execution)
    assert "kipu.sim.qsim" in service.get(f"/{execution}/result")["backends"]
    assert [line["message"] for line in service.get(f"/{execution}/log")] == ["with [redacted]"]


def test_the_description_of_a_service_is_shown_with_its_own_words_and_schemas(cloud: Server):
    own = """
        info: {title: Managed PlanQK Service, description: Sums up.}
        paths: {/: {post: {summary: Sum up}}}
        components:
          schemas:
            inputData: {type: object, properties: {n_bits: {type: integer, minimum: 2, example: 8}}}
            resultResponse: {type: object, properties: {sum: {type: number, example: 6}}}
        """
    deploy(cloud, "described", SUM, openapi__yaml=own)
    page = httpx2.get(f"{cloud.url}/docs").text
    assert '<option value="services/described">' in page
    shown = httpx2.get(f"{cloud.url}/openapi/services/described.json").json()
    assert shown["info"]["title"] == "Managed PlanQK Service"
    assert shown["servers"] == [{"url": "/services/described"}]
    assert shown["paths"]["/"]["post"]["summary"] == "Sum up"
    assert shown["components"]["schemas"]["inputData"]["properties"]["n_bits"]["minimum"] == 2
    assert shown["components"]["schemas"]["InputData"] == {"$ref": "#/components/schemas/inputData"}
    assert "n_bits" in httpx2.get(f"{cloud.url}/openapi/services/described.yaml").text
    gone = httpx2.get(f"{cloud.url}/openapi/services/nothing.json")
    assert gone.status_code == 404
    assert "services/described" in gone.json()["detail"]
