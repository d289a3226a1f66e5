"""Functions of providers and of other accounts, arguments by a schema, and what is kept of a job, over plain HTTP."""

from __future__ import annotations

import io
import json
import tarfile
import time

import httpx2
import pytest

from qumulus.apis.ibm.functions import arguments
from qumulus.core.errors import InvalidRequest, Unavailable
from servers import server as server_of

SCHEMA = json.dumps({"properties": {"shots": {"type": "integer"}}})


class Gateway:
    """The gateway of functions as an account uses it."""

    def __init__(self, url: str, token: str = "qumulus-local") -> None:
        self._client = httpx2.Client(
            base_url=f"{url}/functions/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=30
        )

    def send(self, method: str, path: str, **arguments) -> tuple[int, dict]:
        answer = self._client.request(method, path, **arguments)
        return answer.status_code, answer.json()

    def upload(self, title: str, source: bytes = b"", **members: str) -> tuple[int, dict]:
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            file = tarfile.TarInfo("main.py")
            file.size = len(source)
            tar.addfile(file, io.BytesIO(source))
        form = {"title": title, "entrypoint": "main.py", **members}
        return self.send("POST", "/programs/upload", data=form, files={"artifact": packed.getvalue()})


@pytest.fixture(scope="module")
def ours(server) -> Gateway:
    return Gateway(server.url)


@pytest.fixture(scope="module")
def theirs(server) -> Gateway:
    """Another account."""
    with httpx2.Client(base_url=f"{server.url}/emulator", headers={"Authorization": "Bearer qumulus-admin"}) as admin:
        assert admin.post("/accounts", json={"id": "other"}).status_code in (200, 201)
        token = admin.post("/tokens", json={"api": "ibm", "account": "other"}).json()["secret"]
    return Gateway(server.url, token)


def test_a_providers_function_is_everybodys_to_run_and_nobody_elses_to_change(ours, theirs):
    status, function = ours.upload("my-company/offered", arguments_schema=SCHEMA)
    assert (status, function["provider"], function["title"]) == (200, "my-company", "offered")
    status, error = theirs.upload("offered", provider="my-company")
    assert (status, error["message"]) == (404, "Provider my-company doesn't exist, or your account is not it.")
    assert theirs.upload("qesem", provider="qedma")[0] == 404
    for path in ("/jobs/provider", "/files/provider"):
        assert theirs.send("GET", path, params={"provider": "my-company", "function": "offered"})[0] == 404
    body = {"title": "my-company/offered", "arguments": "{}"}
    status, job = theirs.send("POST", "/programs/run", json=body)
    assert status == 200
    assert job["program"] == {"id": function["id"], "title": "offered", "provider": "my-company"}
    assert theirs.send("GET", f"/jobs/{job['id']}/provider-logs")[0] == 404
    assert ours.send("GET", f"/jobs/{job['id']}/provider-logs")[0] == 200
    assert ours.send("GET", f"/jobs/{job['id']}")[0] == 404
    listed = [
        gateway.send("GET", path, params=params)[1]["count"]
        for gateway, path, params in (
            (ours, "/jobs/provider", {"provider": "my-company"}),
            (ours, "/jobs", {}),
            (theirs, "/jobs", {"filter": "catalog"}),
            (theirs, "/jobs", {"filter": "serverless"}),
        )
    ]
    assert listed == [1, 0, 1, 0]
    assert [each["id"] for each in theirs.send("GET", f"/programs/{function['id']}/get_jobs")[1]] == [job["id"]]


def test_the_log_says_that_packages_are_being_installed_until_the_run_begins(ours):
    ours.upload(
        "waits", dependencies='["numpy==0.0.1"]'
    )  # there is none: nothing is fetched, and that takes some time, too
    job = ours.send("POST", "/programs/run", json={"title": "waits", "arguments": "{}"})[1]["id"]
    said = ours.send("GET", f"/jobs/{job}/logs")[1]["logs"]
    assert said.startswith("The packages of this function are being installed")
    assert ours.send("POST", f"/jobs/{job}/stop", json={"service": "null"})[0] == 200
    while ours.send("GET", f"/jobs/{job}")[1]["status"] not in ("STOPPED", "FAILED"):
        time.sleep(0.05)
    assert "being installed" not in ours.send("GET", f"/jobs/{job}/logs")[1]["logs"]


def test_arguments_that_differ_from_the_schema_begin_no_job(ours):
    ours.upload("strict", arguments_schema=SCHEMA)
    body = {"title": "strict", "arguments": '{"shots": "many"}'}
    for path in ("/programs/run", "/programs/validate_arguments"):
        wanted = {"message": "'many' is not of type 'integer'", "path": ["shots"]}
        assert ours.send("POST", path, json=body) == (400, wanted)
    assert ours.send("POST", "/programs/validate_arguments", json={**body, "arguments": "{}"}) == (200, {"valid": True})
    assert ours.send("GET", "/jobs", params={"function": "strict"})[1]["count"] == 0


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ('{"type": "nothing"}', "is not valid under any"),
        ("[]", "it has to be an object"),
        ("{", "JSONDecodeError"),
        ('{"$ref": "https://example.org/schema"}', "Unresolvable"),
        ('{"$ref": "#"}', "Recursion"),
    ],
)
def test_a_schema_that_cant_be_used_is_refused_when_it_is_uploaded(schema, why):
    with pytest.raises(InvalidRequest, match=why):
        arguments.usable(schema)


def test_arguments_and_a_schema_that_are_too_large_are_not_read():
    too_large = "[" * (arguments.MOST_CHARACTERS + 1)
    with pytest.raises(arguments.InvalidArguments, match="more than 1048576 characters"):
        arguments.check(SCHEMA, too_large)
    with pytest.raises(InvalidRequest, match="more than 1048576 characters"):
        arguments.usable(too_large)


@pytest.mark.parametrize("content", ["[]", "{", '{"result": 1}', "{}"])
def test_a_function_that_writes_the_file_of_its_result_itself_has_no_result(ours, content):
    source = f"""import os
with open(os.path.join(os.environ['OUTPUT_DIRECTORY'], 'output.json'), 'w') as file: file.write({content!r})
os._exit(0)"""
    assert ours.upload("forging", source.encode())[0] == 200
    job = ours.send("POST", "/programs/run", json={"title": "forging", "arguments": "{}"})[1]["id"]
    while ours.send("GET", f"/jobs/{job}", params={"with_result": "false"})[1]["status"] not in ("SUCCEEDED", "FAILED"):
        time.sleep(0.05)
    status, shown = ours.send("GET", f"/jobs/{job}")
    assert (status, shown["status"], shown["result"]) == (200, "SUCCEEDED", None)


def test_where_others_can_reach_the_server_no_function_has_packages_installed(tmp_path):
    with server_of(tmp_path / "state", allow_exposed="true", token="mine", admin_token="the-boss") as running:
        gateway = Gateway(running.url, "mine")
        status, error = gateway.upload("installs", dependencies='["numpy"]')
        assert (status, "can't name dependencies" in error["message"]) == (400, True)
        assert gateway.upload("installs", dependencies="[]")[0] == 200


def test_very_many_arguments_are_not_checked_at_once():
    for _ in range(arguments.MOST_AT_ONCE):
        assert arguments._places.acquire(timeout=30)
    try:
        with pytest.raises(Unavailable):
            arguments.check(SCHEMA, "{}")
    finally:
        arguments._places.release(arguments.MOST_AT_ONCE)
    arguments.check(SCHEMA, "{}")


def test_a_pattern_that_searches_without_end_is_given_up():
    schema = json.dumps({"properties": {"a": {"pattern": "^(a+)+$"}}})
    with pytest.raises(arguments.InvalidArguments, match="takes too long"):
        arguments.check(schema, json.dumps({"a": "a" * 40 + "!"}))


def test_an_error_is_told_of_while_a_job_is_there_and_not_afterwards(ours):
    ours.upload("errs")
    job = ours.send("POST", "/programs/run", json={"title": "errs", "arguments": "{}"})[1]["id"]
    ours.send("POST", f"/jobs/{job}/stop", json={"service": "null"})
    while ours.send("GET", f"/jobs/{job}")[1]["status"] not in ("STOPPED", "SUCCEEDED"):
        time.sleep(0.05)
    event = {"type": "ERROR", "code": 7, "message": "m", "exception": "E"}
    status, error = ours.send("POST", f"/jobs/{job}/event", json=event)
    assert (status, error["message"]) == (403, "You can create events on active jobs only")
    kinds = [each["context"] for each in ours.send("GET", f"/jobs/{job}/events")[1]]
    assert kinds[0] == "RUN_PROGRAM"
    assert ours.send("GET", f"/jobs/{job}/events", params={"type": "error"}) == (200, [])
